"""Mails in tests: our own, those of other projects, and a ledger that they are delivered to.

The tables in docs/channels/ are made of them:

    python -m tests.channels.mails
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from app.compose import open_ledger
from app.server import application
from channels import basic_auth
from channels.connections import Draft
from channels.contract import Arrival, Atom, Commands, Incoming
from channels.mail import mail_atom
from channels.mail_sides import Envelope
from channels.registry import CHANNELS
from domain.commands import RecordInteraction, ReportDelivery
from tests.api.house import NOON, Client, House, settings_of
from tests.backends import Backend
from tests.channels.shop import DERIVE
from tests.channels.told import told
from tests.channels.vendors import Desk
from tests.source_tree import ROOT

PAYLOADS: Final = ROOT.parent / "shared" / "payloads"
"""Real mails and requests of other projects, which lie beside this one where they lie at all."""

DOCUMENT: Final = ROOT / "docs" / "channels" / "email-payloads.md"
OWN_DOMAIN: Final = "example.mx"
ANA: Final = "mailto:ana@example.com"
SHOP: Final = "mailto:ventas@example.mx"
SENT_US: Final = NOON - 60_000_000
DATE: Final = "Sun, 22 Nov 2026 05:59:00 -0600"

SIGNING_KEY: Final = b"signing key of a test"
BASIC: Final[dict[str, list[bytes]]] = {"username": [b"hilo"], "password": [b"basic password"]}


# ------------------------------------------------------------------------- our own


def mail(body: str | bytes = "Hola", **headers: str | None) -> bytes:
    """A mail of Ana's to the shop; `in_reply_to=` sets In-Reply-To, None leaves a header out."""
    plain: dict[str, str | None] = {
        "from": "Ana Núñez <ana@example.com>",
        "to": "Ventas <ventas@example.mx>",
        "subject": "Cita",
        "date": DATE,
        "message_id": "<a1@example.com>",
    }
    lines = [
        f"{name.replace('_', '-').title()}: {value}"
        for name, value in {**plain, **headers}.items()
        if value is not None
    ]
    content = body if isinstance(body, bytes) else body.encode()
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def multipart(kind: str, *parts: tuple[str, str | bytes], **headers: str | None) -> bytes:
    """A mail of parts, each a head and a content."""
    pieces = [
        b"--b\r\n"
        + head.encode()
        + b"\r\n\r\n"
        + (text if isinstance(text, bytes) else text.encode())
        for head, text in parts
    ]
    content = b"\r\n".join([*pieces, b"--b--", b""])
    return mail(content, content_type=f'{kind}; boundary="b"', **headers)


def read(
    raw: bytes,
    envelope: Envelope | None = None,
    *,
    options: Mapping[str, str] | None = None,
    own: frozenset[str] = frozenset({OWN_DOMAIN}),
) -> Atom:
    """The atom of a mail."""
    arrival = Arrival(
        connection="imap/main",
        received_at=NOON,
        derive=DERIVE,
        options=options or {},
        own_domains=own,
    )
    return mail_atom(raw, envelope or Envelope(), arrival)


def recorded(atom: Atom) -> RecordInteraction:
    """The interaction that a mail is."""
    assert isinstance(atom.outcome, Commands), atom.outcome
    (command,) = atom.outcome.commands
    assert isinstance(command, RecordInteraction)
    return command


def reported(atom: Atom) -> list[ReportDelivery]:
    """The statuses that a mail reports."""
    assert isinstance(atom.outcome, Commands), atom.outcome
    found = [one for one in atom.outcome.commands if isinstance(one, ReportDelivery)]
    assert len(found) == len(atom.outcome.commands)
    return found


def about(message_id: str) -> object:
    """What a report about a mail names it by."""
    return DERIVE.id("message-id", message_id)


def details(atom: Atom) -> dict[str, Any]:
    """The details of the interaction that a mail is."""
    return dict(json.loads(recorded(atom).details or b"{}"))


# ----------------------------------------------------------------------- real ones


def payload_names(folder: str) -> list[str]:
    """The names of the real files in a folder, where that is there."""
    root = PAYLOADS / folder
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(path.relative_to(PAYLOADS).as_posix() for path in found)


def payload(name: str) -> bytes:
    """A real file; a test that needs one is marked `real_requests`."""
    path = PAYLOADS / name
    if not path.is_file():
        pytest.fail(f"{name} is missing", pytrace=False)
    return path.read_bytes()


def request_of(name: str, raw: bytes) -> tuple[str, Incoming]:
    """A real request of a provider: the channel whose URL it comes to, and the request."""
    channel = name.split("/")[1].removeprefix("amazon_")
    if ".formfields." not in name and not (channel == "mailgun" and b"event-data" not in raw):
        return channel, Incoming(body=raw, headers={"content-type": "application/json"})
    fields = json.loads(raw)
    body = urlencode(fields, doseq=True).encode()
    return channel, Incoming(body=body, headers={"content-type": FORM})


