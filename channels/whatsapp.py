"""WhatsApp Cloud API, and the Business app beside it: one request → its atoms.

A request is entries × changes × lists of things; each thing is an atom. What a change is about
is said by its `field`, never by the keys that happen to be in it, and each change names its own
number: one app's URL serves every number of that app.

Source: Meta, "WhatsApp Business Platform: webhooks" (payload reference), and real requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels import meta
from channels.contract import (
    UNKNOWN_KIND,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Outcome,
    Unreadable,
)
from channels.lenient import Json, Unfit, given, items_in, loads, object_in, text_in
from channels.media import WHATSAPP_MEDIA
from channels.whatsapp_calls import call, call_status
from channels.whatsapp_facts import (
    ECHO,
    message,
    past,
    past_file,
    preference,
    renamed,
    status,
)
from channels.whatsapp_people import CHANNEL, Place, place_of
from domain.errors import HiloError

if TYPE_CHECKING:
    from channels.contract import Arrival, Incoming

OBJECT: Final = "whatsapp_business_account"

Reader = Callable[[Place, Json], Outcome]
"""Reads one thing of a list. Raises Unfit."""


def _echo(place: Place, item: Json) -> Outcome:
    return message(place, item, ECHO)


def _of_account(_place: Place, _item: Json) -> Outcome:
    return Ignored("account_event")


_ANYWHERE: Final[Mapping[str, Reader]] = {
    "messages": message,
    "message_echoes": _echo,
    "statuses": status,
    "calls": call,
    "user_preferences": preference,
    "user_id_update": renamed,
    "errors": _of_account,
}
"""What the lists hold, in the order in which they are read; a field may know better."""

_FIELDS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "messages": _ANYWHERE,
    "standby": _ANYWHERE,  # the same, while another application answers
    "smb_message_echoes": {**_ANYWHERE, "messages": _echo},  # both names are in the wild
    "message_echoes": {**_ANYWHERE, "messages": _echo},
    "calls": {**_ANYWHERE, "statuses": call_status},
    "history": {**_ANYWHERE, "messages": past_file},  # and its threads: see _of_history
    "user_preferences": _ANYWHERE,
    "user_id_update": _ANYWHERE,
}
"""What is said by the field and not by the list: a call's status is no message's."""

_LISTS: Final = frozenset({"history", *_ANYWHERE})
"""Names of lists whose things are atoms: a request for one atom alone has no other."""

_AROUND: Final = frozenset({"messaging_product", "metadata", "contacts", *_LISTS})
"""Names that stand in every change, and the lists: with nothing else in it, it is empty."""

_WHOLE: Final[Mapping[str, str]] = {
    "smb_app_state_sync": "internal",
    **dict.fromkeys(
        (
            "account_alerts",
            "account_offboarded",
            "account_reconnected",
            "account_review_update",
            "account_settings_update",
            "account_update",
            "automatic_events",
            "business_capability_update",
            "business_status_update",
            "business_username_update",
            "consumer_profile",
            "flows",
            "group_lifecycle_update",
            "group_participants_update",
            "group_settings_update",
            "group_status_update",
            "message_template_components_update",
            "message_template_quality_update",
            "message_template_status_update",
            "messaging_handovers",
            "partner_solutions",
            "payment_configuration_update",
            "phone_number_name_update",
            "phone_number_quality_update",
            "security",
            "template_category_update",
            "template_correct_category_detection",
            "tracking_events",
        ),
        "account_event",
    ),
}
"""Fields whose changes are one atom each, and why that is ignored."""


class _Change(Struct, frozen=True):
    """A change, with all that stands around it."""

    top: Json
    entry: Json
    change: Json
    value: Json
    place: Place

    def alone(self, value: object) -> bytes:
        """The body of a request that holds this change alone, with another value."""
        entry = {**self.entry, "changes": [{**self.change, "value": value}]}
        return msgspec.json.encode({**self.top, "entry": [entry]})

    def with_only(self, name: str, item: object) -> bytes:
        """The same, with one thing in one list, and what stands around the lists."""
        rest = {key: inner for key, inner in self.value.items() if key not in _LISTS}
        return self.alone({**rest, name: [item]})


class _Draft(Struct, frozen=True):
    """An atom before it has its number."""

    place: Place | None
    outcome: Outcome
    raw: Callable[[], bytes]


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The atoms of a request, in their order; a body that is no request is one atom."""
    return [
        Atom(
            number=number,
            source=_source(draft),
            outcome=draft.outcome,
            raw=draft.raw,
            our_address=draft.place.our_address if draft.place else None,
        )
        for number, draft in enumerate(_drafts(incoming.body, arrival))
    ]


def _source(draft: _Draft) -> str:
    """The account that an atom is about; a business account only where it must stand for one."""
    if draft.place is None or not (draft.place.named or isinstance(draft.outcome, Commands)):
        return ""
    return draft.place.source


def _drafts(body: bytes, arrival: Arrival) -> Iterator[_Draft]:
    try:
        found = loads(body)
    except ValueError:
        yield _Draft(None, Unreadable("the body is not JSON"), lambda: body)
        return
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        for one in found:  # some relays collect requests
            yield from _of_request(one, msgspec.json.encode(one), arrival)
    else:
        yield from _of_request(found, body, arrival)


