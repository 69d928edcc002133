"""The contacts as values, and the addresses at which they stand in the ledger."""

import re
from dataclasses import dataclass
from functools import cache

from app.demo import roster
from app.demo.dice import digest, digits_of
from app.demo.group import (
    INSTAGRAM_ACCOUNT,
    MESSENGER_PAGE,
    TELEGRAM_BOT,
    WEBCHAT_ACCOUNT,
    WHATSAPP_BUSINESS,
)

FIELD = re.compile(r"([a-z]+): (.*)")
NAMED = re.compile(r"([^<>,]+) <([^<>]+)>")
# Somebody who never tells of a car still gets one, since texts may mention it.
ANY_CAR = ("Brisa 2019", "N48-AKJ")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A contact; `since_days` is how long before now the first story begins."""

    key: str
    name: str
    chats: str
    branch: str
    since_days: int
    phone: str | None
    mail: str | None
    plan: tuple[str, ...]
    autos: Pairs
    waits_for: str | None
    waits_min: int
    company: str | None
    language: str
    nick: str | None
    landline: str | None
    mates: Pairs
    crew: Pairs
    hides_phone: bool


@cache
def people() -> tuple[Person, ...]:
    """Return all contacts, or raise KeyError or ValueError where the roster is not readable."""
    return tuple(_person(block) for block in roster.TEXT.strip().split("\n\n"))


def _person(block: str) -> Person:
    """Return the contact that a block of the roster describes."""
    head, *lines = block.splitlines()
    key, name, chats, branch, since = (part.strip() for part in head.split(" | "))
    found = _fields(lines)
    waits_for, _, minutes = found.pop("waits", "").partition(" ")
    person = Person(
        key=key,
        name="" if name == "-" else name,
        chats="" if chats == "-" else chats,
        branch=branch,
        since_days=int(since),
        phone=found.pop("phone", None),
        mail=found.pop("mail", None),
        plan=tuple(found.pop("plan").split()),
        autos=_autos(found.pop("autos", "")),
        waits_for=waits_for or None,
        waits_min=int(minutes or 0),
        company=found.pop("company", None),
        language=found.pop("language", "es"),
        nick=found.pop("nick", None),
        landline=found.pop("landline", None),
        mates=_named(found.pop("mates", "")),
        crew=_named(found.pop("crew", "")),
        hides_phone=found.pop("hides", "") == "phone",
    )
    if found:
        message = f"{key}: the roster knows no {', '.join(found)}"
        raise ValueError(message)
    return person


def _fields(lines: list[str]) -> dict[str, str]:
    """Return the named lines of a block, each with those that continue it."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        match = FIELD.fullmatch(line)
        if match is not None:
            name, text = match[1], match[2]
            found[name] = text
        else:
            found[name] += " " + line.strip()
    return found


def _autos(text: str) -> Pairs:
    """Return the cars of "Brisa 2019 N48-AKJ, …": what people call them, and their plates."""
    parts = [part.strip().rpartition(" ") for part in text.split(",") if part.strip()]
    return tuple((name, plate) for name, _, plate in parts) or (ANY_CAR,)


def _named(text: str) -> Pairs:
    """Return the names and addresses of "Name <address>, …"."""
    return tuple((name.strip(), address) for name, address in NAMED.findall(text))


def bsuid_of(person: Person) -> str:
    """Return the WhatsApp user id that the business portfolio sees for this person."""
    number = digits_of("bsuid", person.key, count=17)
    return f"whatsapp:{WHATSAPP_BUSINESS}/MX.{number}"


def handle_of(person: Person, code: str) -> str:
    """Return this person's address in a chat, by its code; their number where it has no own."""
    number = digits_of(code, person.key, count=16)
    match code:
        case "m":
            return f"messenger:{MESSENGER_PAGE}/{number}"
        case "i":
            return f"instagram:{INSTAGRAM_ACCOUNT}/{number}"
        case "t":
            return f"telegram:{TELEGRAM_BOT}/{number[:10]}"
        case "c":
            return f"webchat:{WEBCHAT_ACCOUNT}/{digest('visitor', person.key, size=8).hex()}"
        case "w" if person.hides_phone:
            return bsuid_of(person)
        case _:
            return f"tel:{person.phone}"


def addresses_of(person: Person) -> list[str]:
    """Return every address of this person that occurs in the ledger, the main one first."""
    found = [f"tel:{phone}" for phone in (person.phone, person.landline) if phone]
    found += [f"mailto:{person.mail}"] if person.mail else []
    codes = sorted(set(person.chats) | {word[-1] for word in person.plan if ":" in word})
    found += [handle_of(person, code) for code in codes if code in "mitc"]
    found += [bsuid_of(person)] if "w" in codes else []
    return found
