"""Staff, departments and campaigns as they are mentioned: ids and keys, and first mentions.

In the log only ids and keys stand in clear; a name that is mentioned for the first time brings
its own event into the unit, left out where it stands already. A name that is no user becomes a
person without sign-in whose id is derived from the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.events import CampaignSet, DepartmentSet, UserAdded
from domain.ports import Pending
from domain.values import dictionary_key, staff_name

if TYPE_CHECKING:
    from uuid import UUID

    from domain.commands import By
    from domain.ports import People
    from domain.values import Deriver

MAX_REMEMBERED: Final = 20_000
"""Mentions known to stand in the log; a forgotten one is sent again and left out there."""


def user_stream(derive: Deriver, user: UUID) -> UUID:
    """The stream of a user."""
    return derive.id("user", user)


def department_stream(derive: Deriver, key: str) -> UUID:
    """The stream of a department's name and state."""
    return derive.id("department", key)


def campaign_stream(derive: Deriver, key: str) -> UUID:
    """The stream of a campaign's name and state."""
    return derive.id("campaign", key)


def source_stream(derive: Deriver, key: str) -> UUID:
    """The stream of a source's name."""
    return derive.id("source", key)


class Mentions:
    """What a command's typed names mean, and the events that their first mention needs."""

    def __init__(self, people: People, derive: Deriver) -> None:
        self._people = people
        self._derive = derive
        self._ids: dict[str, UUID] = {}

    def of(
        self, attended_by: str | None, department: str | None, campaign: str | None, by: By
    ) -> tuple[UUID | None, tuple[Pending, ...]]:
        """Who attended, and the first mentions; both empty where nothing was named."""
        if attended_by is None and department is None and campaign is None:
            return None, ()
        first: list[Pending] = []
        staff = None
        if attended_by is not None:
            staff = self._staff(attended_by, by, first)
        if department is not None:
            self._department(department, by, first)
        if campaign is not None:
            self._campaign(campaign, by, first)
        return staff, tuple(first)

    def _staff(self, text: str, by: By, first: list[Pending]) -> UUID:
        known = self._people.staff_id(text)
        if known is not None:
            return known
        name = staff_name(text)
        user = self._ids.get(name)
        if user is None:
            if len(self._ids) >= MAX_REMEMBERED:
                self._ids.clear()
            user = self._ids[name] = self._derive.id("staff", name)
        stream = user_stream(self._derive, user)
        if not self._people.knows(stream):
            first.append(
                Pending(
                    UserAdded(
                        originator_id=stream,
                        originator_version=1,
                        actor=by.actor,
                        on_behalf_of=by.on_behalf_of,
                        user=user,
                        name=" ".join(text.split()),
                    ),
                    if_absent=True,
                )
            )
        return user

    def _department(self, text: str, by: By, first: list[Pending]) -> None:
        key = dictionary_key(text)
        stream = department_stream(self._derive, key)
        if not self._people.knows(stream):
            event = DepartmentSet(
                originator_id=stream,
                originator_version=1,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                key=key,
                name=text.strip(),
            )
            first.append(Pending(event, if_absent=True))

    def _campaign(self, text: str, by: By, first: list[Pending]) -> None:
        key = dictionary_key(text)
        stream = campaign_stream(self._derive, key)
        if not self._people.knows(stream):
            event = CampaignSet(
                originator_id=stream,
                originator_version=1,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                key=key,
                name=text.strip(),
            )
            first.append(Pending(event, if_absent=True))