def _of_request(found: object, body: bytes, arrival: Arrival) -> Iterator[_Draft]:
    def whole(outcome: Outcome) -> _Draft:
        return _Draft(None, outcome, lambda: body)

    if not isinstance(found, dict):
        yield whole(Unreadable("the body is not an object"))
        return
    if (text_in(found, "object") or OBJECT).lower() != OBJECT:
        yield whole(Unreadable("the body is about another kind of object", UNKNOWN_KIND))
        return
    top = {name: value for name, value in found.items() if name != "entry"}
    entries = items_in(found, "entry")
    if not entries and "field" in found and "value" in found:
        # What Meta's "send a sample" button sends: a change without anything around it.
        top, entries = {}, [{"changes": [found]}]
    if not entries and any(items_in(found, name) for name in ("messages", "statuses")):
        # What relays send that take the envelope off: a value without its change.
        top, entries = {}, [{"changes": [{"value": found}]}]
    if not entries:
        is_empty = given(found) <= {"object", "entry"}
        new = Unreadable("the body has no entries", UNKNOWN_KIND)
        yield whole(Ignored("empty") if is_empty else new)
    for entry in entries:
        yield from _of_entry(top, entry, arrival)


def _of_entry(top: Json, entry: object, arrival: Arrival) -> Iterator[_Draft]:
    def one(outcome: Outcome) -> _Draft:
        return _Draft(None, outcome, lambda: msgspec.json.encode({**top, "entry": [entry]}))

    if not isinstance(entry, dict):
        yield one(Unreadable("an entry is not an object"))
        return
    changes = items_in(entry, "changes")
    if not changes:
        kind = Unreadable("the entry is of another product", UNKNOWN_KIND)
        yield one(kind if "messaging" in entry or "standby" in entry else Ignored("empty"))
    for change in changes:
        shaped = change if isinstance(change, dict) else {}
        value = object_in(shaped, "value")
        place = place_of(text_in(entry, "id"), value, arrival)
        known = _Change(top, entry, shaped, value, place)
        if shaped is change and isinstance(change.get("value", {}), dict | None):
            yield from _of_change(known)
        else:
            yield _odd(known, change)


def _odd(known: _Change, change: object) -> _Draft:
    """A change that has no shape at all."""

    def raw() -> bytes:
        entry = {**known.entry, "changes": [change]}
        return msgspec.json.encode({**known.top, "entry": [entry]})

    return _Draft(known.place, Unreadable("a change is not an object"), raw)


def _of_change(change: _Change) -> Iterator[_Draft]:
    """The atoms of one change; one that holds nothing is an atom all the same."""
    field = text_in(change.change, "field") or "messages"
    if field in _WHOLE:
        yield _whole(change, Ignored(_WHOLE[field]))
        return
    lists = _FIELDS.get(field)
    if lists is None:
        yield _whole(change, Unreadable("the field is unknown", UNKNOWN_KIND))
        return
    is_empty = True
    if field == "history":
        for draft in _of_history(change):
            is_empty = False
            yield draft
    for name, read in lists.items():
        for item in items_in(change.value, name):
            is_empty = False
            outcome = _read(read, change.place, item)
            yield _Draft(change.place, outcome, partial(change.with_only, name, item))
    if is_empty:
        new = Unreadable("the change holds something unknown", UNKNOWN_KIND)
        yield _whole(change, Ignored("empty") if given(change.value) <= _AROUND else new)


def _whole(change: _Change, outcome: Outcome) -> _Draft:
    """A change as one atom. Our own number is its place, but nothing is recorded there."""
    return _Draft(change.place, outcome, lambda: change.alone(change.change.get("value")))


def _of_history(change: _Change) -> Iterator[_Draft]:
    """The messages of each thread of each chunk, and what the chunk itself says."""
    for chunk in items_in(change.value, "history"):
        for thread in items_in(chunk, "threads"):
            for item in items_in(thread, "messages"):
                yield _of_past(change, chunk, thread, item)
        for error in items_in(chunk, "errors"):
            yield _of_chunk(change, {"errors": [error]})
        if not items_in(chunk, "threads") and not items_in(chunk, "errors"):
            yield _of_chunk(change, chunk)


def _of_past(change: _Change, chunk: object, thread: object, item: object) -> _Draft:
    around = thread if isinstance(thread, dict) else {}
    of = chunk if isinstance(chunk, dict) else {}

    def read(place: Place, told: Json) -> Outcome:
        return past(place, around, told)

    alone = {**of, "threads": [{**around, "messages": [item]}]}
    raw = partial(change.with_only, "history", alone)
    return _Draft(change.place, _read(read, change.place, item), raw)


def _of_chunk(change: _Change, chunk: object) -> _Draft:
    raw = partial(change.with_only, "history", chunk)
    return _Draft(change.place, Ignored("account_event"), raw)


def _read(read: Reader, place: Place, item: object) -> Outcome:
    """What one thing comes to; whatever goes wrong with it stays with it."""
    if not isinstance(item, dict):
        return Unreadable("it is not an object")
    try:
        return read(place, item)
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


WHATSAPP: Final = ChannelModule(
    channel=CHANNEL,
    title="WhatsApp",
    secrets=meta.SECRETS,
    optional_secrets=meta.OPTIONAL_SECRETS,
    handshake=meta.handshake,
    verify=meta.verify,
    parse=parse,
    sign=meta.sign,
    media={CHANNEL: WHATSAPP_MEDIA},
)
