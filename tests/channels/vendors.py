"""Twilio and Telegram in tests: their requests, and a ledger with a connection of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from app.compose import open_ledger
from app.server import application
from channels.connections import Draft
from channels.contract import Arrival, Atom, Incoming
from channels.registry import CHANNELS
from channels.telegram import SECRET_HEADER
from channels.twilio_signature import signed
from domain.ports import Entry
from tests.api.house import NOON, Client, House, settings_of
from tests.backends import Backend
from tests.channels.shop import DERIVE, Shop
from tests.channels.told import told
from tests.source_tree import ROOT

PAYLOADS = ROOT.parent / "shared" / "payloads"
"""Real requests of other projects, which lie beside this one where they lie at all."""

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
BOT = "7100200300"
TOKEN = b"auth token of a test"
SECRET = b"secret-token-of-a-test"
PUBLIC_URL = "https://hilo.example.mx"

OPTIONS: Mapping[str, Mapping[str, str]] = {
    **{f"twilio_{kind}": {"account_sid": ACCOUNT} for kind in ("sms", "whatsapp", "voice")},
    "telegram": {"bot_id": BOT},
}

Example = tuple[str, str, object, tuple[str, ...]]
"""(what arrives, the channel whose URL it comes to, the request, what it comes to)."""


def body_of(request: object) -> bytes:
    """The bytes of a request: a form of text alone, else JSON."""
    if isinstance(request, bytes):
        return request
    if isinstance(request, dict) and not {"update_id"} & request.keys():
        return urlencode(request).encode()
    return msgspec.json.encode(request)


def parsed(channel: str, request: object, received_at: int = NOON) -> list[Atom]:
    """The atoms of a request, raw or an object."""
    arrival = Arrival(
        connection=f"{channel}/main",
        received_at=received_at,
        derive=DERIVE,
        options=OPTIONS.get(channel, {}),
    )
    return CHANNELS[channel].parse(Incoming(body=body_of(request)), arrival)


def lines(channel: str, request: object) -> tuple[str, ...]:
    """What a request comes to, in words."""
    return tuple(told(parsed(channel, request)))


# ----------------------------------------------------------------------- real requests


def payload_names(channel: str) -> list[str]:
    """The names of the real requests of a channel that are there."""
    folder = PAYLOADS / channel
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def payload(channel: str, name: str) -> bytes:
    """A real request; a test that needs one is marked `real_requests`."""
    path = PAYLOADS / channel / name
    if not path.is_file():
        pytest.fail(f"{path.relative_to(ROOT.parent).as_posix()} is missing", pytrace=False)
    return path.read_bytes()


# ------------------------------------------------------------------------- the tables

BEGIN = "<!-- the table is made by: python -m tests.channels.{} -->"
END = "<!-- end of the table -->"


@dataclass(frozen=True)
class Table:
    """The table of a document, made of examples by a module of the tests."""

    document: Path
    module: str
    examples: tuple[Example, ...]

    def renewed(self) -> str:
        """The document with the table as it is now."""
        begin = BEGIN.format(self.module)
        rows = [(name, " · ".join(lines(at, body))) for name, at, body, _ in self.examples]
        table = ["| what arrives | what becomes of it |", "|---|---|"]
        table += [f"| {name} | {outcome} |" for name, outcome in rows]
        before, _, rest = self.document.read_text("utf-8").partition(begin)
        return before + "\n".join((begin, *table, END)) + rest.partition(END)[2]

    def write(self) -> None:
        """Put it into the document."""
        self.document.write_text(self.renewed(), "utf-8")


# --------------------------------------------------------------------------- a ledger


@dataclass
class Desk:
    """A house with a connection of each provider, and what they may do."""

    house: House
    _admin: dict[str, str] = field(default_factory=dict)

    def twilio(
        self,
        channel: str,
        params: Mapping[str, str] | bytes,
        *,
        token: bytes | None = TOKEN,
        url: str | None = None,
    ) -> httpx.Response:
        """One delivery of Twilio's, signed for the public URL."""
        path = f"/channels/{channel}/main"
        body = body_of(params)
        incoming = Incoming(body=body, url=url or PUBLIC_URL + path)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if token is not None:
            headers |= signed(incoming, token)
        return self.house.client.post(path, content=body, headers=headers)

    def telegram(self, update: object, *, secret: bytes | None = SECRET) -> httpx.Response:
        """One delivery of Telegram's."""
        headers = {SECRET_HEADER: secret.decode()} if secret is not None else {}
        return self.house.client.post(
            "/channels/telegram/main", content=body_of(update), headers=headers
        )

    @property
    def admin(self) -> dict[str, str]:
        """The headers of somebody who may do everything."""
        if not self._admin:
            self._admin = self.house.bearer("admin")
        return self._admin

    def connection(self, channel: str) -> dict[str, Any]:
        """A connection as the API shows it."""
        answer = self.house.client.get(f"/v1/channels/{channel}/main", headers=self.admin)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def balance(self, channel: str) -> dict[str, Any]:
        """What came in; its sum is right in every answer."""
        shown = self.connection(channel)["balance"]
        ended = shown["recorded"] + shown["duplicate"] + shown["quarantined"]
        assert shown["received"] == ended + sum(shown["ignored"].values())
        return dict(shown)

    def rows(self, **query: str) -> list[dict[str, Any]]:
        """The rows of the activity list, the newest first."""
        self.house.catch_up()
        answer = self.house.client.get("/v1/activity", params=query, headers=self.admin)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def row(self, **query: str) -> dict[str, Any]:
        """The one row that there is."""
        (found,) = self.rows(**query)
        return found

    def entries(self) -> list[Entry]:
        """Everything that the connections wrote into the log, opened."""
        return Shop(self.house).entries()


@contextmanager
def open_desk(backend: Backend) -> Iterator[Desk]:
    """A desk on a backend; its views follow when they are told to."""
    now = [NOON]
    settings = msgspec.structs.replace(settings_of(backend), public_url=PUBLIC_URL)
    composition = open_ledger(settings, follow=False, clock=lambda: now[0])
    try:
        for channel, options in OPTIONS.items():
            secrets = {"secret_token": [SECRET]} if channel == "telegram" else {}
            composition.channels.connections.add(
                Draft(
                    channel=channel,
                    name="main",
                    secrets=secrets or {"auth_token": [TOKEN]},
                    options=options,
                )
            )
        made = application(composition)
        with asyncio.Runner() as runner:
            client = Client(made, runner)
            yield Desk(House(composition, made, client, runner, now))
            client.close()
    finally:
        composition.close()
