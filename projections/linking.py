"""Who is one person: the linking rule, as a pure function of what was said and observed.

First the pairs that an authenticated provider asserted (rule 1), by the earliest time at which
they were seen: so the outcome does not depend on the order in which messages arrived. Then what
people and imports wrote: links and merges, in their order, over whole contacts. A pair is judged
by the contacts as people had made them when the log first learned of it, and joins nothing where

- the two contacts hold ids of the same exclusive kind (one business knows a person by one id),
- both were touched by people before the pair was first seen: then it is theirs to decide,
- a person has since linked one of the two addresses elsewhere, or taken it off,
- a person once took an address of the one off the other,
- one of them was restricted by then: joined, not the same people would see it as before,
- more than 64 addresses would come together, or one of them is a bucket of withheld numbers,
- one of them was erased, and the other was not along with it; that parts what people linked, too.

Where the provider says that a person changed from one address to others (rule 2), the user ids
that the change made void are kept and exclude nothing any more: what follows the change links
to the new ones.

So nothing depends on what was undone: without its edge, all is as if it had never been there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

RULE: Final = 1
"""The number that stands in the events; what it means is never changed."""

SUCCESSION: Final = 2
"""The number of the rule for a person who changed from one address to others, in their order."""

RULES: Final = frozenset({RULE, SUCCESSION})

BOUND_TO_PHONE: Final = frozenset({"whatsapp"})
"""Schemes whose user ids are made anew with a new number."""

SUBJECTS_MAX: Final = 64
"""Addresses of one contact: its page is a merge over them, and no person has more."""

BUCKETS: Final = frozenset({"anonymous"})
"""Schemes whose address stands for nobody in particular."""


class Node(Struct, frozen=True):
    """A subject, as the rule sees it.

    `place` orders subjects by their first appearance. `touched` is the position at which people
    first decided about it. `parent` is the contact to which it was linked by hand, None where it
    was not, or was taken off; `parent_at` the position of that. `merged` is the contact that it
    was merged into, `merged_at` where. `apart` are subjects that people once took it off.
    `walls` says from which positions on it was restricted, or open again. `erased` is the
    position at which it was erased.
    """

    scheme: str
    scope: str | None
    place: int
    touched: int | None = None
    parent: bytes | None = None
    parent_at: int = 0
    merged: bytes | None = None
    merged_at: int = 0
    apart: frozenset[bytes] = frozenset()
    walls: tuple[tuple[int, bool], ...] = ()
    erased: int | None = None


class Pair(Struct, frozen=True, array_like=True):
    """Two subjects that were asserted to be one person, and when and where that was first.

    `occurred_at` and `originator` are those of the earliest message that says so, `position`
    is where the log first learned of it. `age` is 0 where both hold at one time; else `other` is
    the newer one (above 0) or the older one (below 0), and its amount orders what one message
    says.
    """

    other: bytes
    occurred_at: int
    originator: bytes
    position: int
    age: int = 0


class Edge(Struct, frozen=True, order=True):
    """People put `child`, with all that is its, under `parent`, at a position."""

    position: int
    child: bytes
    parent: bytes
    merge: bool


Nodes = Mapping[bytes, Node]


def partition(nodes: Nodes, pairs: Iterable[tuple[bytes, Pair]]) -> dict[bytes, bytes]:
    """The contact of each subject: the one that people merged others into, else the first come.

    A contact that people linked or merged to another one is never the one that names both.
    """
    edges = sorted(
        edge
        for edge in map(_edge, nodes, nodes.values())
        if edge.parent in nodes and nodes[edge.parent].erased == nodes[edge.child].erased
    )
    sets = {subject: {subject} for subject in nodes}
    made = _Made(edges, sets)
    void: set[bytes] = set()
    for one, pair in sorted(pairs, key=_order):
        other, position = pair.other, pair.position
        if sets[one] is sets[other] or decided(nodes, one, other, position):
            continue
        mine, theirs = made.whole(one, position), made.whole(other, position)
        if other in mine:
            continue
        older, newer = (mine, other) if pair.age > 0 else (theirs, one)
        voided = _voided(nodes, older, nodes[newer]) if pair.age else set()
        # A new number that another user id has already is no proof; a new user id is.
        ended = void | voided if nodes[newer].scope else void
        if _may_unite(nodes, (mine, theirs), position, ended):
            void |= voided
            _unite(sets, one, other)
    for edge in edges:
        _unite(sets, edge.child, edge.parent)
    heads: dict[int, bytes] = {}
    for members in sets.values():
        if id(members) not in heads:
            heads[id(members)] = _head(nodes, edges, members)
    return {subject: heads[id(members)] for subject, members in sets.items()}


def _order(found: tuple[bytes, Pair]) -> tuple[int, bytes, int, bytes, bytes]:
    one, pair = found
    return pair.occurred_at, pair.originator, abs(pair.age), one, pair.other


def _voided(nodes: Nodes, older: set[bytes], new: Node) -> set[bytes]:
    """The user ids of the older side that a change of number or id put an end to."""
    return {
        subject
        for subject in older
        if (known := nodes[subject]).scope is not None
        and (
            known.scheme in BOUND_TO_PHONE
            if new.scope is None
            else (known.scheme, known.scope) == (new.scheme, new.scope)
        )
    }


def decided(nodes: Nodes, one: bytes, other: bytes, position: int) -> bool:
    """Whether people have said since that the two of a pair are not one person, or erased one."""
    mine, theirs = nodes[one], nodes[other]
    if mine.erased != theirs.erased or max(mine.parent_at, theirs.parent_at) > position:
        return True
    return other in mine.apart or one in theirs.apart


def _edge(subject: bytes, node: Node) -> Edge:
    """The one edge of a subject that counts, the latest; to itself where it has none."""
    if node.merged is not None and node.merged_at > node.parent_at:
        return Edge(node.merged_at, subject, node.merged, merge=True)
    return Edge(node.parent_at, subject, node.parent or b"", merge=False)


class _Made:
    """Contacts as people had made them at a position, over the sets observed so far."""

    def __init__(self, edges: Sequence[Edge], sets: dict[bytes, set[bytes]]) -> None:
        self._sets = sets
        self._beside: dict[bytes, list[tuple[int, bytes]]] = {}
        for edge in edges:
            self._beside.setdefault(edge.child, []).append((edge.position, edge.parent))
            self._beside.setdefault(edge.parent, []).append((edge.position, edge.child))

    def whole(self, subject: bytes, position: int) -> set[bytes]:
        """The contact of a subject."""
        if not self._beside:
            return self._sets[subject]
        found: set[bytes] = set()
        todo = [subject]
        while todo:
            one = todo.pop()
            if one not in found:
                found |= self._sets[one]
                todo += (
                    beside
                    for member in self._sets[one]
                    for since, beside in self._beside.get(member, ())
                    if since < position and beside not in found
                )
        return found


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
    nodes: Nodes, sides: tuple[set[bytes], set[bytes]], position: int, ended: set[bytes]
) -> bool:
    one, other = sides
    if len(one) + len(other) > SUBJECTS_MAX:
        return False
    if not _exclusive(nodes, one - ended).isdisjoint(_exclusive(nodes, other - ended)):
        return False
    if any(nodes[subject].scheme in BUCKETS for subject in one | other):
        return False
    if any(_is_restricted(nodes[subject], position) for subject in one | other):
        return False
    if _apart(nodes, one, other) or _apart(nodes, other, one):
        return False
    return not (_touched(nodes, one, position) and _touched(nodes, other, position))


def _is_restricted(node: Node, position: int) -> bool:
    """Whether not everybody could see it by then: who belongs to it is for people to decide."""
    said = [restricted for since, restricted in node.walls if since < position]
    return bool(said) and said[-1]


def _exclusive(nodes: Nodes, subjects: set[bytes]) -> set[tuple[str, str]]:
    """The kinds of which a person has one: an account's own ids, never phones or mailboxes."""
    found = ((nodes[subject].scheme, nodes[subject].scope) for subject in subjects)
    return {(scheme, scope) for scheme, scope in found if scope is not None}


def _apart(nodes: Nodes, one: set[bytes], other: set[bytes]) -> bool:
    return any(not nodes[subject].apart.isdisjoint(other) for subject in one)


def _touched(nodes: Nodes, subjects: set[bytes], position: int) -> bool:
    """Whether people had decided about any of them, or merged one, by then."""
    for subject in subjects:
        node = nodes[subject]
        if node.touched is not None and node.touched < position:
            return True
        if node.merged is not None and node.merged_at < position:
            return True
    return False


def _head(nodes: Nodes, edges: Sequence[Edge], members: set[bytes]) -> bytes:
    inside = [edge for edge in edges if edge.child in members and edge.parent in members]
    under = {edge.child for edge in inside if edge.parent != edge.child}
    survivors = {edge.parent for edge in inside if edge.merge} - under
    free = survivors or (members - under) or members
    return min(free, key=lambda subject: (nodes[subject].place, subject))
