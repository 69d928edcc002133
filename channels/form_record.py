"""From the answers of a form to an interaction: who it is from, what it says, whence they came.

Whoever fills in a form types who they are, so nothing here is proved: the phone is the
counterpart, else the e-mail address; the others are aliases that people may link, and nobody
else. A form that names nobody is from an address of its own, so that it can be linked later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from channels.form_fields import NAME_MAX_CHARS as LABEL_MAX_CHARS
from channels.form_words import CLICK_IDS, About
from channels.lenient import Unfit
from channels.pieces import (
    ANY_MEDIA,
    FILES_MAX,
    ID_MAX_CHARS,
    TEXT_MAX_CHARS,
    address_or_none,
    file_name,
    fitting,
    one_line,
)
from domain.commands import Alias, RecordInteraction
from domain.events import Attachment
from domain.phones import region_of
from domain.values import Auto, Channel, Direction, Origin, TimeSource

if TYPE_CHECKING:
    from channels.contract import Arrival

ALIASES_MAX: Final = 8
"""Aliases of one interaction (contract 2.2)."""

SUBJECT_MAX_CHARS: Final = 998
"""Length of a subject (contract 2.2)."""

DETAIL_MAX_CHARS: Final = 500
"""Length of a detail: addresses of pages with all that advertisers add to them."""

CONSENTS_MAX: Final = 20
"""Consents that are told one by one; a form has two or three."""

FORM_ID_MAX_CHARS: Final = 100
"""Length of a form's id; one that is longer is cut."""

NO_FORM: Final = "main"
"""The form of a connection whose requests name none."""

_CAMPAIGN: Final = "utm_campaign"


class Answer(Struct, frozen=True):
    """One answer: what was asked, what was said, and what it is about."""

    label: str
    value: str
    about: About = About.ANSWER


class File(Struct, frozen=True):
    """A file that came with a form, or an address under which it is."""

    name: str
    media_type: str = ""
    size_bytes: int | None = None
    sha256: str | None = None
    url: str | None = None


class Submission(Struct, frozen=True, kw_only=True):
    """A form that was sent off. Without `id` what it says is its key, within a minute.

    `suspected` says why it may come from a machine; `original` is the sender's own object.
    """

    form: str | None
    id: str | None
    answers: Sequence[Answer]
    original: object
    at: int
    time_source: TimeSource
    title: str | None = None
    files: Sequence[File] = ()
    details: Mapping[str, object] = {}
    suspected: Sequence[str] = ()


def source_of(arrival: Arrival) -> str:
    """The source of what comes through a connection: `form:web`."""
    channel, _, name = arrival.connection.partition("/")
    return f"{channel}:{name}"


def form_address(arrival: Arrival, form: str | None) -> str:
    """Our side: `form:<connection>/<form id>`."""
    name = arrival.connection.rpartition("/")[2]
    wanted = form or arrival.options.get("form_id") or NO_FORM
    plain = one_line(wanted, FORM_ID_MAX_CHARS) or NO_FORM
    return address_or_none(f"form:{name}/{plain}", None) or f"form:{name}/{NO_FORM}"


def recorded(sent: Submission, arrival: Arrival) -> RecordInteraction:
    """The interaction of a form. Raises Unfit."""
    source, key = source_of(arrival), key_of(sent, arrival)
    called = _called(sent.answers)
    found = _addresses(sent.answers, arrival)
    who, others = (found[0], found[1:]) if found else (_nobody(source, key), [])
    if sent.suspected:
        who, others = f"anonymous:{source}", []
    return RecordInteraction(
        channel=Channel.FORM,
        direction=Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=source,
        namespace=source,
        key=key,
        external_id=sent.id if sent.id == key else None,
        resource=who,
        destination=form_address(arrival, sent.form),
        occurred_at=sent.at,
        time_source=sent.time_source,
        subject_line=_said(sent.answers, About.SUBJECT, SUBJECT_MAX_CHARS)
        or one_line(sent.title, SUBJECT_MAX_CHARS),
        text=_text(sent, arrival),
        contact_name=None if sent.suspected else called,
        department=arrival.department,
        campaign=one_line(_campaign(sent)),
        aliases=tuple(Alias(address) for address in others[:ALIASES_MAX]),
        attachments=_attachments(sent, arrival, key),
        auto=Auto.BULK if sent.suspected else None,
        details=fitting(_details(sent)),
        original=msgspec.json.encode(sent.original),
    )


def key_of(sent: Submission, arrival: Arrival) -> str:
    """What makes a form unique: its id, else what it says, within the minute that it came."""
    if sent.id is not None and 0 < len(sent.id) <= ID_MAX_CHARS:
        return sent.id
    passing = {About.ELAPSED, About.MACHINERY}
    lasting = [one for one in sent.answers if one.about not in passing]
    said = sorted((one.label, one.value.strip()) for one in lasting)
    files = [[file.name, file.sha256] for file in sent.files]
    minute = arrival.received_at // 60_000_000
    plain = msgspec.json.encode([sent.form, sent.id, said, files, minute])
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


# ------------------------------------------------------------------------- who, and what


def _nobody(source: str, key: str) -> str:
    found = address_or_none(f"sender:{source}/{key[:200]}", None)
    if found is None:
        raise Unfit("the form's id cannot be kept")
    return found


