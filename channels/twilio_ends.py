"""Who is at the two ends of what Twilio tells, and over which account and channel it went.

An end is a phone, a short code, a sender's name, a WhatsApp user, one of our own lines
(`client:` or `sip:`), or somebody who withholds the number. The account of Twilio is the source,
whatever number was used: it stands in every request, and whoever sends knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.pieces import address_or_none, one_line
from domain.commands import Alias
from domain.phones import region_of
from domain.values import Channel, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival

SMS: Final = "twilio_sms"
WHATSAPP: Final = "twilio_whatsapp"
VOICE: Final = "twilio_voice"

Params = Mapping[str, str]
"""What a request says, by name: the first value that is not blank, of names that come again."""

WITHHELD: Final = frozenset(
    {
        # What Twilio puts for a caller who hides: letters, and the same letters on a keypad.
        *("anonymous", "266696687"),
        *("restricted", "7378742833"),
        *("unavailable", "86282452253"),
        *("unknown", "8656696"),
        *("blocked", "2562533", "256253"),
        *("private", "7748283"),
        *("withheld", "no-caller-id", "noid"),
    }
)
"""Callers without a number, in small letters and without a plus."""

_PHONE_DIGITS_MIN: Final = 7
"""Fewer digits are a short code; its longest has six, and seven are a phone somewhere."""

_DIGITS: Final = re.compile(r"\+?[0-9]{2,24}")
_PHONE_OF_SIP: Final = re.compile(r"sips?:(\+?[0-9]{7,15})(?:[;@]|$)", re.IGNORECASE)
_USER_ID: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]+")


class Side(Enum):
    """What an end is by itself: anybody's, one of our own lines, or nobody that is named."""

    ANY = "any"
    OURS = "ours"
    HIDDEN = "hidden"


class Place(Struct, frozen=True):
    """The account and the channel that something went over."""

    arrival: Arrival
    account: str
    source: str
    channel: Channel


class End(Struct, frozen=True):
    """One end: its canonical address, and what can be told of whose it is."""

    address: str
    side: Side = Side.ANY
    is_sip: bool = False


def place_of(params: Params, arrival: Arrival, kind: str) -> Place:
    """Where a request belongs: `kind` is a channel of ours, its account the one it names.

    A request that names none belongs to the account of the connection, or to its name.
    """
    said = params.get("AccountSid", "").strip()
    configured = arrival.options.get("account_sid", "")
    name = arrival.connection.rpartition("/")[2]
    account = next(one for one in (said, configured, name) if is_source(f"{kind}:{one}"))
    channel = {WHATSAPP: Channel.WHATSAPP, VOICE: Channel.CALL}.get(kind, Channel.SMS)
    return Place(arrival, account, f"{kind}:{account}", channel)


def end_of(params: Params, which: str, place: Place) -> End | None:
    """The end `From` or `To`; None where the request does not name it."""
    older = {"From": ("Caller", "CallFrom"), "To": ("Called", "CallTo")}[which]
    written = next((params[name] for name in (which, *older) if name in params), None)
    if written is None:
        return None
    plain = written.strip()
    if not plain or plain.lower().lstrip("+") in WITHHELD:
        return _hidden(place) if which == "From" else None
    scheme, colon, rest = plain.partition(":")
    match scheme.lower() if colon else "":
        case "client":
            return End(_named(plain, place), Side.OURS)
        case "sip" | "sips":
            return _sip(plain, place)
        case "messenger":  # a page's person, by a number that is no phone
            return End(_named(plain, place))
        case "whatsapp" | "tel" | "sms" | "rcs":
            return End(_written(rest.strip(), params, which, place))
        case _:
            return End(_written(plain, params, which, place))


def user_of(id_: str, place: Place) -> str | None:
    """The address of a user id of WhatsApp; its business is not named, so the account scopes it."""
    plain = "".join(id_.removeprefix("whatsapp:").split())
    scope = "".join(place.account.split()).replace("/", "_")
    return address_or_none(f"whatsapp:{scope}/{plain}") if plain else None


def aliases_of(params: Params, them: End, place: Place) -> tuple[Alias, ...]:
    """Further addresses that this signed request says are the same person's."""
    if place.channel is not Channel.WHATSAPP:
        return ()
    user = params.get("ExternalUserId", "").strip()
    phone = params.get("WaId", "").strip().lstrip("+")
    found = (user_of(user, place), address_or_none(f"tel:+{phone}") if phone.isdecimal() else None)
    return tuple(
        Alias(address, asserted=True) for address in found if address and address != them.address
    )


def _hidden(place: Place) -> End:
    return End(f"anonymous:{place.source}", Side.HIDDEN)


def _sip(written: str, place: Place) -> End:
    """A line behind SIP: a phone where its user is one."""
    if "anonymous" in written.lower():
        return _hidden(place)
    phone = _PHONE_OF_SIP.match(written)
    address = phone and address_or_none(f"tel:+{phone[1].lstrip('+')}")
    return End(address or _named(written, place), is_sip=True)


def _written(text: str, params: Params, which: str, place: Place) -> str:
    """The address of what stands there without a prefix; anything at all is at least a name."""
    if place.channel is Channel.WHATSAPP and _USER_ID.fullmatch(text):
        return user_of(text, place) or _named(text, place)
    compact = re.sub(r"[\s.()-]", "", text)
    if not _DIGITS.fullmatch(compact):
        return _named(text, place)
    country = _country(params, which) or place.arrival.reading.country
    if len(compact.lstrip("+")) < _PHONE_DIGITS_MIN:
        found = address_or_none(f"short:{country or 'US'}/{compact.lstrip('+')}")
    elif compact.startswith("+"):
        found = address_or_none(f"tel:{compact}")
    else:  # a compatible provider's: national, or international without its plus
        found = address_or_none(f"tel:+{compact}") or address_or_none(f"tel:{compact}", country)
        if country and not _is_of(compact, country):
            found = address_or_none(f"tel:{compact}", country) or found
    return found or _named(text, place)


def _country(params: Params, which: str) -> str | None:
    """The country of an end, as the request says it; else that of the other end."""
    names = {"From": ("FromCountry", "CallerCountry"), "To": ("ToCountry", "CalledCountry")}
    other = "To" if which == "From" else "From"
    for name in (*names[which], *names[other]):
        region = region_of(params.get(name, "").strip())
        if region is not None:
            return region
    return _region_of_phone(params.get(other, ""))


def _region_of_phone(written: str) -> str | None:
    """The country of a phone, by its calling code: one to three digits, and none begins another."""
    digits = re.search(r"\+([0-9]{7,15})$", written.strip())
    if digits is None:
        return None
    return next((region for n in (1, 2, 3) if (region := region_of(digits[1][:n]))), None)


def _is_of(digits: str, country: str) -> bool:
    """Whether digits without a plus begin with the calling code of their country."""
    return _region_of_phone(f"+{digits}") == country


def _named(text: str, place: Place) -> str:
    """A name within the account: `sender:twilio_sms:AC…/BANAMEX`."""
    name = one_line(text) or "unknown"
    return address_or_none(f"sender:{place.source}/{name}") or f"sender:{place.source}/unknown"
