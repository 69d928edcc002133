"""A reader that takes its process with it: it loads nothing, so that it goes at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from audit.looking import Look


class Leaving:
    """Ends whatever process opens it."""

    @contextmanager
    def opened(self) -> Iterator[Look]:
        """Ends the process."""
        os._exit(1)
        yield  # type: ignore[unreachable]  # what makes it a generator
