"""Commands and people for the domain's tests: small, valid, and easy to vary."""

from __future__ import annotations

from uuid import UUID

from domain.commands import By, RecordInteraction, Repeatable
from domain.events import Actor
from domain.values import Channel, Deriver, Direction, Origin, TimeSource

LEDGER = UUID("0190f000-0000-8000-8000-000000000001")
DERIVE = Deriver(bytes(32), LEDGER)
NOON = 1_763_812_800_000_000
ROSA = UUID("00000000-0000-8000-8000-0000000000a1")
BY_ROSA = By(Actor("user", str(ROSA)))
BY_TOKEN = By(Actor("token", "crm"))


def keyed(by: By, number: int) -> By:
    """The same person, with an Idempotency-Key."""
    return By(by.actor, by.on_behalf_of, Repeatable(UUID(int=number), bytes([number]) * 32))


def said(text: str = "Hola", **changes: object) -> RecordInteraction:
    """An inbound WhatsApp message; `changes` replace fields."""
    fields: dict[str, object] = {
        "channel": Channel.WHATSAPP,
        "direction": Direction.INBOUND,
        "origin": Origin.AUTOMATIC,
        "source": "whatsapp:1",
        "namespace": "whatsapp:1",
        "key": "wamid.1",
        "external_id": "wamid.1",
        "resource": "tel:+525512345678",
        "destination": "tel:+525598765432",
        "occurred_at": NOON,
        "offset_min": -360,
        "time_source": TimeSource.PROVIDER,
        "text": text,
    }
    return RecordInteraction(**{**fields, **changes})  # type: ignore[arg-type]  # tests vary any field
