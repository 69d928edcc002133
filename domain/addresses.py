"""Addresses: one way to reach somebody, as canonical text (contract 2.1).

    tel:+<E.164>                      short:<CC>/<digits>         sender:<source>/<text>
    mailto:<addr>                     whatsapp:<business>/<id>    messenger:<page>/<id>
    instagram:<account>/<id>          telegram:<bot>/<chat>       webchat:<account>/<visitor>
    form:<connection>/<form id>       place:<slug>                user:<uuid>
    contact:<uuid>                    anonymous:<source>

`parse_address` takes what people and providers write and returns that text; whatever it
returned, it returns again. The other functions take canonical text only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from domain import phones
from domain.values import BadValue, ComparisonKey, dictionary_key, echo, is_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ADDRESS_MAX_CHARS: Final = 512
"""Length of an address, as written and as returned: the longest id of a provider has 256."""

_CACHED: Final = 65_536
"""Texts whose address is kept ready: those of a busy day, some 20 MB."""

_LABELS_CACHED: Final = 8_192
"""Addresses whose label is kept ready: what is shown with it is kept as a whole besides, 3 MB."""

_SHORT_DIGITS: Final = re.compile(r"[0-9]{2,10}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, halves of surrogate pairs, line and paragraph separators: never part of an address,
and a NUL is more than PostgreSQL can store."""


class AddressError(BadValue):
    """Text that is no address: `bad_address`, `unknown_scheme` or `needs_country`."""


def parse_address(text: str, *, country: str | None) -> str:
    """The canonical address, at most 512 characters.

    `country` (ISO 3166, two letters; HILO_COUNTRY) reads phones without + and short codes
    without country. Raises AddressError.
    """
    if len(text) > ADDRESS_MAX_CHARS:
        message = f"an address has at most {ADDRESS_MAX_CHARS} characters; this has {len(text)}"
        raise AddressError("bad_address", message)
    return _parse(text, country)


def scheme_of(address: str) -> str:
    """The scheme of an address: `tel`, `mailto`, …; stands in clear in the log."""
    return address.partition(":")[0]


def scope_of(address: str) -> str | None:
    """The business, page, account or source within which its id means something, or None."""
    scheme, _, rest = address.partition(":")
    return rest.partition("/")[0] if _SCHEMES[scheme].scoped else None


def is_company_side(address: str) -> bool:
    """Whether the address is one of ours by its scheme: a form, a place, a user."""
    return _SCHEMES[scheme_of(address)].company


def comparison_key(address: str) -> ComparisonKey:
    """The text whose code finds the subject: equal for two spellings of one address.

    The address itself, but for e-mail with the local part case-folded.
    """
    if not address.startswith("mailto:"):
        return ComparisonKey(address)
    local, _, domain = address.rpartition("@")
    return ComparisonKey(f"{local.casefold()}@{domain}")


def address_label(address: str) -> str:
    """The address for the eye: `+52 55 1234 5678`, `ana@example.com`, `Messenger 24678…`."""
    return _label(address)


def forget_addresses() -> None:
    """Drop what the caches hold; an erasure calls it in every process."""
    _parse.cache_clear()
    _label.cache_clear()


@lru_cache(maxsize=_CACHED)
def _parse(text: str, country: str | None) -> str:
    plain = text.strip()
    scheme, kind, rest = _opened(plain)
    try:
        found = kind.parse(rest, country) if _is_clean(rest) else None
    except phones.NeedsCountry:
        message = (
            f"{echo(plain)} names no country; write {kind.example}, or set HILO_COUNTRY "
            "to the ISO code of yours"
        )
        raise AddressError("needs_country", message) from None
    if found is None or len(address := f"{scheme}:{found}") > ADDRESS_MAX_CHARS:
        message = f"{echo(plain)} is not {kind.noun}; write {kind.example}"
        raise AddressError("bad_address", message)
    return address


def _opened(plain: str) -> tuple[str, _Scheme, str]:
    """The scheme, what is known of it, and what stands behind it."""
    written, colon, rest = plain.partition(":")
    scheme, rest = written.lower(), rest.strip()
    if scheme == "whatsapp" and rest.startswith("+"):  # Twilio's way of writing a phone
        scheme = "tel"
    kind = _SCHEMES.get(scheme) if colon else None
    if kind is None:
        known = ", ".join(f"{name}:" for name in _SCHEMES)
        message = f"{echo(plain)} begins with no known scheme; write one of {known}"
        raise AddressError("unknown_scheme", message)
    return scheme, kind, rest


def _is_clean(text: str) -> bool:
    if text.isprintable():
        return True
    return _REFUSED_CATEGORIES.isdisjoint(map(unicodedata.category, text))


# ------------------------------------------- one function for what stands behind a scheme
# Each takes that text and the country, and returns it canonical, or None where it is none.


def _phone(rest: str, country: str | None) -> str | None:
    try:
        return phones.e164(rest, country)
    except phones.NotAPhone:
        return None


def _short(rest: str, country: str | None) -> str | None:
    """A short code of a country; without one, of ours."""
    written, slash, digits = rest.rpartition("/")
    digits = "".join(digits.replace(".", " ").replace("-", " ").split())
    if not _SHORT_DIGITS.fullmatch(digits):
        return None
    region = phones.region_of(written.strip() if slash else country or "")
    if region is None and not slash:
        raise phones.NeedsCountry
    return f"{region}/{digits}" if region else None


def _scoped(rest: str, _country: str | None) -> str | None:
    """A provider's id, kept as it is, within one of our accounts; case matters."""
    scope, _, key = rest.partition("/")
    return rest if scope and key and len(rest.split()) == 1 else None


