"""What a mail says: its text, and the files that came with it.

The text is the plain one; where there is only HTML, the text of that. Of alternatives one is
taken, of parts in a row all. Whatever is no text is a file, by name, type, size and hash; a mail
inside the mail is a file too, and its text is taken only where there is no other.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.contract import Enclosed
from channels.mail_compose import ELSEWHERE
from channels.mail_html import text_of_html
from channels.mail_safe import safe_html
from channels.mail_words import decoded, header_text, parameters
from channels.pieces import ANY_MEDIA, FILES_MAX, TEXT_MAX_CHARS, file_name
from domain.events import Attachment
from domain.values import FilePart

if TYPE_CHECKING:
    from uuid import UUID

    from channels.mail_mime import Part
    from domain.values import Deriver

TEXT_MAX_BYTES: Final = 4 * 1024 * 1024
"""How much text of one mail is decoded: 100,000 characters have at most 600 KB encoded."""

TEXTS_MAX: Final = 100
"""Texts of one mail that are read: people's have two or three, in a row or to choose from."""

MEDIA_TYPE_MAX_CHARS: Final = 100
"""Length of a media type; the longest that is registered has 76."""

CONTENT_ID_MAX_CHARS: Final = 250
"""Length of a Content-ID; mailers make some 40."""

FILES_AT: Final = "/v1/attachments/"
"""Where a kept file is had; the body's images are."""

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_NOT_READ: Final = frozenset(
    {
        *("text/calendar", "text/x-amp-html", "text/vcard"),
        *("text/x-vcard", "text/directory", "text/css"),
    }
)
"""Texts that are for machines; a calendar invitation is a file."""


class Content(Struct, frozen=True):
    """What a mail says. `made_of` is `html` where the text was made of that; `files` are all.

    `html` are the parts of its body in HTML, where it has one.
    """

    text: str | None
    made_of: str | None
    files: tuple[File, ...]
    html: tuple[str, ...] = ()


class File(Struct, frozen=True):
    """A part that is a file; `content` reads its bytes anew each time."""

    part: Part
    name: str

    def content(self) -> bytes:
        """The bytes that the sender meant."""
        return self.part.content()


class _Left:
    """How much text of a mail may still be read."""

    def __init__(self) -> None:
        self.bytes = TEXT_MAX_BYTES
        self.texts = TEXTS_MAX

    def take(self, part: Part) -> bytes:
        """The bytes of one more text, as far as they may be read."""
        self.texts -= 1
        raw = part.beginning(self.bytes) if self.texts >= 0 and self.bytes > 0 else b""
        self.bytes -= len(raw)
        return raw


class _Found:
    """Texts and files, as they are come upon."""

    def __init__(self, left: _Left) -> None:
        self.left = left
        self.texts: list[str] = []
        self.files: list[Part] = []
        self.html: list[str] = []
        self.has_html = False


def content_of(mail: Part) -> Content:
    """The text and the files of a mail."""
    left = _Left()
    found = _Found(left)
    _read(mail, found, root=True)
    if not found.texts:
        inner = next((part for part in mail.walk() if _is_mail(part) and part.parts), None)
        if inner is not None:
            of_inner = _Found(left)
            _read(inner.parts[0], of_inner, root=True)
            found.texts, found.has_html = of_inner.texts, of_inner.has_html
            found.html = of_inner.html
    text = "\n\n".join(found.texts)[:TEXT_MAX_CHARS].strip("\n").rstrip()
    files = tuple(
        File(part, _name(part, number)) for number, part in enumerate(found.files, start=1)
    )
    made_of = "html" if found.has_html and text else None
    return Content(text or None, made_of, files, tuple(found.html))


class Enclosures(Struct, frozen=True):
    """The files of a mail: what its record says of them, and their bytes."""

    attachments: tuple[Attachment, ...]
    files: tuple[Enclosed, ...]


def enclosures_of(content: Content, derive: Deriver, key: str) -> Enclosures:
    """The first 50 files of a mail, and its body in HTML, made safe.

    Ids follow from the mail's key and the place of a file.
    """
    kept = content.files[:FILES_MAX]
    ids = [derive.id("attachment", "email", key, str(number)) for number in range(len(kept))]
    attachments = [_attachment(file, id_) for file, id_ in zip(kept, ids, strict=True)]
    pairs = zip(kept, ids, strict=True)
    files = [Enclosed(id_, file.part.chunks) for file, id_ in pairs if not _is_elsewhere(file)]
    if content.html:
        id_ = derive.id("attachment", "email", key, "html")
        images = {one.content_id: f"{FILES_AT}{one.id}" for one in attachments if one.content_id}
        document = safe_html(content.html, images)
        if document is not None:
            attachments.append(Attachment(id_, "message.html", "text/html", part=FilePart.HTML))
            files.append(Enclosed(id_, lambda: (document,)))
    return Enclosures(tuple(attachments), tuple(files))


