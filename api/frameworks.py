"""What the frameworks refuse by themselves, as errors of ours.

Apart from the table of problems, which also those look into who never need the frameworks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from domain import errors
from domain.errors import FieldError, HiloError, InvalidInput
from domain.values import echo

if TYPE_CHECKING:
    from collections.abc import Mapping

_FRAMEWORK: Final[Mapping[int, type[HiloError]]] = {
    400: errors.Malformed,
    401: errors.NotSignedIn,
    403: errors.NotAllowed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    415: errors.UnsupportedMedia,
}
"""What the framework refuses by itself, in our words."""

_FRAMEWORK_CODES: Final = {"missing": "missing", "extra_forbidden": "unknown_field"}


def translated(error: Exception) -> HiloError:
    """The error of ours that says what was raised; one that nobody knows is an internal one."""
    match error:
        case HiloError():
            return error
        case HTTPException():
            return _FRAMEWORK.get(error.status_code, HiloError)()
        case RequestValidationError():
            return _from_validation(error)
        case _:
            return HiloError()


def _from_validation(error: RequestValidationError) -> HiloError:
    """What FastAPI found wrong with path, query or headers, with our field names and codes."""
    found = []
    for one in error.errors():
        where, *names = one["loc"]
        if where == "path":  # an id that cannot be one names nothing
            return errors.NotFound("There is nothing with such an id.")
        field = ".".join(str(name) for name in (names if where == "body" else one["loc"]))
        code = _FRAMEWORK_CODES.get(one["type"], "bad_type")
        found.append(FieldError(echo(field), code, echo(str(one["msg"]))))
    return InvalidInput(found)