def _sender(rest: str, _country: str | None) -> str | None:
    """The letters that an SMS came from, within a source."""
    source, _, text = rest.partition("/")
    return _titled(source.strip(), text) if is_source(source.strip()) else None


def _form(rest: str, _country: str | None) -> str | None:
    """One form of a connection."""
    connection, _, form = rest.partition("/")
    return _titled(connection.strip(), form) if len(connection.split()) == 1 else None


def _titled(scope: str, text: str) -> str | None:
    """A scope and text that a person wrote: NFC, single-spaced."""
    title = " ".join(unicodedata.normalize("NFC", text).split())
    return f"{scope}/{title}" if title else None


def _place(rest: str, _country: str | None) -> str | None:
    return dictionary_key(rest) if rest else None


def _uuid(rest: str, _country: str | None) -> str | None:
    return rest.lower() if _UUID.fullmatch(rest.lower()) else None


def _anonymous(rest: str, _country: str | None) -> str | None:
    return rest if is_source(rest) else None


# ---------------------------------------------------------------------- e-mail

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOTTED_LOCAL: Final = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_HOST_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*")
_ANY_TLD: Final = ".com"


def _mail(rest: str, _country: str | None) -> str | None:
    """Local part as it was written, domain in small letters and in its Unicode form.

    Mail that came in is never refused for where it came from: reserved domains (`.local`,
    `.test`), a host without dots, an underscore and an IP address in brackets are domains.
    """
    local, _, domain = rest.rpartition("@")
    try:
        return f"{_mail_local(local)}@{_mail_domain(domain)}"
    except EmailNotValidError:
        return None


def _mail_domain(written: str) -> str:
    plain = written.lower().removesuffix(".")
    is_host = _HOST.fullmatch(plain) is not None
    if is_host and "xn--" not in plain:
        return plain
    try:
        if plain.startswith("["):
            return _checked(f"x@{plain}").domain
        # Behind another name the library's list of reserved names does not reach it.
        return _checked(f"x@{plain}{_ANY_TLD}").domain.removesuffix(_ANY_TLD)
    except EmailNotValidError:
        if is_host:  # an A-label that IDNA 2008 does not know, such as that of an emoji
            return plain
        raise


def _mail_local(written: str) -> str:
    if _PLAIN_LOCAL.fullmatch(written):
        return written
    try:
        return _checked(f"{written}@example.com").local_part
    except EmailNotValidError:
        # Some providers gave out addresses with dots in a row or at the end. RFC 5321 writes
        # such a local part in quotes, and that is the spelling that is kept.
        if not _DOTTED_LOCAL.fullmatch(written):
            raise
        return _checked(f'"{written}"@example.com').local_part


def _checked(mail: str) -> ValidatedEmail:
    return validate_email(
        mail,
        allow_quoted_local=True,
        allow_domain_literal=True,
        check_deliverability=False,
    )


# ---------------------------------------------------------------------- labels


@lru_cache(maxsize=_LABELS_CACHED)
def _label(address: str) -> str:
    scheme, _, rest = address.partition(":")
    return _SCHEMES[scheme].label(rest)


def _as_it_is(rest: str) -> str:
    return rest


def _after_scope(rest: str) -> str:
    return rest.partition("/")[2]


def _code_label(rest: str) -> str:
    country, _, digits = rest.partition("/")
    return f"{digits} ({country})"


def _id_label(rest: str) -> str:
    """The first 8 of 32 hex digits: enough to tell neighbours apart, short enough to read."""
    return f"#{rest[:8]}"


def _named(name: str) -> Callable[[str], str]:
    return lambda rest: f"{name} {_after_scope(rest)}"


# --------------------------------------------------------------- the one table


class _Scheme(NamedTuple):
    """What is known of a scheme. `scoped`: its id means something within an account only."""

    parse: Callable[[str, str | None], str | None]
    label: Callable[[str], str]
    noun: str
    example: str
    scoped: bool = False
    company: bool = False


def _account(name: str, example: str) -> _Scheme:
    """The scheme of a provider that gives its users ids per account of ours."""
    return _Scheme(_scoped, _named(name), f"a user of {name}", example, scoped=True)


_A_UUID: Final = "0e3c7a1e-5d0b-4b6e-9a53-3f0c2f6f1d21"

_SCHEMES: Final[Mapping[str, _Scheme]] = {
    "tel": _Scheme(_phone, phones.international, "a phone number", f"tel:{phones.E164_EXAMPLE}"),
    "short": _Scheme(_short, _code_label, "a short code", "short:MX/38737"),
    "sender": _Scheme(
        _sender,
        _after_scope,
        "a sender's name",
        "sender:twilio_sms:AC123/BANAMEX",
        scoped=True,
    ),
    "mailto": _Scheme(_mail, _as_it_is, "an e-mail address", "mailto:ana@example.com"),
    "whatsapp": _account("WhatsApp", "whatsapp:106540352242922/MX.13491208655302741918"),
    "messenger": _account("Messenger", "messenger:102290129340398/24678134567"),
    "instagram": _account("Instagram", "instagram:17841405309211844/1254459154682919"),
    "telegram": _account("Telegram", "telegram:5566778899/123456789"),
    "webchat": _account("Webchat", "webchat:site/3f0c2f6f1d21"),
    "form": _Scheme(_form, _after_scope, "a form", "form:web/contacto", company=True),
    "place": _Scheme(_place, _as_it_is, "a place", "place:main", company=True),
    "user": _Scheme(_uuid, _id_label, "a user's id", f"user:{_A_UUID}", company=True),
    "contact": _Scheme(_uuid, _id_label, "a contact's id", f"contact:{_A_UUID}"),
    "anonymous": _Scheme(
        _anonymous,
        lambda _rest: "Anonymous",
        "a source of withheld numbers",
        "anonymous:twilio_voice:AC123",
    ),
}
