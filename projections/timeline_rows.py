"""The rows of the timeline: interactions, further appearances, message-ids, watermarks."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from projections.base import RowTable

KIND_INTERACTION: Final = 0
KIND_NOTE: Final = 1

NOTE_STRUCK: Final = 1
"""The `stamp` of a note that was declared void; that is all that can become of one."""

UUID16: Final = sa.LargeBinary(16)

FILTERED: Final = (
    "channel",
    "direction",
    "origin",
    "source",
    "attended_by",
    "department",
    "campaign",
)
"""What lists are filtered by; it stands at the end of their indexes."""

LISTED: Final = f"hidden = 0 AND kind = {KIND_INTERACTION}"
"""What the list of all interactions shows; its indexes hold these rows and no others."""

BY_HAND: Final = f"origin = 'manual' AND twin IS NULL AND {LISTED}"
"""What people logged and nobody has linked; an index of its own holds these rows."""


class InteractionRow(Struct, gc=False):
    """An interaction, or what is known before it is recorded (then `position` is None).

    `stirs`: inbound content that asks for attention. `answers`: outbound content. `twin` is the
    stream of the other record of the same event; `hidden`: that one is shown, and this one left
    lists and counts. `stamp` changes whenever the row would be shown otherwise.
    """

    originator: bytes
    position: int | None = None
    subject: bytes | None = None
    occurred_at: int | None = None
    recorded_at: int | None = None
    kind: int = KIND_INTERACTION
    channel: str | None = None
    direction: str | None = None
    origin: str | None = None
    source: str | None = None
    attended_by: bytes | None = None
    department: str | None = None
    campaign: str | None = None
    stirs: int = 0
    answers: int = 0
    hidden: int = 0
    twin: bytes | None = None
    stamp: int = 0
    content: bytes | None = None
    state: bytes | None = None


class AppearanceRow(Struct, gc=False):
    """A further outside participant of an interaction whose counterpart is somebody else."""

    originator: bytes
    subject: bytes
    occurred_at: int
    position: int


class MessageRow(Struct, gc=False):
    """An e-mail by the derived id of its Message-ID; different mails may carry the same one."""

    message_id: bytes
    originator: bytes


class VoiceRow(Struct, gc=False):
    """Somebody's edit, reaction or failed delivery was told of an interaction, whoever's it is."""

    subject: bytes
    about: bytes


class WatermarkRow(Struct, gc=False):
    """Everything that went from a source to a subject up to `through` came this far."""

    subject: bytes
    source: str
    state: str
    through: int
    at: int


INTERACTIONS: Final = (
    RowTable(
        "interactions",
        InteractionRow,
        key=("originator",),
        columns={
            "originator": UUID16,
            "position": sa.BigInteger(),
            "subject": UUID16,
            "occurred_at": sa.BigInteger(),
            "recorded_at": sa.BigInteger(),
            "kind": sa.SmallInteger(),
            "channel": sa.Text(),
            "direction": sa.Text(),
            "origin": sa.Text(),
            "source": sa.Text(),
            "attended_by": UUID16,
            "department": sa.Text(),
            "campaign": sa.Text(),
            "stirs": sa.SmallInteger(),
            "answers": sa.SmallInteger(),
            "hidden": sa.SmallInteger(),
            "twin": UUID16,
            "stamp": sa.BigInteger(),
            "content": sa.LargeBinary(),
            "state": sa.LargeBinary(),
        },
        indexes=(
            ("position", ("position",), None, True),
            # A page reads one range of it; the tail lets a filter pass over rows without a visit.
            (
                "page",
                (
                    "subject",
                    "occurred_at",
                    "position",
                    *FILTERED,
                    "kind",
                    "stirs",
                    "answers",
                ),
                "hidden = 0",
                False,
            ),
            ("stirs", ("subject", "position"), "stirs = 1", False),
            # What is in no list any more; an erasure finds it all the same.
            ("hidden", ("subject",), "hidden = 1", False),
            # The list of all, and its rare values: else a filter would walk the whole history.
            ("occurred", ("occurred_at", "position", *FILTERED), LISTED, False),
            ("source", ("source", "occurred_at", "position"), LISTED, False),
            (
                "attended",
                ("attended_by", "occurred_at", "position"),
                f"attended_by IS NOT NULL AND {LISTED}",
                False,
            ),
            (
                "campaign",
                ("campaign", "occurred_at", "position"),
                f"campaign IS NOT NULL AND {LISTED}",
                False,
            ),
            # What was logged by hand, and may have a twin that came by itself; mostly little.
            ("by_hand", ("subject", "occurred_at", "position"), BY_HAND, False),
        ),
    )
    .with_long_rows()
    .asked_in_settle("page", "stirs", "hidden")
)

APPEARANCES: Final = RowTable(
    "appearances",
    AppearanceRow,
    key=("originator", "subject"),
    columns={
        "originator": UUID16,
        "subject": UUID16,
        "occurred_at": sa.BigInteger(),
        "position": sa.BigInteger(),
    },
    indexes=(("page", ("subject", "occurred_at", "position", "originator"), None, False),),
)

MESSAGES: Final = RowTable(
    "messages",
    MessageRow,
    key=("message_id", "originator"),
    columns={"message_id": UUID16, "originator": UUID16},
)

VOICES: Final = RowTable(
    "voices",
    VoiceRow,
    key=("subject", "about"),
    columns={"subject": UUID16, "about": UUID16},
)

WATERMARKS: Final = RowTable(
    "watermarks",
    WatermarkRow,
    key=("subject", "source", "state"),
    columns={
        "subject": UUID16,
        "source": sa.Text(),
        "state": sa.Text(),
        "through": sa.BigInteger(),
        "at": sa.BigInteger(),
    },
)


def shown_of(row: InteractionRow) -> bytes | None:
    """All that may change of how a row is shown: what became known of it, and its twin."""
    if row.twin is None:
        return row.state
    return row.twin + bytes((row.hidden,)) + (row.state or b"")
