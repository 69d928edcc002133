"""What mail providers tell of mails that we sent: delivered, bounced, opened, complained.

Each is a status of the mail with that Message-ID, whether it is in the ledger or not. A word that
is none of ours is kept as it is: that an image was loaded is not that somebody read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from channels.contract import Commands, Ignored, Outcome
from channels.lenient import Json, moment_of
from channels.mail_addresses import mailto
from channels.mail_reports import MESSAGE_MAX_CHARS, message_ids
from channels.mail_sides import NAMESPACE
from domain.commands import ReportDelivery
from domain.recording import mail_id

if TYPE_CHECKING:
    from channels.contract import Arrival
    from domain.values import DeliveryState


class Told(Struct, frozen=True, kw_only=True):
    """One event. `key` is the provider's own, `at` its time as it was written."""

    word: str
    state: DeliveryState | None = None
    message_id: str | None = None
    recipient: str | None = None
    at: str | None = None
    key: str | None = None
    code: str | None = None
    message: str | None = None


def source_of(arrival: Arrival) -> str:
    """The source of what no mailbox of ours received."""
    return f"{NAMESPACE}:{arrival.connection.replace('/', '.')}"


def status(told: Told, item: Json, arrival: Arrival) -> Outcome:
    """An event as the status of a mail; without a mail it is a receipt of nothing."""
    about = next(iter(message_ids((told.message_id or "").encode("utf-8", "replace"))), None)
    if about is None:
        return Ignored("receipt_of_unknown")
    at, _ = moment_of(told.at, arrival.received_at)
    recipient = mailto(told.recipient) if told.recipient else None
    return Commands(
        (
            ReportDelivery(
                about=mail_id(arrival.derive, about),
                source=source_of(arrival),
                word=told.word,
                state=told.state,
                at=at,
                key=f"{told.word}:{told.key or told.at or ''}:{recipient or ''}",
                recipient=recipient,
                participant=recipient,
                code=told.code,
                message=" ".join(told.message.split())[:MESSAGE_MAX_CHARS]
                if told.message
                else None,
                original=msgspec.json.encode(item),
            ),
        )
    )
