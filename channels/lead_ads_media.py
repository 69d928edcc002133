"""How a lead's answers are fetched, and how files of a page's messages are.

Leads of a page may come through any connection of Meta's pages: which recipe it is follows from
the source. The lead is recorded at once, by its ids; its answers complete it, as an edit of the
record: so a company sees a lead the second that it comes, and its text once Graph has told it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channels.lead_ads_forms import CHANNEL, PENDING, completion
from channels.media import LINKED_MEDIA, META_HOSTS, MediaSource, Target, lead_answers
from domain.commands import RecordInteraction
from domain.events import InteractionRecorded
from domain.values import FilePart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from channels.media import Json
    from domain.commands import Fact, ReportChange
    from domain.events import Event
    from domain.values import Deriver


def pointed(fact: Fact, derive: Deriver) -> Sequence[UUID]:
    """The answers of a lead that came without them."""
    if not isinstance(fact, RecordInteraction) or fact.text != PENDING:
        return ()
    return (derive.id("attachment", fact.source, fact.key, "answers"),)


def target(event: Event, _id: UUID) -> Target | None:
    """The lead that a record is of."""
    if not isinstance(event, InteractionRecorded) or event.external_id is None:
        return None
    return Target(None, event.external_id, FilePart.ANSWERS)


def completes(derive: Deriver, event: Event, fetched: Json, at: int) -> ReportChange:
    """The fact that completes a lead. Raises ValueError where that is none."""
    if not isinstance(event, InteractionRecorded) or event.external_id is None:
        raise ValueError("the event is no lead")
    return completion(derive, event.source, event.external_id, fetched, at)


PAGE_MEDIA: Final = {
    CHANNEL: MediaSource(
        hosts=META_HOSTS, recipe=lead_answers, pointed=pointed, target=target, completes=completes
    ),
    "messenger": LINKED_MEDIA,
    "instagram": LINKED_MEDIA,
}
"""By the kind of the source."""
