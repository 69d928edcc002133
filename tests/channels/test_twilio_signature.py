"""Twilio's signature: ours against the official validator, and what a proxy makes of a URL."""

from __future__ import annotations

import hashlib
import importlib
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData, UploadFile

from channels.contract import Incoming, Rejected, Verified
from channels.twilio_signature import (
    FIELDS_MAX,
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    form_fields,
    signed,
    verify,
)

TOKEN = b"12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def official() -> Any:  # noqa: ANN401 - the package has no types
    """The validator of Twilio's own package."""
    return importlib.import_module("twilio.request_validator").RequestValidator(TOKEN.decode())


def as_starlette(fields: list[tuple[str, str]]) -> FormData:
    """The form as the official validator takes it."""
    return FormData(list[tuple[str, str | UploadFile]](fields))


def delivery(fields: list[tuple[str, str]], url: str, signature: str, **more: str) -> Incoming:
    """A form as Twilio sends it."""
    headers = {**FORM, SIGNATURE_HEADER: signature, **more}
    return Incoming(body=urlencode(fields).encode(), headers=headers, url=url)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
FIELDS = st.lists(st.tuples(WORDS.filter(bool), WORDS), max_size=8)
URLS = st.sampled_from(
    [
        URL,
        "https://hilo.example.mx/channels/twilio_sms/main",
        "https://hilo.example.mx:443/channels/twilio_sms/main",
        "https://hilo.example.mx:8443/channels/twilio_sms/main?b=2&a=1&a=0",
        "http://127.0.0.1:8000/channels/twilio_voice/main",
        "http://127.0.0.1/x?a=",
    ]
)


@given(fields=FIELDS, url=URLS)
@settings(max_examples=150)
def test_ours_and_the_official_validator_are_of_one_mind(
    fields: list[tuple[str, str]], url: str
) -> None:
    """What either signs the other takes: blanks, repeated names, any letters, any port."""
    theirs = official()
    form = as_starlette(fields)
    incoming = delivery(fields, url, theirs.compute_signature(url, form))
    assert verify(incoming, {"auth_token": [b"another", TOKEN]}) == Verified()
    shown = signed(Incoming(body=incoming.body, url=url), TOKEN)[SIGNATURE_HEADER]
    assert theirs.validate(url, form, shown)


@given(fields=FIELDS, signature=st.text(max_size=30))
@settings(max_examples=50)
def test_ours_refuses_what_the_official_validator_refuses(
    fields: list[tuple[str, str]], signature: str
) -> None:
    """A signature that is not of these parameters is refused by both."""
    shown = signature.strip() or "x"
    assert not official().validate(URL, as_starlette(fields), shown)
    incoming = delivery(fields, URL, shown)
    assert verify(incoming, {"auth_token": [TOKEN]}) == Rejected("bad_signature")


@pytest.mark.parametrize(
    ("called", "known"),
    [
        ("https://hilo.example.mx/x?a=1", "https://hilo.example.mx:443/x?a=1"),
        ("https://hilo.example.mx:443/x?a=1", "https://hilo.example.mx/x?a=1"),
        ("http://hilo.example.mx:80/x", "http://hilo.example.mx/x"),
        ("https://hilo.example.mx/x", "https://hilo.example.mx:8443/x"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"),
    ],
)
def test_a_port_may_be_signed_or_not(called: str, known: str) -> None:
    """Whether Twilio signs the port or leaves it out, the URL is the same."""
    body = b"Body=Hola&ToCity="
    headers = {**FORM, **signed(Incoming(body=body, url=called), TOKEN)}
    incoming = Incoming(body=body, headers=headers, url=known)
    assert verify(incoming, {"auth_token": [TOKEN]}) == Verified()


@pytest.mark.parametrize("other", ["http://mycompany.com/x", "https://mycompany.com/x?bar=2&foo=1"])
def test_another_url_is_refused(other: str) -> None:
    """Another scheme or another order of the query is another URL."""
    signature = signed(Incoming(body=b"a=1", url=f"{other}0"), TOKEN)
    incoming = Incoming(body=b"a=1", headers={**FORM, **signature}, url=other)
    assert verify(incoming, {"auth_token": [TOKEN]}) == Rejected("bad_signature")


def test_a_json_body_is_known_by_the_hash_in_its_url() -> None:
    """The URL carries the body's hash and alone is signed; another body is refused."""
    body = b'{"MessageSid": "SM1"}'
    url = f"https://hilo.example.mx/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = official().compute_signature(url, {})
    assert official().validate(url, body.decode(), signature)
    headers = {"content-type": "application/json", SIGNATURE_HEADER: signature}
    good = Incoming(body=body, headers=headers, url=url)
    assert verify(good, {"auth_token": [TOKEN]}) == Verified()
    other = Incoming(body=body + b" ", headers=headers, url=url)
    assert verify(other, {"auth_token": [TOKEN]}) == Rejected("bad_signature")


def test_a_shared_key_signs_by_sha256() -> None:
    """A request that says so is signed with a shared key; an unknown way is refused."""
    fields = [("Body", "Hola"), ("ToCity", "")]
    signature = official().compute_signature(URL, as_starlette(fields), "HMAC_SHA256")
    said = {SETTINGS_HEADER: "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    secrets = {"auth_token": [b"another"], "shared_key": [TOKEN]}
    assert verify(delivery(fields, URL, signature, **said), secrets) == Verified()
    odd = {SETTINGS_HEADER: "algorithm=HMAC_MD5"}
    assert verify(delivery(fields, URL, signature, **odd), secrets) == Rejected("bad_signature")


def test_a_get_is_signed_by_its_url() -> None:
    """What comes by GET stands in the query, and the URL is all that is signed."""
    url = "https://hilo.example.mx/x?MessageSid=SM1&Body=&From=%2B525512345678"
    headers = {SIGNATURE_HEADER: official().compute_signature(url, {})}
    assert verify(Incoming(headers=headers, url=url), {"auth_token": [TOKEN]}) == Verified()


def test_bytes_that_are_no_text_are_signed_as_they_came() -> None:
    """A byte that is no UTF-8 does not break the signature, and parses to a sign of loss."""
    body = b"Body=%FFa\xfe&From=%2B1"
    incoming = Incoming(body=body, url=URL)
    headers = {**FORM, **signed(incoming, TOKEN)}
    known = Incoming(body=body, headers=headers, url=URL)
    assert verify(known, {"auth_token": [TOKEN]}) == Verified()
    assert form_fields(body, "replace")[0] == ("Body", "\ufffda\ufffd")


def test_a_crowd_of_parameters_is_refused_at_once() -> None:
    """More parameters than Twilio would ever send are nobody's that signed them."""
    body = b"&".join([b"a=1"] * (FIELDS_MAX + 1))
    incoming = Incoming(body=body, headers={**FORM, SIGNATURE_HEADER: "x"}, url=URL)
    assert verify(incoming, {"auth_token": [TOKEN]}) == Rejected("bad_signature")
