"""Mail from a mailbox: each once, nothing marked as read, through every break of the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels import imap_fetching
from channels.connections import Change, Draft
from channels.imap import IMAP, account_of
from channels.mail import MAIL_MAX_BYTES
from domain.errors import InvalidInput, StoreUnavailable
from storage.exclusive import exclusive_for
from tests.api.house import settings_of
from tests.backends import Backend
from tests.channels.imap_server import PASSWORD, WITHOUT_IDLE, ImapServer
from tests.channels.mails import ANA, SHOP, Post, mail, open_post

PAST = "21-Nov-2026 12:00:00 +0000"
"""Before the connection was made."""


@dataclass
class Office(Post):
    """A post beside a mail server."""

    server: ImapServer = field(default_factory=ImapServer)

    def connect(self, password: str = PASSWORD, **options: str) -> None:
        """Add the connection to the mailbox."""
        where = {"host": "127.0.0.1", "port": str(self.server.port), "tls": "no"}
        known = {**where, "user": "ventas@example.mx", **options}
        draft = Draft(
            channel="imap", name="main", options=known, secrets={"password": [password.encode()]}
        )
        self.house.composition.channels.connections.add(draft)

    def change(self, change: Change) -> None:
        """Change the connection."""
        connections = self.house.composition.channels.connections
        connections.change(connections.book.get("imap", "main"), change)

    def turn(self) -> None:
        """Look at the book of connections once."""
        self.house.run(self.house.composition.standing.turn())

    def idled(self, times: int) -> None:
        """Wait until the mailbox was read so many times."""
        self.house.run(self.server.idled(times))

    def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the connection shows something."""

        async def looked() -> None:
            await asyncio.sleep(0.01)

        shown: dict[str, Any] = {}
        for _ in range(2_000):
            shown = self.connection("imap")
            if seen(shown):
                return shown
            self.house.run(looked())
        raise AssertionError(shown)

    @property
    def inbox(self) -> Any:  # noqa: ANN401 - a test's own words
        """The folder that mail comes into."""
        return self.server.folders["INBOX"]


@contextmanager
def open_office(backend: Backend) -> Iterator[Office]:
    """An office on a backend."""
    with open_post(backend) as post:
        office = Office(post.house)
        post.house.run(office.server.start())
        standing = post.house.composition.standing
        try:
            yield office
        finally:
            for running in standing.runners.values():
                post.house.run(running.runner.stop())
            post.house.run(office.server.stop())
            standing.release()


