"""IMAP: a mailbox that Hilo reads by itself, and leaves as it was.

Mail is fetched without being marked as read, from one folder and, where it is named, from the
folder of what was sent. What lay there before the connection was made is the past: it is taken
in as imported and notifies nobody, or left out (`past=skip`).

Source: RFC 3501 (IMAP), RFC 2177 (IDLE).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from channels.contract import ChannelModule, Secrets
from channels.mail import MAIL_MAX_BYTES
from channels.mail_arrival import (
    ENVELOPE_HEADER,
    MAIL_PARSED_HERE_MAX_BYTES,
    handshake,
    parse,
    sign,
    verify,
)

FOLDER: Final = "INBOX"
"""The folder that every mailbox has."""

PORTS: Final = {"yes": 993, "starttls": 143, "no": 143}
"""How the line may be encrypted, and the port that goes with it."""

INTERVAL_S: Final = 60
"""How often a mailbox is looked at where the server does not tell, and all folders anyway."""

INTERVAL_MAX_S: Final = 20 * 60
"""And how rarely: servers hang up after half an hour without a word."""

PORT_MAX: Final = 65_535
"""The greatest port number there is."""


class Account(Struct, frozen=True, kw_only=True):
    """A mailbox as its connection names it; `sent` is the folder of what was sent, if any."""

    host: str
    port: int
    tls: str
    user: str
    folder: str = FOLDER
    sent: str = ""
    interval_s: int = INTERVAL_S
    takes_past: bool = True


def account_of(options: Mapping[str, str]) -> Account:
    """The mailbox of checked options."""
    tls = options.get("tls") or "yes"
    return Account(
        host=options["host"],
        port=int(options.get("port") or PORTS[tls]),
        tls=tls,
        user=options["user"],
        folder=options.get("folder") or FOLDER,
        sent=options.get("sent", ""),
        interval_s=int(options.get("interval") or INTERVAL_S),
        takes_past=options.get("past") != "skip",
    )


def _check(options: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    for name, most in (("port", PORT_MAX), ("interval", INTERVAL_MAX_S)):
        text = options.get(name) or "1"
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            wrong[name] = f"write a number from 1 to {most}"
    for name, words in (("tls", tuple(PORTS)), ("past", ("import", "skip"))):
        if (options.get(name) or words[0]) not in words:
            wrong[name] = f"write one of {', '.join(words)}"
    if any(char in options.get("host", "") for char in "/@ :"):
        wrong["host"] = "write the name of a mail server, such as imap.example.mx"
    return wrong


def _place(options: Mapping[str, str]) -> str:
    scheme = "imap" if options.get("tls") in {"no", "starttls"} else "imaps"
    place = f"{options.get('host', '')}:{options['port']}" if options.get("port") else ""
    folder = options.get("folder") or FOLDER
    return f"{scheme}://{options.get('user', '')}@{place or options.get('host', '')}/{folder}"


def _signs_in(options: Mapping[str, str], secrets: Secrets) -> dict[str, bool]:
    """Whether the mailbox can be opened; nothing in it is touched."""
    from channels.imap_mailbox import MailboxTrouble, opened  # noqa: PLC0415 - few need it

    try:
        with opened(account_of(options), secrets["password"][0]) as mailbox:
            checks = {"signed in": True}
            for folder in filter(None, (mailbox.account.folder, mailbox.account.sent)):
                checks[f"folder {folder}"] = mailbox.has(folder)
    except MailboxTrouble as trouble:
        return {f"signed in: {trouble}": False}
    return checks


IMAP: Final = ChannelModule(
    channel="imap",
    title="IMAP",
    secrets=("password",),
    options=("host", "user"),
    optional_options=(
        *("port", "tls", "folder", "sent", "interval", "past"),
        *("addresses", "bulk"),
    ),
    body_max_bytes=MAIL_MAX_BYTES,
    parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
    kept_headers=(ENVELOPE_HEADER,),
    is_hooked=False,
    place=_place,
    check=_check,
    tries=_signs_in,
    handshake=handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
