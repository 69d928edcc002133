"""Requests about a page or an Instagram account, of our own, and what reads them."""

from __future__ import annotations

import json
from typing import Final

from channels.contract import Arrival, Atom, Incoming
from channels.registry import CHANNELS
from tests.api.house import NOON
from tests.channels.shop import DERIVE, SENT_S

PAGE: Final = "102290129340398"
PSID: Final = "24678134567"
ACCOUNT: Final = "17841405309211844"
IGSID: Final = "1254459154682919"
SENT_MS: Final = SENT_S * 1000
CDN: Final = "https://cdn.example.com/v/t59"

Example = tuple[str, object, tuple[str, ...]]
"""What arrives, the request, what it comes to."""


def parsed(channel: str, body: object, received_at: int = NOON) -> list[Atom]:
    """The atoms of a request, raw or an object."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    arrival = Arrival(connection=f"{channel}/main", received_at=received_at, derive=DERIVE)
    return CHANNELS[channel].parse(Incoming(body=raw), arrival)


# ------------------------------------------------------------------ requests of our own


def item(sender: str = PSID, recipient: str = PAGE, /, **more: object) -> dict[str, object]:
    """An item of a page's inbox."""
    ends = {"sender": {"id": sender}, "recipient": {"id": recipient}}
    return {**ends, "timestamp": SENT_MS, **more}


def inbox(*items: object, name: str = "messaging", **more: object) -> dict[str, object]:
    """A request with items of a page's inbox."""
    entry = {"id": PAGE, "time": SENT_MS + 90, name: list(items), **more}
    return {"object": "page", "entry": [entry]}


def said(**message: object) -> dict[str, object]:
    """A request with one message of a person to the page."""
    return inbox(item(message={"mid": "m_A", **message}))


def echo(**message: object) -> dict[str, object]:
    """A request with a copy of what the page sent."""
    content = {"mid": "m_B", "is_echo": True, "app_id": 4411, **message}
    return inbox(item(PAGE, PSID, message=content))


def file(kind: str, **payload: object) -> dict[str, object]:
    """An attachment of a message."""
    return {"type": kind, "payload": payload}


def change(field: str, value: object) -> dict[str, object]:
    """A request with one change of a page."""
    entry = {"id": PAGE, "time": SENT_S, "changes": [{"field": field, "value": value}]}
    return {"object": "page", "entry": [entry]}


def direct(*items: object, name: str = "messaging") -> dict[str, object]:
    """A request with items of an Instagram account's inbox."""
    entry = {"id": ACCOUNT, "time": SENT_MS + 90, name: list(items)}
    return {"object": "instagram", "entry": [entry]}


def shared(**more: object) -> dict[str, object]:
    """An item of an Instagram account's inbox."""
    return item(IGSID, ACCOUNT, **more)


def posted(field: str, value: object) -> dict[str, object]:
    """A request with one change of an Instagram account."""
    entry = {"id": ACCOUNT, "time": SENT_S, "changes": [{"field": field, "value": value}]}
    return {"object": "instagram", "entry": [entry]}


def lead(**more: object) -> dict[str, object]:
    """A request with one lead; Meta writes these ids as numbers."""
    value = {
        "leadgen_id": 444444444444,
        "page_id": int(PAGE),
        "form_id": 555555555555,
        "ad_id": 120210000000000011,
        "created_time": SENT_S,
    }
    return change("leadgen", {**value, **more})
