"""What is decided about users, as it gets into the log.

One administrator always remains: whoever stops being one adds an `AdministratorLost` to one
stream that all of them share, so that two who remove each other at once cannot both succeed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from domain import user as users
from domain.commands import FactReceipt
from domain.deciding import command_id_of, digest_of
from domain.errors import ChangedMeanwhile, NotFound, WrongState
from domain.events import AdministratorLost, Event, PasswordSet, UserInvited
from domain.ports import Pending, Unit
from domain.staff import user_stream
from domain.user import NewUser, User, UserChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.commands import By
    from domain.deciding import Decider, Surroundings
    from domain.ports import EventLike, People

LAST_ADMINISTRATOR = "This is the last administrator; make somebody else one first."


class _Losses(Struct, frozen=True):
    """How many administrators there were who are none any more."""

    version: int = 0


class PeopleBook:
    """Who may enter, and as what."""

    def __init__(self, decider: Decider, people: People, around: Surroundings) -> None:
        self._decider = decider
        self._people = people
        self._derive = around.derive
        self._new_id = around.new_id

    def user(self, id: UUID) -> User | None:
        """A person as the log has them now; None where nobody has that id."""
        return self._decider.log.load(user_stream(self._derive, id), users.project)

    def user_with(self, email: str) -> User | None:
        """The user with an e-mail address, as far as the views know."""
        known = self._people.staff_id(email)
        found = self.user(known) if known else None
        same = found is not None and (found.email or "").casefold() == email.casefold()
        return found if same and found is not None and found.sign_in else None

    async def add(self, id: UUID, new: NewUser, by: By) -> tuple[UUID, FactReceipt]:
        """Make somebody a user under this id; gives theirs, an earlier one for a repeat.

        Raises WrongState where the e-mail address is a user's already, KeyReused.
        """
        stream = user_stream(self._derive, id)

        def take() -> Unit | None:
            there = self.user(id) or self.user_with(new.email)
            if there is not None:
                raise WrongState("There is a user with this e-mail address already.")
            return _unit(stream, users.add(stream, id, new, by), by)

        receipt = _done(await self._decider.attempt(take, by))
        if receipt.duplicate:
            added = self._decider.entry(receipt.position).event
            id = getattr(added, "user", id)
        return id, receipt

    async def change(
        self, id: UUID, wanted: UserChange, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Change what is different; None where nothing is.

        Raises NotFound, WrongState (the last administrator), ChangedMeanwhile, KeyReused.
        """
        into = wanted.into
        if into is not None:
            target = self.user(into)
            if target is None or not target.sign_in:
                raise WrongState("A person can only be declared to be a user.")
        return await self._decide(id, lambda now: users.change(now, wanted, by), by, expected)

    async def suspend(self, id: UUID, by: By, *, expected: int | None = None) -> FactReceipt | None:
        """Keep a user out; None where they are out. Raises as `change`."""
        return await self._decide(id, lambda now: users.suspend(now, by), by, expected)

    async def restore(self, id: UUID, by: By, *, expected: int | None = None) -> FactReceipt | None:
        """Let a suspended user in again; None where they are in. Raises as `change`."""
        return await self._decide(id, lambda now: users.restore(now, by), by, expected)

    async def invite(self, id: UUID, expires_at: int, by: By) -> FactReceipt:
        """Write down that a link was made with which a user sets their password.

        Raises WrongState where the command came before: its link is not shown twice.
        """
        event = UserInvited(
            originator_id=self._derive.id("invitation", self._new_id()),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            user=id,
            expires_at=expires_at,
        )
        repeat = self._decider.repeat_of(by)
        if repeat is not None:
            raise WrongState("This link was made before, and is not shown twice.")
        return await self._decider.state(event, by)

    async def password_set(self, id: UUID, by: By) -> FactReceipt:
        """Write down that a user has a new password."""
        event = PasswordSet(
            originator_id=self._derive.id("password", self._new_id()),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            user=id,
        )
        return await self._decider.state(event, by)

    async def _decide(
        self, id: UUID, decide: Callable[[User], list[Event]], by: By, expected: int | None
    ) -> FactReceipt | None:
        def take() -> Unit | None:
            losses = self._decider.log.load(self._losses_stream(), _count) or _Losses()
            now = self.user(id)
            if now is None:
                raise NotFound("There is no such person.")
            if expected not in {None, now.version}:
                raise ChangedMeanwhile(None)
            decided = decide(now)
            if not decided:
                return None
            after = users.project(now, decided)
            if now.is_administrator and not (after and after.is_administrator):
                self._require_another(id)
                decided = [*decided, self._lost(id, losses.version + 1, by)]
            return _unit(now.id, decided, by)

        return await self._decider.attempt(take, by)

    def _losses_stream(self) -> UUID:
        return self._derive.id("administrators")

    def _lost(self, id: UUID, version: int, by: By) -> Event:
        return AdministratorLost(
            originator_id=self._losses_stream(),
            originator_version=version,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            user=id,
        )

    def _require_another(self, id: UUID) -> None:
        """Raise WrongState unless somebody else is an administrator, by the log itself.

        The views name the candidates; one who became administrator a moment ago may be missed,
        which refuses what would be allowed a moment later, and never the reverse.
        """
        for other in self._people.administrators():
            found = self.user(other) if other != id else None
            if found is not None and found.is_administrator:
                return
        raise WrongState(LAST_ADMINISTRATOR)


def _unit(stream: UUID, events: Iterable[Event], by: By) -> Unit:
    pending = tuple(Pending(event) for event in events)
    return Unit(key=stream, build=lambda _: pending, command_id=command_id_of(by))


def _done(receipt: FactReceipt | None) -> FactReceipt:
    """The receipt of a decision that always changes something."""
    if receipt is None:
        raise AssertionError
    return receipt


def _count(losses: _Losses | None, events: Iterable[EventLike]) -> _Losses | None:
    for event in events:
        losses = _Losses(event.originator_version)
    return losses
