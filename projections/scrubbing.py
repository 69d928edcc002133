"""What a group keeps beside its rows of what was deleted from them: made anew, without it."""

from __future__ import annotations

from collections.abc import Sequence

from projections import checkpoints, fulltext
from projections.database import writing
from projections.group import Group
from projections.views import Views


def scrub(group: Group) -> None:
    """Have the indexes of words keep nothing of what went away. Raises StoreUnavailable."""
    slot = group.views.database.writer()
    try:
        serving = checkpoints.serving(slot, group.name)
        if serving is None:
            return
        with writing(slot):
            for table in group.tables:
                if table.searched is not None:
                    fulltext.scrub(slot, table, serving.generation)
    finally:
        slot.close()


def position_of_all(views: Views, groups: Sequence[Group]) -> int:
    """The position that all groups hold; one that was never built has nothing to forget.

    Raises NotYet where something was made and does not serve.
    """
    made = {state.group for state in views.state(0) if state.generation is not None}
    return min((views.position(group.name) for group in groups if group.name in made), default=0)
