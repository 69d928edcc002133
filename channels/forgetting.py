"""What the quarantine forgets when a contact is erased: requests in which its addresses stand.

A request that could not be read names nobody whom we know; so its bytes are searched for the
addresses, in the spellings that requests have: escaped, percent-encoded, numbers with spaces.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from domain.errors import NotFound, WrongState
from storage.arrivals import End
from storage.trade import Kind

if TYPE_CHECKING:
    from channels.quarantine import Raw, Ward
    from domain.ports import Gone

NATIONAL_DIGITS: Final = 10
"""Last digits of a number by which it is looked for: countries write the rest differently."""

DIGITS_MIN: Final = 5
"""Fewer digits stand in nearly every request."""

BASE64_MIN: Final = 16
"""Shorter runs of its letters are words."""

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_BASE64: Final = re.compile(rf"[A-Za-z0-9+/\r\n]{{{BASE64_MIN},}}={{0,2}}")
_BETWEEN: Final = r"[\s().+-]{0,3}"


class Forgetting:
    """Implements ports.Purgeable over the quarantine of all connections."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    def purge(self, gone: Gone) -> Sequence[str]:
        """Discard every atom that waits and names one of the addresses."""
        wanted = list(patterns(gone.addresses))
        if not wanted:
            return ()
        for id_ in self._ward.open_ids():
            try:
                atom, raw = self._ward.show(id_)
                if raw is not None and names(raw, wanted):
                    end = End(atom.source, Kind.IGNORED, "erased")
                    self._ward.arrivals.release_to(id_, [end], "erased")
            except (NotFound, WrongState):  # somebody dealt with it just now
                continue
        return ()


def patterns(addresses: Iterable[str]) -> Iterable[re.Pattern[str]]:
    """What each address looks like in a request, in small letters."""
    for address in addresses:
        scheme, _, rest = address.partition(":")
        digits = "".join(char for char in rest if char.isdecimal())
        if scheme in {"tel", "short"} and len(digits) >= DIGITS_MIN:
            tail = digits[-NATIONAL_DIGITS:]
            yield re.compile(r"(?<!\d)\d{0,4}" + _BETWEEN + _BETWEEN.join(tail) + r"(?!\d)")
        elif scheme == "mailto" or "/" in rest:
            text = rest if scheme == "mailto" else rest.rpartition("/")[2]
            if len(text) >= DIGITS_MIN:
                yield re.compile(rf"(?<![\w.+-]){re.escape(text.casefold())}(?![\w])")


def names(raw: Raw, wanted: Sequence[re.Pattern[str]]) -> bool:
    """Whether a request has one of the addresses in it."""
    body = raw.body.decode("utf-8", "replace")
    texts = [body, *raw.headers.values()]
    unescaped = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), body).replace("\\/", "/")
    texts += [unescaped, unquote_plus(body), *_unpacked(body)]
    return any(pattern.search(text.casefold()) for text in texts for pattern in wanted)


def _unpacked(body: str) -> Iterable[str]:
    """What stands in it in base64, as parts of a mail do."""
    for found in _BASE64.finditer(body):
        packed = "".join(found[0].split()).rstrip("=")
        try:
            yield b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-8", "ignore")
        except (Error, ValueError):
            continue
