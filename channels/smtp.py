"""SMTP and LMTP: a mail server hands its mail to Hilo, for the recipients that are named here.

Hilo takes mail and sends none: whoever is no recipient of the connection is refused, so there is
nothing to relay and nothing to sign in for. What may speak to it is for the network to say;
SMTP belongs behind a mail server that faces the world, LMTP beside one.

Sources: RFC 5321 (SMTP), RFC 2033 (LMTP).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from functools import partial
from typing import Final

from channels.contract import ChannelModule, Secrets
from channels.mail import MAIL_MAX_BYTES
from channels.mail_addresses import mailto
from channels.mail_arrival import (
    ENVELOPE_HEADER,
    MAIL_PARSED_HERE_MAX_BYTES,
    handshake,
    parse,
    sign,
    verify,
)
from channels.mail_sides import untagged
from channels.smtp_tls import CERTIFICATE, KEY, wrong_files
from domain.addresses import comparison_key

PORT_MAX: Final = 65_535
"""The greatest port number there is."""

TRY_S_MAX: Final = 3.0
"""How long a listener may take to greet: it is on this machine, or near."""

GREETING_MAX_BYTES: Final = 512
"""Length of a reply line (RFC 5321)."""

LINES_MAX: Final = 32
"""Lines of an answer to a greeting: some ten things are offered."""

_LAST: Final = re.compile(rb"^\d{3} ", re.MULTILINE)
_LISTEN: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+):(\d{1,5})")
_DOMAIN: Final = re.compile(r"@?[^\s@,:/]+\.[^\s@,:/.]+")


class Recipients:
    """Whom mail is taken for: addresses, and whole domains (`@taller.mx`)."""

    def __init__(self, written: str) -> None:
        self._addresses: set[str] = set()
        self._domains: set[str] = set()
        self.unknown: list[str] = []
        for text in filter(None, (one.strip() for one in written.split(","))):
            address = mailto(text) if text.rfind("@") > 0 else None
            if address is not None:
                self._addresses.add(comparison_key(address))
            elif text.startswith("@") and _DOMAIN.fullmatch(text):
                self._domains.add(text[1:].lower())
            else:
                self.unknown.append(text)

    def __contains__(self, written: object) -> bool:
        address = mailto(str(written))
        if address is None:
            return False
        if address.rpartition("@")[2] in self._domains:
            return True
        return not self._addresses.isdisjoint(map(comparison_key, (address, untagged(address))))

    def __bool__(self) -> bool:
        return bool(self._addresses or self._domains)


def listen_of(written: str) -> tuple[str, int] | None:
    """Host and port of `host:port`; None for what is none."""
    found = _LISTEN.fullmatch(written.strip())
    if found is None or int(found[2]) > PORT_MAX:
        return None
    return found[1].strip("[]"), int(found[2])


def _check(options: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    if listen_of(options.get("listen", "")) is None:
        wrong["listen"] = "write host:port, such as 127.0.0.1:2525"
    recipients = Recipients(options.get("recipients", ""))
    if recipients.unknown or not recipients:
        wrong["recipients"] = "write addresses and @domains with commas, such as ventas@taller.mx"
    return {**wrong, **wrong_files(options)}


def _greets(options: Mapping[str, str], _secrets: Secrets, hello: bytes) -> dict[str, bool]:
    """Whether somebody listens there and greets as a mail server does; with TLS where it should."""
    place, greeted, offered = listen_of(options.get("listen", "")), False, b""
    try:
        with socket.create_connection(place or ("", 0), TRY_S_MAX) as line:
            line.settimeout(TRY_S_MAX)
            greeted = line.recv(GREETING_MAX_BYTES).startswith(b"220 ")
            line.sendall(hello + b" hilo\r\n")
            while offered.count(b"\n") < LINES_MAX and not _LAST.search(offered):
                offered += line.recv(GREETING_MAX_BYTES) or b"\n" * LINES_MAX
            line.sendall(b"QUIT\r\n")
    except OSError:
        pass
    checks = {"it is listened there (by `hilo serve`)": greeted}
    return checks | (
        {"STARTTLS is offered": b"STARTTLS" in offered} if options.get(CERTIFICATE) else {}
    )


def _module(channel: str) -> ChannelModule:
    return ChannelModule(
        channel=channel,
        title=channel.upper(),
        secrets=(),
        options=("listen", "recipients"),
        optional_options=(CERTIFICATE, KEY, "addresses", "bulk"),
        body_max_bytes=MAIL_MAX_BYTES,
        parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
        kept_headers=(ENVELOPE_HEADER,),
        is_hooked=False,
        place=lambda options: f"{channel}://{options.get('listen', '')}",
        check=_check,
        tries=partial(_greets, hello=b"LHLO" if channel == "lmtp" else b"EHLO"),
        handshake=handshake,
        verify=verify,
        parse=parse,
        sign=sign,
    )


SMTP: Final = _module("smtp")
LMTP: Final = _module("lmtp")
