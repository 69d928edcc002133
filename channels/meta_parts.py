"""What the channels of Meta have in common: ids in addresses, moments, keys."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from channels.lenient import Json, Unfit, moment_of
from channels.pieces import ID_MAX_CHARS, one_line

if TYPE_CHECKING:
    from domain.values import TimeSource

_OFFSET_WITHOUT_COLON: Final = re.compile(r"(.{16,32}[+-][0-9]{2})([0-9]{2})", re.DOTALL)


def token(text: str) -> str:
    """An id without the blanks that an address cannot have."""
    return "".join(text.split())


def account_token(text: str) -> str:
    """The id of an account of ours; the slash that ends it in an address is none of it."""
    return token(text).replace("/", "_")


def moment(written: str | None, received_at: int) -> tuple[int, TimeSource]:
    """As `moment_of`; also with an offset that lacks its colon, as Meta's other APIs write it."""
    found = _OFFSET_WITHOUT_COLON.fullmatch(written or "")
    return moment_of(f"{found[1]}:{found[2]}" if found else written, received_at)


def digest_key(*parts: object) -> str:
    """A key for what has no id of its own: the same parts give the same key."""
    plain = msgspec.json.encode(parts, order="deterministic")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


def key_or_digest(id_: str | None, *parts: object) -> tuple[str, str | None]:
    """What makes a message unique, and its id; without one, what it says is its key.

    Raises Unfit for an id that is too long to be kept.
    """
    if id_ is None:
        return digest_key(*parts), None
    if len(id_) > ID_MAX_CHARS:
        raise Unfit("the message's id is too long")
    return id_, id_


def title(*candidates: str | None) -> str | None:
    """The first name that is one, on one line, as much of it as is kept."""
    return one_line(next((text for text in candidates if text), None))


def without(item: Json, *names: str) -> dict[str, object]:
    """An object without some of its fields."""
    return {name: inner for name, inner in item.items() if name not in names}
