"""What WhatsApp, Messenger and Instagram share: Meta's handshake and Meta's signature.

Source: Meta, "Webhooks from Meta: getting started" (verification requests, `X-Hub-Signature-256`).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from channels.contract import Answer, Incoming, Refused, Rejected, Verified

if TYPE_CHECKING:
    from channels.contract import Secrets

SECRETS: Final = ("app_secret", "verify_token")
OPTIONAL_SECRETS: Final = ("access_token",)

SIGNATURE_HEADER: Final = "x-hub-signature-256"
_SCHEME: Final = "sha256="

CHALLENGE_MAX_CHARS: Final = 1_024
"""What is sent back of a challenge; Meta's has some ten digits."""


def handshake(incoming: Incoming, secrets: Secrets) -> Answer | Refused:
    """The challenge, for whoever knows the verify token; tokens are compared in constant time."""
    query = incoming.query
    shown = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    challenge = query.get("hub.challenge", "")
    known = [hmac.compare_digest(shown, token) for token in secrets.get("verify_token", ())]
    is_ours = query.get("hub.mode") == "subscribe" and any(known)
    if not is_ours or not 0 < len(challenge) <= CHALLENGE_MAX_CHARS:
        return Refused()
    return Answer(challenge)


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """HMAC-SHA256 under the app secret over the raw body, `sha256=<hex>`.

    The key is the app's, so one connection serves every account of that app.
    """
    shown = incoming.headers.get(SIGNATURE_HEADER, "").strip()
    if not shown:
        return Rejected("no_signature")
    given = shown.lower().encode("utf-8", "surrogatepass")
    # All secrets are tried, so that the time tells nobody which one it was.
    known = [
        hmac.compare_digest(given, _signature(incoming.body, secret))
        for secret in secrets.get("app_secret", ())
        if secret
    ]
    return Verified() if any(known) else Rejected("bad_signature")


def sign(body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that Meta would send with a body."""
    return {SIGNATURE_HEADER: _signature(body, secrets["app_secret"][0]).decode()}


def _signature(body: bytes, secret: bytes) -> bytes:
    return f"{_SCHEME}{hmac.new(secret, body, hashlib.sha256).hexdigest()}".encode()