def _is_elsewhere(file: File) -> bool:
    """Whether a provider told of a file, and kept its bytes to itself."""
    return file.part.raw(ELSEWHERE.lower()) is not None and file.part.is_blank


def _attachment(file: File, id: UUID) -> Attachment:
    media_type = file.part.media_type[:MEDIA_TYPE_MAX_CHARS] or ANY_MEDIA
    if _is_elsewhere(file):
        return Attachment(id, file.name, media_type)
    size, digest = 0, hashlib.sha256()
    for chunk in file.part.chunks():
        size += len(chunk)
        digest.update(chunk)
    called = file.part.raw("content-id")
    content_id = called.strip().strip(b"<>").decode("utf-8", "replace") if called else ""
    return Attachment(
        id=id,
        name=file.name,
        media_type=media_type,
        size_bytes=size,
        sha256=digest.hexdigest(),
        content_id=content_id[:CONTENT_ID_MAX_CHARS] or None,
    )


# ------------------------------------------------------------------------ inside


def _read(part: Part, found: _Found, *, root: bool = False) -> None:
    """Take a part's texts and files."""
    if part.is_multipart and part.parts:  # without any, it lies too deep and is a file
        if part.media_type == "multipart/alternative":
            _read_one(part, found)
            return
        for number, inner in enumerate(part.parts):
            _read(inner, found, root=root and number == 0)
    elif _is_text(part, root=root):
        raw = found.left.take(part)
        if part.media_type in _HTML:
            found.html.append(decoded(raw, part.parameters.get("charset")))
        if text := _text(part, raw):
            found.texts.append(text)
            found.has_html |= part.media_type in _HTML
    elif not part.is_blank or part.parts or _given_name(part):
        found.files.append(part)


def _read_one(part: Part, found: _Found) -> None:
    """Of alternatives, the plain text where there is one, else the last that says anything."""
    tried = []
    for inner in part.parts:
        one = _Found(found.left)
        _read(inner, one, root=True)
        tried.append(one)
        found.files += one.files
    found.html += next((one.html for one in reversed(tried) if one.html), [])
    speaking = [one for one in tried if one.texts]
    chosen = next((one for one in speaking if not one.has_html), speaking[-1] if speaking else None)
    if chosen is not None:
        found.texts += chosen.texts
        found.has_html |= chosen.has_html


def _is_text(part: Part, *, root: bool) -> bool:
    """Whether a part is to be read, and not a file of its own."""
    if not (part.media_type.startswith("text/") or part.media_type in _HTML):
        return False
    disposition = part.value("content-disposition")
    if part.media_type in _NOT_READ or disposition == "attachment":
        return False
    return (root and disposition != "inline") or not _given_name(part)


def _text(part: Part, raw: bytes) -> str:
    text = decoded(raw, part.parameters.get("charset"))
    if part.media_type in _HTML:
        return text_of_html(text, TEXT_MAX_CHARS)
    if part.parameters.get("format", "").lower() == "flowed":
        text = _reflowed(text)
    return text.strip("\n").rstrip()


def _reflowed(text: str) -> str:
    """Lines that the mailer broke, joined again (RFC 3676)."""
    pieces: list[str] = []
    flows = False
    for number, line in enumerate(text.split("\n")):
        if flows and not line.startswith(">"):
            pieces.append(line.removeprefix(" "))
        else:
            pieces.append(f"\n{line}" if number else line)
        flows = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "".join(pieces)


def _is_mail(part: Part) -> bool:
    return part.media_type in {"message/rfc822", "message/global", "message/news"}


def _given_name(part: Part) -> str:
    """The name that the sender gave a file, without the folders before it."""
    disposition = part.raw("content-disposition")
    from_disposition = parameters(disposition)[1].get("filename", "") if disposition else ""
    name = from_disposition or part.parameters.get("name", "")
    base = name.replace("\\", "/").rpartition("/")[2]
    return " ".join("".join(char if char.isprintable() else " " for char in base).split())


def _name(part: Part, number: int) -> str:
    given = _given_name(part)
    if not given and _is_mail(part) and part.parts:
        subject = header_text(part.parts[0].raw("subject"))[:100].replace("/", "-")
        given = f"{subject}.eml" if subject else ""
    return file_name(given or None, f"file-{number}", part.media_type)
