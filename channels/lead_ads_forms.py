"""Lead ads: somebody filled in a form under an advertisement on Facebook or Instagram.

The request has ids only. It is recorded at once, as a form that came in; the answers are
fetched with the access token and complete that same interaction, by the functions at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import Commands, Outcome
from channels.lenient import Json, Unfit, body_in, items_in, objects_in, text_in
from channels.meta_parts import account_token, moment, title, token
from channels.pieces import (
    ID_MAX_CHARS,
    NAME_MAX_CHARS,
    TEXT_MAX_CHARS,
    address_or_none,
    fitting,
)
from domain.commands import RecordInteraction, ReportChange
from domain.recording import interaction_stream
from domain.values import Channel, Direction, Origin, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival
    from domain.values import Deriver

CHANNEL: Final = "lead_ads"

PENDING: Final = "[lead]"
"""The text of a lead whose answers were not fetched yet."""

_NAMES: Final = ("full_name", "name")
_PHONES: Final = frozenset({"phone_number", "phone", "work_phone_number", "whatsapp_number"})
_MAILS: Final = frozenset({"email", "work_email"})


def source_of(page: str | None) -> str:
    """The source of a page's leads; empty where the page's id cannot be one."""
    source = f"{CHANNEL}:{account_token(page or '')}"
    return source if page and is_source(source) else ""


def lead(arrival: Arrival, entry: tuple[str | None, str | None], value: Json) -> Outcome:
    """A lead, by its ids. `entry` is the id and the time around it. Raises Unfit."""
    page, told_at = entry
    source = source_of(text_in(value, "page_id") or page)
    id_, form = text_in(value, "leadgen_id"), text_in(value, "form_id")
    if id_ is None or len(id_) > ID_MAX_CHARS:
        raise Unfit("the lead has no id")
    if not source:
        raise Unfit("the lead does not say which page it is about")
    at, time_source = moment(text_in(value, "created_time") or told_at, arrival.received_at)
    given = answers_in(value)
    record = RecordInteraction(
        channel=Channel.FORM,
        direction=Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=source,
        namespace=source,
        key=id_,
        external_id=id_,
        resource=_address(source, id_),
        destination=_form(source, form),
        occurred_at=at,
        time_source=time_source,
        text=given.text or PENDING,
        contact_name=given.name,
        department=arrival.department,
        campaign=title(
            text_in(value, "campaign_name"), text_in(value, "ad_id"), text_in(value, "form_id")
        ),
        details=fitting({"type": "leadgen", **_ids(value)}),
        original=msgspec.json.encode(value),
    )
    return Commands((record,))


def _address(source: str, id: str) -> str:
    """A lead, until people know who it is: an address of its own, so that it can be linked."""
    found = address_or_none(f"sender:{source}/{token(id)}")
    if found is None:
        raise Unfit("the lead's id cannot be kept")
    return found


def _form(source: str, form: str | None) -> str:
    page = source.partition(":")[2]
    return address_or_none(f"form:{page}/{form or 'unknown'}") or f"form:{page}/unknown"


def _ids(value: Json) -> dict[str, object]:
    names = ("leadgen_id", "form_id", "ad_id", "adgroup_id", "campaign_id", "platform")
    return {name: text for name in names if (text := text_in(value, name))}


# ------------------------------------------------------------------ the answers


class Answers(Struct, frozen=True):
    """What a lead answered: a line each, the name, and addresses as they were typed."""

    text: str | None
    name: str | None
    addresses: tuple[str, ...] = ()


def answers_in(fetched: Json) -> Answers:
    """The answers in what Graph gives for a lead (`field_data`).

    What a person typed is a suggestion of who it is, never a proof: whoever completes a lead
    offers the addresses, and links none of them by itself.
    """
    pairs = [
        (text_in(field, "name") or "?", _values(field))
        for field in objects_in(fetched, "field_data")
    ]
    text = "\n".join(f"{name}: {value}" for name, value in pairs if value)
    named = dict(reversed(pairs))
    parts = [named.get("first_name"), named.get("last_name")]
    whole = next((named[name] for name in _NAMES if named.get(name)), None)
    called = whole or " ".join(part for part in parts if part)
    typed = [f"tel:{value}" for name, value in pairs if name.lower() in _PHONES and value]
    typed += [f"mailto:{value}" for name, value in pairs if name.lower() in _MAILS and value]
    found = (address_or_none(address) for address in typed)
    return Answers(
        text=text[:TEXT_MAX_CHARS] or None,
        name=called[:NAME_MAX_CHARS] or None,
        addresses=tuple(dict.fromkeys(address for address in found if address)),
    )


def _values(field: Json) -> str:
    written = [body_in({"it": one}, "it") for one in items_in(field, "values")]
    return ", ".join(one for one in written if one)


def completion(derive: Deriver, source: str, id: str, fetched: Json, at: int) -> ReportChange:
    """The fact that completes a lead with its answers; the same lead twice gives one fact.

    `source` and `id` are the interaction's source and external id, `fetched` the object that
    Graph gives for the lead, `at` when it was fetched (µs).
    """
    return ReportChange(
        kind="edit",
        about=interaction_stream(derive, source, id),
        source=source,
        key=f"{id}:answers",
        address=_address(source, id),
        at=at,
        text=answers_in(fetched).text or PENDING,
        original=msgspec.json.encode(fetched),
    )
