"""Fill the demo's ledger: everything arrives through the front door, at the time it would have.

The ledger is opened with a clock of the story, so that `recorded_at` is believable and what
was logged late says so. A ledger that holds anything is left as it is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from api.shapes import Terms, append_command
from app.compose import open_ledger
from app.demo.company import SOURCES, arrivals, contacts
from app.demo.doing import BY_CHANNEL, BY_DEMO, Change, Done, House
from domain.addresses import parse_address
from domain.commands import ContactFields, ReportDelivery
from domain.events import SourceSet
from domain.recording import interaction_stream
from domain.times import parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.compose import Composition
    from app.demo.company import Arrival
    from app.settings import Settings
    from domain.commands import RecordInteraction

SEED: Final = 7
"""The story that everybody sees."""

COUNTRY: Final = "MX"
"""Where the company is."""


def fill(settings: Settings, now_us: int, progress: Callable[[int, int], None]) -> None:
    """Append a year of the demo company up to `now_us`, unless the ledger holds anything.

    `progress` is told how many of how many arrivals are in.
    """
    story = _StoryClock(0)
    composition = open_ledger(settings, follow=False, clock=story)
    try:
        if composition.log.head() == 0:
            found = list(arrivals(now_us, SEED))
            story.now = found[0].at_us
            asyncio.run(_Filling(composition, story).all(found, progress))
    finally:
        composition.close()


class _StoryClock:
    """The time as the story tells it, in microseconds."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class _Filling:
    def __init__(self, composition: Composition, story: _StoryClock) -> None:
        self._ledger = composition.ledger
        self._derive = composition.keys.derive
        self._story = story
        self._house = House(composition)

    async def all(self, found: list[Arrival], progress: Callable[[int, int], None]) -> None:
        """The names first, then everything in the order in which it became known."""
        await self._names()
        for number, arrival in enumerate(found, 1):
            self._story.now = arrival.at_us
            match arrival.kind:
                case "interaction":
                    await self._interaction(arrival.body)
                case "status":
                    await self._status(arrival.body)
                case "change":
                    change = msgspec.convert(arrival.body, Change)
                    await self._house.change(change, arrival.at_us)
                case kind:
                    await self._house.do(kind, msgspec.convert(arrival.body, Done))
            progress(number, len(found))

    async def _names(self) -> None:
        await self._house.move_in()
        for key, name in SOURCES.items():
            event = SourceSet(
                originator_id=self._derive.id("source", key),
                originator_version=1,
                actor=BY_DEMO.actor,
                key=key,
                name=name,
            )
            await self._ledger.state(event, BY_DEMO)
        for body in contacts():
            person = msgspec.convert(body, _Person)
            addresses = tuple(parse_address(text, country=COUNTRY) for text in person.addresses)
            fields = ContactFields(
                fields=("name", "company"),
                name=person.name,
                company=person.company,
                addresses=addresses,
            )
            self._house.contacts[person.name], _ = await self._ledger.contacts.create(
                fields, BY_DEMO
            )

    async def _interaction(self, body: dict[str, object]) -> None:
        command = append_command(msgspec.json.encode(body), self._terms())
        made = await self._ledger.record(command, BY_DEMO if _by_hand(command) else BY_CHANNEL)
        if command.attachments:
            await self._house.file(made.interaction, self._story.now)

    async def _status(self, body: dict[str, object]) -> None:
        status = msgspec.convert(body, _Status)
        at, _ = parse_rfc3339(status.at)
        report = ReportDelivery(
            about=interaction_stream(self._derive, status.source, status.external_id),
            source=status.source,
            word=status.status,
            at=at,
            code=status.code,
            message=status.message,
        )
        await self._ledger.report(report, BY_CHANNEL)

    def _terms(self) -> Terms:
        return Terms(
            country=COUNTRY,
            latest=self._story.now,
            imported=False,
            source=None,
            derive=self._derive,
            knows=lambda _: True,
            key_of=lambda _: None,
        )


class _Person(msgspec.Struct, frozen=True):
    name: str
    addresses: tuple[str, ...]
    company: str | None = None


class _Status(msgspec.Struct, frozen=True):
    source: str
    external_id: str
    status: str
    at: str
    code: str | None = None
    message: str | None = None


def _by_hand(command: RecordInteraction) -> bool:
    return command.source == "manual" or command.source.startswith("import:")
