"""Who is one person: the linking rule, as a pure function of what was said and observed.

Links that people and imports wrote come first, in their order. Then come the pairs that an
authenticated provider asserted (rule 1), by the earliest time at which they were seen: so the
outcome does not depend on the order in which messages arrived. A pair changes nothing where

- the two sets hold ids of the same exclusive kind (one business knows a person by one id),
- both were touched by people before the pair was first seen: then it is theirs to decide,
- a person has since moved one of the two addresses to another contact,
- more than 64 addresses would come together, or one of them is a bucket of withheld numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

RULE: Final = 1
"""The number that stands in the events; what it means is never changed."""

SUBJECTS_MAX: Final = 64
"""Addresses of one contact: its page is a merge over them, and no person has more."""

BUCKETS: Final = frozenset({"anonymous"})
"""Schemes whose address stands for nobody in particular."""


class Node(Struct, frozen=True):
    """A subject, as the rule sees it.

    `place` orders subjects by their first appearance. `touched` is the position at which people
    first decided about it, `parent` the contact to which it was linked by hand, `parent_at` the
    position of that link.
    """

    scheme: str
    scope: str | None
    place: int
    touched: int | None = None
    parent: bytes | None = None
    parent_at: int = 0


class Pair(Struct, frozen=True, array_like=True):
    """Two subjects that were asserted to be one person, and when and where that was first.

    `occurred_at` and `originator` are those of the earliest message that says so, `position`
    is where the log first learned of it.
    """

    other: bytes
    occurred_at: int
    originator: bytes
    position: int


def partition(
    nodes: Mapping[bytes, Node], pairs: Iterable[tuple[bytes, Pair]]
) -> dict[bytes, bytes]:
    """The contact of each subject: the member that came first, of those not linked by hand."""
    sets = {subject: {subject} for subject in nodes}
    by_hand = [(node.parent_at, subject) for subject, node in nodes.items() if node.parent]
    for _, subject in sorted(by_hand):
        parent = nodes[subject].parent
        if parent is not None and parent in sets:
            _unite(sets, subject, parent)
    observed = sorted((p.occurred_at, p.originator, one, p.other, p.position) for one, p in pairs)
    for _, _, one, other, position in observed:
        if sets[one] is not sets[other] and _may_unite(nodes, sets[one], sets[other], position):
            if _moved_since(nodes[one], position) or _moved_since(nodes[other], position):
                continue
            _unite(sets, one, other)
    heads: dict[int, bytes] = {}
    for members in sets.values():
        if id(members) not in heads:
            heads[id(members)] = _head(nodes, members)
    return {subject: heads[id(members)] for subject, members in sets.items()}


def _unite(sets: dict[bytes, set[bytes]], one: bytes, other: bytes) -> None:
    large, small = sets[one], sets[other]
    if large is small or len(large) + len(small) > SUBJECTS_MAX:
        return
    if len(large) < len(small):
        large, small = small, large
    large |= small
    for subject in small:
        sets[subject] = large


def _may_unite(
    nodes: Mapping[bytes, Node], one: set[bytes], other: set[bytes], position: int
) -> bool:
    kinds = _exclusive(nodes, one)
    if not kinds.isdisjoint(_exclusive(nodes, other)):
        return False
    if any(nodes[subject].scheme in BUCKETS for subject in one | other):
        return False
    return not (_touched(nodes, one, position) and _touched(nodes, other, position))


def _exclusive(nodes: Mapping[bytes, Node], subjects: set[bytes]) -> set[tuple[str, str]]:
    """The kinds of which a person has one: an account's own ids, never phones or mailboxes."""
    found = ((nodes[subject].scheme, nodes[subject].scope) for subject in subjects)
    return {(scheme, scope) for scheme, scope in found if scope is not None}


def _touched(nodes: Mapping[bytes, Node], subjects: set[bytes], position: int) -> bool:
    times = (nodes[subject].touched for subject in subjects)
    return any(touched is not None and touched < position for touched in times)


def _moved_since(node: Node, position: int) -> bool:
    return node.parent is not None and node.parent_at > position


def _head(nodes: Mapping[bytes, Node], members: set[bytes]) -> bytes:
    free = [subject for subject in members if nodes[subject].parent not in members]
    return min(free or members, key=lambda subject: (nodes[subject].place, subject))
