"""What a web form sends, in whatever way: fields by name in their order, and files.

Browsers send a form as `application/x-www-form-urlencoded`, as `multipart/form-data` where it has
files, and scripts send JSON. The body itself says which it is, the header only how it is parted.

Source: WHATWG HTML, "Form submission"; RFC 7578 (multipart/form-data).
"""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from channels.contract import Incoming
from channels.lenient import loads
from channels.pieces import FILES_MAX

FIELDS_MAX: Final = 1_000
"""Fields of one form: the longest questionnaires have some hundred, a crowd is an attack."""

NAME_MAX_CHARS: Final = 200
"""Length of a field's name that is shown; the rest stands in the original."""

_BOUNDARY: Final = re.compile(rb"--([^\r\n]{1,200})\r?\n", re.ASCII)
_MULTIPART: Final = "multipart/form-data"
_PLAIN: Final = "text/plain"


class FormFile(Struct, frozen=True):
    """A file that came with a form: what it is called, and what it is; never its bytes."""

    field: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str


class Form(Struct, frozen=True):
    """The fields of a form in their order, those that are repeated too, and its files.

    `contents` are the bytes of the files, in the same order.
    """

    fields: tuple[tuple[str, str], ...]
    files: tuple[FormFile, ...] = ()
    contents: tuple[bytes, ...] = ()


class BrokenForm(ValueError):
    """The body cannot be read; the message repeats nothing of it."""


def form_in(incoming: Incoming) -> Form:
    """The form in a body that is none of JSON. Raises BrokenForm."""
    declared = incoming.headers.get("content-type", "")
    found = _BOUNDARY.match(incoming.body)
    if declared.lower().startswith(_MULTIPART) or found is not None:
        header = declared if "boundary=" in declared else _declared(found)
        return _multipart(incoming.body, header)
    if declared.lower().startswith(_PLAIN) and b"&" not in incoming.body:
        return _limited([_pair(line) for line in incoming.body.splitlines() if b"=" in line])
    try:
        # Percent signs hide bytes of an unknown charset: they are looked at one by one.
        pairs = parse_qsl(
            incoming.body.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise BrokenForm("the form has too many fields") from None
    return _limited([(_recoded(name), _recoded(value)) for name, value in pairs])


def forms_in_json(body: bytes) -> list[tuple[object, Form | None]]:
    """Each form in a JSON body with the object that it stands in; None for what is no object.

    A list is a form each. Objects within objects are fields whose names have dots. Raises
    BrokenForm.
    """
    try:
        found = loads(body)
    except ValueError:
        raise BrokenForm("the body is neither a form nor JSON") from None
    items = found if isinstance(found, list) and found else [found]
    return [(item, _limited(_flat("", item)) if isinstance(item, dict) else None) for item in items]


def is_json(body: bytes) -> bool:
    """Whether a body is JSON, by how it begins: no form begins so."""
    return body.lstrip()[:1] in {b"{", b"["}


def text_of(raw: bytes) -> str:
    """The text of bytes: UTF-8, else Windows-1252, as old pages send it. NUL goes."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text.replace("\x00", "")


def _recoded(text: str) -> str:
    return text_of(text.encode("latin-1"))


def _limited(pairs: list[tuple[str, str]]) -> Form:
    if len(pairs) > FIELDS_MAX:
        raise BrokenForm("the form has too many fields")
    return Form(tuple(pairs))


def _pair(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b"=")
    return text_of(name), text_of(value)


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    """The fields of a JSON object; a list is a field that is repeated."""
    if isinstance(value, dict):
        if set(value) >= {"name", "value"} and isinstance(value["name"], str):
            return _flat(value["name"], value["value"])
        inner = [(f"{prefix}.{name}" if prefix else str(name), one) for name, one in value.items()]
        return [pair for name, one in inner for pair in _flat(name, one)]
    if isinstance(value, list):
        return [pair for one in value for pair in _flat(prefix, one)]
    if value is None:
        return []
    return [(prefix, value if isinstance(value, str) else json.dumps(value))]


def _declared(found: re.Match[bytes] | None) -> str:
    boundary = found[1].decode("latin-1") if found else ""
    return f'{_MULTIPART}; boundary="{boundary}"'


def _multipart(body: bytes, declared: str) -> Form:
    fields: list[tuple[str, str]] = []
    files: list[FormFile] = []
    contents: list[bytes] = []

    def on_field(field: Field) -> None:
        fields.append((text_of(field.field_name or b""), text_of(field.value or b"")))

    def on_file(file: File) -> None:
        if file.size or file.file_name:
            file.file_object.seek(0)
            contents.append(file.file_object.read())
            files.append(_file(file, contents[-1]))
        file.close()

    headers = {"Content-Type": declared.encode("latin-1", "replace")}
    try:
        parse_form(headers, BytesIO(body), on_field, on_file)
    except (FormParserError, ValueError, LookupError):
        raise BrokenForm("the parts of the form cannot be told apart") from None
    kept = slice(FILES_MAX)
    return Form(_limited(fields).fields, tuple(files[kept]), tuple(contents[kept]))


def _file(file: File, content: bytes) -> FormFile:
    return FormFile(
        field=text_of(file.field_name or b""),
        name=text_of(file.file_name or b""),
        media_type=file.content_type or "",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
