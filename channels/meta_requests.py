"""Requests about a page or an Instagram account: one request → its atoms.

A request is entries × lists of items; each item is an atom. `messaging` holds the inbox's
items, `standby` the same while another application answers, `changes` everything else, and
sometimes inbox items too. Whose items they are is said by each entry: one app's URL serves
every page of that app, and Messenger, leads and comments may come through it together.

Source: Meta, "Messenger Platform: webhook events", "Instagram Platform: webhooks", "Webhooks
for pages", and real requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import UNKNOWN_KIND, Atom, Ignored, Outcome, Unreadable
from channels.lead_ads_forms import lead, source_of
from channels.lenient import Json, Unfit, given, items_in, loads, object_in, text_in
from channels.meta_changes import mids_of
from channels.meta_comments import comment
from channels.meta_messaging import is_item, read_item
from channels.meta_parts import without
from channels.meta_people import Place, account_of
from domain.errors import HiloError
from domain.values import Channel

if TYPE_CHECKING:
    from channels.contract import Arrival, Incoming

OBJECTS: Final[Mapping[str, Channel]] = {
    "page": Channel.MESSENGER,
    "instagram": Channel.INSTAGRAM,
}
"""What requests are about. Each says so itself, so all of them are understood at every URL."""

_NAMES: Final = {channel: name for name, channel in OBJECTS.items()}

INBOX: Final = ("messaging", "standby")
LISTS: Final = frozenset({*INBOX, "changes"})
"""Names of lists whose things are atoms: a request for one atom alone has no other."""

_AROUND: Final = frozenset({"id", "time", "uid", "changed_fields", "hop_context", *LISTS})
"""Names that stand in every entry, and the lists: with nothing else in it, it is empty."""

LEADS: Final = frozenset({"leadgen", "leadgen_fat"})
COMMENTS: Final = frozenset({"comments", "live_comments", "feed", "group_feed"})

_PUBLIC: Final = frozenset(
    {"mention", "mentions", "ratings", "live_videos", "videos", "standby_comments"}
)
"""Fields about what is said or shown to everybody."""

_OF_ACCOUNT: Final = frozenset(
    {
        "about",
        "account_update",
        "affiliation",
        "attire",
        "awards",
        "bio",
        "birthday",
        "business_integrity",
        "category",
        "checkins",
        "company_overview",
        "conversations",
        "culinary_team",
        "current_location",
        "description",
        "email",
        "followers",
        "founded",
        "general_info",
        "general_manager",
        "hometown",
        "hours",
        "inbox_labels",
        "invoice_access_invoice_change",
        "leadgen_update",
        "location",
        "members",
        "messaging_account_linking",
        "messaging_handover",
        "messaging_handovers",
        "messaging_policy_enforcement",
        "messenger_template_status_update",
        "mission",
        "name",
        "otp_verification",
        "page_about_story",
        "page_change_proposal",
        "page_upcoming_change",
        "parking",
        "payment_options",
        "personal_info",
        "personal_interests",
        "phone",
        "picture",
        "price_range",
        "product_overview",
        "product_review",
        "products",
        "public_transit",
        "publisher_subscriptions",
        "release_date",
        "share_to_instagram",
        "story_insights",
        "website",
    }
)
"""Fields about our page or account itself: nobody outside says anything in them."""


class _Draft(Struct, frozen=True):
    """An atom before it has its number."""

    outcome: Outcome
    raw: Callable[[], bytes]
    source: str = ""
    our_address: str | None = None


class _Entry(Struct, frozen=True):
    """An entry, and what a request for one of its items alone would be."""

    arrival: Arrival
    channel: Channel
    entry: Json
    wrapped: Callable[[Json], object]

    def alone(self, name: str, item: object) -> bytes:
        """The body of a request that holds this one item."""
        rest = without(self.entry, *LISTS, "field", "value")
        return msgspec.json.encode(self.wrapped({**rest, name: [item]}))

    def place(self, item: Json, *, standby: bool = False) -> Place:
        """Where an item of this entry belongs."""
        return Place(
            arrival=self.arrival,
            channel=self.channel,
            id=account_of(text_in(self.entry, "id"), item),
            told_at=text_in(self.entry, "time"),
            standby=standby,
        )


def parse(incoming: Incoming, arrival: Arrival, *, default: str = "page") -> list[Atom]:
    """The atoms of a request, in their order; a body that is no request is one atom.

    `default` is what a request is about that does not say it.
    """
    return [
        Atom(
            number=number,
            source=draft.source,
            outcome=draft.outcome,
            raw=draft.raw,
            our_address=draft.our_address,
        )
        for number, draft in enumerate(_drafts(incoming.body, arrival, default))
    ]


def _drafts(body: bytes, arrival: Arrival, default: str) -> Iterator[_Draft]:
    try:
        found = loads(body)
    except ValueError:
        yield _Draft(Unreadable("the body is not JSON"), lambda: body)
        return
    # Meta's documents show requests in a list; a body is one of them, or several.
    several = isinstance(found, list) and bool(found)
    for request in found if several and isinstance(found, list) else [found]:
        raw = partial(msgspec.json.encode, [request]) if several else lambda: body
        yield from _of_request(request, arrival, default, raw)


def _of_request(
    request: object, arrival: Arrival, default: str, raw: Callable[[], bytes]
) -> Iterator[_Draft]:
    if not isinstance(request, dict):
        yield _Draft(Unreadable("the body is not an object"), raw)
        return
    channel = OBJECTS.get((text_in(request, "object") or default).lower())
    if channel is None:
        yield _Draft(Unreadable("the body is about another kind of object", UNKNOWN_KIND), raw)
        return
    top = without(request, "entry")
    entries = items_in(request, "entry")
    if not entries:
        yield from _without_entries(
            _Entry(arrival, channel, top, lambda inner: inner), request, raw
        )
    for entry in entries:
        if isinstance(entry, dict):
            wrapped = partial(_in_entry, top)
            yield from _of_entry(_Entry(arrival, channel, entry, wrapped))
        else:
            broken = partial(msgspec.json.encode, _in_entry(top, entry))
            yield _Draft(Unreadable("an entry is not an object"), broken)


def _in_entry(top: Json, entry: object) -> object:
    return {**top, "entry": [entry]}


def _without_entries(bare: _Entry, request: Json, raw: Callable[[], bytes]) -> Iterator[_Draft]:
    """Items right in the request, as relays send them, or one change, as the dashboard does."""
    if not LISTS.isdisjoint(request) or {"field", "value"} <= request.keys():
        yield from _of_entry(bare)
        return
    is_empty = given(request) <= {"object", "entry"}
    new = Unreadable("the body has no entries", UNKNOWN_KIND)
    yield _Draft(Ignored("empty") if is_empty else new, raw)


def _of_entry(entry: _Entry) -> Iterator[_Draft]:
    is_empty = True
    for name in INBOX:
        for item in items_in(entry.entry, name):
            is_empty = False
            yield from _of_inbox(entry, name, item)
    changes = items_in(entry.entry, "changes")
    if {"field", "value"} <= entry.entry.keys():
        changes.append({name: entry.entry[name] for name in ("field", "value")})
    for change in changes:
        is_empty = False
        yield from _of_change(entry, change)
    if is_empty:
        raw = partial(msgspec.json.encode, entry.wrapped(entry.entry))
        new = Unreadable("the entry holds something new", UNKNOWN_KIND)
        yield _Draft(Ignored("empty") if given(entry.entry) <= _AROUND else new, raw)


def _of_inbox(entry: _Entry, name: str, item: object) -> Iterator[_Draft]:
    """One item; or an entry in its place, as some send."""
    if isinstance(item, dict) and not is_item(item) and not LISTS.isdisjoint(item):
        wrapped = partial(_in_entry, {"object": _NAMES[entry.channel]})
        yield from _of_entry(_Entry(entry.arrival, entry.channel, item, wrapped))
        return
    for one in _parted(item):
        yield _of_item(entry, one, partial(entry.alone, name, one), standby=name == "standby")


def _parted(item: object) -> list[object]:
    """An item; a receipt that names messages but no time is one item for each of them."""
    said = object_in(item, "delivery")
    mids = mids_of(said)
    if not isinstance(item, dict) or text_in(said, "watermark") or len(mids) < 2:  # noqa: PLR2004 - one needs no parting
        return [item]
    return [{**item, "delivery": {**said, "mids": [mid]}} for mid in mids]


def _of_item(
    entry: _Entry, item: object, raw: Callable[[], bytes], *, standby: bool = False
) -> _Draft:
    if not isinstance(item, dict):
        return _Draft(Unreadable("an item is not an object"), raw)
    place = entry.place(item, standby=standby)
    return _placed(place, _read(partial(read_item, place), item), raw)


def _placed(place: Place, outcome: Outcome, raw: Callable[[], bytes]) -> _Draft:
    return _Draft(outcome, raw, place.source, place.our_address if place.source else None)


# ---------------------------------------------------------------------- changes


def _of_change(entry: _Entry, change: object) -> Iterator[_Draft]:
    """The atoms of one change: its value, or each of its values."""
    if not isinstance(change, dict):
        raw = partial(entry.alone, "changes", change)
        yield _Draft(Unreadable("a change is not an object"), raw)
        return
    values = items_in(change, "value") or [change.get("value")]
    for value in values:
        kept = [value] if isinstance(value, list) else value
        raw = partial(entry.alone, "changes", {**change, "value": kept})
        yield _of_value(entry, (text_in(change, "field") or "").lower(), value, raw)


def _of_value(entry: _Entry, field: str, value: object, raw: Callable[[], bytes]) -> _Draft:
    if field in LEADS and isinstance(value, dict):
        return _of_lead(entry, value, raw)
    place = entry.place(value if isinstance(value, dict) else {})
    if field in _PUBLIC:
        return _placed(place, Ignored("bulk"), raw)
    if field in COMMENTS and isinstance(value, dict):
        return _placed(place, _read(partial(comment, place), value), raw)
    if field in _OF_ACCOUNT:
        return _placed(place, Ignored("account_event"), raw)
    if isinstance(value, dict) and is_item(value):
        return _of_item(entry, value, raw, standby=field == "standby")
    if not (given(value) if isinstance(value, dict) else value):
        return _placed(place, Ignored("empty"), raw)
    return _placed(place, Unreadable("the field is unknown", UNKNOWN_KIND), raw)


def _of_lead(entry: _Entry, value: Json, raw: Callable[[], bytes]) -> _Draft:
    around = (text_in(entry.entry, "id"), text_in(entry.entry, "time"))
    outcome = _read(partial(lead, entry.arrival, around), value)
    return _Draft(outcome, raw, source_of(text_in(value, "page_id") or around[0]))


def _read(read: Callable[[Json], Outcome], item: Json) -> Outcome:
    """What one thing comes to; whatever goes wrong with it stays with it."""
    try:
        outcome = read(item)
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")
    return outcome
