"""Addresses: the grammar of contract 2.1, its refusals, and nothing that breaks the parser.

Phones have a file of their own.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import (
    AddressError,
    address_label,
    comparison_key,
    forget_addresses,
    is_company_side,
    parse_address,
    scheme_of,
    scope_of,
)

A_UUID = "0e3c7a1e-5d0b-4b6e-9a53-3f0c2f6f1d21"
SCHEMES = [
    *("tel", "short", "sender", "mailto", "whatsapp", "messenger", "instagram", "telegram"),
    *("webchat", "form", "place", "user", "contact", "anonymous"),
]
PHONE = "tel:+525512345678"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:Ana.Nunez+x@EXAMPLE.com", "mailto:Ana.Nunez+x@example.com"),
        ("MAILTO: Info@Example.COM ", "mailto:Info@example.com"),
        ("mailto:ana@example.com.", "mailto:ana@example.com"),
        ("mailto:ana@shop.test", "mailto:ana@shop.test"),
        ("mailto:root@localhost", "mailto:root@localhost"),
        ("mailto:scan@my_printer.LOCAL", "mailto:scan@my_printer.local"),
        ("mailto:ana@ñandú.local", "mailto:ana@ñandú.local"),
        ("mailto:ana@ESPAÑA.example", "mailto:ana@españa.example"),
        ("mailto:ana@xn--espaa-rta.example", "mailto:ana@españa.example"),
        ("mailto:ana@xn--ls8h.la", "mailto:ana@xn--ls8h.la"),
        ("mailto:josé@example.com", "mailto:josé@example.com"),
        ("mailto:jose\u0301@example.com", "mailto:josé@example.com"),
        ('mailto:"ana"@example.com', "mailto:ana@example.com"),
        ('mailto:"Ana Núñez"@example.com', 'mailto:"Ana Núñez"@example.com'),
        ('mailto:"a@b"@example.com', 'mailto:"a@b"@example.com'),
        ("mailto:a..b.@docomo.ne.jp", 'mailto:"a..b."@docomo.ne.jp'),
        ("mailto:ana@[192.0.2.1]", "mailto:ana@[192.0.2.1]"),
        ("mailto:ana@[ipv6:2001:DB8:0::1]", "mailto:ana@[IPv6:2001:db8::1]"),
        (f"mailto:{'v' * 90}@example.com", f"mailto:{'v' * 90}@example.com"),
        ("short:MX/38737", "short:MX/38737"),
        ("short:mx/38-737", "short:MX/38737"),
        ("short:52/38737", "short:MX/38737"),
        ("sender:twilio_sms:AC1/BANAMEX", "sender:twilio_sms:AC1/BANAMEX"),
        ("sender:sms/Mi  Banco", "sender:sms/Mi Banco"),
        ("whatsapp:1065/MX.1349:=$/x", "whatsapp:1065/MX.1349:=$/x"),
        ("messenger:102/246", "messenger:102/246"),
        ("instagram:178/125", "instagram:178/125"),
        ("telegram:556/-100123", "telegram:556/-100123"),
        ("webchat:site/AbC", "webchat:site/AbC"),
        ("form:web/contacto", "form:web/contacto"),
        ("form:web/Cotización  SUV", "form:web/Cotización SUV"),
        ("place:main", "place:main"),
        ("place:Sucursal Polanco", "place:sucursal-polanco"),
        (f"user:{A_UUID.upper()}", f"user:{A_UUID}"),
        (f"contact:{A_UUID}", f"contact:{A_UUID}"),
        ("anonymous:twilio_voice:AC1", "anonymous:twilio_voice:AC1"),
    ],
)
def test_canonical_text(text: str, address: str) -> None:
    """Each scheme has one canonical text, and that text is its own canonical text."""
    assert parse_address(text, country=None) == address
    assert parse_address(address, country=None) == address


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("", None, "unknown_scheme"),
        ("tel", None, "unknown_scheme"),
        ("+525512345678", None, "unknown_scheme"),
        ("ana@example.com", None, "unknown_scheme"),
        ("fax:+525512345678", None, "unknown_scheme"),
        ("sms:+525512345678", None, "unknown_scheme"),
        ("tel:5512345678", None, "needs_country"),
        ("tel:5512345678", "XX", "needs_country"),
        ("short:38737", None, "needs_country"),
        ("tel:", None, "bad_address"),
        ("tel:abc", None, "bad_address"),
        ("tel:abc", "MX", "bad_address"),
        ("tel:+", None, "bad_address"),
        ("tel:+52", None, "bad_address"),
        ("tel:+52551234567890", None, "bad_address"),
        ("tel:+999 1234 5678", None, "bad_address"),
        ("tel:+1 800 FLOWERS", None, "bad_address"),
        ("tel:+52 55 1234 5678 o 5512345679", None, "bad_address"),
        ("tel:+5255+12345678", None, "bad_address"),
        ("tel:38737", "MX", "bad_address"),
        ("tel:+266696687", None, "bad_address"),
        ("tel:0000000000", None, "bad_address"),
        ("tel:" + "1" * 200, "MX", "bad_address"),
        ("short:XX/38737", None, "bad_address"),
        ("short:999/38737", None, "bad_address"),
        ("short:MX/", None, "bad_address"),
        ("short:/38737", "MX", "bad_address"),
        ("short:MX/5", None, "bad_address"),
        ("short:MX/HELP", None, "bad_address"),
        ("sender:BANAMEX", None, "bad_address"),
        ("sender:Not-a-source/BANAMEX", None, "bad_address"),
        ("sender:sms:a/ ", None, "bad_address"),
        ("mailto:", None, "bad_address"),
        ("mailto:ana", None, "bad_address"),
        ("mailto:@example.com", None, "bad_address"),
        ("mailto:ana@", None, "bad_address"),
        ("mailto:ana@-x-.com", None, "bad_address"),
        ("mailto:ana@a..com", None, "bad_address"),
        ("mailto:ana@[300.0.0.1]", None, "bad_address"),
        ("mailto:Ana <ana@example.com>", None, "bad_address"),
        ("mailto:ana nunez@example.com", None, "bad_address"),
        ("mailto:ana@example.com,eva@example.com", None, "bad_address"),
        ("mailto:ana@example.com\x00", None, "bad_address"),
        ("whatsapp:5512345678", None, "bad_address"),
        ("whatsapp:/1", None, "bad_address"),
        ("whatsapp:+abc", None, "bad_address"),
        ("messenger:102/", None, "bad_address"),
        ("messenger:102/2 46", None, "bad_address"),
        ("telegram:556/1\n2", None, "bad_address"),
        ("webchat:site/a\x00b", None, "bad_address"),
        ("webchat:site/\ud800", None, "bad_address"),
        ("form:web", None, "bad_address"),
        ("form:two words/x", None, "bad_address"),
        ("place:", None, "bad_address"),
        ("user:rosa", None, "bad_address"),
        (f"contact:{A_UUID.replace('-', '')}", None, "bad_address"),
        (f"contact:{{{A_UUID}}}", None, "bad_address"),
        ("anonymous:", None, "bad_address"),
        ("anonymous:Not-a-source", None, "bad_address"),
        ("webchat:site/" + "x" * 500, None, "bad_address"),
    ],
)
def test_refused(text: str, country: str | None, code: str) -> None:
    """What is no address is refused with its code and a sentence that says what to write."""
    with pytest.raises(AddressError) as caught:
        parse_address(text, country=country)
    assert caught.value.code == code
    assert str(caught.value) == caught.value.message


def test_the_message_of_the_contract() -> None:
    """The message is that of contract 2.7, and an unread number asks for its country."""
    with pytest.raises(AddressError, match=r"^tel:abc is not a phone number; write tel:"):
        parse_address("tel:abc", country=None)
    with pytest.raises(AddressError, match="HILO_COUNTRY"):
        parse_address("tel:5512345678", country=None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_message_never_repeats_a_long_text(scheme: str) -> None:
    """No message repeats more than 80 characters of what was written."""
    for text in (f"{scheme}:{'?' * 400}\x00", f"{scheme}:{'?' * 4000}", "?" * 81):
        with pytest.raises(AddressError) as caught:
            parse_address(text, country="MX")
        assert "?" * 81 not in caught.value.message


def anything() -> st.SearchStrategy[str]:
    """Arbitrary text, most of it behind a scheme, some of it nearly right."""
    digits = st.text("+0123456789 .-()/x#;=abc", max_size=30)
    mail = st.text('abñÑßİ.@"\\[]:-_<> xn\u3002', max_size=30)
    rest = st.one_of(st.text(max_size=60), digits, mail, st.from_regex(r"\+5[245][0-9]{8,13}"))
    return st.one_of(st.text(), st.builds("{}:{}".format, st.sampled_from(SCHEMES), rest))


@given(anything(), st.sampled_from([None, "MX", "AR", "BR", "US", "IT", "XX", ""]))
def test_any_text_is_an_address_or_an_error(text: str, country: str | None) -> None:
    """Any text is an AddressError or an address that is its own canonical text, with a label."""
    try:
        address = parse_address(text, country=country)
    except AddressError:
        return
    assert parse_address(address, country=None) == address
    assert parse_address(address, country=country) == address
    assert len(address) <= 512
    assert address_label(address)
    assert scheme_of(address) in SCHEMES
    assert comparison_key(address).encode()
    assert address.startswith(f"{scheme_of(address)}:{scope_of(address) or ''}")


def test_mail_is_compared_without_case() -> None:
    """The local part is kept as written, and compared case-folded."""
    addresses = [parse_address(f"mailto:{x}@x.mx", country=None) for x in ("Ana", "ANA", "ana")]
    assert addresses == ["mailto:Ana@x.mx", "mailto:ANA@x.mx", "mailto:ana@x.mx"]
    assert {comparison_key(address) for address in addresses} == {"mailto:ana@x.mx"}


def test_ids_of_providers_are_compared_with_case() -> None:
    """A provider's id is opaque: two that differ in case are two."""
    assert comparison_key("webchat:site/AbC") == "webchat:site/AbC"
    assert comparison_key(PHONE) == PHONE


