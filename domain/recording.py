"""From a command to the events of an interaction, and the question whether two are the same.

Pure: subjects come in, events go out. The counterpart is the address at the other end; what
belongs to our own side is sealed with the content, every further outside participant under
their own key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct, structs

from domain.addresses import comparison_key, is_company_side, scheme_of, scope_of
from domain.commands import By
from domain.events import Identity, InteractionRecorded, OwnParticipant, Party, Seat
from domain.ports import Pending, Seeker, Unit
from domain.values import Direction, Role, TimeSource, dictionary_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.commands import RecordInteraction
    from domain.events import Attachment
    from domain.values import Deriver

LINKING_RULE = 1
"""Rule 1: addresses that an authenticated provider asserts in one message are one person.
The number stands in each event and its meaning is never changed."""

SUCCESSION_RULE = 2
"""Rule 2: a person changed from the counterpart's address to the asserted ones, in their order.
What the new ones replace excludes nothing any more."""

NOBODY: Final = UUID(int=0)
"""Stands for a subject until the key store has given it."""

EVENT_OVERHEAD_BYTES = 400
"""Roughly what an interaction takes in the log besides its text and its original."""


class Resolved(Struct, frozen=True):
    """What the ledger looked up for a command: who attended, and first mentions to write."""

    by: By
    attended_by: UUID | None = None
    dictionary: tuple[Pending, ...] = ()
    own_domains: frozenset[str] = frozenset()


def interaction_stream(derive: Deriver, namespace: str, key: str) -> UUID:
    """The stream of an interaction, from what makes it unique."""
    return derive.fact(namespace, "interaction", key)


def mail_id(derive: Deriver, message_id: str) -> UUID:
    """What reports and answers name a mail by: its Message-ID, with or without its brackets."""
    return derive.id("message-id", message_id.strip().removeprefix("<").removesuffix(">"))


def counterpart_of(command: RecordInteraction) -> str:
    """The outside address: who began an inbound one, who received an outbound one."""
    inbound = command.direction is Direction.INBOUND
    address = command.resource if inbound else command.destination
    return address if address is not None else f"contact:{command.contact}"


def recording_unit(command: RecordInteraction, resolved: Resolved, derive: Deriver) -> Unit:
    """The unit that records an interaction, with the first mentions of what it names."""
    counterpart = counterpart_of(command)
    seekers: tuple[Seeker, ...] = (Seeker(counterpart, command.occurred_at),)
    known = _known(command, counterpart, resolved, derive)
    outside: tuple[_Outside, ...] = ()
    if command.aliases or command.participants:
        outside, own = _sides(command, counterpart, resolved.own_domains)
        seat, name = _seat(command, counterpart)
        known = structs.replace(
            known,
            seat=seat,
            contact_name=command.contact_name or name,
            identities=tuple(Identity(o.address, o.name) for o in outside),
            own_participants=own,
        )
        seekers += tuple(Seeker(o.address, command.occurred_at) for o in outside)

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        parties = _parties(outside, subjects) if outside else ()
        event = structs.replace(known, subject=subjects[0], parties=parties)
        return (Pending(event), *resolved.dictionary)

    return Unit(
        key=known.originator_id,
        build=build,
        seekers=seekers,
        counted=command.counted,
        size_hint=EVENT_OVERHEAD_BYTES + len(command.text or "") + len(command.original or b""),
    )


def same_content(event: InteractionRecorded, command: RecordInteraction) -> bool:
    """Whether a stored interaction says what the command says (design.md §5, "same key again").

    Links that expire, names, aliases and the provider's original do not count; a time counts
    only where both sides had one of their own.
    """
    defaulted = TimeSource.RECEIVED in {event.time_source, command.time_source}
    return (
        event.channel == command.channel
        and event.direction == command.direction
        and _one_address(event.resource, command.resource)
        and _one_address(event.destination, command.destination)
        and (defaulted or event.occurred_at == command.occurred_at)
        and event.subject_line == command.subject_line
        and event.text == command.text
        and _files(event.attachments) == _files(command.attachments)
    )


def _files(attachments: Sequence[Attachment]) -> list[tuple[str, str, str | None]]:
    """What counts of the files that a sender attached."""
    return [(a.name, a.media_type, a.sha256) for a in attachments if a.part is None]


def _one_address(stored: str | None, sent: str | None) -> bool:
    """Whether two spellings are one address: an e-mail's local part counts case-folded."""
    if stored is None or sent is None or stored == sent:
        return stored == sent
    return comparison_key(stored) == comparison_key(sent)


