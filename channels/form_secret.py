"""Senders that sign nothing: a secret that comes along with each request.

It tells who sent a request, and nothing about its bytes; these are as safe as the connection
that they came over. It stands in a header, or in the URL where a sender can set nothing else.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from channels.contract import Answer, Incoming, Refused, Rejected, Verified

if TYPE_CHECKING:
    from channels.contract import Secrets

HEADER: Final = "x-hilo-secret"

_BEARER: Final = "bearer"


def verify_shared(incoming: Incoming, secrets: Secrets, name: str) -> Verified | Rejected:
    """Whether the secret of that name came along: in a header, as bearer, or in the URL."""
    shown = _shown(incoming, name)
    if shown is None:
        return Rejected("no_signature")
    given = shown.encode("utf-8", "surrogatepass")
    # All of them are tried, so that the time tells nobody which one it was.
    known = [hmac.compare_digest(given, secret) for secret in secrets.get(name, ()) if secret]
    return Verified() if any(known) else Rejected("bad_signature")


def header_of(secrets: Secrets, name: str) -> dict[str, str]:
    """The header that a sender with the secret of that name would send."""
    newest = next(iter(secrets.get(name, ())), None)
    return {} if newest is None else {HEADER: newest.decode("utf-8", "replace")}


def no_handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """The sender asks nothing beforehand."""
    return Refused()


def _shown(incoming: Incoming, name: str) -> str | None:
    header = incoming.headers.get(HEADER)
    if header is not None:
        return header.strip()
    scheme, _, rest = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() == _BEARER:
        return rest.strip()
    return incoming.query.get(name)
