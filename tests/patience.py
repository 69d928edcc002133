"""How long tests wait for what should happen at once, and how."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

ValueT = TypeVar("ValueT")

PATIENCE_S: Final = 60.0
"""Long enough for a machine that is busy with ten other things: who waits in vain has failed."""

LOOK_EVERY_S: Final = 0.02


def until(ask: Callable[[], ValueT], reason: object = "it does not happen") -> ValueT:
    """What a question is answered with, as soon as it is answered with anything."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not (found := ask()):
        assert time.monotonic() < give_up_at, reason
        time.sleep(LOOK_EVERY_S)
    return found
