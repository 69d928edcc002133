"""A mail that came by no webhook: its bytes, with what is known beside them as one header.

So it passes through the same door as a request, and waits in quarantine with its envelope.
"""

from __future__ import annotations

from typing import Final

import msgspec

from channels.contract import Answer, Arrival, Atom, Incoming, Refused, Rejected, Secrets, Verified
from channels.mail import mail_atom
from channels.mail_sides import Envelope

ENVELOPE_HEADER: Final = "x-hilo-envelope"
"""The envelope of a mail, as JSON; no header of the mail itself."""

MAIL_PARSED_HERE_MAX_BYTES: Final = 8 * 1024
"""A larger mail is read in a thread: what is bent on purpose takes some time a KB."""


def incoming_of(raw: bytes, envelope: Envelope) -> Incoming:
    """A mail as a request."""
    return Incoming(body=raw, headers={ENVELOPE_HEADER: msgspec.json.encode(envelope).decode()})


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The one atom that a mail is."""
    return [mail_atom(incoming.body, _envelope(incoming), arrival)]


def _envelope(incoming: Incoming) -> Envelope:
    try:
        return msgspec.json.decode(incoming.headers.get(ENVELOPE_HEADER, "{}"), type=Envelope)
    except msgspec.DecodeError:
        return Envelope()


def handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """Nobody asks: there is no URL."""
    return Refused()


def verify(_incoming: Incoming, _secrets: Secrets) -> Verified | Rejected:
    """Nothing comes over HTTP; whoever posts there is nobody."""
    return Rejected("no_signature")


def sign(_body: bytes, _secrets: Secrets) -> dict[str, str]:
    """Nothing is signed."""
    return {}
