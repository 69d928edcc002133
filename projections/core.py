"""The core: the projections of one checkpoint, in the order in which they may read each other."""

from __future__ import annotations

from projections.access import Access
from projections.base import Projection
from projections.dictionary import DictionaryProjection
from projections.directory import DirectoryProjection
from projections.dismissals import Dismissals
from projections.finding import Finding
from projections.group import Group
from projections.history import History
from projections.inbox import Inbox
from projections.teams import Teams
from projections.timeline import Timeline
from projections.views import CORE, Views


def core_projections() -> tuple[Projection, ...]:
    """Names to inbox, each after what it reads; activity is the timeline in another order."""
    return (
        DictionaryProjection(),
        Teams(),
        DirectoryProjection(),
        Dismissals(),
        Finding(),
        Access(),
        Timeline(),
        History(),
        Inbox(),
    )


def core_group(views: Views) -> Group:
    """The group that readers of pages see."""
    return Group(CORE, core_projections(), views)
