"""What somebody typed into the form *Log activity*, on its way to a command; nothing is lost.

The fields are those of the API. An address may be typed as people write it; a name is looked for,
and whoever was meant is then chosen. What is wrong with a field is told at that field.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct, structs

from api.parameters import POSITION_MAX, uuid_of
from api.shapes import append_command
from api.terms import terms_of
from domain.errors import InvalidInput
from domain.times import format_utc, zone_of
from domain.values import Channel
from projections.dictionary import CAMPAIGN, DEPARTMENT, USER

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from api.web.acting import Sent
    from domain.commands import RecordInteraction
    from projections.dictionary import Named
    from projections.shapes import ContactView

FIELDS: Final = (
    "channel",
    "direction",
    "who",
    "contact",
    "contact_name",
    "occurred_at",
    "attended_by",
    "department",
    "campaign",
    "text",
    "opened",
    "key",
    "twin",
)
"""What the form sends, and shows again where it was refused."""

OURS: Final = "place:main"
"""Our own side, where nobody says which number or mailbox of ours it was."""

SCHEMES_OF: Final = {
    Channel.CALL: "tel",
    Channel.SMS: "tel",
    Channel.WHATSAPP: "tel",
    Channel.EMAIL: "mailto",
}
"""Which addresses fit a channel over which the contact was not seen yet."""

_FIELD_TIME: Final = "%Y-%m-%dT%H:%M"
_AT_FIELD: Final = {"resource": "who", "destination": "who", "twin_of": "twin"}
_SAID: Final = frozenset({"future", "unknown", "missing", "too_long"})


class Entry(Struct, frozen=True):
    """The form: what its fields hold, and what is wrong with which of them (words of `log`)."""

    fields: dict[str, str]
    errors: dict[str, str] = {}


class Choices(Struct, frozen=True):
    """What the form offers: people, departments and campaigns that are active."""

    people: list[Named]
    departments: list[Named]
    campaigns: list[Named]


class Unfit(Exception):
    """Some fields need attention: field → word."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Some fields need attention.")
        self.errors = errors


def choices_of(look: Look) -> Choices:
    """Who may have attended it, and what it may belong to."""

    def active(kind: str) -> list[Named]:
        return [one for one in look.names.all(kind) if one.active]

    people = [one for one in active(USER) if one.extra.sign_in]
    return Choices(people, active(DEPARTMENT), active(CAMPAIGN))


def fresh(look: Look) -> Entry:
    """An empty form: a call that came in just now, attended by whoever opened it."""
    services, user = look.services, look.caller.user
    choices = choices_of(look)
    own = look.names.one(USER, str(user)) if user else None
    department = (own.extra.department if own else None) or ""
    filled = {
        "channel": str(Channel.CALL),
        "direction": "inbound",
        "attended_by": str(user or ""),
        "department": department if _is_one(department, choices.departments) else "",
        "opened": format_utc(services.clock()),
        "key": str(services.new_id()),
    }
    return Entry({**dict.fromkeys(FIELDS, ""), **filled})


def entry_of(sent: Sent, services: Services) -> Entry:
    """The form as it was sent."""
    fields = {name: sent.one(name) for name in FIELDS}
    if uuid_of(fields["key"]) is None:
        fields["key"] = str(services.new_id())
    try:
        datetime.fromisoformat(fields["opened"]).astimezone()
    except (ValueError, OverflowError):
        fields["opened"] = format_utc(services.clock())
    return Entry(fields)


