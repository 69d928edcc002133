"""What people decide about belonging, told into a story: merges, what takes them back, the rest."""

from __future__ import annotations

from uuid import UUID

from domain import events
from domain.ports import Entry
from tests.projections.story import (
    Story,
    by_user,
    contact_stream,
    derived,
    moment,
    scheme_of,
    subject_of,
)


def merged(
    story: Story, survivor: str, absorbed: str, *, by: str = "Rosa", reason: str | None = None
) -> UUID:
    """Two contacts, named by an address each, are one; the merge's id."""
    merge = derived("merge", survivor, absorbed, len(story.entries))
    both = (subject_of(survivor), subject_of(absorbed))
    for contact in dict.fromkeys(both):
        event = events.ContactsMerged(
            originator_id=contact_stream(contact),
            originator_version=_next(story, contact),
            actor=by_user(by),
            contact=contact,
            merge=merge,
            survivor=both[0],
            absorbed=both[1],
            reason=reason,
        )
        story.add(event)
    return merge


def undone(story: Story, merge: UUID, *, by: str = "Rosa") -> None:
    """A merge is taken back."""
    known = next(
        entry.event
        for entry in story.entries
        if isinstance(entry.event, events.ContactsMerged) and entry.event.merge == merge
    )
    for contact in dict.fromkeys((known.survivor, known.absorbed)):
        event = events.MergeUndone(
            originator_id=contact_stream(contact),
            originator_version=_next(story, contact),
            actor=by_user(by),
            contact=contact,
            merge=merge,
            survivor=known.survivor,
            absorbed=known.absorbed,
        )
        story.add(event)


def unlinked(story: Story, contact: str, address: str, *, by: str = "Rosa") -> Entry:
    """An address is taken off the contact that is named after another one."""
    owner = subject_of(contact)
    event = events.AddressUnlinked(
        originator_id=contact_stream(owner),
        originator_version=_next(story, owner),
        actor=by_user(by),
        contact=owner,
        subject=subject_of(address),
    )
    return story.add(event)


def reassigned(story: Story, contact: str, address: str, *, at: int, by: str = "Rosa") -> UUID:
    """A number is somebody else's from a time (seconds) on; the new subject."""
    owner = subject_of(contact)
    successor = derived("subject", address, at)
    scheme, scope = scheme_of(address)
    event = events.AddressReassigned(
        originator_id=contact_stream(owner),
        originator_version=_next(story, owner),
        actor=by_user(by),
        contact=owner,
        subject=subject_of(address),
        successor=successor,
        from_at=moment(at),
        scheme=scheme,
        scope=scope,
        address=address,
    )
    story.add(event)
    return successor


def dismissed(
    story: Story, one: str, other: str, *why: str, again: bool = False, by: str = "Rosa"
) -> Entry:
    """What speaks for two addresses being one person's does not; or (`again`) does after all."""
    ids = sorted((subject_of(one), subject_of(other)), key=lambda subject: subject.bytes)
    kind = events.SuggestionRestored if again else events.SuggestionDismissed
    event = kind(
        originator_id=derived("doubt", len(story.entries)),
        originator_version=1,
        actor=by_user(by),
        contact=subject_of(one),
        other=subject_of(other),
        reasons=tuple(events.Reason(ids[0], ids[1], name) for name in why),
        reason="son hermanos",
    )
    return story.add(event)


def _next(story: Story, contact: UUID) -> int:
    stream = contact_stream(contact)
    versions = (entry.event for entry in story.entries)
    return 1 + max((e.originator_version for e in versions if e.originator_id == stream), default=0)
