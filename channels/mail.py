"""A mail, from its bytes to commands: whatever way it came, it is one interaction.

Its key is a hash over Message-ID, Date, From and its body, without what servers add on the way:
one mail that reaches several of our mailboxes, by SMTP and by a webhook, is one; two mails that
share a Message-ID are two. Reports of machines (channels/mail_reports.py) are statuses of the
mail that they are about.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import Atom, Commands, Enclosed, Ignored, Outcome, Unreadable
from channels.mail_bytes import Span
from channels.mail_content import Content, Enclosures, content_of, enclosures_of
from channels.mail_dates import Moment, moment_of
from channels.mail_mime import Part, read_mail
from channels.mail_reply import quote_start
from channels.mail_reports import STATES, Report, message_ids, report_of
from channels.mail_sides import NAMESPACE, Own, Sides, own_of, sides_of
from channels.mail_words import header_text
from channels.pieces import FILES_MAX, ID_MAX_CHARS, fitting, short
from domain.commands import RecordInteraction, ReportDelivery
from domain.errors import HiloError
from domain.events import Attachment
from domain.recording import mail_id
from domain.values import Auto, Channel, Direction, FilePart, Origin, TimeSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.contract import Arrival
    from channels.mail_sides import Envelope

MAIL_MAX_BYTES: Final = 50 * 1024 * 1024
"""Size of a mail (contract 2.10): the large providers take 25 to 36 MB."""

ORIGINAL_MAX_BYTES: Final = 64 * 1024
"""Size of a mail that its event holds whole (design 15); of a larger one its head and hash."""

SUBJECT_MAX_CHARS: Final = 998
"""Length of a subject line (contract 2.2), and of any line of a mail (RFC 5322)."""

REFERENCES_MAX: Final = 50
"""References that are kept: the last ones; a thread is found by its first and its last."""

TAG_MIN_CHARS: Final = 8
"""What stands behind the plus of an address is a thread's mark from so many characters on."""

_KNOWN_FIELDS: Final = frozenset(
    {
        *("from", "to", "cc", "subject", "date", "message-id", "received", "sender", "reply-to"),
        *("mime-version", "content-type", "return-path", "delivered-to", "content-disposition"),
    }
)
_AUTO_FIELDS: Final = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-response-suppress",
)
_TAG: Final = re.compile(r"\+([A-Za-z0-9._=-]+)@")
_NOT_WORDS: Final = re.compile(rb"\s+")


class Mail(Struct, frozen=True):
    """A mail that was read, with what is known beside its bytes."""

    raw: bytes
    part: Part
    envelope: Envelope
    arrival: Arrival
    key: str

    def text(self, name: str) -> str:
        """A header as a line of text."""
        return header_text(self.part.raw(name), self.part.parameters.get("charset"))


def mail_atom(
    raw: bytes, envelope: Envelope, arrival: Arrival, request: Callable[[], bytes] | None = None
) -> Atom:
    """The one atom that a mail is; `request` gives the body that it came in, else its bytes."""
    source, ours, outcome = "", None, _unmailed(raw)
    if outcome is None:
        try:
            source, ours, outcome = _read(raw, envelope, arrival)
        except Exception as error:  # noqa: BLE001 - what cannot be read is kept for a person
            detail = error.detail if isinstance(error, HiloError) else type(error).__name__
            outcome = Unreadable(f"the mail cannot be read: {detail}")
    return Atom(
        number=0,
        source=source,
        outcome=outcome,
        raw=request or (lambda: raw),
        our_address=ours,
    )


def mail_key(part: Part) -> str:
    """What makes a mail one: SHA-256 over its identity and its body, as 64 hex digits.

    Line breaks and blank lines at the end differ by the way a mail came, so they do not count.
    """
    digest = hashlib.sha256()
    ids = message_ids(part.raw("message-id"))
    for value in (
        ids[0].encode("utf-8", "surrogatepass") if ids else b"",
        part.raw("date") or b"",
        part.raw("from") or b"",
    ):
        plain = _NOT_WORDS.sub(b" ", value).strip()
        digest.update(len(plain).to_bytes(4, "big") + plain)
    for chunk in part.span.lines():
        digest.update(chunk)
    return digest.hexdigest()


# ------------------------------------------------------------------------ inside


def _unmailed(raw: bytes) -> Outcome | None:
    return Ignored("empty") if Span(raw, 0, len(raw)).is_blank else None