def command_of(
    entry: Entry, look: Look, contact: ContactView | None, *, linked: bool
) -> RecordInteraction:
    """What the form asks for; `linked` with the twin that is chosen. Raises Unfit."""
    fields, errors = entry.fields, _unlisted(entry, choices_of(look))
    if not fields["text"].strip():
        errors["text"] = "missing"
    who = _who(fields, contact)
    if not who:
        errors["who"] = "who"
    body = {
        **{name: fields[name] for name in ("channel", "direction")},
        **{name: fields[name] or None for name in ("attended_by", "department", "campaign")},
        **who,
        "source": "manual",
        "contact_name": fields["contact_name"].strip() or None,
        "text": fields["text"].strip(),
        "occurred_at": _time(fields, _zone(look.caller, look.services)),
        "twin_of": _number(fields["twin"]) if linked else None,
    }
    kept = {name: value for name, value in body.items() if value is not None}
    services = look.services
    terms = terms_of(services, look.caller, imported=False, key_of=lambda _: fields["key"])
    terms = structs.replace(terms, alone=True, latest=services.clock())
    try:
        command = append_command(msgspec.json.encode(kept), terms)
    except InvalidInput as error:
        raise Unfit({**words_of(error), **errors}) from None
    if errors:
        raise Unfit(errors)
    return command


def words_of(error: InvalidInput) -> dict[str, str]:
    """Which sentence stands at which field of the form."""
    found: dict[str, str] = {}
    for one in error.errors:
        field = _AT_FIELD.get(one.field, one.field)
        word = one.code if one.code in _SAID else "unread"
        if field == "who" or (field == "occurred_at" and word != "future"):
            word = field
        found.setdefault(field if field in FIELDS else "text", word)
    return found


def is_address(text: str) -> bool:
    """Whether what was typed is meant as an address, rather than as a name."""
    return ":" in text or "@" in text or text[:1] in "+(" or text[:1].isdigit()


def _unlisted(entry: Entry, choices: Choices) -> dict[str, str]:
    """What is none of the choices: it was changed since the form was opened."""
    listed = {
        "attended_by": choices.people,
        "department": choices.departments,
        "campaign": choices.campaigns,
    }
    return {
        name: "unknown"
        for name, found in listed.items()
        if entry.fields[name] and not _is_one(entry.fields[name], found)
    }


def _is_one(key: str, found: list[Named]) -> bool:
    return any(one.key == key for one in found)


def _who(fields: dict[str, str], contact: ContactView | None) -> dict[str, str]:
    """Both ends and the contact; empty where nobody was named."""
    inbound = fields["direction"] != "outbound"
    theirs, ours = ("resource", "destination") if inbound else ("destination", "resource")
    if contact is None:
        typed = fields["who"].strip()
        return {theirs: _as_address(typed), ours: OURS} if is_address(typed) else {}
    known = [one.address for one in contact.addresses if one.current and one.address]
    wanted = fields["who"]
    if wanted and wanted not in known and not is_address(wanted):
        wanted = ""
    address = wanted if wanted in known else _fitting(fields["channel"], contact)
    end = {theirs: address} if address else {ours: OURS}
    return {"contact": contact.id, **end}


def _as_address(text: str) -> str:
    """An address as people write it, with its scheme."""
    if ":" in text:
        return text
    return f"mailto:{text}" if "@" in text else f"tel:{text}"


def _fitting(channel: str, contact: ContactView) -> str | None:
    """The contact's address over which such an interaction went; None where there is none."""
    listed = [one for one in contact.addresses if one.current and one.address and one.label]
    for one in listed:
        if channel in one.channels:
            return one.address
    scheme = SCHEMES_OF.get(Channel(channel)) if channel in set(Channel) else None
    for one in listed:
        if scheme and (one.address or "").startswith(f"{scheme}:"):
            return one.address
    return None


def _zone(caller: Caller, services: Services) -> str:
    return caller.zone or services.locale.zone


def _time(fields: dict[str, str], zone: str) -> str:
    """When it happened, RFC 3339 in the reader's zone; untouched, the moment the form opened."""
    opened = datetime.fromisoformat(fields["opened"]).astimezone(zone_of(zone))
    typed = fields["occurred_at"]
    if typed in {"", opened.strftime(_FIELD_TIME)}:
        return opened.isoformat()
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return ""  # refused at its field
    return found.isoformat() if found.tzinfo else found.replace(tzinfo=zone_of(zone)).isoformat()


def _number(text: str) -> int | None:
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(POSITION_MAX))
    return int(text) if plain and int(text) else None


def contact_named(entry: Entry) -> UUID | None:
    """The contact that was chosen among those of a name."""
    return uuid_of(entry.fields["contact"]) if entry.fields["contact"] else None
