"""One request of each kind about a page or an Instagram account, and what becomes of it.

The tables in docs/channels/messenger.md, instagram.md and lead_ads.md are made of these lists:

    python -m tests.channels.meta_examples
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.channels.instagram_examples import INSTAGRAM, LEAD_ADS
from tests.channels.messenger_examples import MESSENGER
from tests.channels.meta_shop import Example, parsed
from tests.channels.told import told
from tests.source_tree import ROOT

DOCUMENTS: Final = ROOT / "docs" / "channels"
BEGIN: Final = "<!-- the table is made by: python -m tests.channels.meta_examples -->"
END: Final = "<!-- end of the table -->"

TABLES: Final[dict[str, tuple[Example, ...]]] = {
    "messenger": MESSENGER,
    "instagram": INSTAGRAM,
    "lead_ads": LEAD_ADS,
}
"""By channel: (what arrives, the request, what it comes to)."""

ALL: Final = [(channel, *row) for channel, table in TABLES.items() for row in table]


def document(channel: str) -> Path:
    """The document of a channel."""
    return DOCUMENTS / f"{channel}.md"


def renewed(channel: str, text: str) -> str:
    """A document with the table as it is now."""
    rows = [(name, " · ".join(told(parsed(channel, body)))) for name, body, _ in TABLES[channel]]
    lines = [BEGIN, "| what arrives | what becomes of it |", "|---|---|"]
    lines += [f"| {name} | {outcome} |" for name, outcome in rows]
    before, _, rest = text.partition(BEGIN)
    return before + "\n".join((*lines, END)) + rest.partition(END)[2]


if __name__ == "__main__":
    for each in TABLES:
        place = document(each)
        place.write_text(renewed(each, place.read_text("utf-8")), "utf-8")