def _read(raw: bytes, envelope: Envelope, arrival: Arrival) -> tuple[str, str | None, Outcome]:
    """The source, our address, and what the mail comes to."""
    part = read_mail(raw)
    is_mail = any(name in _KNOWN_FIELDS for name, _ in part.headers)
    if not is_mail and envelope.sender is None:
        return "", None, Unreadable("it has no header of a mail")
    mail = Mail(raw, part, envelope, arrival, mail_key(part))
    sides = sides_of(part, envelope, arrival)
    report = report_of(part, sides.writer, no_way_back=_has_no_way_back(part, envelope))
    if report is not None and report.about is not None:
        outcome: Outcome = _reported(mail, sides, report, report.about)
    elif report is not None:
        outcome = _recorded(mail, _about_whom(mail, sides, report), _AUTO_OF[report.kind])
    elif sides.is_internal:
        outcome = Ignored("internal")
    else:
        auto = _auto_of(mail, own_of(arrival, envelope))
        is_unwanted = auto is Auto.BULK and arrival.options.get("bulk") == "ignore"
        outcome = Ignored("bulk") if is_unwanted else _recorded(mail, sides, auto)
    return sides.source, sides.ours if sides.ours.startswith("mailto:") else None, outcome


def _about_whom(mail: Mail, sides: Sides, report: Report) -> Sides:
    """A report that names no mail belongs to whom it is about, where a machine of ours wrote it."""
    whom = next((told.recipient for told in report.told if told.recipient), None)
    if whom is None or not (sides.is_internal or sides.theirs.startswith("anonymous:")):
        return sides
    return sides_of(mail.part, mail.envelope, mail.arrival, about=whom)


def _recorded(mail: Mail, sides: Sides, auto: Auto | None) -> Commands:
    """A mail as an interaction. `copy`: its key says already that it is the same."""
    moment = _moment(mail)
    content = content_of(mail.part)
    ids = message_ids(mail.part.raw("message-id"))
    answered = _answered(mail)
    is_inbound = sides.direction is Direction.INBOUND
    is_past = mail.envelope.is_past
    enclosed = _with_original(mail, enclosures_of(content, mail.arrival.derive, mail.key))
    record = RecordInteraction(
        channel=Channel.EMAIL,
        direction=sides.direction,
        origin=Origin.IMPORTED if is_past else Origin.AUTOMATIC,
        source=sides.source,
        namespace=NAMESPACE,
        key=mail.key,
        external_id=ids[0] if ids else None,
        resource=sides.theirs if is_inbound else sides.ours,
        destination=sides.ours if is_inbound else sides.theirs,
        occurred_at=moment.at,
        offset_min=moment.offset_min,
        time_source=_said_by(moment, is_past=is_past),
        subject_line=short(mail.text("subject"), SUBJECT_MAX_CHARS),
        text=content.text,
        contact_name=sides.name,
        department=mail.arrival.department,
        participants=sides.participants,
        participant_count=sides.count,
        attachments=enclosed.attachments,
        thread=_thread(mail),
        message_id=ids[0] if ids else None,
        in_reply_to=answered,
        auto=auto,
        details=_details(mail, sides, content, moment),
        original=_original(mail),
    )
    return Commands((record,), copy=True, files=enclosed.files)


def _with_original(mail: Mail, enclosed: Enclosures) -> Enclosures:
    """The files, and the mail itself where it is too large for its event."""
    raw = mail.raw
    if len(raw) <= ORIGINAL_MAX_BYTES:
        return enclosed
    id_ = mail.arrival.derive.id("attachment", NAMESPACE, mail.key, "original")
    whole = Attachment(id_, "original.eml", "message/rfc822", len(raw), part=FilePart.ORIGINAL)
    return Enclosures(
        (*enclosed.attachments, whole), (*enclosed.files, Enclosed(id_, lambda: (raw,)))
    )


def _reported(mail: Mail, sides: Sides, report: Report, about: str) -> Commands:
    """What a report says, as statuses of the mail that it is about."""
    moment = _moment(mail)
    last = len(report.told) - 1
    return Commands(
        tuple(
            ReportDelivery(
                about=mail_id(mail.arrival.derive, about),
                source=sides.source,
                word=told.word,
                state=STATES.get(told.word),
                at=moment.at,
                key=f"{mail.key}:{told.recipient or number}",
                recipient=told.recipient,
                participant=told.recipient,
                code=told.code,
                message=told.message,
                original=_original(mail) if number == last else None,
            )
            for number, told in enumerate(report.told)
        ),
        copy=True,
    )


def _moment(mail: Mail) -> Moment:
    part = mail.part
    received = part.all_raw("received")
    return moment_of(part.raw("date"), received, mail.arrival.received_at, mail.envelope.kept_at)


