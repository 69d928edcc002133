"""How errors that nobody expected are written down: the places that they passed, never their words.

A message may hold what somebody wrote.
"""

from __future__ import annotations

import logging
import traceback

logger = logging.getLogger("hilo.api")


def log_unexpected(error: BaseException, request_id: str) -> None:
    """Write down where an error came from; what it says may be somebody's words and stays out."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s failed: %s\n%s", request_id, type(error).__name__, places)
