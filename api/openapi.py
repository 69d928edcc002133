"""What /openapi.json says of bodies that msgspec reads: FastAPI does not see inside them.

An endpoint names its Struct (`openapi_extra=body_of(…)`) and what it answers; the schemas
themselves are put into the document once, when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi
from msgspec import Struct

from api.problems import MEDIA_TYPE
from projections.shapes import TwinView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

_REF: Final = "#/components/schemas/{name}"

_MEANINGS: Final = {
    200: "It stood there already, or was changed",
    201: "Written, durably",
    202: "Taken, durably; what it is about is not there yet",
}


class AppendAnswer(Struct):
    """What became of an append. `id` is the interaction's number; `contact` whose it is."""

    id: int
    interaction: str
    contact: str
    duplicate: bool
    erased: bool
    twins: list[TwinView]


class StatusAnswer(Struct):
    """What became of a report: the interaction (`id` null while it is not there), its place."""

    id: int | None
    interaction: str
    position: int
    duplicate: bool


class FieldProblem(Struct):
    """A field that needs attention."""

    field: str
    code: str
    message: str


class ProblemDocument(Struct):
    """A refusal (RFC 9457); `errors` only where the request is not valid."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FieldProblem] = msgspec.field(default_factory=list)


OURS: Final[tuple[type[Struct], ...]] = (
    AppendAnswer,
    StatusAnswer,
    ProblemDocument,
)


def body_of(struct: type[Struct], media_type: str = "application/json") -> dict[str, Any]:
    """The part of an operation that says which body it takes."""
    schema = {"$ref": _REF.format(name=struct.__name__)}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def answers(name: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The part of an operation that says what it answers; everything else is a problem."""
    schema = {"$ref": _REF.format(name=name)}
    content = {"application/json": {"schema": schema}}
    problem = {"schema": {"$ref": _REF.format(name=ProblemDocument.__name__)}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": _MEANINGS[status], "content": content} for status in statuses
    }
    found["default"] = {"description": "Refused", "content": {MEDIA_TYPE: problem}}
    return found


def describe_structs(application: FastAPI, structs: Sequence[type[Struct]]) -> None:
    """Have the application's document include the schemas of these Structs, and ours."""

    def openapi() -> dict[str, Any]:
        if application.openapi_schema is None:
            document = get_openapi(
                title=application.title,
                version=application.version,
                summary=application.summary,
                routes=application.routes,
            )
            _, schemas = msgspec.json.schema_components(
                (*OURS, *structs), schema_hook=_anything, ref_template=_REF
            )
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            application.openapi_schema = document
        return application.openapi_schema

    application.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _anything(kind: type) -> dict[str, Any]:
    """The schema of a value that may be anything."""
    if kind is object:
        return {"description": "Any value"}
    raise NotImplementedError
