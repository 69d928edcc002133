"""What the browser's pages take of a large ledger, without a browser: over one kept connection."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import NamedTuple

from api.auth import SYSTEM
from app.compose import open_ledger
from app.settings import read_settings
from benchmarks.results import Row
from benchmarks.servers import Place
from benchmarks.spent import Spent, measured, spent
from domain.commands import By
from domain.events import UserAdded
from domain.staff import user_stream

OPENINGS = 500
"""Times that each page is asked for: the 99th percentile is the fifth slowest."""

A_DAY_US = 24 * 3_600 * 1_000_000


class Visit(NamedTuple):
    """Who looks, and whose pages: the busy contact's, others', on any of these days."""

    headers: dict[str, str]
    busy: str
    others: list[str]
    day: Callable[[random.Random], str]


def signed_in(place: Place) -> dict[str, str]:
    """The headers of a browser in which a manager of the ledger there is signed in."""
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)
    try:
        services = composition.services
        derive, now = services.ledger.derive, time.time_ns() // 1_000
        user = derive.id("bench-user", "rosa")
        added = UserAdded(
            originator_id=user_stream(derive, user),
            originator_version=1,
            actor=SYSTEM,
            user=user,
            sign_in=True,
            role="manager",
            name="Rosa",
            email="rosa@example.mx",
        )
        asyncio.run(services.ledger.state(added, By(SYSTEM)))
        opened = services.credentials.sessions.open(user, now, now + A_DAY_US)
    finally:
        composition.close()
    return {"Cookie": f"hilo_session={opened.secret}", "Accept-Language": "es-MX"}


def rows_of(title: str, of: str, port: int, visit: Visit) -> Iterator[Row]:
    """Conversations, a profile and Activity, each time another page, in ms."""
    dice = random.Random(5)
    # Imported history is resolved: the list of open conversations is empty.
    lists = ("status=all", "status=resolved", "status=all&channel=sms")
    kinds: dict[str, Callable[[], str]] = {
        "Conversations": lambda: f"/?{dice.choice(lists)}",
        "Conversations, one open": lambda: f"/conversations/{dice.choice(visit.others)}",
        "profile": lambda: f"/contacts/{dice.choice(visit.others)}",
        "profile with a tenth of all": lambda: f"/contacts/{visit.busy}?at={visit.day(dice)}",
        "Activity": lambda: f"/activity?to={visit.day(dice)}",
    }
    for kind, path_of in kinds.items():
        connection = HTTPConnection("127.0.0.1", port)

        def opened(path: str, asked: HTTPConnection = connection) -> Spent:
            asked.request("GET", path, headers=visit.headers)
            return spent(asked.getresponse)[0]

        opened(path_of())  # the first one compiles its templates
        times = measured([opened(path_of()) for _ in range(OPENINGS)])
        connection.close()
        yield Row(
            f"{title}: {kind}",
            f"{times.server} of server time",
            f"{of}; with HTTP {times.whole}",
            "p99 <= 20 ms",
        )
