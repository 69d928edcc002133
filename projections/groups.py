"""All groups of views: the core first, then those that follow beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from projections.core import core_group
from projections.reports import reports_group
from projections.search import search_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.group import Group
    from projections.views import Views

GROUPS: Final[tuple[Callable[[Views], Group], ...]] = (core_group, search_group, reports_group)
"""What makes each over a database of views; a new group joins by its name here."""
