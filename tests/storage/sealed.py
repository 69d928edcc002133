"""An e-mail with a further participant, a fact without content, and a codec to seal them."""

from __future__ import annotations

from uuid import UUID

from domain import events as ev
from domain import values as v
from domain.ports import EventLike, StoredEntry
from domain.topics import layouts
from storage.codec import Codec
from tests.storage.keys import MemoryKeys, repeating

LEDGER = UUID("6a1b2c3d-0000-4000-8000-000000000001")
ANA = UUID("11111111-1111-4111-8111-111111111111")
LUIS = UUID("22222222-2222-4222-8222-222222222222")
STREAM = UUID("33333333-3333-8333-8333-333333333333")
SECRET_TEXT = "Nos vemos en la calle de la Amargura"

MAIL = ev.InteractionRecorded(
    originator_id=STREAM,
    originator_version=1,
    actor=ev.Actor("channel", "meta-main"),
    digest=b"\x07" * 32,
    channel=v.Channel.EMAIL,
    direction=v.Direction.INBOUND,
    origin=v.Origin.AUTOMATIC,
    source="email:ventas",
    subject=ANA,
    scheme="mailto",
    occurred_at=1_760_000_000_000_000,
    time_source=v.TimeSource.PROVIDER,
    parties=(ev.Party(LUIS, "mailto", v.Role.CC),),
    resource="mailto:ana@example.mx",
    text=SECRET_TEXT,
    identities=(ev.Identity("mailto:luis@example.mx", "Luis"),),
)
SEEN = ev.ConversationSeen(
    originator_id=STREAM,
    originator_version=2,
    actor=ev.Actor("user", "rosa"),
    contact=ANA,
    user=LUIS,
    through=9,
)


def a_codec(keys: MemoryKeys, ledger: UUID = LEDGER) -> Codec:
    """A codec over keys in memory."""
    return Codec(layouts(), keys, ledger, repeating(2))


def stored(codec: Codec, event: EventLike, position: int = 7) -> StoredEntry:
    """An event as the log has it."""
    topic, state = codec.seal(event)
    return StoredEntry(
        position, event.originator_id, event.originator_version, topic, 5_000, None, state
    )
