"""Mail over encrypted lines: a listener that offers STARTTLS, a mailbox behind TLS."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from pathlib import Path

import pytest
import uvloop

from channels import imap_fetching
from channels.connections import Draft
from channels.mail_sides import Envelope
from channels.smtp import SMTP
from channels.smtp_session import TAKEN, Crowd, Door, Session
from channels.smtp_tls import Certificate
from domain.errors import InvalidInput
from tests.backends import sqlite_backend
from tests.channels import test_imap
from tests.channels.certificates import certificate, server_context
from tests.channels.mails import mail, open_post
from tests.channels.test_smtp import OPTIONS, Office

Files = tuple[Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A certificate and its key."""
    return certificate(tmp_path)


def test_a_listener_with_a_certificate_offers_starttls(tmp_path: Path, files: Files) -> None:
    """The line is encrypted with it, and mail over it is durable; what was slipped in is gone."""
    (tmp_path / "data").mkdir()
    named = {"certificate": str(files[0]), "key": str(files[1])}
    with open_post(sqlite_backend(tmp_path / "data")) as post:
        office = Office(post.house)
        connections = post.house.composition.channels.connections
        connections.add(Draft(channel="smtp", name="main", options={**OPTIONS, **named}))
        office.turn()
        try:
            port = office.listener("smtp").port
            post.house.run(asyncio.to_thread(_sent_over_tls, port, files[0]))
            assert office.balance("smtp")["recorded"] == 1
            slipped = post.house.run(asyncio.to_thread(_slipped_in, port, files[0]))
            assert slipped.startswith(b"250 127.0.0.1")
            assert SMTP.tries is not None
            where = {"listen": f"127.0.0.1:{port}", **named}
            checks = post.house.run(asyncio.to_thread(SMTP.tries, where, {}))
            assert checks == dict.fromkeys(
                ("it is listened there (by `hilo serve`)", "STARTTLS is offered"), True
            )
        finally:
            for running in post.house.composition.standing.runners.values():
                post.house.run(running.runner.stop())


def test_the_loop_of_the_server_encrypts_as_well(files: Files) -> None:
    """What `hilo serve` runs on is no loop of the standard library; a line without TLS is ended."""
    taken: list[Envelope] = []

    async def may() -> None:
        return None

    async def deliver(_raw: bytes, envelope: Envelope) -> str:
        taken.append(envelope)
        return TAKEN

    def garbled(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.recv(1_000)
            line.sendall(b"STARTTLS\r\n")
            assert line.recv(1_000).startswith(b"220 ")
            line.sendall(b"no TLS at all\r\n" * 20)
            while line.recv(1_000):
                pass
            return b"ended"

    async def talk() -> None:
        door = Door(may, lambda _: True, deliver, may)
        context = Certificate(*files).context
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Session(door, Crowd(), "127.0.0.1", context), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        await asyncio.to_thread(_sent_over_tls, port, files[0])
        assert await asyncio.to_thread(garbled, port) == b"ended"
        server.close()
        await server.wait_closed()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(talk())
    assert [one.recipients for one in taken] == [("ventas@example.mx",)]


def _sent_over_tls(port: int, trusted: Path) -> None:
    """Send a mail, encrypted, to a listener that shows a certificate that is trusted."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mta.example.net") as line:
        line.ehlo()
        assert line.has_extn("starttls")
        line.starttls(context=ssl.create_default_context(cafile=trusted))
        line.ehlo()
        assert not line.has_extn("starttls")
        assert line.sendmail("ana@x.mx", ["ventas@example.mx"], mail("Hola\r\n")) == {}


def _slipped_in(port: int, trusted: Path) -> bytes:
    """The first answer over the encrypted line, where somebody slipped commands in before it."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.recv(1_000)
        plain.sendall(b"STARTTLS\r\nNOOP\r\nNOOP\r\n")
        assert plain.recv(1_000).startswith(b"220 ")
        context = ssl.create_default_context(cafile=trusted)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as line:
            line.sendall(b"HELO x\r\n")
            return line.recv(1_000)


def test_files_that_are_no_certificate_are_refused(tmp_path: Path, files: Files) -> None:
    """At once, and each at its option; new files are taken when both are there."""
    (tmp_path / "data").mkdir()
    with open_post(sqlite_backend(tmp_path / "data")) as post:
        connections = post.house.composition.channels.connections
        for wrong, at in (
            ({"certificate": str(files[1])}, "options.certificate"),
            ({"certificate": "mail.pem"}, "options.certificate"),
            ({"key": str(files[1])}, "options.key"),
        ):
            with pytest.raises(InvalidInput) as refused:
                connections.add(Draft(channel="smtp", name="no", options={**OPTIONS, **wrong}))
            assert [one.field for one in refused.value.errors] == [at]
    shown = Certificate(*files)
    first = shown.context
    files[0].write_bytes(b"half of a file")
    assert shown.context is first
    certificate(tmp_path)
    assert shown.context is not first


@pytest.mark.parametrize("tls", ["yes", "starttls"])
def test_a_mailbox_behind_tls_is_read_where_its_certificate_is_good(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    """Mail arrives over an encrypted line; to a server that nobody vouches for nothing is said."""
    monkeypatch.setattr(imap_fetching, "AGAIN_S", 0.01)
    (tmp_path / "data").mkdir()
    with test_imap.open_office(sqlite_backend(tmp_path / "data")) as office:
        office.house.run(office.server.stop())
        office.server.encrypted = server_context(files), tls
        office.house.run(office.server.start())
        office.inbox.add(mail("Cifrado", message_id="<1@x>"))
        office.connect(tls=tls)
        office.turn()
        shown = office.until(lambda shown: shown["last_error"] is not None)
        assert "certificate" in shown["last_error"].lower()
        assert "LOGIN" not in office.server.commands
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        office.idled(1)
        assert [row["text"] for row in office.rows()] == ["Cifrado"]
        assert office.connection("imap")["last_error"] is None
