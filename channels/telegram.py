"""Telegram bots: one update → its atoms, nearly always one.

Telegram signs nothing. It sends back a secret that was given to it with the URL, which tells who
sent a request and nothing about its bytes; these are as safe as the connection that they came
over.

Source: Telegram, "Bot API" (setWebhook, Update), and real requests.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from channels.contract import (
    UNKNOWN_KIND,
    Answer,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Outcome,
    Refused,
    Rejected,
    Secrets,
    Unreadable,
    Verified,
)
from channels.lenient import Json, Unfit, items_in, loads, text_in
from channels.media import TELEGRAM_MEDIA
from channels.telegram_facts import (
    deleted,
    edited,
    message,
    ordering,
    pressed,
    reacted,
    voted,
)
from channels.telegram_people import CHANNEL, Place, place_of
from domain.errors import HiloError

if TYPE_CHECKING:
    from channels.contract import Arrival

SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name

Reader = Callable[[Place, Json], Outcome]
"""Reads one branch of an update. Raises Unfit."""


def _ignored(reason: str) -> Reader:
    return lambda _place, _item: Ignored(reason)


_BRANCHES: Final[Mapping[str, Reader]] = {
    "message": message,
    "edited_message": edited,
    "channel_post": message,
    "edited_channel_post": edited,
    "business_message": message,
    "edited_business_message": edited,
    "deleted_business_messages": deleted,
    "guest_message": message,
    "callback_query": pressed,
    "shipping_query": ordering,
    "pre_checkout_query": ordering,
    "poll_answer": voted,
    "message_reaction": reacted,
    # Anonymous counts, which are nobody's.
    "message_reaction_count": _ignored("account_event"),
    "poll": _ignored("account_event"),
    # Somebody writes to another chat by way of the bot, and may never send it.
    "inline_query": _ignored("presence"),
    "chosen_inline_result": _ignored("presence"),
    "chat_member": _ignored("presence"),
    "chat_join_request": _ignored("presence"),
    "my_chat_member": _ignored("account_event"),
    "business_connection": _ignored("account_event"),
    "chat_boost": _ignored("account_event"),
    "removed_chat_boost": _ignored("account_event"),
    "purchased_paid_media": _ignored("account_event"),
    "managed_bot": _ignored("account_event"),
    "subscription": _ignored("account_event"),
}
"""The branches of an update, in the order in which they are read."""

_MANY: Final = "deleted_business_messages"
"""The one branch that is about several messages: each is an atom."""

Draft = tuple[Outcome, Callable[[], bytes]]


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """The secret that came with the request, compared in constant time with each of ours."""
    shown = incoming.headers.get(SECRET_HEADER)
    if shown is None:
        return Rejected("no_signature")
    given = shown.encode("utf-8", "surrogatepass")
    known = [
        hmac.compare_digest(given, secret) for secret in secrets.get("secret_token", ()) if secret
    ]
    return Verified() if any(known) else Rejected("bad_signature")


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that Telegram would send."""
    return {SECRET_HEADER: secrets["secret_token"][0].decode("utf-8", "replace")}


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The atoms of an update, in their order; a body that is none is one atom."""
    return [
        Atom(
            number=number,
            source=source,
            outcome=outcome,
            raw=raw,
            our_address=ours if isinstance(outcome, Commands) else None,
        )
        for number, (source, ours, outcome, raw) in enumerate(_atoms(incoming.body, arrival))
    ]


def _atoms(raw: bytes, arrival: Arrival) -> Iterator[tuple[str, str, Outcome, Callable[[], bytes]]]:
    place = place_of(arrival, None)
    try:
        found = loads(raw)
    except ValueError:
        yield "", "", Unreadable("the body is not JSON"), lambda: raw
        return
    if not isinstance(found, dict):
        yield "", "", Unreadable("the body is not an object"), lambda: raw
        return
    for outcome, alone in _of_update(found, arrival):
        yield place.source, place.our_address, outcome, alone


def _of_update(update: Json, arrival: Arrival) -> Iterator[Draft]:
    place = place_of(arrival, text_in(update, "update_id"))
    around = {name: value for name, value in update.items() if name == "update_id"}

    def alone(name: str, value: object) -> Callable[[], bytes]:
        return partial(msgspec.json.encode, {**around, name: value})

    is_empty = True
    for name, read in _BRANCHES.items():
        if update.get(name) is None:
            continue
        is_empty = False
        for item in _items(name, update[name]):
            yield _read(read, place, item), alone(name, item)
    if is_empty:
        new = [name for name in update if name != "update_id" and update[name] is not None]
        kind = Unreadable("the update is of an unknown kind", UNKNOWN_KIND)
        outcome: Outcome = kind if new else Ignored("empty")
        yield outcome, partial(msgspec.json.encode, update)


def _items(name: str, value: object) -> list[object]:
    """What a branch holds: itself, or a deletion for each message that was deleted."""
    numbers = items_in(value, "message_ids") if name == _MANY else []
    if not isinstance(value, dict) or not numbers:
        return [value]
    return [{**value, "message_ids": [number]} for number in numbers]


def _read(read: Reader, place: Place, item: object) -> Outcome:
    """What one branch comes to; whatever is wrong with it stays with it."""
    if not isinstance(item, dict):
        return Unreadable("it is not an object")
    try:
        return read(place, item)
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _no_handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """Telegram asks nothing beforehand."""
    return Refused()


TELEGRAM: Final = ChannelModule(
    channel=CHANNEL,
    title="Telegram",
    secrets=("secret_token",),
    optional_secrets=("bot_token",),
    options=("bot_id",),
    signs_body=False,
    handshake=_no_handshake,
    verify=verify,
    parse=parse,
    sign=sign,
    media={CHANNEL: TELEGRAM_MEDIA},
)
