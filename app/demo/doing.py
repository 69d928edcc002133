"""Carry out what the demo's house did: people and teams, deeds, and the files of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from app.demo.files import content_of
from app.demo.group import STAFF, TEAMS
from domain.commands import By, ReportChange
from domain.conversation import Assign, Resolve, Shown, Snooze, Status
from domain.conversation_book import Whose
from domain.events import Actor, InteractionRecorded
from domain.filing import Fetched, Pointer, failed, stored, stored_stream
from domain.recording import interaction_stream
from domain.user import NewUser
from domain.values import staff_name
from storage.blobs import Owner

if TYPE_CHECKING:
    from uuid import UUID

    from app.compose import Composition
    from domain.conversation import Wish
    from domain.events import Event

BY_CHANNEL: Final = By(Actor("channel", "demo"))
BY_DEMO: Final = By(Actor("import", "demo"))

GONE: Final = "gone"
"""Why a file cannot be had: the provider does not keep it any more."""


class Done(Struct, frozen=True):
    """The body of a deed: with whom, by whom, and what more it says."""

    contact: str
    by: str
    text: str = ""
    until: int = 0


class Change(Struct, frozen=True):
    """The body of a change: which message, and what became of it."""

    source: str
    external_id: str
    address: str
    kind: str
    text: str | None = None
    emoji: str | None = None
    by: str = "contact"


class House:
    """The people of the demo company, and their hands."""

    def __init__(self, composition: Composition) -> None:
        self._ledger = composition.ledger
        self._derive = composition.keys.derive
        self._log = composition.log
        self._blobs = composition.blobs
        self.contacts: dict[str, UUID] = {}

    async def move_in(self) -> None:
        """Everybody who works there, and the teams they are in."""
        people = self._ledger.people
        for number, one in enumerate(STAFF):
            role = "agent" if number else "manager"
            id = self._person(one.name)
            await people.add(id, NewUser(one.email, one.name, role), BY_DEMO)
            await people.password_set(id, BY_DEMO)  # in the story; no password opens anything
        for team, departments in TEAMS.items():
            id, _ = await self._ledger.teams.add(team, BY_DEMO)
            for one in STAFF:
                if one.department in departments:
                    await self._ledger.teams.join(id, self._person(one.name), BY_DEMO)

    async def do(self, kind: str, done: Done) -> None:
        """Note, assign, resolve or snooze, as one of them."""
        contact, user = self.contacts[done.contact], self._person(done.by)
        by = By(Actor("user", str(user)))
        book = self._ledger.conversations
        if kind == "note":
            await book.note(contact, done.text, by)
            return
        shown = Shown(0, Status.OPEN)
        await book.decide(Whose(contact), _wish(kind, user, done.until), shown, by)

    async def change(self, change: Change, at: int) -> None:
        """What the sender changed, or how somebody met a message."""
        about = interaction_stream(self._derive, change.source, change.external_id)
        report = ReportChange(
            kind=change.kind,
            about=about,
            source=change.source,
            key=f"{change.kind}:{change.external_id}",
            address=change.address,
            at=at,
            by=change.by,
            text=change.text,
            emoji=change.emoji,
        )
        await self._ledger.report(report, BY_CHANNEL)

    async def file(self, stream: UUID, at: int) -> None:
        """Keep the files of an interaction; what cannot be made cannot be had."""
        event = self._log.stream(stream)[0].event
        if not isinstance(event, InteractionRecorded):
            raise TypeError(event)
        for one in event.attachments:
            pointer = Pointer(
                about=stream, source=event.source, subject=event.subject, attachment=one.id
            )
            await self._ledger.state(self._settled(pointer, one.name or "", at), BY_CHANNEL)

    def _settled(self, pointer: Pointer, name: str, at: int) -> Event:
        """The event that says where a file is: kept now, or gone."""
        made = content_of(name)
        if made is None:
            return failed(pointer, GONE, at, BY_CHANNEL, self._derive)
        called, media_type, content = made
        fact = stored_stream(self._derive, pointer.attachment)
        owner = Owner(pointer.subject, pointer.attachment, pointer.about, fact)
        kept = self._blobs.keep(owner, [content])
        file = Fetched(
            blob=kept.blob.hex(),
            size_bytes=kept.size_bytes,
            sha256=kept.sha256,
            name=called,
            media_type=media_type,
        )
        return stored(pointer, file, at, BY_CHANNEL, self._derive)

    def _person(self, name: str) -> UUID:
        """The id under which a first mention of the name would have made them."""
        return self._derive.id("staff", staff_name(name))


def _wish(kind: str, user: UUID, until: int) -> Wish:
    match kind:
        case "assign":
            return Assign(fields=("user",), user=user)
        case "snooze":
            return Snooze(until)
        case _:
            return Resolve()
