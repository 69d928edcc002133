"""Amazon SNS, which carries what SES tells: whose message it is, and whether the topic is ours.

Every message is signed with a key whose certificate lies at a URL that the message names. Anybody
may put a certificate somewhere, so only the hosts of SNS itself are believed; and since anybody
may have a topic there, a connection takes what comes from its own topic alone.

Source: Amazon SNS, "Verifying the signatures of Amazon SNS messages", "HTTP/HTTPS endpoints".
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from channels.contract import Incoming, Rejected, Secrets, Verified
from channels.lenient import Json, text_in

NOTIFICATION: Final = "Notification"
CONFIRMATIONS: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})

_HOST: Final = re.compile(r"sns\.[a-z0-9-]{2,40}\.amazonaws\.com(?:\.cn)?")
_HASHES: Final = {"1": SHA1, "2": SHA256}
_SIGNED: Final = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        CONFIRMATIONS,
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
"""The fields that a signature covers, in their order, by the kind of message."""


def message_of(body: bytes) -> Json:
    """A message, every character of it as it was signed; empty where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def certificate(incoming: Incoming, options: Mapping[str, str]) -> str | None:
    """Where the certificate of a message lies; None where it is not to be believed anyway."""
    message = message_of(incoming.body)
    url = text_in(message, "SigningCertURL")
    if url is None or text_in(message, "TopicArn") != options.get("topic_arn"):
        return None
    return url if _is_theirs(url) and urlsplit(url).path.endswith(".pem") else None


def verify(incoming: Incoming, _secrets: Secrets) -> Verified | Rejected:
    """The signature over the fields of its kind, under the certificate that was fetched."""
    message = message_of(incoming.body)
    signature = text_in(message, "Signature")
    if signature is None:
        return Rejected("no_signature")
    names = _SIGNED.get(text_in(message, "Type") or "")
    kind = _HASHES.get(text_in(message, "SignatureVersion") or "")
    if names is None or kind is None or not incoming.certificate:
        return Rejected("bad_signature")
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - slow to read

    try:
        key = load_pem_x509_certificate(incoming.certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            return Rejected("bad_signature")
        shown = b64decode(signature)
        key.verify(shown, signed_text(message, names), PKCS1v15(), kind())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, Base64Error):
        return Rejected("bad_signature")
    return Verified()


def signed_text(message: Json, names: tuple[str, ...] | None = None) -> bytes:
    """What is signed of a message: each field that is there, its name and value on lines."""
    chosen = names or _SIGNED.get(str(message.get("Type")), ())
    texts = ((name, message.get(name)) for name in chosen)
    lines = [f"{name}\n{text}\n" for name, text in texts if isinstance(text, str)]
    return "".join(lines).encode("utf-8", "surrogatepass")


def confirms(incoming: Incoming) -> str | None:
    """The URL that confirms a subscription, where one asks for it."""
    message = message_of(incoming.body)
    if text_in(message, "Type") != "SubscriptionConfirmation":
        return None
    url = text_in(message, "SubscribeURL")
    return url if url is not None and _is_theirs(url) else None


def _is_theirs(url: str) -> bool:
    """Whether a URL leads to SNS itself, over HTTPS and nowhere else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_bare = parts.username is None and parts.password is None and port in {None, 443}
    return parts.scheme == "https" and is_bare and _HOST.fullmatch(parts.hostname or "") is not None
