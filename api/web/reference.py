"""`/docs`: the document of the API as a page of our own, so that it loads nothing from elsewhere.

It shows what `/openapi.json` says: every call with its body and its answers, every shape with
its fields. In English, as the interface is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from markupsafe import Markup, escape
from msgspec import Struct

from api.web.addresses import Pages
from api.web.making import Shown, maker_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

router = Pages()

_REF: Final = "#/components/schemas/"
_CODE: Final = re.compile(r"`([^`]+)`")

_LIMITS: Final = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "like {}",
}
"""How a schema's limits are said."""


class Call(Struct, frozen=True):
    """One call, as the page shows it; `takes` and `gives` name shapes."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    takes: tuple[str, ...]
    gives: tuple[tuple[str, str, str | None], ...]


class Field(Struct, frozen=True):
    """One field of a shape; `kind` is markup, with links to other shapes."""

    name: str
    kind: Markup
    required: bool
    limits: str


class Described(Struct, frozen=True):
    """A shape with its fields, or the values that it may have."""

    name: str
    text: str
    fields: tuple[Field, ...]
    values: tuple[str, ...]


@router.get("/docs")
async def reference(request: Request) -> Response:
    """Every call of the HTTP interface."""
    document: dict[str, Any] = request.app.openapi()
    shown = {
        "version": document["info"]["version"],
        "calls": list(calls(document)),
        "shapes": [described(name, of) for name, of in _schemas(document).items()],
        "spans": spans,
    }
    return maker_of(request).page(request, Shown("reference.html", shown))


def calls(document: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of the document, in its order."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield Call(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation.get("summary", ""),
                text=operation.get("description", ""),
                takes=tuple(_named(operation.get("requestBody", {}))),
                gives=tuple(
                    (status, answer["description"], next(_named(answer), None))
                    for status, answer in operation["responses"].items()
                ),
            )


def described(name: str, schema: Mapping[str, Any]) -> Described:
    """A schema as the page shows it."""
    required = frozenset(schema.get("required", ()))
    fields = tuple(
        Field(field, kind_of(of), field in required, limits_of(of))
        for field, of in schema.get("properties", {}).items()
    )
    values = tuple(str(value) for value in schema.get("enum", ()))
    return Described(name, schema.get("description", ""), fields, values)


def kind_of(schema: Mapping[str, Any]) -> Markup:
    """What a field holds, in words, with links to shapes."""
    if "$ref" in schema:
        return _link(schema["$ref"].removeprefix(_REF))
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return Markup(" or ").join(kind_of(one) for one in schema[union])
    if "enum" in schema:
        return Markup(" · ").join(Markup("<code>{}</code>").format(one) for one in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        items = schema.get("items") or {}
        return Markup("list of {}").format(kind_of(items) if items else "anything")
    if "format" in schema:
        return escape(f"{kind} ({schema['format']})")
    return escape(kind)


def limits_of(schema: Mapping[str, Any]) -> str:
    """A field's limits, in words."""
    for one in schema.get("anyOf", (schema,)):
        said = [words.format(one[name]) for name, words in _LIMITS.items() if name in one]
        if said:
            return ", ".join(said)
    return ""


def spans(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _named(part: Mapping[str, Any]) -> Iterator[str]:
    """The shapes that a body or an answer names."""
    for content in part.get("content", {}).values():
        reference = content.get("schema", {}).get("$ref")
        if reference:
            yield reference.removeprefix(_REF)


def _schemas(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return dict(sorted(document.get("components", {}).get("schemas", {}).items()))


def _link(name: str) -> Markup:
    return Markup('<a href="#shape-{0}">{0}</a>').format(name)