def _said_by(moment: Moment, *, is_past: bool) -> TimeSource:
    if is_past and moment.said_by is TimeSource.PROVIDER:
        return TimeSource.IMPORT
    return moment.said_by


# ------------------------------------------------------------------------ threads


def _answered(mail: Mail) -> str | None:
    """The mail that this one answers: In-Reply-To, else the last reference."""
    named = message_ids(mail.part.raw("in-reply-to"))
    return next(iter(named or message_ids(mail.part.raw("references"))[-1:]), None)


def _thread(mail: Mail) -> str | None:
    """The first mail of the thread: a reference, else what is answered, a mark, or itself."""
    roots = message_ids(mail.part.raw("references"))[:1] or message_ids(
        mail.part.raw("in-reply-to")
    )
    if roots:
        return short(roots[0], ID_MAX_CHARS)
    mark = _TAG.search(mail.text("to"))
    if mark is not None and len(mark[1]) >= TAG_MIN_CHARS:
        return short(f"tag:{mark[1]}", ID_MAX_CHARS)
    own = message_ids(mail.part.raw("message-id"))
    return short(own[0], ID_MAX_CHARS) if own else None


# ---------------------------------------------------------------- written by a machine


_AUTO_OF: Final = {"bounce": Auto.BOUNCE, "receipt": Auto.AUTO_REPLY, "complaint": Auto.BOUNCE}


def _auto_of(mail: Mail, own: Own) -> Auto | None:
    """Why a mail counts as written by a machine, if it does."""
    part = mail.part
    submitted = part.value("auto-submitted").partition(" ")[0]
    precedence = part.value("precedence")
    if submitted not in {"", "no"} or precedence in {"auto_reply", "auto-reply"}:
        return Auto.AUTO_REPLY
    if any(part.value(name) not in {"", "no", "none"} for name in _AUTO_FIELDS):
        return Auto.AUTO_REPLY
    if precedence in {"bulk", "junk"} or part.raw("list-unsubscribe") is not None:
        return None if _is_our_list(mail, own) else Auto.BULK
    if precedence == "list" or part.raw("list-id") is not None:
        return None if _is_our_list(mail, own) else Auto.BULK
    return Auto.AUTO_REPLY if _has_no_way_back(part, mail.envelope) else None


def _has_no_way_back(part: Part, envelope: Envelope) -> bool:
    """Whether its sender wants no answer: so servers send what they report."""
    return envelope.sender == "" or (part.raw("return-path") or b"-").strip() == b"<>"


def _is_our_list(mail: Mail, own: Own) -> bool:
    """Whether it came over a list of ours: customers write to a group that shares its mail."""
    listed = mail.text("list-id").rpartition("<")[2].strip(" <>")
    posted = mail.text("list-post").partition("mailto:")[2].partition(">")[0]
    named = (f"mailto:x@{listed}", f"mailto:x@{listed.partition('.')[2]}", f"mailto:{posted}")
    return any(address in own for address in named)


# ------------------------------------------------------------------------ beside the text


def _details(mail: Mail, sides: Sides, content: Content, moment: Moment) -> bytes | None:
    """What people may want to know beside the text; the longest last, which goes where it must."""
    part, envelope = mail.part, mail.envelope
    details: dict[str, object] = {}
    quote = quote_start(content.text) if content.text else None
    answers_to = mail.text("reply-to")
    named: dict[str, object] = {
        "quote_start": quote,
        "text_made_of": content.made_of,
        "files": len(content.files) if len(content.files) > FILES_MAX else None,
        "date": mail.text("date") if moment.said_by is TimeSource.RECEIVED else None,
        "reply_to": answers_to if sides.theirs.removeprefix("mailto:") not in answers_to else None,
        "auto_submitted": mail.text("auto-submitted"),
        "list": mail.text("list-id"),
        "mailer": mail.text("x-mailer") or mail.text("user-agent"),
        "envelope_from": envelope.sender,
        "envelope_to": list(envelope.recipients[:REFERENCES_MAX]),
        "references": message_ids(part.raw("references"))[-REFERENCES_MAX:],
    }
    details.update({name: value for name, value in named.items() if value})
    return fitting(details) if details else None


def _original(mail: Mail) -> bytes:
    """The mail as it came; of a large one its head, its size and its hash."""
    if len(mail.raw) <= ORIGINAL_MAX_BYTES:
        return mail.raw
    head = mail.raw[: ORIGINAL_MAX_BYTES // 2]
    return msgspec.json.encode(
        {
            "bytes": len(mail.raw),
            "sha256": hashlib.sha256(mail.raw).hexdigest(),
            "head": head.decode("utf-8", "backslashreplace"),
        }
    )
