"""What happens to messages of Messenger and Instagram: edits, deletions, reactions, receipts.

Each names its message by the message's id, whether that has arrived or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from channels.contract import Commands, Ignored, Outcome
from channels.lenient import Json, Unfit, body_in, text_in
from channels.meta_content import emoji_of
from channels.meta_people import Ends, Place, ends_of, side
from channels.pieces import TEXT_MAX_CHARS
from domain.commands import ReportChange, ReportDelivery, ReportWatermark
from domain.recording import interaction_stream
from domain.values import TimeSource

if TYPE_CHECKING:
    from uuid import UUID


def deleted(place: Place, item: Json, said: Json) -> Outcome:
    """Its sender took a message back. Raises Unfit, as all of these do."""
    mid = about(said)
    return Commands((_change(place, item, "revoke", mid, key=f"{mid}:deleted"),))


def unsent(place: Place, item: Json) -> Outcome:
    """The same, told as an item of its own."""
    return deleted(place, item, part(item, "message_deleted"))


def edit(place: Place, item: Json) -> Outcome:
    """Its sender wrote a message anew; the words before stay in the history.

    Instagram tells of edits without words too, of messages that nobody has changed: these would
    leave nothing of the message.
    """
    said = part(item, "message_edit")
    text = body_in(said, "text")
    if text is None:
        return Ignored("empty")
    mid = about(said)
    number = text_in(said, "num_edits") or text_in(said, "num_edit")
    change = _change(
        place,
        item,
        "edit",
        mid,
        key=f"{mid}:e{number or text_in(item, 'timestamp') or ''}",
    )
    return Commands((structs.replace(change, text=text[:TEXT_MAX_CHARS]),))


def reaction(place: Place, item: Json) -> Outcome:
    """Somebody reacted to a message of either side, or took that away."""
    said = part(item, "reaction")
    return _reacted(place, item, about(said), emoji_of(said))


def rating(place: Place, item: Json) -> Outcome:
    """A person says whether an answer was good: a thumb up or down on our message."""
    said = part(item, "response_feedback")
    words = (text_in(said, "feedback") or "").lower()
    return _reacted(place, item, about(said), "👍" if words.startswith("good") else "👎")


def _reacted(place: Place, item: Json, mid: str, emoji: str | None) -> Outcome:
    sender, written = side(item, "sender") or "", text_in(item, "timestamp")
    # Without a time of its own, what it says tells one reaction from the next.
    key = f"{mid}:{sender}:{written or emoji or 'unreact'}"
    change = _change(place, item, "reaction", mid, key=key)
    return Commands((structs.replace(change, emoji=emoji),))


def _change(place: Place, item: Json, kind: str, mid: str, *, key: str) -> ReportChange:
    ends = ends_of(place, item)
    at, _ = place.moment(text_in(item, "timestamp"))
    return ReportChange(
        kind=kind,
        about=_stream(place, mid),
        source=place.source,
        key=key,
        address=ends.address,
        at=at,
        by=ends.by,
        original=msgspec.json.encode(item),
    )


# --------------------------------------------------------------------- receipts


def delivery(place: Place, item: Json) -> Outcome:
    """How far our messages came: all up to a time, or one by its id."""
    return _receipt(place, item, part(item, "delivery"), "delivered")


def read(place: Place, item: Json) -> Outcome:
    """How far the person has read: all up to a time (Messenger), or one by its id (Instagram)."""
    return _receipt(place, item, part(item, "read"), "read")


def _receipt(place: Place, item: Json, said: Json, state: str) -> Outcome:
    ends = ends_of(place, item)
    if ends.outbound:
        return Ignored("presence")  # somebody of ours read it
    written = text_in(said, "watermark")
    if written is not None:
        through, said_by = place.moment(written)
        if said_by is TimeSource.PROVIDER:
            return Commands((_watermark(place, item, ends, (state, written, through)),))
    mid = text_in(said, "mid") or next(iter(mids_of(said)), None)
    if mid is None:
        return Ignored("receipt_of_unknown")
    at, said_by = place.moment(text_in(item, "timestamp"))
    report = ReportDelivery(
        about=_stream(place, mid),
        source=place.source,
        word=state,
        at=at,
        # A receipt without a time of its own must not become another one when it comes again.
        key=f"{state}::" if said_by is TimeSource.RECEIVED else None,
        recipient=ends.address,
        original=msgspec.json.encode(item),
    )
    return Commands((report,))


def mids_of(said: Json) -> list[str]:
    """The messages that a receipt names."""
    mids = said.get("mids")
    found = [text_in({"mid": mid}, "mid") for mid in mids] if isinstance(mids, list) else []
    return [mid for mid in found if mid]


def _watermark(place: Place, item: Json, ends: Ends, told: tuple[str, str, int]) -> ReportWatermark:
    state, written, through = told
    at, said_by = place.moment(text_in(item, "timestamp"))
    return ReportWatermark(
        source=place.source,
        address=ends.address,
        state=state,
        through=through,
        at=through if said_by is TimeSource.RECEIVED else at,
        key=f"{ends.them}:{state}:{written}",
    )


# -------------------------------------------------------------------- in common


def part(item: Json, name: str) -> Json:
    """What an item holds. Raises Unfit where it is no object."""
    found = item[name]
    if not isinstance(found, dict):
        message = f"the {name} is not an object"
        raise Unfit(message)
    return found


def about(said: Json) -> str:
    """The message that a change is about. Raises Unfit."""
    mid = text_in(said, "mid")
    if mid is None:
        raise Unfit("it names no message")
    return mid


def _stream(place: Place, mid: str) -> UUID:
    return interaction_stream(place.arrival.derive, place.source, mid)
