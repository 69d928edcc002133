"""The fields of a form that came over HTTP, as bytes: urlencoded or multipart.

Providers put whole mails into fields, in whatever character set, so nothing is decoded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from channels.mail_mime import form_parts
from channels.mail_words import decoded, parameters

if TYPE_CHECKING:
    from channels.contract import Incoming

FIELDS_MAX: Final = 1_000
"""Fields of a form: providers send some thirty, and a file each."""

JSON_TYPE: Final = "application/json"
FORM_TYPE: Final = "application/x-www-form-urlencoded"


class Field(Struct, frozen=True):
    """One field; a file has the name that it was sent with, and its media type."""

    name: str
    value: bytes
    file_name: str | None = None
    media_type: str | None = None


class Form(Struct, frozen=True):
    """Fields in their order; of several with one name the last counts, as providers have it."""

    fields: tuple[Field, ...]

    def raw(self, name: str) -> bytes | None:
        """The bytes of a field, as they came."""
        return next((one.value for one in reversed(self.fields) if one.name == name), None)

    def text(self, name: str, charset: str | None = None) -> str | None:
        """A field as text; None where it is missing or blank."""
        raw = self.raw(name)
        found = decoded(raw, charset) if raw is not None else ""
        return found if found.strip() else None

    @property
    def files(self) -> list[Field]:
        """The fields that are files."""
        return [one for one in self.fields if one.file_name is not None]


def media_type_of(incoming: Incoming) -> str:
    """The media type of a request's body, without parameters."""
    return incoming.headers.get("content-type", "").partition(";")[0].strip().lower()


def form_of(incoming: Incoming) -> Form:
    """The form in a request's body; an empty one where there is none."""
    content_type = incoming.headers.get("content-type", "")
    if media_type_of(incoming).startswith("multipart/"):
        return Form(tuple(_of_parts(incoming.body, content_type)))
    pairs = incoming.body.split(b"&", FIELDS_MAX)[:FIELDS_MAX]
    found = (pair.partition(b"=") for pair in pairs if b"=" in pair)
    return Form(
        tuple(
            Field(_plain(name).decode("utf-8", "replace"), _plain(value))
            for name, _, value in found
        )
    )


def _plain(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))


def _of_parts(body: bytes, content_type: str) -> list[Field]:
    fields = []
    for part in form_parts(body, content_type)[:FIELDS_MAX]:
        _, given = parameters(part.raw("content-disposition") or b"")
        if "name" in given:
            media_type = part.media_type if part.raw("content-type") else None
            fields.append(Field(given["name"], part.body, given.get("filename"), media_type))
    return fields
