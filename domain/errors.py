"""Everything that Hilo refuses, as one tree. Errors carry fields, never text from a message.

HiloError
├── Malformed            the bytes are not JSON, not UTF-8, not a request
├── InvalidInput         one or more fields need attention (`errors` names each)
├── BadCursor            a cursor of another list, filter or order
├── NotSignedIn
├── Forbidden
│   ├── NotAllowed       the scope or role does not cover it
│   ├── SourceNotYours   a token bound to another source
│   └── CsrfFailed
├── NotFound             absent, or out of the reader's access: the two look alike
├── MethodNotAllowed
├── StateConflict
│   ├── Conflict         the key is taken by other content (`id` of the first)
│   ├── KeyReused        the Idempotency-Key came with another body
│   ├── ProbableTwins    an automatic record of the same event may exist (`twins`)
│   ├── AddressTaken     the address belongs to another contact
│   ├── Held             a legal hold forbids it
│   ├── NotYetSigned     no signed checkpoint covers it yet
│   └── WrongState       the object is not in a state that allows it
├── Erased               its content was erased
├── ChangedMeanwhile     If-Match does not match (`current` is the object as it is)
├── TooLarge             (`limit_bytes`)
├── UnsupportedMedia
├── TooMany              too many tries; wait `retry_after_s`
├── Unavailable          nothing is wrong with the request; wait `retry_after_s`
│   ├── Busy             the queue is full, or a rival won five times
│   ├── NotYet           the views have not reached the asked position
│   ├── StoreUnavailable a database does not answer
│   └── OutcomeUnknown   the commit's result is not known: repeat with the same key
├── Damaged              stored bytes are not what was written (`position`, `what`)
└── StartupRefused
    ├── StoresDiffer     the stores belong to different ledgers
    ├── NewerData        the data folder was written by a newer version
    └── KeyMissing       a key is gone without a tombstone, or cannot be unwrapped
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class HiloError(Exception):
    """Root of all that Hilo refuses; `detail` is one English sentence for a person."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(HiloError):
    """The bytes are not a request that can be read."""


class FieldError:
    """One field that needs attention: its path, a stable code, a sentence that helps."""

    __slots__ = ("code", "field", "message")

    def __init__(self, field: str, code: str, message: str) -> None:
        self.field = field
        self.code = code
        self.message = message

    def __repr__(self) -> str:
        return f"FieldError({self.field!r}, {self.code!r}, {self.message!r})"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


class InvalidInput(HiloError):
    """One or more fields need attention."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        noun = "field needs" if len(errors) == 1 else "fields need"
        super().__init__(f"{len(errors)} {noun} attention.")
        self.errors = tuple(errors)

    @classmethod
    def one(cls, field: str, code: str, message: str) -> InvalidInput:
        """An error about a single field."""
        return cls([FieldError(field, code, message)])


class BadCursor(HiloError):
    """The cursor was made by another list, filter or order."""


class NotSignedIn(HiloError):
    """No valid token or session came with the request."""


class Forbidden(HiloError):
    """Signed in, but not allowed."""


class NotAllowed(Forbidden):
    """The scope or role does not cover it."""


class SourceNotYours(Forbidden):
    """The token is bound to another source."""


class CsrfFailed(Forbidden):
    """A browser's request came without its CSRF token."""


class NotFound(HiloError):
    """Absent, or out of the reader's access."""


class MethodNotAllowed(HiloError):
    """The address exists, the method does not."""


class StateConflict(HiloError):
    """The request is well-formed, but the state of things refuses it."""


class Conflict(StateConflict):
    """The key is taken by an interaction with other content."""

    def __init__(self, position: int) -> None:
        super().__init__(f"Interaction {position} has this key and other content.")
        self.position = position


class KeyReused(StateConflict):
    """The Idempotency-Key was used before with another body."""


class ProbableTwins(StateConflict):
    """Automatic records that may be the same event exist; nothing was written."""

    def __init__(self, twins: Sequence[object]) -> None:
        super().__init__("Probably the same event was recorded automatically.")
        self.twins = tuple(twins)


class AddressTaken(StateConflict):
    """The address belongs to another contact; its id, or None where it may not be seen."""

    def __init__(self, contact: str | None) -> None:
        super().__init__("The address belongs to another contact.")
        self.contact = contact


class Held(StateConflict):
    """A legal hold forbids it."""


class NotYetSigned(StateConflict):
    """No signed checkpoint covers the interaction yet."""


class WrongState(StateConflict):
    """The object is not in a state that allows it."""


class Erased(HiloError):
    """The content was erased."""


class ChangedMeanwhile(HiloError):
    """If-Match does not match; `current` is the object as it is now."""

    def __init__(self, current: object) -> None:
        super().__init__("It was changed meanwhile; look at it again.")
        self.current = current


class TooLarge(HiloError):
    """The body is above its limit, in bytes."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"At most {limit_bytes} bytes are accepted here.")
        self.limit_bytes = limit_bytes


class UnsupportedMedia(HiloError):
    """The Content-Type is not one that this address reads."""


class TooMany(HiloError):
    """Too many tries; wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many tries; wait {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


class Unavailable(HiloError):
    """Nothing is wrong with the request; the same one may pass a little later."""

    retry_after_s = 1


class Busy(Unavailable):
    """The write queue is full, or a rival won every time."""


class NotYet(Unavailable):
    """The views have not reached the position that was asked for."""


class StoreUnavailable(Unavailable):
    """A database does not answer."""


class OutcomeUnknown(StoreUnavailable):
    """The commit's result is not known; repeating with the same key is safe."""


class Damaged(HiloError):
    """The bytes stored at a position of the log are not what was written there.

    `what` says what is wrong with them; it repeats nothing that was sealed. Position 0 is an
    event that came without its position.
    """

    def __init__(self, position: int, what: str) -> None:
        super().__init__(f"The event at position {position} is damaged: {what}.")
        self.position = position
        self.what = what


class StartupRefused(HiloError):
    """The ledger cannot be opened as it is."""


class StoresDiffer(StartupRefused):
    """The stores belong to different ledgers."""


class NewerData(StartupRefused):
    """The data was written by a newer version of Hilo."""


class KeyMissing(StartupRefused):
    """A key is gone without a tombstone, or it cannot be unwrapped."""
