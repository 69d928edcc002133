"""Who is at the two ends of a WhatsApp message: our number, and one person's several names.

A person is a phone number, a user id that a business knows them by (BSUID), or both; those who
took a user name hide the number. What one signed message says of one person is asserted, so the
phone is the address and the user id an alias; without a phone the user id is the address. A
parent's user id and the user name are kept in the details: they are not ways to reach somebody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.lenient import NOTHING, Json, object_in, objects_in, text_in
from channels.meta_parts import account_token, token
from channels.pieces import NAME_MAX_CHARS, address_or_none
from domain.commands import Alias
from domain.values import is_source

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "whatsapp"


class Place(Struct, frozen=True):
    """Where a change belongs: our account, its source, our address, the business around it.

    `contacts` is what the provider says of the people in it. `named`: the change says which of
    our numbers it is about.
    """

    arrival: Arrival
    business: str
    source: str
    our_address: str
    contacts: tuple[Json, ...] = ()
    named: bool = True


class Person(Struct, frozen=True):
    """Somebody outside: the address, further ones, how they call themselves, what else is said."""

    address: str
    aliases: tuple[Alias, ...] = ()
    name: str | None = None
    said: dict[str, str] = {}


def place_of(business: str | None, value: Json, arrival: Arrival) -> Place:
    """The account that a change is about, by its phone number id.

    Where it is missing the business account stands for it, and where that is missing too the
    name of the connection: better an account too coarse than a message lost.
    """
    number = text_in(value, "metadata", "phone_number_id")
    account = number or business or arrival.connection.rpartition("/")[2]
    source = f"{CHANNEL}:{account}" if account else ""
    if not is_source(source):
        source = ""
    shown = text_in(value, "metadata", "display_phone_number")
    return Place(
        arrival=arrival,
        business=account_token(business or account or "unknown"),
        source=source,
        our_address=_our_address(shown, source, account),
        contacts=tuple(objects_in(value, "contacts")),
        named=number is not None,
    )


def phone(digits: str | None) -> str | None:
    """The canonical `tel:` of an id as WhatsApp writes it, with or without its plus."""
    return address_or_none(f"tel:+{digits.lstrip('+').strip()}") if digits else None


def user(place: Place, id_: str | None) -> str | None:
    """The address of a user id, or of whatever else WhatsApp names somebody by."""
    return address_or_none(f"{CHANNEL}:{place.business}/{token(id_)}") if id_ else None


def person(place: Place, number: str | None, user_id: str | None = None) -> Person | None:
    """Whoever has this number or this user id; None where neither says anything.

    The block among the contacts that names the same number or id adds what it knows.
    """
    block = _block(place, number, user_id)
    number = number or text_in(block, "wa_id")
    user_id = user_id or text_in(block, "user_id")
    by_phone, by_user = phone(number), user(place, user_id)
    address = by_phone or by_user or user(place, number)
    if address is None:
        return None
    known = (Alias(by_user, asserted=True),) if by_user and by_user != address else ()
    return Person(address, known, _name(block), _said(block))


def _block(place: Place, number: str | None, user_id: str | None) -> Json:
    """What the provider says of a person; of the only one there is where nobody is named."""
    if not number and not user_id:
        return place.contacts[0] if len(place.contacts) == 1 else NOTHING
    for block in place.contacts:
        if user_id and text_in(block, "user_id") == user_id:
            return block
        shown = text_in(block, "wa_id")
        # An id may differ from the number in digits that the canonical form evens out.
        if number and shown and (shown == number or _same_phone(shown, number)):
            return block
    return NOTHING


def _same_phone(one: str, other: str) -> bool:
    found = phone(one)
    return found is not None and found == phone(other)


def _name(block: Json) -> str | None:
    name = text_in(block, "profile", "name")
    return name[:NAME_MAX_CHARS] if name else None


def _said(block: Json) -> dict[str, str]:
    said = {
        "username": text_in(block, "profile", "username") or text_in(block, "username"),
        "parent_user_id": text_in(block, "parent_user_id"),
    }
    return {name: text for name, text in said.items() if text}


def _our_address(shown: str | None, source: str, account: str | None) -> str:
    """Our number; one that cannot be read is a sender's name within its source."""
    by_phone = phone(shown)
    if by_phone is not None:
        return by_phone
    text = " ".join((shown or account or "unknown").split())
    return address_or_none(f"sender:{source or CHANNEL}/{text}") or f"sender:{CHANNEL}/unknown"


# ------------------------------------------------------------------ who changed


class Change(Struct, frozen=True):
    """Somebody changed their number or user id: who they were, and their new addresses."""

    before: Person
    after: tuple[Alias, ...]


def change_of(place: Place, item: Json) -> Change | None:
    """The change that a system message tells; None where it tells none, or only what is new.

    The sender is whoever they were. A new number makes a new user id too, and where a user hides
    the number the ids alone are told.
    """
    system = object_in(item, "system")
    number, user_id = new_names(item)
    old_number = text_in(item, "from") or text_in(system, "customer")
    old_user = text_in(system, "previous_user_id") or text_in(item, "from_user_id")
    if old_user == user_id:
        old_user = None
    before = person(place, old_number, old_user) if old_number or old_user else None
    if before is None:
        return None
    known = {before.address, *(alias.address for alias in before.aliases)}
    found = (phone(number), user(place, user_id))
    after = [one for one in found if one and one not in known]
    return Change(before, tuple(Alias(one, asserted=True) for one in after)) if after else None


def new_names(item: Json) -> tuple[str | None, str | None]:
    """The number and the user id that a system message says somebody has from now on."""
    system = object_in(item, "system")
    return (
        text_in(system, "new_wa_id") or text_in(system, "wa_id"),
        text_in(system, "new_user_id") or text_in(system, "user_id"),
    )