@pytest.fixture
def office(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office on SQLite, then on PostgreSQL; what failed is tried again at once."""
    monkeypatch.setattr(imap_fetching, "AGAIN_S", 0.01)
    monkeypatch.setattr(imap_fetching, "REFUSED_S", 0.01)
    monkeypatch.setattr(imap_fetching, "AGAIN_S_MAX", 0.02)
    with open_office(backend) as opened:
        yield opened


def test_a_mailbox_arrives_and_stays_as_it_was(office: Office) -> None:
    """Old, new and sent mail is recorded once each, also where its numbers change; none is read."""
    ours = {"from": "Rosa <rosa@example.mx>", "to": "Luis <luis@example.com>"}
    office.inbox.add(
        mail("Ayer", message_id="<1@x>", date="Sat, 21 Nov 2026 11:00:00 +0000"), date=PAST
    )
    office.inbox.add(mail("Hoy", message_id="<2@x>"))
    office.server.folders["Enviados"].add(mail("Va", message_id="<3@x>", **ours))
    office.connect(sent="Enviados")
    office.turn()
    office.idled(1)
    rows = {row["text"]: row for row in office.rows()}
    assert {text: (row["direction"], row["origin"]) for text, row in rows.items()} == {
        "Ayer": ("inbound", "imported"),
        "Hoy": ("inbound", "automatic"),
        "Va": ("outbound", "automatic"),
    }
    assert (rows["Hoy"]["resource"]["address"], rows["Hoy"]["destination"]["address"]) == (
        ANA,
        SHOP,
    )
    assert rows["Va"]["destination"]["address"] == "mailto:luis@example.com"

    office.inbox.add(mail("Ya", message_id="<4@x>"))
    office.server.tell()
    office.idled(2)
    assert office.rows()[0]["text"] in {"Ya", "Hoy"}
    assert office.balance("imap")["recorded"] == 4

    before = len(office.server.fetched())
    office.change(Change(options={"interval": "600"}))
    office.turn()
    office.idled(3)
    assert len(office.server.fetched()) == before

    office.inbox.validity += 1
    office.server.tell()
    office.idled(4)
    balance = office.balance("imap")
    assert (balance["recorded"], balance["duplicate"], balance["quarantined"]) == (4, 3, 0)
    mails = [kept for folder in office.server.folders.values() for kept in folder.mails]
    assert not any(kept.is_read for kept in mails)
    assert not [one for one in office.server.commands if one.startswith(("SELECT", "UID STORE"))]


def test_a_mailbox_outlives_what_goes_wrong(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password, a lost line and a store that fails are shown; then all arrives, once."""
    office.inbox.add(mail("Uno", message_id="<1@x>"))
    office.inbox.add(mail("Dos", message_id="<2@x>"), size=MAIL_MAX_BYTES + 1)
    office.inbox.add(b"\x01\x02")
    office.connect("equivocado")
    office.turn()
    refused = "imap: not signed in (AUTHENTICATIONFAILED)"
    office.until(lambda shown: shown["last_error"] == refused)

    receiver = office.house.composition.channels.receiver
    take, failures = receiver.take, [StoreUnavailable("no")]

    async def fails_once(*given: Any) -> Any:  # noqa: ANN401 - what take takes
        if failures:
            raise failures.pop()
        return await take(*given)

    monkeypatch.setattr(receiver, "take", fails_once)
    office.server.drops = 2
    missing = "imap: the folder 'Nada' cannot be opened"
    connections = office.house.composition.channels.connections
    connections.remove(connections.book.get("imap", "main"))
    office.connect(sent="Nada")
    office.turn()
    office.idled(1)
    shown = office.until(lambda shown: shown["last_error"] == missing)
    balance = shown["balance"]
    assert (balance["recorded"], balance["quarantined"]) == (1, 1)
    assert balance["rejected"]["too_large"] >= 1
    assert len(office.server.fetched()) >= 4
    assert IMAP.tries is not None
    connection = connections.book.get("imap", "main")
    tried = office.house.run(
        asyncio.to_thread(IMAP.tries, connection.options, {"password": [PASSWORD.encode()]})
    )
    assert tried == {"signed in": True, "folder INBOX": True, "folder Nada": False}


def test_one_process_fetches(office: Office, backend: Backend) -> None:
    """While another holds the mailboxes nothing is fetched here; a pause ends it as well."""
    settings = settings_of(backend)
    other = exclusive_for(settings.log_url, settings.data / "mailboxes.lock")
    assert other.acquire()
    office.server.capabilities = WITHOUT_IDLE
    office.inbox.add(mail("Ayer", message_id="<1@x>"), date=PAST)
    office.connect(interval="1", past="skip")
    office.turn()
    runners = office.house.composition.standing.runners
    assert "imap/main" not in runners
    other.release()
    office.turn()
    assert "imap/main" in runners
    office.until(lambda _: any("SEARCH" in one for one in office.server.commands))
    office.inbox.add(mail("Hoy", message_id="<2@x>"))
    office.until(lambda shown: shown["balance"]["recorded"] == 1)
    assert [row["text"] for row in office.rows()] == ["Hoy"]
    office.change(Change(state="paused"))
    office.turn()
    assert not runners


def test_options_of_a_mailbox_are_checked(office: Office) -> None:
    """What is no number or no word of the channel is named; the place is shown without secrets."""
    with pytest.raises(InvalidInput) as wrong:
        office.connect(port="x", tls="maybe", past="all", interval="0", host="https://x")
    fields = {one.field for one in wrong.value.errors}
    assert fields == {f"options.{name}" for name in ("port", "tls", "past", "interval", "host")}
    office.connect(tls="starttls", folder="Ventas")
    shown = office.connection("imap")
    assert shown["url"] == f"imap://ventas@example.mx@127.0.0.1:{office.server.port}/Ventas"
    assert account_of({"host": "h", "user": "u"}).port == 993
    assert PASSWORD not in str(shown)
