"""Mail by SMTP and LMTP, over real sockets: what is answered, and what stands in the ledger."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from channels import smtp_session
from channels.connections import Change, Draft
from channels.mail import MAIL_MAX_BYTES
from channels.smtp import LMTP, SMTP, Recipients, listen_of
from channels.smtp_listening import Listener
from domain.errors import InvalidInput, StoreUnavailable
from domain.events import InteractionRecorded
from tests.backends import Backend
from tests.channels.mails import ANA, SHOP, Post, mail, open_post
from tests.patience import PATIENCE_S

Got = TypeVar("Got")

OPTIONS = {"listen": "127.0.0.1:0", "recipients": "ventas@example.mx, @taller.mx"}


class Office(Post):
    """A post with a listener for each of SMTP and LMTP."""

    def listener(self, channel: str) -> Listener:
        """What listens for a connection."""
        running = self.house.composition.standing.runners[f"{channel}/main"].runner
        assert isinstance(running, Listener)
        return running

    def turn(self) -> None:
        """Look at the book of connections once."""
        self.house.run(self.house.composition.standing.turn())

    def talk(self, channel: str, speak: Callable[[Any], Got]) -> Got:
        """A conversation with a listener, from a thread."""
        port = self.listener(channel).port
        kind = smtplib.LMTP if channel == "lmtp" else smtplib.SMTP

        def spoken() -> Got:
            with kind("127.0.0.1", port, local_hostname="mta.example.net") as line:
                return speak(line)

        return self.house.run(asyncio.to_thread(spoken))

    def send(self, raw: bytes, *to: str, channel: str = "smtp", sender: str = "ana@x.mx") -> Any:  # noqa: ANN401 - smtplib's own
        """Send a mail; the replies to recipients that were refused."""
        return self.talk(
            channel, lambda line: line.sendmail(sender, to or ["ventas@example.mx"], raw)
        )


@contextmanager
def open_office(backend: Backend) -> Iterator[Office]:
    """An office on a backend."""
    with open_post(backend) as post:
        connections = post.house.composition.channels.connections
        for channel in ("smtp", "lmtp"):
            connections.add(Draft(channel=channel, name="main", options=OPTIONS))
        office = Office(post.house)
        office.turn()
        try:
            yield office
        finally:
            for running in post.house.composition.standing.runners.values():
                post.house.run(running.runner.stop())


@pytest.fixture
def office(backend: Backend) -> Iterator[Office]:
    """An office on SQLite, then on PostgreSQL."""
    with open_office(backend) as opened:
        yield opened


def codes(refused: dict[str, tuple[int, bytes]]) -> dict[str, int]:
    """The codes of refused recipients."""
    return {address: reply[0] for address, reply in refused.items()}


def test_what_is_answered_with_250_is_in_the_ledger(office: Office) -> None:
    """A mail is recorded with its envelope, once by whatever way it comes; others are refused."""
    raw = mail("..Hola\r\n.\tpunto\r\n" + "x" * 5_000 + "\r\n")
    assert codes(office.send(raw, "Ventas+abc@EXAMPLE.mx", "otro@example.com")) == {
        "otro@example.com": 550
    }
    assert office.send(raw, "x@taller.mx", channel="lmtp") == {}
    assert office.postmark(raw).status_code == 200
    row = office.row()
    assert row["text"].startswith("..Hola\n.\tpunto\nxxx")
    assert (row["resource"]["address"], row["destination"]["address"]) == (ANA, SHOP)
    assert row["source"]["key"] == "email:ventas@example.mx"
    ends = [office.balance(channel) for channel in ("smtp", "lmtp", "postmark")]
    assert [(one["received"], one["recorded"], one["duplicate"]) for one in ends] == [
        (1, 1, 0),
        (1, 0, 1),
        (1, 0, 1),
    ]
    (entry,) = office.entries()
    assert isinstance(entry.event, InteractionRecorded)
    assert b"Ventas+abc@EXAMPLE.mx" in (entry.event.details or b"")


def test_lmtp_answers_for_each_recipient(office: Office) -> None:
    """One mail to three has three replies, and is one interaction."""

    def speak(line: smtplib.LMTP) -> list[int]:
        line.ehlo_or_helo_if_needed()
        assert line.docmd("HELO x")[0] == 500
        line.mail("ana@example.com")
        codes = [line.rcpt(to)[0] for to in ("a@taller.mx", "b@taller.mx", "nobody@example.mx")]
        line.putcmd("data")
        codes.append(line.getreply()[0])
        line.send(mail().replace(b"\n.", b"\n..") + b"\r\n.\r\n")
        return [*codes, line.getreply()[0], line.getreply()[0], line.noop()[0]]

    assert office.talk("lmtp", speak) == [250, 250, 550, 354, 250, 250, 250]
    assert office.balance("lmtp")["received"] == 1


def test_what_cannot_be_taken_is_put_off_or_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails and a pause are 451, too much is 552 or 451, and nothing is half kept."""
    receiver = office.house.composition.channels.receiver

    async def fails(*_: object) -> None:
        raise StoreUnavailable("no")

    with monkeypatch.context() as patched:
        patched.setattr(receiver, "take", fails)
        with pytest.raises(smtplib.SMTPDataError) as failed:
            office.send(mail())
    assert failed.value.smtp_code == 451

    def too_large(line: smtplib.SMTP) -> tuple[str, int, int]:
        line.ehlo()
        announced = line.esmtp_features["size"]
        told = line.mail("ana@example.com", [f"size={MAIL_MAX_BYTES + 1}"])[0]
        line.mail("ana@example.com")
        line.rcpt("ventas@example.mx")
        line.docmd("DATA")
        line.send((b"x" * 998 + b"\r\n") * (MAIL_MAX_BYTES // 1_000 + 1))
        line.send(b".\r\n")
        return announced, told, line.getreply()[0]

    assert office.talk("smtp", too_large) == (str(MAIL_MAX_BYTES), 552, 552)
    with monkeypatch.context() as patched:
        patched.setattr(smtp_session, "HELD_MAX_BYTES", 1_000)
        with pytest.raises(smtplib.SMTPDataError) as full:
            office.send(mail("x" * 2_000))
    assert full.value.smtp_code == 451

    connections = office.house.composition.channels.connections
    connections.change(connections.book.get("smtp", "main"), Change(state="paused"))
    with pytest.raises(smtplib.SMTPSenderRefused) as paused:
        office.send(mail())
    assert paused.value.smtp_code == 451
    connections.change(connections.book.get("smtp", "main"), Change(state="active"))
    assert office.send(mail()) == {}
    balance = office.balance("smtp")
    assert (balance["received"], balance["rejected"]["too_large"]) == (1, 1)
    listener = office.listener("smtp")

    async def breaks_off() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        begun = b"EHLO x\r\nMAIL FROM:<a@x.mx>\r\nRCPT TO:<ventas@example.mx>\r\nDATA\r\nSubject: x"
        writer.write(begun)
        await reader.readuntil(b"354 ")
        assert listener.sessions == 1
        writer.close()
        while listener.sessions:  # noqa: ASYNC110 - nobody is told of the end
            await asyncio.sleep(0)

    office.house.run(asyncio.wait_for(breaks_off(), PATIENCE_S))
    assert listener.held_bytes == 0
    assert office.balance("smtp")["received"] == 1


def test_a_conversation_has_its_limits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody signs in or relays, nobody is named, and a crowd waits outside."""

    def speak(line: smtplib.SMTP) -> list[int]:
        line.ehlo()
        assert not line.has_extn("auth")
        said = [line.docmd("AUTH PLAIN AGFuYQBzZWNyZXQ=")[0], line.verify("ventas@example.mx")[0]]
        said += [line.expn("ventas")[0], line.docmd("RCPT TO:<ventas@example.mx>")[0]]
        line.mail("rosa@example.mx")
        said += [line.rcpt("ana@example.com")[0], line.docmd("DATA")[0]]
        return [*said, line.docmd("x" * 70_000)[0], line.noop()[0]]

    assert office.talk("smtp", speak) == [502, 252, 502, 503, 550, 503, 500, 250]
    monkeypatch.setattr(smtp_session, "RECIPIENTS_MAX", 2)
    refused = office.send(mail(), *(f"{n}@taller.mx" for n in range(4)))
    assert codes(refused) == {"2@taller.mx": 452, "3@taller.mx": 452}
    monkeypatch.setattr(smtp_session, "SESSIONS_MAX", 0)
    with pytest.raises(smtplib.SMTPConnectError) as crowded:
        office.send(mail())
    assert crowded.value.smtp_code == 421


def test_what_is_bent_ends_somewhere(office: Office) -> None:
    """Garbage, nothing at all, and a machine's bounce with no way back are each settled."""
    report = mail(
        "<ana@example.com>: 550 5.1.1 unknown\r\nMessage-ID: <ours@example.mx>\r\n",
        subject="Undelivered Mail Returned to Sender",
        **{"from": "server@example.net"},
    )

    def speak(line: smtplib.SMTP) -> list[int]:
        line.ehlo()
        said = []
        for sender, raw in (("", report), ("", b""), ("a@x.mx", b"\x01\x02\xff"), ("a@x.mx", b"x")):
            line.mail(sender)
            line.rcpt("ventas@example.mx")
            said.append(line.data(raw)[0])
        return said

    assert office.talk("smtp", speak) == [250, 250, 250, 250]
    balance = office.balance("smtp")
    assert balance["received"] == 4
    assert balance["ignored"] == {"empty": 1}
    assert [entry.topic for entry in office.entries()].count("delivery.reported") == 1


def test_listeners_follow_the_book(office: Office) -> None:
    """What another process adds, changes or removes is listened for, anew, or no more."""
    connections = office.house.composition.channels.connections
    before = office.listener("smtp")
    taken = {"listen": f"127.0.0.1:{before.port}", "recipients": "@x.mx"}
    connections.add(Draft(channel="smtp", name="second", options=taken))
    office.turn()
    runners = office.house.composition.standing.runners
    assert sorted(runners) == ["lmtp/main", "smtp/main"]
    shown = office.house.client.get("/v1/channels/smtp/second", headers=office.admin).json()
    assert "cannot be listened there" in shown["last_error"]
    assert shown["url"] == f"smtp://127.0.0.1:{before.port}"
    connections.remove(connections.book.get("smtp", "main"))
    office.turn()
    assert sorted(runners) == ["lmtp/main", "smtp/second"]
    assert SMTP.tries is not None
    assert office.house.run(asyncio.to_thread(SMTP.tries, taken, {})) == {
        "it is listened there (by `hilo serve`)": True
    }
    shown = office.house.client.get("/v1/channels/smtp/second", headers=office.admin).json()
    assert shown["last_error"] is None
    posted = office.house.client.post("/channels/smtp/second", content=mail())
    assert posted.status_code == 404


def test_an_end_in_pieces_is_found() -> None:
    """The end of a mail is found wherever the line was cut, and only with its whole line breaks."""
    raw = b"a\r\n..\r\n.b\n.\nc\r.\r\r\n.\r\nQUIT\r\n"
    for size in (1, 2, 3, 5, 100):
        crowd = smtp_session.Crowd()
        reading = smtp_session.Reading(crowd)
        at = 0
        while not reading.done:
            reading.feed(raw[at : at + size])
            at += size
        assert reading.content() == b"a\r\n.\r\nb\n.\nc\r.\r\r\n"
        assert raw[:at].endswith(b".\r\n" + reading.rest)
        reading.release()
        assert crowd.held_bytes == 0
    empty = smtp_session.Reading(smtp_session.Crowd())
    empty.feed(b".\r\n")
    assert (empty.done, empty.content()) == (True, b"")


def test_options_are_checked_when_a_connection_is_made(office: Office) -> None:
    """A place and recipients that are none are named; so is what is missing."""
    connections = office.house.composition.channels.connections

    def refused(**options: str) -> list[tuple[str, str]]:
        with pytest.raises(InvalidInput) as wrong:
            connections.add(Draft(channel="smtp", name="bad", options=options))
        return [(one.field, one.code) for one in wrong.value.errors]

    bad = [("options.listen", "bad_format"), ("options.recipients", "bad_format")]
    assert refused(listen="2525", recipients="ventas") == bad
    assert refused(listen="h:70000", recipients="a@x.mx, @") == bad
    assert refused(listen="127.0.0.1:25") == [("options.recipients", "missing")]
    assert listen_of("[::1]:25") == ("::1", 25)
    assert "a@b.x.mx" not in Recipients("@x.mx")
    assert LMTP.place is not None
    assert LMTP.place({"listen": "127.0.0.1:24"}) == "lmtp://127.0.0.1:24"
