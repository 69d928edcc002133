"""Phone numbers: whatever people and providers write → one E.164 text per phone.

The result goes into an address, and an address decides who somebody is: it must not move when
Google's metadata does. So the metadata (the `phonenumbers` package) reads what was typed and
knows which lengths are possible; which spellings are one phone is decided here, by digits.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat
from phonenumbers.phonemetadata import PhoneMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

E164_EXAMPLE: Final = "+525512345678"

_ROUNDS_MAX: Final = 4
"""Times that a number is read again until it stays: one strips a trunk prefix, one a variant."""

_ASCII_NOISE: Final = str.maketrans("", "", " .-()/")
_NOISE: Final = re.compile(
    r"[\s.\-()/\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u2010-\u2015\u2212]+",
)
"""What stands between digits: blanks, dots, hyphens and dashes, parentheses, and the invisible
marks that come along when a number is copied out of a phone's address book."""

_EXTENSION: Final = re.compile(r"(?:;ext=|\s*(?:ext\.?|x|#)\s*)[0-9]{1,9}$", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\+?[0-9]{2,24}")
_CALLING_CODE: Final = re.compile(r"[1-9][0-9]{0,2}")
_GROUP: Final = re.compile(r"\\([1-9])")
"""A group of a pattern, as the metadata names it where a number is put together."""

_E164: Final = re.compile(r"\+[1-9][0-9]{5,16}")


class _Variant(NamedTuple):
    """Of one calling code: the spellings that are old or a caller's; `glue` joins their groups."""

    spelling: re.Pattern[str]
    glue: str


_VARIANTS: Final[Mapping[str, _Variant]] = {
    # Mexico dropped the mobile 1 after +52, and with it the trunk codes 01, 044 and 045, on
    # 3 August 2019; WhatsApp ids and old address books still carry them.
    "+52": _Variant(re.compile(r"(?:1|01|044|045)([2-9][0-9]{9})"), ""),
    # Argentina: a 9 after +54 says "mobile" to a caller from abroad. Area code and number are
    # ten digits with or without it, and belong to one line, mobile or fixed. The 9 goes, for a
    # landline must never gain one, and no digit tells which is which. Two digits more: the
    # domestic mark 15 stands behind the area code, and the next round takes it away.
    "+54": _Variant(re.compile(r"9([1-3][0-9]{9}(?:[0-9]{2})?)"), ""),
    # Brazil: mobiles got a ninth digit, a 9 in front, area by area from 2012 to 6 November 2016
    # (Anatel, Resolução 553/2010); old records and the WhatsApp ids of older accounts lack it.
    # In eight digits 6 to 9 was mobile; 2 to 5 is a landline and keeps its eight.
    "+55": _Variant(re.compile(r"([1-9][1-9])([6-9][0-9]{7})"), "9"),
}


class _Grouping(NamedTuple):
    """How the numbers of a pattern are grouped for the eye, those that begin as `leading` says."""

    leading: re.Pattern[str] | None
    number: re.Pattern[str]
    shown: str


class NotAPhone(ValueError):
    """The text is no phone number, in the world or in its country."""


class NeedsCountry(ValueError):
    """The number is national, and nobody said of which country."""


def e164(text: str, country: str | None) -> str:
    """The one E.164 text of a phone, `+525512345678`.

    Takes blanks, dots, hyphens, parentheses, `00` for `+`, and national numbers of `country`
    (ISO 3166, two letters). An extension is cut off: it names a desk behind the phone, and no
    caller shows it. A number of a possible length is accepted as it was typed, since new
    ranges open before metadata knows them. Raises NotAPhone, NeedsCountry.
    """
    compact = text.translate(_ASCII_NOISE)
    if _E164.fullmatch(compact) is None:
        compact = _compact(text)
    for candidate, region in _readings(compact, country):
        found = _canonical(candidate, region)
        if found is not None:
            return found
    if compact[0] == "+" or compact.startswith("00") or _is_region(country):
        raise NotAPhone
    raise NeedsCountry


def international(number: str) -> str:
    """A canonical number for the eye: `+52 55 1234 5678`; any other text as it is."""
    split = _split(number) if _E164.fullmatch(number) else None
    if split is None:
        return number
    code, national = split
    for one in _groupings(code):
        if one.leading is None or one.leading.match(national):
            found = one.number.fullmatch(national)
            if found is not None:
                return f"+{code} {one.shown.format(*found.groups())}"
    return f"+{code} {national}"


def region_of(text: str) -> str | None:
    """`MX` for `mx`, `MX` or the calling code `52`; None where there is no such country.

    Of a calling code that several countries share it is the main one: 1 is `US`.
    """
    if _CALLING_CODE.fullmatch(text):
        region = phonenumbers.region_code_for_country_code(int(text))
        return region if _is_region(region) else None
    return text.upper() if _is_region(text) else None


def _is_region(country: str | None) -> bool:
    return country is not None and country.upper() in phonenumbers.SUPPORTED_REGIONS


def _compact(text: str) -> str:
    """The digits, with their plus; raises NotAPhone where anything else stands there."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(str(unicodedata.decimal(char, char)) for char in plain)
    compact = _NOISE.sub("", _EXTENSION.sub("", plain.strip()))
    if _DIGITS.fullmatch(compact) is None:
        raise NotAPhone
    return compact


def _readings(compact: str, country: str | None) -> Iterator[tuple[str, str | None]]:
    """What the digits may mean, likeliest first: `00` is nearly everywhere the plus."""
    if compact[0] == "+":
        yield compact, None
        return
    if compact.startswith("00"):
        yield f"+{compact[2:]}", None
    if country is not None and _is_region(country):
        yield compact, country.upper()


def _canonical(compact: str, region: str | None) -> str | None:
    """E.164 that reads as itself, or None."""
    number = compact
    for _ in range(_ROUNDS_MAX):
        number = _one_variant(number)
        if _is_settled(number):
            return number
        read = _read(number, region)
        if read is None:
            return None
        if read == number:
            return number if _is_possible(number) else None
        number, region = read, None
    return None


def _one_variant(number: str) -> str:
    variant = _VARIANTS.get(number[:3])
    match = variant.spelling.fullmatch(number, 3) if variant else None
    return f"{number[:3]}{variant.glue.join(match.groups())}" if variant and match else number


def _read(number: str, region: str | None) -> str | None:
    """What the metadata makes of it, in E.164."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _is_possible(number: str) -> bool:
    """Whether a number of that length exists in its country, or in one of its areas."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


# The cheap path. Nearly all that arrives is E.164 already, and `phonenumbers.parse` takes 30 µs
# to say so. It would leave a number alone whose length is possible and which does not begin
# with its country's trunk prefix; a test holds the two paths against each other.


class _Plan(NamedTuple):
    """Of one calling code: possible lengths in digits, and the pattern of its trunk prefix."""

    lengths: frozenset[int]
    trunk: re.Pattern[str] | None


def _is_settled(number: str) -> bool:
    """Whether the metadata is sure to leave the number as it is."""
    split = _split(number) if _E164.fullmatch(number) else None
    if split is None:
        return False
    code, national = split
    plan = _plan(code)
    if plan is None or len(national) not in plan.lengths:
        return False
    trunk = plan.trunk.match(national) if plan.trunk else None
    return trunk is None or trunk.end() == 0


def _split(number: str) -> tuple[str, str] | None:
    """Calling code and national number; calling codes are prefix-free, 1 to 3 digits long."""
    for end in (2, 3, 4):
        if _plan(number[1:end]) is not None:
            return number[1:end], number[end:]
    return None


@cache
def _plan(code: str) -> _Plan | None:
    """The plan of a calling code, None where there is no such code; at most 1,110 are asked."""
    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    if metadata is None or metadata.general_desc is None:
        return None
    trunk = metadata.national_prefix_for_parsing
    lengths = frozenset(metadata.general_desc.possible_length)
    return _Plan(lengths, re.compile(trunk) if trunk else None)


# A list shows a phone in each row, and `phonenumbers.format_number` takes 35 µs for one: it
# chooses among the same patterns as here. A test holds the two against each other.


@cache
def _groupings(code: str) -> tuple[_Grouping, ...]:
    """How numbers of a calling code are grouped, the first that fits; some 250 codes at most."""
    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    if metadata is None:
        return ()
    return tuple(
        _Grouping(
            re.compile(one.leading_digits_pattern[-1]) if one.leading_digits_pattern else None,
            re.compile(one.pattern),
            _GROUP.sub(lambda group: f"{{{int(group[1]) - 1}}}", one.format),
        )
        for one in metadata.intl_number_format or metadata.number_format
        if one.pattern and one.format
    )
