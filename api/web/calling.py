"""How pages call an address or a contact that has no name of its own.

Answers of the API hold one label for everybody. A page says it in its reader's language, and
keeps of a provider's long account id what tells neighbours apart: nobody reads nineteen digits.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from api.web.languages import N_

if TYPE_CHECKING:
    from collections.abc import Callable

WITHHELD: Final = "Anonymous"
"""The label of whoever withheld their number (domain/addresses.py)."""

WITHHELD_MESSAGE: Final = N_("Withheld number")

ACCOUNT: Final = re.compile(r"(WhatsApp|Messenger|Instagram|Telegram|Webchat) \S{6,}(\S{4})")
"""The label of a provider's account whose id is no name: its channel and at least ten marks."""

CALLED_MAX: Final = 5_000
"""Labels that are kept as they are called: those of the last pages."""


def caller_in(translated: Callable[[str], str]) -> Callable[[str], str]:
    """What calls labels in a language: `Instagram …4273`, `Número oculto`, else as it is."""
    withheld = translated(WITHHELD_MESSAGE)

    @lru_cache(CALLED_MAX)
    def called(label: str) -> str:
        if label == WITHHELD:
            return withheld
        account = ACCOUNT.fullmatch(label)
        return f"{account[1]} …{account[2]}" if account else label

    return called