class _Outside(Struct, frozen=True):
    """A further outside participant or alias, before its subject is known."""

    address: str
    role: Role
    name: str | None = None
    asserted: bool = False
    place: int | None = None


def _seat(command: RecordInteraction, counterpart: str) -> tuple[Seat | None, str | None]:
    """What the counterpart was among the participants, and what they were called there."""
    key = comparison_key(counterpart)
    for place, person in enumerate(command.participants):
        if comparison_key(person.address) == key:
            return Seat(person.role, place), person.name
    return None, None


def _sides(
    command: RecordInteraction, counterpart: str, own_domains: frozenset[str]
) -> tuple[tuple[_Outside, ...], tuple[OwnParticipant, ...]]:
    """Aliases and participants, parted into outside and own; nobody twice."""
    main = comparison_key(counterpart)
    outside: dict[str, _Outside] = {}
    own: list[OwnParticipant] = []
    for alias in command.aliases:
        outside[alias.address] = _Outside(alias.address, Role.ALIAS, None, alias.asserted)
    ours = {command.resource, command.destination} - {counterpart}
    for place, person in enumerate(command.participants):
        if person.address in ours or _is_own(person.address, own_domains):
            own.append(OwnParticipant(person.address, person.role, person.name, place))
            continue
        known = outside.get(person.address)
        if known is None or known.place is None:
            asserted = known is not None and known.asserted
            outside[person.address] = _Outside(
                person.address, person.role, person.name, asserted, place
            )
    outside = {one: who for one, who in outside.items() if comparison_key(one) != main}
    return tuple(outside.values()), tuple(own)


def _is_own(address: str, own_domains: frozenset[str]) -> bool:
    if is_company_side(address):
        return True
    return address.startswith("mailto:") and address.rpartition("@")[2] in own_domains


def _parties(outside: tuple[_Outside, ...], subjects: Sequence[UUID]) -> tuple[Party, ...]:
    """The clear half of the outside participants; `subjects[0]` is the counterpart's."""
    return tuple(
        Party(subject, scheme_of(o.address), o.role, scope_of(o.address), o.asserted, o.place)
        for o, subject in zip(outside, subjects[1:], strict=True)
    )


def _known(
    command: RecordInteraction, counterpart: str, resolved: Resolved, derive: Deriver
) -> InteractionRecorded:
    """The event with all that depends neither on subjects nor on further participants."""
    mail = command.namespace == "email"
    return InteractionRecorded(
        originator_id=interaction_stream(derive, command.namespace, command.key),
        originator_version=1,
        actor=resolved.by.actor,
        on_behalf_of=resolved.by.on_behalf_of,
        channel=command.channel,
        direction=command.direction,
        origin=command.origin,
        source=command.source,
        subject=NOBODY,
        scheme=scheme_of(counterpart),
        scope=scope_of(counterpart),
        occurred_at=command.occurred_at,
        offset_min=command.offset_min,
        time_source=command.time_source,
        attended_by=resolved.attended_by,
        department=dictionary_key(command.department) if command.department else None,
        campaign=dictionary_key(command.campaign) if command.campaign else None,
        auto=command.auto,
        call=command.call,
        attachment_count=sum(file.part is None for file in command.attachments),
        participant_count=command.participant_count or len(command.participants),
        rule=SUCCESSION_RULE if command.succession else LINKING_RULE,
        message_id=mail_id(derive, command.message_id) if command.message_id else None,
        in_reply_to=answered_stream(derive, command, mail=mail),
        resource=command.resource,
        destination=command.destination,
        contact_name=command.contact_name,
        external_id=command.external_id,
        text=command.text,
        subject_line=command.subject_line,
        thread=command.thread,
        reply_to_external=command.in_reply_to,
        attachments=command.attachments,
        details=command.details,
        original=command.original,
    )


def answered_stream(derive: Deriver, command: RecordInteraction, *, mail: bool) -> UUID | None:
    """The stream that is answered; for an e-mail, the derived message-id, resolved in the view."""
    if command.in_reply_to is None:
        return None
    if mail:
        return mail_id(derive, command.in_reply_to)
    return interaction_stream(derive, command.namespace, command.in_reply_to)