FORM: Final = "application/x-www-form-urlencoded"


def atoms_of(name: str, raw: bytes) -> list[Atom] | None:
    """What a real file comes to; None for a provider that is no channel."""
    arrival = Arrival(connection="imap/main", received_at=NOON, derive=DERIVE)
    if name.startswith("email/"):
        return [mail_atom(raw, Envelope(), arrival)]
    channel, incoming = request_of(name, raw)
    module = CHANNELS.get(channel)
    return module.parse(incoming, arrival) if module is not None else None


def row_of(name: str, raw: bytes) -> str:
    """The row of a real file in the table."""
    atoms = atoms_of(name, raw)
    if atoms is None:
        return f"| {name} | no channel of Hilo's |"
    sides = [
        f"{command.resource} → {command.destination}: "
        for atom in atoms
        if isinstance(atom.outcome, Commands)
        for command in atom.outcome.commands
        if isinstance(command, RecordInteraction)
    ]
    outcome = "".join(sides) + " · ".join(told(atoms))
    return f"| {name} | {outcome.replace('mailto:', '').replace('|', '¦')} |"


# ------------------------------------------------------------------------ a ledger


def postmark(raw: bytes, **more: object) -> bytes:
    """A delivery of Postmark's."""
    return json.dumps({"RawEmail": raw.decode("utf-8", "replace"), **more}).encode()


def mailgun(
    raw: bytes, recipient: str = "", *, at_s: int, token: str, key: bytes = SIGNING_KEY
) -> bytes:
    """A delivery of Mailgun's, signed."""
    signature = hmac.new(key, f"{at_s}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": str(at_s), "token": token, "signature": signature}
    return urlencode({**signed, "recipient": recipient, "body-mime": raw}).encode()


def sendgrid(raw: bytes, **fields: str) -> tuple[bytes, str]:
    """A delivery of SendGrid's, and its content type."""
    parts = {"email": raw, **{name: text.encode() for name, text in fields.items()}}
    body = b"".join(
        b'--xYzZY\r\nContent-Disposition: form-data; name="'
        + name.encode()
        + b'"\r\n\r\n'
        + value
        + b"\r\n"
        for name, value in parts.items()
    )
    return body + b"--xYzZY--\r\n", "multipart/form-data; boundary=xYzZY"


class Post(Desk):
    """A house with a connection of each mail provider."""

    def deliver(
        self, channel: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """One delivery, as it is."""
        path = f"/channels/{channel}/main"
        return self.house.client.post(path, content=body, headers=dict(headers or {}))

    def postmark(self, raw: bytes, **more: object) -> httpx.Response:
        """A mail by Postmark."""
        return self.deliver("postmark", postmark(raw, **more), basic_auth.sign(b"", BASIC))

    def mailgun(self, raw: bytes, recipient: str = "", token: str = "t" * 50) -> httpx.Response:
        """A mail by Mailgun."""
        body = mailgun(raw, recipient, at_s=NOON // 1_000_000, token=token)
        return self.deliver("mailgun", body, {"content-type": FORM})

    def sendgrid(self, raw: bytes, **fields: str) -> httpx.Response:
        """A mail by SendGrid."""
        body, content_type = sendgrid(raw, **fields)
        headers = {"content-type": content_type, **basic_auth.sign(b"", BASIC)}
        return self.deliver("sendgrid", body, headers)


DRAFTS: Final = (
    Draft(channel="postmark", name="main", secrets=BASIC),
    Draft(channel="mailgun", name="main", secrets={"signing_key": [SIGNING_KEY]}),
    Draft(channel="sendgrid", name="main", secrets=BASIC),
)


@contextmanager
def open_post(backend: Backend) -> Iterator[Post]:
    """A post on a backend; its views follow when they are told to."""
    now = [NOON]
    composition = open_ledger(settings_of(backend), follow=False, clock=lambda: now[0])
    try:
        for draft in DRAFTS:
            composition.channels.connections.add(draft)
        made = application(composition)
        with asyncio.Runner() as runner:
            client = Client(made, runner)
            yield Post(House(composition, made, client, runner, now))
            client.close()
    finally:
        composition.close()


# ------------------------------------------------------------------------ the tables

BEGIN: Final = "<!-- the table is made by: python -m tests.channels.mails -->"
END: Final = "<!-- end of the table -->"


def rows() -> list[str]:
    """The rows of every real file that is there."""
    names = [name for folder in ("email", "email_webhooks") for name in payload_names(folder)]
    return [row_of(name, payload(name)) for name in names]


def write() -> None:
    """Put the table into its document."""
    text = DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    table = [BEGIN, "| file | what becomes of it |", "|---|---|", *rows(), END]
    DOCUMENT.write_text(before + "\n".join(table) + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    write()
