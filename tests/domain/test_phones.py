"""Phones: one address however a number is typed, and the three countries with two spellings."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import phones
from domain.addresses import address_label, parse_address

MEXICAN = "tel:+525512345678"
MEXICAN_SPELLINGS = [
    ("tel:+525512345678", None),
    ("tel:+52 55 1234 5678", None),
    ("tel:+52-55-1234-5678", None),
    ("tel:+52.55.1234.5678", None),
    ("tel:(+52) (55) 1234/5678", None),
    ("TEL: +52 55 12345678 ", None),
    ("tel:+52\u00a055\u20111234\u20135678", None),
    ("tel:\u202a+52 55 1234 5678\u202c", None),
    ("tel:＋５２５５１２３４５６７８", None),
    ("tel:+5215512345678", None),
    ("tel:+52 1 55 1234 5678", None),
    ("tel:+52 (01) 55 1234 5678", None),
    ("tel:+52 044 55 1234 5678", None),
    ("tel:00525512345678", None),
    ("tel:0052 1 55 1234 5678", "MX"),
    ("tel:+525512345678;ext=33", None),
    ("tel:+52 55 1234 5678 ext. 33", None),
    ("tel:+52 55 1234 5678 x33", None),
    ("whatsapp:+5215512345678", None),
    ("tel:55 1234 5678", "MX"),
    ("tel:5512345678", "mx"),
    ("tel:01 55 1234 5678", "MX"),
    ("tel:044 55 1234 5678", "MX"),
    ("tel:045 55 1234 5678", "MX"),
    ("tel:1 55 1234 5678", "MX"),
    ("tel:525512345678", "MX"),
    ("tel:5215512345678", "MX"),
    ("tel:011 52 55 1234 5678", "US"),
    ("tel:0011 52 55 1234 5678", "AU"),
]
ARGENTINE = "tel:+541123456789"
ARGENTINE_SPELLINGS = [
    ("tel:+541123456789", None),
    ("tel:+5491123456789", None),
    ("tel:+54 9 11 2345-6789", None),
    ("tel:+54 11 15 2345-6789", None),
    ("tel:+54 9 11 15 2345-6789", None),
    ("whatsapp:+5491123456789", None),
    ("tel:011 15 2345 6789", "AR"),
    ("tel:(011) 2345-6789", "AR"),
    ("tel:11 2345-6789", "AR"),
    ("tel:9 11 2345-6789", "AR"),
    ("tel:00 54 9 11 2345 6789", "AR"),
    ("tel:5491123456789", "AR"),
]
BRAZILIAN = "tel:+5531998765432"
BRAZILIAN_SPELLINGS = [
    ("tel:+5531998765432", None),
    ("tel:+55 31 99876-5432", None),
    ("tel:+55 31 9876-5432", None),
    ("whatsapp:+553198765432", None),
    ("tel:(31) 99876-5432", "BR"),
    ("tel:(31) 9876-5432", "BR"),
    ("tel:031 9876-5432", "BR"),
    ("tel:0 15 31 99876-5432", "BR"),
    ("tel:00 55 31 99876 5432", "BR"),
    ("tel:553198765432", "BR"),
]


@pytest.mark.parametrize(
    ("one", "text", "country"),
    [
        (one, text, country)
        for one, spellings in (
            (MEXICAN, MEXICAN_SPELLINGS),
            (ARGENTINE, ARGENTINE_SPELLINGS),
            (BRAZILIAN, BRAZILIAN_SPELLINGS),
        )
        for text, country in spellings
    ],
)
def test_one_phone_is_one_address(one: str, text: str, country: str | None) -> None:
    """However it is typed, and whatever channel it comes by, a phone is one address."""
    assert parse_address(text, country=country) == one


@pytest.mark.parametrize(
    ("text", "country", "address"),
    [
        ("tel:+55 11 3234-5678", None, "tel:+551132345678"),
        ("tel:+55 11 2345-6789", None, "tel:+551123456789"),
        ("tel:(11) 5123-4567", "BR", "tel:+551151234567"),
        ("tel:0800 123 4567", "BR", "tel:+558001234567"),
        ("tel:4004-1234", "BR", "tel:+5540041234"),
        ("tel:0015 1 650 253 0000", "BR", "tel:+16502530000"),
        ("tel:+54 351 456-7890", None, "tel:+543514567890"),
        ("tel:+54 9 3541 23-4567", None, "tel:+543541234567"),
        ("tel:+54 800 123 4567", None, "tel:+548001234567"),
        ("tel:+52 800 123 4567", None, "tel:+528001234567"),
        ("tel:+44 (0)20 7031 3000", None, "tel:+442070313000"),
        ("tel:020 7031 3000", "GB", "tel:+442070313000"),
        ("tel:+39 06 1234 5678", None, "tel:+390612345678"),
        ("tel:06 1234 5678", "IT", "tel:+390612345678"),
        ("tel:(650) 253-0000", "US", "tel:+16502530000"),
        ("tel:+800 1234 5678", None, "tel:+80012345678"),
        ("tel:+883 510 012 345", None, "tel:+883510012345"),
        ("tel:1234 5678", "MX", "tel:+5212345678"),
        ("tel:٥٥١٢٣٤٥٦٧٨", "MX", "tel:+525512345678"),
    ],
)
def test_other_phones(text: str, country: str | None, address: str) -> None:
    """Landlines gain no digit, foreign and free numbers are read, possible ones are kept."""
    assert parse_address(text, country=country) == address


@given(st.integers(2_000_000_000, 9_999_999_999))
def test_mexican_variants_collapse(national: int) -> None:
    """With and without the mobile 1, a Mexican number is one address."""
    spellings = {f"tel:+52{national}", f"tel:+521{national}", f"tel:00521{national}"}
    assert {parse_address(text, country=None) for text in spellings} == {f"tel:+52{national}"}


@given(st.sampled_from(["11", "341", "351", "2920", "3541"]), st.integers(0, 10**8 - 1))
def test_argentine_variants_collapse(area: str, number: int) -> None:
    """With and without the mobile 9, an Argentine number is one address, never with the 9."""
    national = f"{area}{number:08d}"[:10]
    spellings = {f"tel:+54{national}", f"tel:+549{national}"}
    assert {parse_address(text, country=None) for text in spellings} == {f"tel:+54{national}"}


@given(st.sampled_from([11, 21, 31, 41, 55, 61, 71, 85, 92]), st.integers(60_000_000, 99_999_999))
def test_brazilian_variants_collapse(area: int, digits: int) -> None:
    """With and without the ninth digit, a Brazilian mobile is one address, always with it."""
    spellings = {f"tel:+55{area}{digits}", f"tel:+55{area}9{digits}"}
    assert {parse_address(text, country=None) for text in spellings} == {f"tel:+55{area}9{digits}"}


@given(st.sampled_from([11, 21, 31, 41, 55, 61, 71, 85, 92]), st.integers(20_000_000, 59_999_999))
def test_brazilian_landlines_stay(area: int, digits: int) -> None:
    """A Brazilian landline keeps its eight digits."""
    assert parse_address(f"tel:+55{area}{digits}", country=None) == f"tel:+55{area}{digits}"


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.data())
def test_the_cheap_path_agrees_with_the_library(code: int, data: st.DataObject) -> None:
    """Where the cheap path is sure of a number, the library leaves it alone and accepts it."""
    plan = phones._plan(str(code))
    assert plan is not None
    digits = data.draw(st.sampled_from(sorted(plan.lengths)))
    number = f"+{code}{data.draw(st.integers(0, 10**digits - 1)):0{digits}d}"
    if not phones._is_settled(number):
        return
    parsed = phonenumbers.parse(number, None)
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number
    assert phonenumbers.is_possible_number(parsed)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"AR", "BR", "MX"}))
def test_an_example_of_each_country(region: str) -> None:
    """The library's example number of each country is an address, with the library's label."""
    example = phonenumbers.example_number(region)
    assert example is not None
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert address_label(parse_address(f"tel:{text}", country=None)) == text


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.data())
def test_a_number_is_grouped_as_the_library_groups_it(code: int, data: st.DataObject) -> None:
    """Any digits of any country, and an example of each: for the eye they are the library's."""
    digits = data.draw(st.from_regex(r"0{0,2}[1-9][0-9]{4,11}", fullmatch=True))
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    examples = [phonenumbers.example_number(region) for region in regions]
    numbers = [f"+{code}{digits}"[:17]]
    numbers += [
        phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164)
        for one in examples
        if one is not None
    ]
    for number in numbers:
        national = number.removeprefix(f"+{code}")
        zeros = len(national) - len(national.lstrip("0"))
        parsed = phonenumbers.PhoneNumber(
            country_code=code,
            national_number=int(national),
            italian_leading_zero=True if zeros else None,
            number_of_leading_zeros=zeros if zeros > 1 else None,
        )
        theirs = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert phones.international(number) == theirs
