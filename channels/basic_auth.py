"""HTTP basic authentication, for providers that sign nothing: the URL has name and password in it.

Source: RFC 7617.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Final

from channels.contract import Incoming, Rejected, Verified

if TYPE_CHECKING:
    from channels.contract import Secrets

SECRETS: Final = ("username", "password")

HEADER: Final = "authorization"

_SCHEME: Final = "basic"


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """Whether name and password are ours, with any of the two of a rotation."""
    shown = incoming.headers.get(HEADER, "").strip()
    if not shown:
        return Rejected("no_signature")
    scheme, _, encoded = shown.partition(" ")
    try:
        given = b64decode(encoded.strip().encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError):
        given = b""
    # All pairs are tried, so that the time tells nobody which one it was.
    known = [
        hmac.compare_digest(given, name + b":" + password)
        for name in secrets.get("username", ())
        for password in secrets.get("password", ())
        if name and password
    ]
    return Verified() if scheme.lower() == _SCHEME and any(known) else Rejected("bad_signature")


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that a provider would send."""
    pair = secrets["username"][0] + b":" + secrets["password"][0]
    return {HEADER: f"Basic {b64encode(pair).decode()}"}
