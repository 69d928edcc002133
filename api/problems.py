"""Every refusal as one document (RFC 9457, contract 2.7): one table from errors to problems.

Whatever a framework or a library raises is turned into one of our errors first, so that a client
meets one shape (frameworks.py). A problem never repeats more than a line of what it was sent, and
an unexpected one says nothing but the id under which the log has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from domain import errors
from domain.errors import HiloError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE: Final = "application/problem+json"

URN: Final = "urn:hilo:problem:"

INSTANCE_MAX_CHARS: Final = 200
"""What a problem repeats of the address that was called; the longest of ours has 130."""

ERRORS_MAX: Final = 100
"""Fields named in one problem: whoever has more wrong than this has one thing wrong."""

_SERVER_ERROR: Final = 500
_OUR_FAULT: Final = "Something went wrong on our side; quote the request id when you report it."


class Problem(Struct, frozen=True):
    """A row of the table: HTTP status, type (without its urn), and what it says to a person."""

    status: int
    type: str
    title: str


_INTERNAL: Final = Problem(500, "internal", "Something went wrong on our side")
_STORE: Final = Problem(503, "store-unavailable", "A database does not answer")

PROBLEMS: Final[Mapping[type[HiloError], Problem]] = {
    HiloError: _INTERNAL,
    errors.Malformed: Problem(400, "malformed", "The request cannot be read"),
    errors.BadCursor: Problem(400, "bad-cursor", "The cursor belongs to another list"),
    errors.NotSignedIn: Problem(401, "not-signed-in", "Sign in, or send a token"),
    errors.Forbidden: Problem(403, "not-allowed", "You are not allowed to do this"),
    errors.NotAllowed: Problem(403, "not-allowed", "You are not allowed to do this"),
    errors.SourceNotYours: Problem(403, "source-not-yours", "The token is for another source"),
    errors.CsrfFailed: Problem(403, "csrf", "The page is too old; load it again"),
    errors.NotFound: Problem(404, "not-found", "There is nothing here"),
    errors.MethodNotAllowed: Problem(405, "method-not-allowed", "This cannot be done here"),
    errors.StateConflict: Problem(409, "state", "Its state does not allow this"),
    errors.Conflict: Problem(409, "conflict", "The same key stands with other content"),
    errors.KeyReused: Problem(409, "key-reused", "The Idempotency-Key came with another body"),
    errors.ProbableTwins: Problem(409, "probable-twins", "It was probably recorded already"),
    errors.AddressTaken: Problem(409, "address-taken", "The address belongs to another contact"),
    errors.Held: Problem(409, "held", "A legal hold forbids it"),
    errors.NotYetSigned: Problem(409, "not-yet-signed", "No signed checkpoint covers it yet"),
    errors.WrongState: Problem(409, "state", "Its state does not allow this"),
    errors.Erased: Problem(410, "erased", "Its content was erased"),
    errors.ChangedMeanwhile: Problem(412, "changed-meanwhile", "It was changed meanwhile"),
    errors.TooLarge: Problem(413, "too-large", "The body is too large"),
    errors.UnsupportedMedia: Problem(415, "media-type", "This kind of body is not read here"),
    InvalidInput: Problem(422, "invalid-input", "The request is not valid"),
    errors.TooMany: Problem(429, "too-many", "Too many tries"),
    errors.Unavailable: Problem(503, "busy", "Too busy for the moment"),
    errors.Busy: Problem(503, "busy", "Too busy for the moment"),
    errors.NotYet: Problem(503, "not-yet", "The views are not that far yet"),
    errors.StoreUnavailable: _STORE,
    errors.OutcomeUnknown: _STORE,
    errors.Damaged: _INTERNAL,
    errors.StartupRefused: _INTERNAL,
    errors.StoresDiffer: _INTERNAL,
    errors.NewerData: _INTERNAL,
    errors.KeyMissing: _INTERNAL,
}
"""Each error of domain/errors.py with its problem; a test proves that none is missing."""


def problem_of(error: HiloError) -> Problem:
    """The row of an error: its own, or that of the nearest class above it."""
    for kind in type(error).__mro__:
        found = PROBLEMS.get(kind)
        if found is not None:
            return found
    return _INTERNAL


def members(error: HiloError) -> dict[str, object]:
    """The document without what belongs to one request: type, title, status, detail and extras."""
    problem = problem_of(error)
    ours = problem.status == _SERVER_ERROR
    return {
        "type": URN + problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": _OUR_FAULT if ours else (error.detail or f"{problem.title}."),
        **({} if ours else _extras(error)),
    }


def document(error: HiloError, instance: str, request_id: str) -> bytes:
    """The whole document, JSON."""
    whole = {**members(error), "instance": _short(instance), "request_id": request_id}
    return msgspec.json.encode(whole)


def headers_of(error: HiloError) -> dict[str, str]:
    """The headers that go with a refusal; `Retry-After` in seconds."""
    found = {"Cache-Control": "no-store"}
    match error:
        case errors.Unavailable() | errors.TooMany():
            found["Retry-After"] = str(error.retry_after_s)
        case errors.NotSignedIn():
            found["WWW-Authenticate"] = "Bearer"
        case _:
            pass
    return found


def _extras(error: HiloError) -> dict[str, object]:
    match error:
        case InvalidInput():
            return {
                "errors": [
                    {"field": one.field, "code": one.code, "message": one.message}
                    for one in error.errors[:ERRORS_MAX]
                ]
            }
        case errors.Conflict():
            return {"id": error.position}
        case errors.ProbableTwins():
            return {"twins": list(error.twins)}
        case errors.AddressTaken():
            return {"contact": error.contact}
        case errors.TooLarge():
            return {"limit_bytes": error.limit_bytes}
        case errors.ChangedMeanwhile():
            return {"current": error.current}
        case _:
            return {}


def _short(instance: str) -> str:
    plain = "".join(char if char.isprintable() else "?" for char in instance)
    return plain if len(plain) <= INSTANCE_MAX_CHARS else f"{plain[: INSTANCE_MAX_CHARS - 1]}…"
