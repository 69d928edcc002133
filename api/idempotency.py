"""The header Idempotency-Key: for an append its key, for every other command its identity."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from domain.commands import Repeatable
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from fastapi import Request

    from api.auth import Caller
    from domain.commands import By
    from domain.values import Deriver

KEY_MAX_CHARS: Final = 255
"""Length of a key (contract 2.1): a UUID has 36, a hash in hex 128."""

HEADER: Final = "Idempotency-Key"

_HEADER_BYTES: Final = HEADER.lower().encode()


def key_in(headers: dict[bytes, bytes]) -> str | None:
    """The key of a request, or None where it has none. Raises InvalidInput."""
    raw = headers.get(_HEADER_BYTES)
    if raw is None:
        return None
    text = raw.decode("latin-1")
    if not (0 < len(text) <= KEY_MAX_CHARS and text.isascii() and text.isprintable()):
        message = f"1 to {KEY_MAX_CHARS} printable ASCII characters"
        raise InvalidInput.one(f"header.{HEADER}", "bad_format", message)
    return text


def author(request: Request, caller: Caller, body: bytes, derive: Deriver) -> By:
    """The caller as the author of a command that may come again under its key.

    The key is scoped to the actor; the digest is over method, path, query and body, so that one
    key never stands for two commands. Raises InvalidInput.
    """
    key = key_in(dict(request.scope["headers"]))
    if key is None:
        return caller.by()
    hashed = hashlib.sha256()
    scope = request.scope
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        hashed.update(len(part).to_bytes(8, "big") + part)
    command_id = derive.id("command", caller.actor.kind, caller.actor.id, key)
    # Under the secret: a bare hash of a short body would tell, after an erasure, who it was about.
    return caller.by(Repeatable(command_id, derive.code("body", hashed.digest())))
