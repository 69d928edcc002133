"""What may be the twin of a record, as one caller may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import WrongState
from domain.recording import counterpart_of
from projections import contact_pages, twins
from projections.twins import Probe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.reads import Look
    from domain.commands import RecordInteraction
    from projections.shapes import TwinView
    from projections.timeline_pages import Ref
    from projections.twins import Candidate


def of_command(look: Look, command: RecordInteraction) -> list[TwinView]:
    """What may be of the event that a command is about to record, the nearest in time first."""
    subject = subject_of(look, command)
    if subject is None:
        return []
    probe = Probe(command.origin, command.channel, command.direction, command.occurred_at)
    members = _together(look, subject)
    return _views(look, twins.near(look.reading, members, probe, look.services.twin_window_us))


def of_record(look: Look, ref: Ref) -> list[TwinView]:
    """The same of a record that stands; none where it has a twin, or may have none."""
    members = _together(look, ref.subject)
    window_us = look.services.twin_window_us
    return _views(look, twins.of_record(look.reading, ref, members, window_us))


def subject_of(look: Look, command: RecordInteraction) -> bytes | None:
    """The subject of the address at the other end; None where it was never seen."""
    address = counterpart_of(command)
    found = look.services.ledger.subjects.find(address, command.occurred_at)
    return found.bytes if found else None


def require_one_contact(look: Look, subjects: Sequence[bytes | None]) -> None:
    """Raise WrongState unless all of them are one contact: a twin is hidden where the other stands.

    None stands for an address that was never seen.
    """
    seen = [subject for subject in subjects if subject is not None]
    contacts = {contact_pages.contact_of(look.reading, subject) for subject in seen}
    if len(seen) < len(subjects) or len(contacts) > 1:
        message = "The two records are of two contacts; merge the contacts first."
        raise WrongState(message)


def _together(look: Look, subject: bytes) -> list[bytes]:
    """The subjects of the contact that a subject belongs to."""
    contact = contact_pages.contact_of(look.reading, subject)
    return contact_pages.members_of(look.reading, contact) if contact else []


def _views(look: Look, found: list[Candidate]) -> list[TwinView]:
    allowed = set(look.allowed([one.ref for one in found]))
    window_us = look.services.twin_window_us
    return [twins.view(one, window_us) for one in found if one.ref in allowed]
