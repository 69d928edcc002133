"""How events that were written in an older shape become today's: the one place for it.

`UPCASTERS[topic][i]` turns the stored fields of version i + 1 into those of version i + 2. The
stored version stands in the clear header as `_v` from 2 on. Fields come as the wire has them
(UUIDs are 16 bytes, enums are text); an upcaster returns a new dict and never raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

UPCASTERS: Final[dict[str, tuple[Callable[[dict[str, object]], dict[str, object]], ...]]] = {}
