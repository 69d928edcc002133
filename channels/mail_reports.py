"""What machines report of our mails: bounces, delays, receipts, complaints.

Each becomes a status of the mail that it is about, known by its Message-ID, whether that is in
the ledger or not. A report that names no mail is none, and stays a mail written by a machine.

Sources: RFC 3464 (delivery), RFC 8098 (receipts), RFC 5965 (complaints), and what servers that
follow none of them write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.mail_addresses import mailto
from channels.mail_mime import fields_of
from channels.mail_words import bare_text, header_text
from domain.addresses import comparison_key
from domain.ports import MAX_UNIT_EVENTS
from domain.values import DeliveryState

if TYPE_CHECKING:
    from channels.mail_mime import Part

ID_MAX_CHARS: Final = 512
"""Length of a Message-ID that is kept (contract 2.2)."""

MESSAGE_MAX_CHARS: Final = 500
"""How much is kept of what a server says; some repeat the whole mail."""

SEARCHED_MAX_BYTES: Final = 64 * 1024
"""How much of a bounce's text is searched for the mail that came back."""

BLOCKS_MAX: Final = 2_000
"""Recipients of a report that are looked at, to find those that failed."""

REPORT_MAX_BYTES: Final = 1024 * 1024
"""How much of a report is read: of thousands of recipients eight are kept, failures first."""

OUTLOOK_REPORTER: Final = "mailto:staff@hotmail.com"
"""Who sends the complaints of Outlook.com, in a form of its own."""

_MARKED_BY: Final = "x-hmxmroriginalrecipient"

STATES: Final = {
    "displayed": DeliveryState.READ,
    "relayed": DeliveryState.SENT,
    "expanded": DeliveryState.SENT,
    "delayed": DeliveryState.QUEUED,
}
"""What reports call otherwise than a status; other words are kept as they are."""

_ID: Final = re.compile(r"<\s*([^<>\s]{1,512})\s*>")
_ID_LINE: Final = re.compile(
    rb"^[ \t>]*Message-I[dD]:\s*(<[^<>\s]{1,512}>)", re.MULTILINE | re.IGNORECASE
)
_ID_TOLD: Final = re.compile(
    r"message-?id (?:of )?<?([^\s<>@]{3,512}@[^\s<>]{1,255})>?", re.IGNORECASE
)
_BOUNCED: Final = re.compile(
    r"undeliver|delivery (?:status|fail|problem|has failed)|returned mail|mail delivery|bounce"
    r"|failure notice|non remis|no entregad|no se (?:pudo|ha podido) entregar|devuelto|unzustellbar"
    r"|could not send|mancata consegna|não (?:foi )?entregue|failure delivery|mail failed"
    r"|delayed mail|being retried|配信できません|配信不能|送信できません|エラー通知",
    re.IGNORECASE,
)
_DAEMON: Final = re.compile(r"\bmail(?:er)?-daemon\b", re.IGNORECASE)
_MACHINE: Final = re.compile(
    r"\bmail(?:er)?-daemon\b|\bpost_?master\b|\bmail[. -]delivery[. -](?:sub)?system\b",
    re.IGNORECASE,
)
_FAILED_AT: Final = re.compile(r"<?([^\s<>:,;@\"']{1,128}@[^\s<>:,;\"']{1,255})>?:", re.ASCII)
_BETWEEN_BLOCKS: Final = re.compile(rb"\r?\n[ \t]*\r?\n")
_CODE: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


class Told(Struct, frozen=True):
    """One thing that a report says: a word, of which recipient, with which code and message."""

    word: str
    recipient: str | None = None
    code: str | None = None
    message: str | None = None


class Report(Struct, frozen=True):
    """A report: its kind (`bounce`, `receipt`, `complaint`), the mail it is about, what it says."""

    kind: str
    about: str | None
    told: tuple[Told, ...]


def message_ids(raw: bytes | None) -> list[str]:
    """The Message-IDs in a header, without their brackets; a bare word counts where none has."""
    text = bare_text(raw or b"").replace("\x00", "")
    found = _ID.findall(text)
    bare = [] if found else text.split()
    words = found or [word for word in bare if "@" in word or len(bare) == 1]
    return [word.strip("<>")[:ID_MAX_CHARS] for word in words if word.strip("<>")]


def report_of(mail: Part, writer: str | None, *, no_way_back: bool) -> Report | None:
    """What a machine reports, where the mail is a report.

    `writer` is its sender's address; `no_way_back`: it was sent so that nobody can answer.
    """
    for part in mail.walk():
        match part.media_type:
            case "message/delivery-status" | "message/global-delivery-status":
                return Report("bounce", _about(mail), _deliveries(part, mail))
            case "message/disposition-notification" | "message/global-disposition-notification":
                return _receipt(part, mail)
            case "message/feedback-report":
                return _complaint(part, mail)
            case "message/rfc822" if part is not mail:
                if _is_marked_back(part, writer):
                    return Report("complaint", _about(mail), (_marked_back(part),))
                break  # what lies inside a forwarded mail is no report to us
    return _informal(mail, no_way_back=no_way_back)


def is_daemon(mail: Part) -> bool:
    """Whether a mail server wrote it, by the name under which none of them is answered."""
    return _DAEMON.search(header_text(mail.raw("from"))) is not None


# ------------------------------------------------------------------------ inside


def _blocks(part: Part) -> Iterator[dict[str, str]]:
    """The blocks of fields that a report is made of."""
    raw = part.beginning(REPORT_MAX_BYTES).strip()
    for block in _BETWEEN_BLOCKS.split(raw, BLOCKS_MAX)[:BLOCKS_MAX]:
        fields = {name: header_text(value) for name, value in fields_of(block + b"\n")}
        if fields:
            yield fields


