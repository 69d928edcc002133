"""Who is at the two ends of a WhatsApp message: our number, and one person's several names.

A person is a phone number, a user id that a business knows them by (BSUID), or both; those who
took a user name hide the number. What one signed message says of one person is asserted, so the
phone is the address and the user id an alias; without a phone the user id is the address. A
parent's user id and the user name are kept in the details: they are not ways to reach somebody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.lenient import NOTHING, Json, objects_in, text_in
from domain.addresses import AddressError, parse_address
from domain.commands import Alias
from domain.values import is_source

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "whatsapp"

NAME_MAX_CHARS: Final = 200
"""Length of a name (contract 2.2)."""


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

    Where it is missing the business account stands for it: better an account too coarse than a
    message lost. The source is empty where neither is there.
    """
    number = text_in(value, "metadata", "phone_number_id")
    account = number or business
    source = f"{CHANNEL}:{account}" if account else ""
    if not is_source(source):
        source = ""
    shown = text_in(value, "metadata", "display_phone_number")
    return Place(
        arrival=arrival,
        business=_token(business or account or "unknown").replace("/", "_"),
        source=source,
        our_address=_our_address(shown, source, account),
        contacts=tuple(objects_in(value, "contacts")),
        named=number is not None,
    )


def phone(digits: str | None) -> str | None:
    """The canonical `tel:` of an id as WhatsApp writes it, with or without its plus."""
    return _address(f"tel:+{digits.lstrip('+').strip()}") if digits else None


def user(place: Place, id_: str | None) -> str | None:
    """The address of a user id, or of whatever else WhatsApp names somebody by."""
    return _address(f"{CHANNEL}:{place.business}/{_token(id_)}") if id_ else None


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
    return _address(f"sender:{source or CHANNEL}/{text}") or f"sender:{CHANNEL}/unknown"


def _address(text: str) -> str | None:
    try:
        return parse_address(text, country=None)
    except AddressError:
        return None


def _token(text: str) -> str:
    """An id without the blanks that an address cannot have."""
    return "".join(text.split())