def _addresses(answers: Sequence[Answer], arrival: Arrival) -> list[str]:
    """The phones, then the e-mail addresses, each once."""
    country = _country(arrival)
    found = {_phone(one, country): None for one in answers if one.about is About.PHONE}
    found |= {_mail(one): None for one in answers if one.about is About.MAIL}
    return [address for address in found if address is not None]


def _country(arrival: Arrival) -> str | None:
    """The country of phones without one; an option of old that names none counts as missing."""
    return region_of(arrival.options.get("country", "")) or arrival.reading.country


def _phone(one: Answer, country: str | None) -> str | None:
    return address_or_none(f"tel:{one.value}", country) if one.value.strip() else None


def _mail(one: Answer) -> str | None:
    return address_or_none(f"mailto:{one.value}", None) if "@" in one.value else None


def _called(answers: Sequence[Answer]) -> str | None:
    whole = _said(answers, About.NAME)
    parts = [_said(answers, About.FIRST_NAME), _said(answers, About.LAST_NAME)]
    if whole and parts[1] and not parts[0]:
        return one_line(f"{whole} {parts[1]}")
    return whole or one_line(" ".join(part for part in parts if part))


def _said(answers: Sequence[Answer], about: About, most: int = 200) -> str | None:
    """The first answer of a kind that is not blank, on one line."""
    told = (one_line(one.value, most) for one in answers if one.about is about)
    return next((text for text in told if text), None)


def _text(sent: Submission, arrival: Arrival) -> str | None:
    """The message, then a line for each other answer; nothing that was typed is left out.

    A phone or e-mail address that is none stands there too. What says nothing but who they are
    is told as that.
    """
    messages = [_lines(one.value) for one in sent.answers if one.about is About.MESSAGE]
    shown = [one for one in sent.answers if _is_shown(one, sent, arrival)]
    text = "\n\n".join((*(m for m in messages if m), *_block(shown)))
    if not text:
        text = "\n".join(_block([one for one in sent.answers if one.about in _WHO]))
    return text[:TEXT_MAX_CHARS] or None


_WHO: Final = frozenset(
    {About.MAIL, About.PHONE, About.NAME, About.FIRST_NAME, About.LAST_NAME, About.SUBJECT}
)


def _is_shown(one: Answer, sent: Submission, arrival: Arrival) -> bool:
    if one.about is About.ANSWER:
        return True
    if one.about not in _WHO:
        return False
    if sent.suspected:  # nobody's name or address is taken from it
        return one.about is not About.SUBJECT
    if one.about is About.PHONE:
        country = _country(arrival)
        return _phone(one, country) is None
    return one.about is About.MAIL and _mail(one) is None


def _block(answers: Sequence[Answer]) -> list[str]:
    """One line for each label, its answers joined, as one piece; nothing where there is none."""
    lines: dict[str, list[str]] = {}
    for one in answers:
        if one.value.strip():
            lines.setdefault(one.label, []).append(_lines(one.value))
    told = [f"{label[:LABEL_MAX_CHARS]}: {', '.join(said)}" for label, said in lines.items()]
    return ["\n".join(told)] if told else []


def _lines(text: str) -> str:
    """What was typed, with the line ends of text instead of those of forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _attachments(sent: Submission, arrival: Arrival, key: str) -> tuple[Attachment, ...]:
    source = source_of(arrival)
    return tuple(
        Attachment(
            id=arrival.derive.id("attachment", source, key, str(number)),
            name=file_name(one_line(file.name), "file", file.media_type),
            media_type=one_line(file.media_type.lower()) or ANY_MEDIA,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            url=file.url,
        )
        for number, file in enumerate(sent.files[:FILES_MAX])
    )


# ------------------------------------------------------------------------------ whence


def _pairs(sent: Submission, about: About) -> dict[str, str]:
    """The fields of a kind that are not blank, by their plain names."""
    found: dict[str, str] = {}
    for one in sent.answers:
        text = one_line(one.value, DETAIL_MAX_CHARS)
        if one.about is about and text:
            found.setdefault(one.label.lower().replace(".", "_")[:LABEL_MAX_CHARS], text)
    return found


def _arrived(sent: Submission) -> dict[str, str]:
    """Utm parameters and click ids: of the form's own fields, else of the page's address."""
    found = {**_pairs(sent, About.UTM), **_pairs(sent, About.CLICK)}
    for page in (*_pairs(sent, About.PAGE).values(), str(sent.details.get("referer", ""))):
        for name, value in _query(page):
            if (name.startswith("utm_") or name in CLICK_IDS) and value.strip():
                found.setdefault(name[:LABEL_MAX_CHARS], value[:DETAIL_MAX_CHARS])
    return found


def _query(page: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(page).query, max_num_fields=100)
    except ValueError:
        return []


def _campaign(sent: Submission) -> str | None:
    return _arrived(sent).get(_CAMPAIGN)


def _details(sent: Submission) -> dict[str, object]:
    """The details in the order in which they matter: what does not fit goes from the end."""
    arrived = _arrived(sent)
    consents = dict(list(_pairs(sent, About.CONSENT).items())[:CONSENTS_MAX])
    told: dict[str, object] = {
        "suspected_spam": list(sent.suspected),
        "consent": consents,
        "click_ids": {name: id_ for name, id_ in arrived.items() if name in CLICK_IDS},
        "utm": {n.removeprefix("utm_"): v for n, v in arrived.items() if n not in CLICK_IDS},
        **sent.details,
        "page": _pairs(sent, About.PAGE),
    }
    return {name: value for name, value in told.items() if value}
