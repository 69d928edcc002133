"""Who is one person, in plain Python: everything that was said, looked at again each time.

Nothing is kept but the list of what happened. It stands beside the real ledger in the tests, and
says of each decision whether it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EXCLUSIVE = "whatsapp:"
"""Addresses of which a person has one."""


@dataclass
class Node:
    """What was said about one address; times are places in the history."""

    born: int
    linked: tuple[int, str | None] = (0, None)
    touched: int | None = None
    apart: set[str] = field(default_factory=set)


@dataclass
class Plain:
    """Addresses, the pairs that were asserted, and the merges that stand."""

    nodes: dict[str, Node] = field(default_factory=dict)
    pairs: dict[frozenset[str], int] = field(default_factory=dict)
    merges: dict[object, tuple[int, str, str]] = field(default_factory=dict)
    now: int = 0

    # -------------------------------------------------------------------- what happens

    def tick(self) -> int:
        """The next place in the history."""
        self.now += 1
        return self.now

    def seen(self, address: str, alias: str | None = None) -> None:
        """A message came, perhaps from an address that its provider says is the same person's."""
        at = self.tick()
        for one in (address, alias):
            if one is not None:
                self.nodes.setdefault(one, Node(at))
                at += 1
                self.now = at
        if alias is not None and alias != address:
            self.pairs.setdefault(frozenset((address, alias)), self.now)

    def link(self, owner: str, address: str) -> bool | None:
        """An address is given to a contact, from whoever has it; None: it has it. False: no."""
        node = self.nodes.get(address)
        if node is not None and self.contact(address) == owner:
            return None
        if node is not None:
            if self._holds(address):
                return False
            self._take_off(self.contact(address), address)
        at = self.tick()
        node = self.nodes.setdefault(address, Node(at))
        node.linked = (at, owner)
        node.apart.discard(owner)
        self._touch(owner, at)
        return True

    def unlink(self, owner: str, address: str) -> bool:
        """An address is taken off its contact; False where others hang on it."""
        if address == owner or self._holds(address):
            return False
        self._take_off(owner, address)
        return True

    def merge(self, name: object, survivor: str, absorbed: str) -> bool:
        """Two contacts become one; False where they are one."""
        if survivor == absorbed:
            return False
        self.merges[name] = (self.tick(), survivor, absorbed)
        return True

    def undo(self, name: object) -> bool:
        """Exactly this merge goes; False where it is gone."""
        self.tick()
        return self.merges.pop(name, None) is not None

    def _take_off(self, owner: str, address: str) -> None:
        node, at = self.nodes[address], self.tick()
        others = {other for pair in self.pairs if address in pair for other in pair}
        node.apart |= {owner, *others, *filter(None, (node.linked[1],))} - {address}
        node.linked = (at, None)
        self._touch(owner, at)

    def _touch(self, owner: str, at: int) -> None:
        node = self.nodes[owner]
        node.touched = at if node.touched is None else node.touched

    def _holds(self, address: str) -> bool:
        ends = {end for _, *both in self.merges.values() for end in both}
        return address in ends or any(one.linked[1] == address for one in self.nodes.values())

    # ------------------------------------------------------------------ what follows

    def contact(self, address: str) -> str:
        """The address that a contact is named after."""
        group = next(group for group in self.groups() if address in group)
        edges = [edge for edge in self._edges() if edge[1] in group and edge[2] in group]
        under = {child for _, child, _, _ in edges}
        survivors = {parent for _, _, parent, merge in edges if merge} - under
        free = survivors or (group - under) or group
        return min(free, key=lambda one: self.nodes[one].born)

    def groups(self) -> list[set[str]]:
        """All contacts, each as its addresses."""
        groups = [{one} for one in self.nodes]
        for pair, at in sorted(self.pairs.items(), key=lambda item: item[1]):
            one, other = pair
            if not self._decided(one, other, at):
                mine, theirs = (self._then(groups, end, at) for end in (one, other))
                if other not in mine and self._may(mine, theirs, at):
                    groups = _joined(groups, one, other)
        for _, child, parent, _ in sorted(self._edges()):
            groups = _joined(groups, child, parent)
        return groups

    def _edges(self) -> list[tuple[int, str, str, bool]]:
        found = []
        for name, node in self.nodes.items():
            at, parent = node.linked
            if parent is not None:
                found.append((at, name, parent, False))
        found += [(at, absorbed, over, True) for at, over, absorbed in self.merges.values()]
        return found

    def _decided(self, one: str, other: str, at: int) -> bool:
        mine, theirs = self.nodes[one], self.nodes[other]
        moved = max(mine.linked[0], theirs.linked[0]) > at
        return moved or other in mine.apart or one in theirs.apart

    def _then(self, groups: list[set[str]], address: str, at: int) -> set[str]:
        """The contact of an address as people had made it then, over these groups."""
        whole = {address}
        while True:
            more = {one for group in groups if group & whole for one in group}
            more |= {
                end
                for since, child, parent, _ in self._edges()
                if since < at and {child, parent} & more
                for end in (child, parent)
            }
            if more == whole:
                return whole
            whole = more

    def _may(self, mine: set[str], theirs: set[str], at: int) -> bool:
        if all(any(one.startswith(EXCLUSIVE) for one in side) for side in (mine, theirs)):
            return False
        if any(self.nodes[one].apart & theirs for one in mine):
            return False
        if any(self.nodes[one].apart & mine for one in theirs):
            return False
        return not (self._touched(mine, at) and self._touched(theirs, at))

    def _touched(self, side: set[str], at: int) -> bool:
        merged = {end for since, _, end in self.merges.values() if since < at}
        times = [self.nodes[one].touched for one in side]
        return bool(merged & side) or any(time is not None and time < at for time in times)


def _joined(groups: list[set[str]], one: str, other: str) -> list[set[str]]:
    both = [group for group in groups if one in group or other in group]
    rest = [group for group in groups if group not in both]
    return [*rest, set().union(*both)]
