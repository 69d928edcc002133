"""What people do with conversations, as it gets into the log.

Decisions about a conversation or a contact have rivals: they are taken on its stream. What a
person has seen, and notes, have none: they are facts, each a stream of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from domain import conversation, muting
from domain.commands import FactReceipt
from domain.contact import contact_stream
from domain.conversation import Conversation, Shown, Wish, conversation_stream
from domain.deciding import command_id_of, digest_of
from domain.errors import ChangedMeanwhile
from domain.events import ConversationMarkedUnread, ConversationSeen, NoteAdded, NoteRetracted
from domain.muting import Mute, Muting
from domain.ports import AggregateT, EventLike, Pending, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from domain.commands import By
    from domain.deciding import Decider, Known
    from domain.events import Event

    _Project = Callable[[AggregateT | None, Iterable[EventLike]], AggregateT | None]


class Whose(Struct, frozen=True):
    """A contact, and the ids that it was put together from, its own among them."""

    contact: UUID
    parts: tuple[UUID, ...] = ()

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Every id under which something may have been decided, its own first."""
        return (self.contact, *(part for part in self.parts if part != self.contact))


class Look(Struct, frozen=True):
    """What a user has seen of a conversation through which position, or wants unseen from where.

    `after` is the position at which that user last marked it unread, 0 for never: without it
    the same look after another one would be taken for a repeat.
    """

    contact: UUID
    user: UUID
    position: int
    after: int = 0


class ConversationBook:
    """Whose turn it is, who has seen what, what the team noted."""

    def __init__(self, decider: Decider, known: Known) -> None:
        self._decider = decider
        self._derive = known.around.derive
        self._new_id = known.around.new_id

    # ------------------------------------------------------------------ decisions

    async def decide(
        self, whose: Whose, wish: Wish, shown: Shown, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Assign, resolve, reopen or snooze; None where nothing changes.

        Raises ChangedMeanwhile, Busy, KeyReused.
        """

        def take() -> Unit | None:
            streams = [conversation_stream(self._derive, one) for one in whose.ids]
            now = self._load(streams, conversation.project, Conversation(streams[0]))
            _require(expected, now.version)
            return _unit(conversation.decide(now, whose.contact, wish, shown, by), by)

        return await self._decider.attempt(take, by)

    async def mute(
        self, whose: Whose, wish: Mute, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Mute a contact or let it be heard again; None where it is so already.

        Raises ChangedMeanwhile, Busy, KeyReused.
        """

        def take() -> Unit | None:
            streams = [contact_stream(self._derive, one) for one in whose.ids]
            now = self._load(streams, muting.project, Muting(streams[0]))
            _require(expected, now.version)
            return _unit(muting.mute(now, whose.contact, wish, by), by)

        return await self._decider.attempt(take, by)

    def _load(
        self, streams: Sequence[UUID], project: _Project[AggregateT], start: AggregateT
    ) -> AggregateT:
        """What these streams say together, in the order of the log; the first is its own."""
        log = self._decider.log
        if len(streams) == 1:
            return log.load(streams[0], project) or start
        entries = [entry for stream in streams for entry in log.stream(stream)]
        entries.sort(key=lambda entry: entry.position)
        return project(start, [entry.event for entry in entries]) or start

    # ---------------------------------------------------------------------- facts

    async def see(self, look: Look, by: By) -> FactReceipt:
        """A user has seen a conversation through a position. Raises KeyReused."""
        event = ConversationSeen(
            originator_id=self._look_id("seen", look),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=look.contact,
            user=look.user,
            through=look.position,
        )
        return await self._decider.state(event, by)

    async def mark_unread(self, look: Look, by: By) -> FactReceipt:
        """A user wants a conversation unseen from a position on. Raises KeyReused."""
        event = ConversationMarkedUnread(
            originator_id=self._look_id("unread", look),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=look.contact,
            user=look.user,
            first=look.position,
        )
        return await self._decider.state(event, by)

    async def note(self, contact: UUID, text: str, by: By) -> FactReceipt:
        """Write a note about a contact. Raises KeyReused."""
        repeat = self._decider.repeat_of(by)
        if repeat:
            return repeat
        event = NoteAdded(
            originator_id=self._new_id(),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=contact,
            text=text,
        )
        return await self._decider.state(event, by)

    async def retract_note(self, note: NoteAdded, reason: str, by: By) -> FactReceipt | None:
        """Declare a note void; None where it is void already. Raises KeyReused."""

        def take() -> Unit | None:
            if len(self._decider.log.stream(note.originator_id)) > 1:
                return None
            event = NoteRetracted(
                originator_id=note.originator_id,
                originator_version=2,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                digest=digest_of(by),
                about=note.originator_id,
                contact=note.contact,
                reason=reason,
            )
            return _unit(event, by)

        return await self._decider.attempt(take, by)

    def _look_id(self, kind: str, look: Look) -> UUID:
        after = (str(look.after),) if look.after else ()
        return self._derive.id(kind, look.contact, look.user, str(look.position), *after)


def _require(expected: int | None, version: int) -> None:
    if expected not in {None, version}:
        raise ChangedMeanwhile(None)


def _unit(event: Event | None, by: By) -> Unit | None:
    if event is None:
        return None
    return Unit(
        key=event.originator_id,
        build=lambda _: (Pending(event),),
        command_id=command_id_of(by),
    )