@pytest.mark.parametrize(
    ("address", "scope", "company"),
    [
        (PHONE, None, False),
        ("short:MX/38737", None, False),
        ("sender:twilio_sms:AC1/BANAMEX", "twilio_sms:AC1", False),
        ("mailto:ana@example.com", None, False),
        ("whatsapp:1065/MX.13/x", "1065", False),
        ("messenger:102/246", "102", False),
        ("instagram:178/125", "178", False),
        ("telegram:556/-100", "556", False),
        ("webchat:site/AbC", "site", False),
        ("form:web/contacto", None, True),
        ("place:main", None, True),
        (f"user:{A_UUID}", None, True),
        (f"contact:{A_UUID}", None, False),
        ("anonymous:twilio_voice:AC1", None, False),
    ],
)
def test_scope_and_side(address: str, scope: str | None, company: bool) -> None:  # noqa: FBT001 - a table's column
    """An id within an account has that account as scope; forms, places and users are ours."""
    assert scope_of(address) == scope
    assert is_company_side(address) is company


@pytest.mark.parametrize(
    ("address", "label"),
    [
        (PHONE, "+52 55 1234 5678"),
        ("tel:+5531998765432", "+55 31 99876-5432"),
        ("tel:+541123456789", "+54 11 2345-6789"),
        ("tel:+390612345678", "+39 06 1234 5678"),
        ("tel:+80012345678", "+800 1234 5678"),
        ("mailto:Ana@example.com", "Ana@example.com"),
        ("short:MX/38737", "38737 (MX)"),
        ("sender:sms:a/BANAMEX", "BANAMEX"),
        ("whatsapp:1065/MX.13", "WhatsApp MX.13"),
        ("messenger:102/246", "Messenger 246"),
        ("instagram:178/125", "Instagram 125"),
        ("telegram:556/123", "Telegram 123"),
        ("webchat:site/AbC", "Webchat AbC"),
        ("form:web/contacto", "contacto"),
        ("place:main", "main"),
        (f"user:{A_UUID}", "#0e3c7a1e"),
        (f"contact:{A_UUID}", "#0e3c7a1e"),
        ("anonymous:manual", "Anonymous"),
    ],
)
def test_label(address: str, label: str) -> None:
    """Every address can be shown to a person."""
    assert address_label(address) == label


def test_forgetting_changes_nothing() -> None:
    """After the caches are dropped, the same texts give the same addresses and labels."""
    before = parse_address(PHONE, country=None), address_label(PHONE)
    forget_addresses()
    assert (parse_address(PHONE, country=None), address_label(PHONE)) == before
