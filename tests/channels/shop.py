"""A ledger with one WhatsApp connection, that tests deliver to as Meta does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.application import build
from app.compose import open_ledger
from channels import meta
from channels.connections import Draft
from channels.contract import Arrival, Atom, Incoming
from channels.registry import CHANNELS
from domain.events import Event
from domain.ports import Entry
from domain.values import Deriver
from tests.api.house import NOON, Client, House, settings_of
from tests.backends import Backend
from tests.source_tree import ROOT

SECRET = b"app secret of a test"
TOKEN = "verify token of a test"
NAME = "meta-main"
KEY = f"whatsapp/{NAME}"
URL = f"/channels/{KEY}"

PAYLOADS = ROOT.parent / "shared" / "payloads" / "whatsapp"
"""Real requests of other projects, which lie beside this one where they lie at all."""

BUSINESS = "8856996819413533"
NUMBER = "106540352242922"
SOURCE = f"whatsapp:{NUMBER}"
SHOP = "tel:+525598765432"
ANA = "tel:+525512345678"
SENT_S = NOON // 1_000_000 - 60

DERIVE = Deriver(bytes(32), UUID(int=1))


@dataclass
class Shop:
    """The house, and what its connection's provider may do."""

    house: House

    def deliver(
        self,
        body: object,
        *,
        secret: bytes | None = SECRET,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One signed delivery, raw or an object; without secret it is not signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = meta.sign(raw, {"app_secret": [secret]}) if secret is not None else {}
        return self.house.client.post(URL, content=raw, headers={**signed, **(headers or {})})

    def balance(self) -> dict[str, Any]:
        """What the connection says came in; its sum is right in every answer."""
        shown = self.connection()["balance"]
        ended = shown["recorded"] + shown["duplicate"] + shown["quarantined"]
        assert shown["received"] == ended + sum(shown["ignored"].values())
        return dict(shown)

    def connection(self) -> dict[str, Any]:
        """The connection as the API shows it."""
        answer = self.house.client.get(f"/v1/channels/{KEY}", headers=self.admin)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @property
    def admin(self) -> dict[str, str]:
        """The headers of somebody who may do everything."""
        if not hasattr(self, "_admin"):
            self._admin = self.house.bearer("admin")
        return self._admin

    def entries(self) -> list[Entry]:
        """Everything that the connection wrote into the log, opened."""
        log = self.house.services.log
        entries = log.open_page(log.page(0))
        events = ((entry, entry.event) for entry in entries)
        return [
            e for e, event in events if isinstance(event, Event) and event.actor.kind == "channel"
        ]

    def topics(self) -> list[str]:
        """The topics of what the connection wrote, in order."""
        return [entry.topic for entry in self.entries()]


def _by_channel(entry: Entry) -> bool:
    return isinstance(entry.event, Event) and entry.event.actor.kind == "channel"


@contextmanager
def open_shop(backend: Backend) -> Iterator[Shop]:
    """A shop on a backend; its views follow when they are told to."""
    now = [NOON]
    composition = open_ledger(settings_of(backend), follow=False, clock=lambda: now[0])
    try:
        secrets = {"app_secret": [SECRET], "verify_token": [TOKEN.encode()]}
        draft = Draft(channel="whatsapp", name=NAME, title="Meta principal", secrets=secrets)
        composition.channels.connections.add(draft)
        application = build(composition.services, reads=composition.reads)
        with asyncio.Runner() as runner:
            client = Client(application, runner)
            yield Shop(House(composition, application, client, runner, now))
            client.close()
    finally:
        composition.close()


# ------------------------------------------------------------------ requests of our own


def text(wamid: str, body: str = "Hola", /, **more: object) -> dict[str, object]:
    """A text message of Ana's."""
    return {
        "from": "525512345678",
        "id": wamid,
        "timestamp": str(SENT_S),
        "type": "text",
        "text": {"body": body},
        **more,
    }


def value(**lists: object) -> dict[str, object]:
    """The value of a change, about our number, with Ana among its contacts."""
    plain: dict[str, object] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "525598765432", "phone_number_id": NUMBER},
        "contacts": [
            {"profile": {"name": "Ana Núñez"}, "wa_id": "525512345678", "user_id": "MX.1349"}
        ],
    }
    return {**plain, **lists}


def change(field: str = "messages", **lists: object) -> dict[str, object]:
    """A change of one field."""
    return {"field": field, "value": value(**lists)}


def request(*changes: dict[str, object]) -> dict[str, object]:
    """A delivery of these changes."""
    entry = {"id": BUSINESS, "changes": list(changes)}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def messages(*items: object) -> dict[str, object]:
    """A delivery of these messages."""
    return request(change(messages=list(items)))


# ----------------------------------------------------------------------- real requests


def payload_names() -> list[str]:
    """The names of the real requests that are there."""
    return sorted(path.name for path in PAYLOADS.glob("*.json")) if PAYLOADS.is_dir() else []


def payload(name: str) -> bytes:
    """A real request; a test that needs one is marked `real_requests`."""
    path = PAYLOADS / name
    if not path.is_file():
        pytest.fail(f"{_shown(path)} is missing", pytrace=False)
    return path.read_bytes()


def _shown(path: Path) -> str:
    return path.relative_to(ROOT.parent).as_posix()


def parsed(body: object, received_at: int = NOON) -> list[Atom]:
    """The atoms of a request, raw or an object."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    arrival = Arrival(connection=KEY, received_at=received_at, derive=DERIVE)
    return CHANNELS["whatsapp"].parse(Incoming(body=raw), arrival)