def _deliveries(part: Part, mail: Part) -> tuple[Told, ...]:
    """What became of each recipient; those whom it failed to reach first, one unit's worth."""
    found = []
    for fields in _blocks(part):
        named = fields.get("final-recipient") or fields.get("original-recipient")
        if named is None and "action" not in fields:
            continue
        word = fields.get("action", "failed").partition(" ")[0].lower()
        said = fields.get("diagnostic-code") or fields.get("status", "")
        code = _CODE.search(fields.get("status", "")) or _CODE.search(said)
        message = said.partition(";")[2].strip() or said
        found.append(
            Told(
                word,
                _recipient(fields.get("original-recipient")) or _recipient(named),
                code[1] if code else None,
                message[:MESSAGE_MAX_CHARS] or None,
            )
        )
    found.sort(key=lambda told: told.word != "failed")
    return _once_each(found)[:MAX_UNIT_EVENTS] or _failed(mail)


def _once_each(found: list[Told]) -> tuple[Told, ...]:
    """What is told of each recipient first; some servers name one twice."""
    first: dict[object, Told] = {}
    for number, told in enumerate(found):
        first.setdefault(comparison_key(told.recipient) if told.recipient else number, told)
    return tuple(first.values())


def _receipt(part: Part, mail: Part) -> Report:
    fields = next(_blocks(part), {})
    how = fields.get("disposition", "displayed").rpartition(";")[2].strip().lower()
    word = how.partition("/")[0].strip() or "displayed"
    about = message_ids(fields.get("original-message-id", "").encode())
    told = Told(
        word,
        _recipient(fields.get("original-recipient")) or _recipient(fields.get("final-recipient")),
    )
    return Report("receipt", next(iter(about), None) or _about(mail), (told,))


def _complaint(part: Part, mail: Part) -> Report:
    fields: dict[str, str] = {}
    for block in _blocks(part):
        fields = {**block, **fields}
    kind = fields.get("feedback-type", "abuse").lower()
    named = fields.get("original-rcpt-to") or fields.get("removal-recipient")
    word = "complained" if kind in {"abuse", "fraud", "virus", "other", ""} else kind
    return Report("complaint", _about(mail), (Told(word, _recipient(named), message=kind),))


def _is_marked_back(part: Part, writer: str | None) -> bool:
    """Whether Outlook.com sends back what somebody marked as junk, without a report's fields."""
    is_theirs = writer == OUTLOOK_REPORTER and bool(part.parts)
    return is_theirs and part.parts[0].raw(_MARKED_BY) is not None


def _marked_back(part: Part) -> Told:
    whom = mailto(header_text(part.parts[0].raw(_MARKED_BY)))
    return Told("complained", whom, message="abuse")


def _informal(mail: Part, *, no_way_back: bool) -> Report | None:
    """A bounce in words alone, from a server or with no way back."""
    if mail.media_type == "multipart/report" and _reports_delivery(mail):
        return Report("bounce", _about(mail), _failed(mail))
    is_machine = no_way_back or _MACHINE.search(header_text(mail.raw("from"))) is not None
    told = header_text(mail.raw("subject"))
    if mail.raw("x-failed-recipients") is None and not (is_machine and _BOUNCED.search(told)):
        return None
    return Report("bounce", _about(mail), _failed(mail))


def _reports_delivery(mail: Part) -> bool:
    """Whether a report is about deliveries, as far as it says; its fields may have been lost."""
    return mail.parameters.get("report-type", "delivery-status").lower() == "delivery-status"


def _failed(mail: Part) -> tuple[Told, ...]:
    """Whom a bounce in words names as not reached."""
    text = _first_text(mail)
    named = header_text(mail.raw("x-failed-recipients")).replace(",", " ").split()
    if not named and (found := _FAILED_AT.search(text)):
        named = [found[1]]
    code = _CODE.search(text)
    shown = code[1] if code else None
    word = "delayed" if shown is not None and shown.startswith("4") else "failed"
    addresses = [address for one in named if (address := mailto(one))]
    told = [Told(word, one, shown) for one in addresses]
    return _once_each(told)[:MAX_UNIT_EVENTS] or (Told(word, None, shown),)


def _about(mail: Part) -> str | None:
    """The Message-ID of the mail that a report is about: out of what came back, else its thread."""
    for part in mail.walk():
        if part is mail:
            continue
        if part.media_type in {"text/rfc822-headers", "message/rfc822-headers"}:
            headers = dict(reversed(fields_of(part.beginning(REPORT_MAX_BYTES).lstrip())))
            found = message_ids(headers.get("message-id"))
        elif part.media_type in {"message/rfc822", "message/global"} and part.parts:
            found = message_ids(part.parts[0].raw("message-id"))
        else:
            continue
        if found:
            return found[0]
    for part in mail.walk():
        if not part.parts and (line := _ID_LINE.search(part.beginning(SEARCHED_MAX_BYTES))):
            return message_ids(line[1])[0]
    told = _ID_TOLD.search(_first_text(mail))
    if told is not None:
        return told[1].rstrip(".")[:ID_MAX_CHARS]
    threads = (*message_ids(mail.raw("in-reply-to")), *message_ids(mail.raw("references"))[-1:])
    return next(iter(threads), None)


def _first_text(mail: Part) -> str:
    part = next((one for one in mail.walk() if one.media_type.startswith("text/")), None)
    return bare_text(part.beginning(SEARCHED_MAX_BYTES)) if part is not None else ""


def _recipient(field: str | None) -> str | None:
    """The address of a recipient's field: `rfc822; <ana@example.mx>`."""
    return mailto(field.rpartition(";")[2]) if field else None
