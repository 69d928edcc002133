"""Twilio's signature: HMAC over the public URL and the sorted parameters.

The URL is the one that Twilio calls, query and all; where a port is the default one, Twilio signs
with it or without. A form's parameters are signed decoded, blanks too, each name with its
different values in order. Of a JSON body the URL carries the hash, and the URL alone is signed.
The official package does the same and brings aiohttp along; the tests hold the two against each
other (docs/decisions/0011).

Source: Twilio, "Webhooks security" (validating signatures), twilio-python 9.13.0.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from channels.contract import Incoming, Rejected, Verified

if TYPE_CHECKING:
    from channels.contract import Secrets

SECRETS: Final = ("auth_token",)
OPTIONAL_SECRETS: Final = ("shared_key",)

SIGNATURE_HEADER: Final = "x-twilio-signature"
SETTINGS_HEADER: Final = "x-twilio-webhooks-signature-settings"
"""What a request carries that is signed with a shared key instead of the account's token."""

FIELDS_MAX: Final = 2_000
"""Parameters of one request; Twilio sends some forty, and a crowd of them is somebody's attack."""

_BODY_HASH: Final = "bodySHA256"
_FORM: Final = "application/x-www-form-urlencoded"
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}
_SHA1: Final = "HMAC_SHA1"
_HASHES: Final = {_SHA1: "sha1", "HMAC_SHA256": "sha256"}

Fields = list[tuple[str, str]]


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """Whether Twilio signed it, with any of the tokens of a rotation."""
    shown = incoming.headers.get(SIGNATURE_HEADER, "").strip()
    if not shown:
        return Rejected("no_signature")
    hash_ = _HASHES.get(_algorithm(incoming.headers.get(SETTINGS_HEADER, "")))
    fields = _signed_fields(incoming)
    if hash_ is None or fields is None:
        return Rejected("bad_signature")
    given = shown.encode("utf-8", "surrogatepass")
    # All of them are tried, so that the time tells nobody which one it was.
    known = [
        hmac.compare_digest(given, _signature(secret, url, fields, hash_))
        for name in SECRETS + OPTIONAL_SECRETS
        for secret in secrets.get(name, ())
        if secret
        for url in _urls(incoming.url)
    ]
    return Verified() if any(known) else Rejected("bad_signature")


def sign(body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that Twilio would send with a body, to a URL that is empty."""
    return signed(Incoming(body=body), secrets["auth_token"][0])


def signed(incoming: Incoming, token: bytes) -> dict[str, str]:
    """The header that Twilio would send with a request."""
    fields = _signed_fields(incoming) or []
    signature = _signature(token, incoming.url, fields, _HASHES[_SHA1])
    return {SIGNATURE_HEADER: signature.decode()}


def form_fields(raw: bytes, errors: str) -> Fields:
    """The fields of a form, in their order, blanks kept. Raises ValueError for too many."""
    return parse_qsl(
        raw.decode("utf-8", errors),
        keep_blank_values=True,
        encoding="utf-8",
        errors=errors,
        max_num_fields=FIELDS_MAX,
    )


def is_json(incoming: Incoming) -> bool:
    """Whether the body is none of a form: the URL carries its hash."""
    media_type = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type != _FORM and f"{_BODY_HASH}=" in urlsplit_query(incoming.url)


def urlsplit_query(url: str) -> str:
    """The query of a URL, as it stands there."""
    return url.partition("#")[0].partition("?")[2]


def _algorithm(settings: str) -> str:
    """`key=…,algorithm=HMAC_SHA256`; without any, the account's own."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return _SHA1


def _signed_fields(incoming: Incoming) -> Fields | None:
    """What is signed beside the URL; None where the body is not the one that was sent."""
    try:
        if not is_json(incoming):
            # Bytes that are no UTF-8 must come out as they came in.
            return form_fields(incoming.body, "surrogateescape")
        query = form_fields(urlsplit_query(incoming.url).encode(), "replace")
    except ValueError:
        return None
    claimed = next((value for name, value in query if name == _BODY_HASH), "")
    found = hashlib.sha256(incoming.body).hexdigest()
    is_same = hmac.compare_digest(claimed.lower().encode(), found.encode())
    return [] if is_same else None


def _signature(token: bytes, url: str, fields: Fields, hash_: str) -> bytes:
    text = [url]
    for name, value in sorted(set(fields)):
        text += (name, value)
    signed_bytes = "".join(text).encode("utf-8", "surrogateescape")
    return b64encode(hmac.new(token, signed_bytes, hash_).digest())


def _urls(url: str) -> Iterator[str]:
    """The URL without a port, and with the one that it has or means."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        yield url
        return
    start = len(parts.scheme) + len("://")
    end = start + len(parts.netloc)
    bare = parts.netloc
    if port is not None:
        bare = parts.netloc.rpartition(":")[0]
    default = _DEFAULT_PORTS.get(parts.scheme, "")
    yield f"{url[:start]}{bare}{url[end:]}" if parts.netloc else url
    if parts.netloc and (port is not None or default):
        yield f"{url[:start]}{bare}:{port if port is not None else default}{url[end:]}"
