"""From a line that was said to an append request: addresses, ids, calls, files, people."""

import re
from base64 import b64encode
from dataclasses import dataclass, field

from app.demo import hours
from app.demo.dice import Dice, digest, digits_of, uuid_of
from app.demo.group import (
    BRANCHES,
    COMPANY,
    DOMAIN,
    INSTAGRAM_ACCOUNT,
    MAILBOXES,
    MESSENGER_PAGE,
    NEWSLETTER_MAILBOX,
    SERVICE_DEPARTMENTS,
    SMS_PHONE,
    SMS_SHORT_CODE,
    SURVEY_SOURCE,
    TELEGRAM_BOT,
    WEBCHAT_ACCOUNT,
    WHATSAPP_SALES,
    WHATSAPP_SERVICE,
    Staff,
)
from app.demo.people import Person, bsuid_of, handle_of

CHANNELS = {
    "w": "whatsapp",
    "W": "whatsapp",
    "g": "whatsapp",
    "s": "sms",
    "S": "sms",
    "m": "messenger",
    "i": "instagram",
    "t": "telegram",
    "c": "webchat",
    "e": "email",
    "B": "email",
    "b": "email",
    "f": "form",
    "v": "walk_in",
    "l": "call",
    "L": "call",
    "o": "other",
    "q": "other",
}
MANUAL = "vLo"
MAIL = "eBb"
# Whoever is written down by the system alone has nobody who attended.
UNATTENDED = "SBq"
# How message ids begin at Meta (w, g, W, m, i) and at the telephone company (s, S, l).
ID_HEADS = {
    "w": "wamid.HBgN",
    "g": "wamid.HBgN",
    "W": "wacid.HBgN",
    "m": "m_",
    "i": "aWdfZAG06",
}
TWILIO_HEADS = {"s": "SM", "S": "SM", "l": "CA"}
FORMS = {"Taller": "cita-taller", "Flotillas": "flotillas", "Ventas": "prueba-de-manejo"}
MEDIA = {
    "jpg": ("image/jpeg", 90_000, 2_900_000),
    "pdf": ("application/pdf", 42_000, 780_000),
    "ogg": ("audio/ogg", 14_000, 210_000),
    "mp4": ("video/mp4", 900_000, 9_400_000),
    "xml": ("application/xml", 3_000, 9_000),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        *(11_000, 96_000),
    ),
}
RING_S = {"answered": (4, 21), "missed": (12, 38), "no_answer": (26, 44), "voicemail": (20, 30)}
PLACEMENTS = (("google", "cpc"), ("facebook", "paid_social"), ("instagram", "paid_social"))
SCORE = re.compile(r"Calificación (\d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said or done, before it has addresses and ids."""

    person: Person
    staff: Staff
    department: str
    code: str
    outbound: bool
    at_us: int
    serial: int
    text: str | None
    subject: str | None = None
    campaign: str | None = None
    first: bool = False
    auto: str | None = None
    copies: bool = False
    quotes: str | None = None
    thread: str | None = None
    files: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Route:
    """Both ends of a line and the account that saw it."""

    source: str
    theirs: str
    ours: str
    aliases: tuple[str, ...] = ()


def body_of(line: Line, seed: int) -> dict[str, object]:
    """Return the append request of a line, without the keys that would be null."""
    dice = Dice(seed, "wire", line.person.key, line.serial)
    route = _route(line)
    sides = (route.ours, route.theirs) if line.outbound else (route.theirs, route.ours)
    found: dict[str, object] = {
        "channel": CHANNELS[line.code],
        "direction": "outbound" if line.outbound else "inbound",
        "source": route.source,
        "external_id": external_id(line, seed),
        "resource": sides[0],
        "destination": sides[1],
        "occurred_at": hours.rfc3339(line.at_us),
        "subject": line.subject,
        "text": None if line.code in "lW" else line.text,
        "contact_name": _called(line),
        "attended_by": _attended(line),
        "department": line.department,
        "campaign": line.campaign,
        "aliases": list(route.aliases),
        "participants": _participants(line, sides),
        "attachments": [_attachment(name, seed, dice) for name in line.files],
        "thread": line.thread,
        "in_reply_to": line.quotes,
        "call": _call(line, dice),
        "auto": line.auto,
        "details": _details(line, dice),
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def external_id(line: Line, seed: int) -> str:
    """Return the id that the provider would have given, in its own shape."""
    code, labels = line.code, (seed, line.person.key, line.serial, line.code)
    raw = digest(*labels, size=24)
    if code in ID_HEADS:
        return ID_HEADS[code] + b64encode(raw, b"-_").decode()
    if code in TWILIO_HEADS:
        return TWILIO_HEADS[code] + raw[:16].hex()
    if code in MAIL:
        host = f"mail.{DOMAIN}" if line.outbound else "mail.example.com"
        return f"<{raw[:12].hex()}@{host}>"
    if code == "t":
        chat = handle_of(line.person, "t").rpartition("/")[2]
        return f"{chat}:{1_000 + line.serial}"
    return uuid_of(*labels)


def _route(line: Line) -> Route:
    """Return who is at either end, and over which account."""
    person, code = line.person, line.code
    if code in MAIL:
        box = NEWSLETTER_MAILBOX if code in "Bb" else MAILBOXES[line.department]
        return Route(f"email:{box}@{DOMAIN}", f"mailto:{person.mail}", f"mailto:{box}@{DOMAIN}")
    if code in "wWg":
        number, phone = _whatsapp(line)
        main, other = handle_of(person, "w"), bsuid_of(person)
        alias = f"tel:{person.phone}" if main == other else other
        return Route(f"whatsapp:{number}", main, f"tel:{phone}", (alias,))
    if code in "mitc":
        return _chat_route(person, code)
    if code == "f":
        form = FORMS.get(line.department, "contacto")
        also = (f"tel:{person.phone}",) if person.phone else ()
        return Route("form:web", f"mailto:{person.mail}", f"form:web/{form}", also)
    return _phone_route(line)


def _chat_route(person: Person, code: str) -> Route:
    """Return the ends of a chat whose ids belong to our page, account or bot."""
    scheme, own = {
        "m": ("messenger", MESSENGER_PAGE),
        "i": ("instagram", INSTAGRAM_ACCOUNT),
        "t": ("telegram", TELEGRAM_BOT),
        "c": ("webchat", WEBCHAT_ACCOUNT),
    }[code]
    return Route(f"{scheme}:{own}", handle_of(person, code), f"{scheme}:{own}/{own}")


def _phone_route(line: Line) -> Route:
    """Return the ends of a call, an SMS, a visit or whatever else hangs on a number."""
    person, branch = line.person, BRANCHES[line.person.branch]
    theirs = f"tel:{person.phone}"
    match line.code:
        case "s":
            return Route(f"sms:{SMS_PHONE}", theirs, f"tel:{SMS_PHONE}")
        case "S":
            return Route(f"sms:{SMS_SHORT_CODE}", theirs, f"short:MX/{SMS_SHORT_CODE}")
        case "q":
            return Route(SURVEY_SOURCE, theirs, "form:encuestas/satisfaccion")
        case "L":
            return Route("manual", theirs, f"user:{line.staff.user}")
        case "l":
            source = f"call:{branch.phone}"
            if person.phone is None:
                theirs = f"anonymous:{source}"
            elif person.landline and line.serial % 3 == 0:
                theirs = f"tel:{person.landline}"
            return Route(source, theirs, f"tel:{branch.phone}")
        case _:
            return Route("manual", theirs, f"place:{branch.key}")


def _whatsapp(line: Line) -> tuple[str, str]:
    """Return the phone number id and the number that this department writes from."""
    return WHATSAPP_SERVICE if line.department in SERVICE_DEPARTMENTS else WHATSAPP_SALES


def _called(line: Line) -> str | None:
    """Return the name that the channel gives for the contact, if it gives one."""
    if line.outbound or line.code in "lsW":
        return None
    return (line.person.nick if line.code == "i" else None) or line.person.name or None


def _attended(line: Line) -> str | None:
    """Return who handled it, where somebody did."""
    if line.auto is not None or line.code in UNATTENDED:
        return None
    answered = line.code == "l" and (line.text or "").lower().startswith("answered")
    return line.staff.name if line.outbound or answered or line.code in MANUAL else None


def _call(line: Line, dice: Dice) -> dict[str, object] | None:
    """Return the call's outcome and seconds, which its line says: "answered 90-240"."""
    if line.code == "L":
        return {"seconds": dice.between(2, 11) * 60, "outcome": "answered"}
    if line.code not in "lW":
        return None
    outcome, span = (line.text or "").lower().split()
    low, _, high = span.partition("-")
    spoken = outcome in ("answered", "voicemail")
    return {
        "seconds": dice.between(int(low), int(high or low)) if spoken else 0,
        "ring_seconds": dice.between(*RING_S[outcome]),
        "outcome": outcome,
    }


def _participants(line: Line, sides: tuple[str, str]) -> list[dict[str, str]]:
    """Return everybody on an e-mail, or in a WhatsApp group."""
    person = line.person
    names = {f"mailto:{person.mail}": person.name}
    house = f"{COMPANY} · {line.department}"
    if line.code == "g":
        members = [(person.name, sides[line.outbound]), *_crew(person)]
        return [{"address": at, "role": "member", "name": name} for name, at in members]
    if line.code not in MAIL:
        return []
    found = [
        {"address": sides[0], "role": "from", "name": names.get(sides[0], house)},
        {"address": sides[1], "role": "to", "name": names.get(sides[1], house)},
    ]
    mates = person.mates if line.copies else ()
    copies = [{"address": f"mailto:{at}", "role": "cc", "name": name} for name, at in mates]
    return found + copies


def _crew(person: Person) -> list[tuple[str, str]]:
    """Return the others in the contact's WhatsApp group, with their addresses."""
    return [(name, f"tel:{phone}") for name, phone in person.crew]


def _attachment(name: str, seed: int, dice: Dice) -> dict[str, object]:
    """Return what is known of a file without its bytes."""
    media, low, high = MEDIA[name.rpartition(".")[2]]
    size = dice.between(low, high)
    sha256 = digest(seed, name, size, size=32).hex()
    return {"name": name, "media_type": media, "bytes": size, "sha256": sha256}


def _details(line: Line, dice: Dice) -> dict[str, object]:
    """Return what the channel says beyond the message: advertisement, form, score."""
    campaign = (line.campaign or "").lower().replace(" ", "-")
    if line.code == "f":
        source, medium = dice.pick(PLACEMENTS)
        return {
            "utm_source": source,
            "utm_medium": medium,
            "utm_campaign": campaign or "sin-campana",
            "utm_content": dice.pick(("carrusel-a", "video-15s", "imagen-2", "texto-b")),
            "landing": f"https://{DOMAIN}/{FORMS.get(line.department, 'contacto')}",
            "consent": True,
        }
    if line.first and campaign and line.code in "wmi":
        ad = digits_of("ad", campaign, count=15)
        return {"referral": {"source_type": "ad", "source_id": ad, "headline": line.campaign}}
    score = SCORE.match(line.text or "") if line.code == "q" else None
    return {"calificacion": int(score[1])} if score else {}
