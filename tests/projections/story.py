"""Stories: entries as the log would hand them over, made without a log, a key or a clock.

`Story` collects them with contiguous positions and drops what the log would drop (a stream and
version that stand already). Subjects follow from addresses, streams of external facts from
(source, kind, external id), so that two stories of the same facts in another order differ in
positions alone. Every `at` is in whole seconds after START; without it a minute goes by.
Fields of the event that a method does not name go in as keywords, as the event calls them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from msgspec import structs

from domain import events
from domain.ports import Entry
from domain.topics import TOPICS
from domain.values import Channel, Direction, Origin, TimeSource
from tests.projections.ids import (
    CHANNEL_ACTOR,
    SECOND,
    SOURCE,
    START,
    US,
    by_user,
    contact_stream,
    derived,
    fact,
    moment,
    party,
    scheme_of,
    subject_of,
    user_of,
)

__all__ = [
    "CHANNEL_ACTOR",
    "SECOND",
    "SOURCE",
    "START",
    "US",
    "Story",
    "by_user",
    "contact_stream",
    "derived",
    "fact",
    "moment",
    "party",
    "scheme_of",
    "subject_of",
    "user_of",
]

TOPIC_OF: Final = {event_class: topic for topic, event_class in TOPICS.items()}


@dataclass
class Story:
    """A log in the making; `entries` is what stands in it."""

    entries: list[Entry] = field(default_factory=list)
    at: int = 0
    _known: dict[tuple[UUID, int], Entry] = field(default_factory=dict)
    _versions: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[events.Event], recorded_at: Sequence[int] = ()) -> Story:
        """The same events in this order, duplicates dropped; times in µs, if given."""
        story = cls()
        for number, event in enumerate(told):
            story.add(event, recorded_at[number] if recorded_at else None)
        return story

    def add(self, event: events.Event, recorded_at: int | None = None) -> Entry:
        """The entry of an event: a new one, or the one that stands already. µs, if given."""
        key = (event.originator_id, event.originator_version)
        known = self._known.get(key)
        if known is not None:
            return known
        before = self.entries[-1].recorded_at if self.entries else START
        happened = moment(self.at) + SECOND if recorded_at is None else recorded_at
        entry = Entry(len(self.entries) + 1, max(before, happened), TOPIC_OF[type(event)], event)
        self.entries.append(entry)
        self._known[key] = entry
        self._versions[key[0]] = key[1]
        return entry

    # ------------------------------------------------------------ interactions

    def inbound(
        self, address: str | None, text: str | None = None, *, at: int | None = None, **more: object
    ) -> Entry:
        """A message (or with `channel=` something else) from an address to us."""
        return self._record(Direction.INBOUND, address, text, at, more)

    def outbound(
        self, address: str | None, text: str | None = None, *, at: int | None = None, **more: object
    ) -> Entry:
        """A message from us to an address."""
        return self._record(Direction.OUTBOUND, address, text, at, more)

    def _record(
        self,
        direction: Direction,
        address: str | None,
        text: str | None,
        at: int | None,
        more: dict[str, object],
    ) -> Entry:
        when = self._when(at)
        source = str(more.pop("source", SOURCE))
        external = str(more.pop("external_id", f"{direction}/{address}/{when}/{text}"))
        if "with_parties" in more:
            told = more.pop("with_parties")
            assert isinstance(told, list)
            more["parties"] = tuple(clear for clear, _ in told)
            more["identities"] = tuple(sealed for _, sealed in told)
            more["participant_count"] = len(told)
        subject = more.pop("subject", None) or subject_of(address or "tel:unknown")
        assert isinstance(subject, UUID)
        scheme, scope = scheme_of(address) if address else ("contact", None)
        inbound = direction is Direction.INBOUND
        event = events.InteractionRecorded(
            originator_id=fact(source, "interaction", external),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            channel=Channel.WHATSAPP,
            direction=direction,
            origin=Origin.AUTOMATIC,
            source=source,
            subject=subject,
            scheme=scheme,
            scope=scope,
            occurred_at=moment(when),
            time_source=TimeSource.PROVIDER,
            resource=address if inbound else US,
            destination=US if inbound else address,
            external_id=external,
            text=text,
        )
        return self.add(structs.replace(event, **more))

    def status(self, about: UUID, state: str, *, at: int | None = None, **more: object) -> Entry:
        """The delivery of the interaction with that stream came this far."""
        when = self._when(at)
        source = str(more.pop("source", SOURCE))
        word = str(more.pop("word", state))
        participant = more.get("participant")
        event = events.DeliveryReported(
            originator_id=fact(source, "status", f"{about}/{word}/{when}/{participant}"),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            about=about,
            source=source,
            at=moment(when),
            state=state,
            word=word,
        )
        return self.add(structs.replace(event, **more))

    def watermark(self, address: str, state: str, *, through: int, at: int | None = None) -> Entry:
        """Everything to an address up to `through` (seconds) was delivered or read."""
        when = self._when(at)
        event = events.WatermarkAdvanced(
            originator_id=fact(SOURCE, "watermark", f"{address}/{state}/{through}"),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            source=SOURCE,
            subject=subject_of(address),
            state=state,
            through=moment(through),
            at=moment(when),
        )
        return self.add(event)

    def edited(
        self, about: UUID, address: str, text: str | None, *, at: int | None = None
    ) -> Entry:
        """Its sender gave the message another text."""
        when = self._when(at)
        event = events.InteractionEdited(
            originator_id=fact(SOURCE, "edit", f"{about}/{when}/{text}"),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            about=about,
            source=SOURCE,
            subject=subject_of(address),
            at=moment(when),
            text=text,
        )
        return self.add(event)

    def revoked(self, about: UUID, address: str, *, at: int | None = None) -> Entry:
        """Its sender took the message back."""
        event = events.InteractionRevoked(
            originator_id=fact(SOURCE, "revocation", str(about)),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            about=about,
            source=SOURCE,
            subject=subject_of(address),
            at=moment(self._when(at)),
        )
        return self.add(event)

    def reaction(
        self, about: UUID, address: str, emoji: str | None, *, at: int | None = None, **more: object
    ) -> Entry:
        """The contact (or with by="staff" we) reacted; None takes the reaction away."""
        when = self._when(at)
        by = str(more.pop("by", "contact"))
        event = events.ReactionSet(
            originator_id=fact(SOURCE, "reaction", f"{about}/{by}/{when}/{emoji}"),
            originator_version=1,
            actor=CHANNEL_ACTOR,
            about=about,
            source=SOURCE,
            subject=subject_of(address),
            at=moment(when),
            by=by,
            emoji=emoji,
        )
        return self.add(structs.replace(event, **more))

    def corrected(self, about: UUID, address: str, by: str = "Rosa", **changes: object) -> Entry:
        """A person changed the named fields of an interaction."""
        stream = derived("annotation", about)
        event = events.InteractionCorrected(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=by_user(by),
            about=about,
            subject=subject_of(address),
            fields=tuple(sorted(name for name in changes if name not in {"reason", "offset_min"})),
        )
        return self.add(structs.replace(event, **changes))

    def retracted(
        self, about: UUID, address: str, *, by: str = "Rosa", reason: str = "por error"
    ) -> Entry:
        """A person declared the record void."""
        stream = derived("annotation", about)
        event = events.InteractionRetracted(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=by_user(by),
            about=about,
            subject=subject_of(address),
            reason=reason,
        )
        return self.add(event)

    # ---------------------------------------------------------------- contacts

    def named(self, contact: UUID, *, by: str = "Rosa", **given: object) -> Entry:
        """A person wrote down who the contact is; `created` and `address` are no fields."""
        stream = contact_stream(contact)
        event = events.ContactNamed(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=by_user(by),
            subject=contact,
            fields=tuple(
                sorted(name for name in given if name not in {"created", "address", "actor"})
            ),
        )
        return self.add(structs.replace(event, **given))

    def linked(
        self, contact: UUID, address: str, *, linked_by: str = "user", by: str = "Rosa"
    ) -> Entry:
        """A person or an import said that an address belongs to a contact."""
        stream = contact_stream(contact)
        scheme, scope = scheme_of(address)
        event = events.AddressLinked(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=by_user(by) if linked_by == "user" else events.Actor("import", "people"),
            contact=contact,
            subject=subject_of(address),
            scheme=scheme,
            scope=scope,
            linked_by=linked_by,
            address=address,
        )
        return self.add(event)

    def seen(self, contact: UUID, user: str, through: int) -> Entry:
        """A user has seen the conversation through a position."""
        event = events.ConversationSeen(
            originator_id=derived("seen", contact, user, through),
            originator_version=1,
            actor=by_user(user),
            contact=contact,
            user=user_of(user),
            through=through,
        )
        return self.add(event)

    # ----------------------------------------------------- people and settings

    def user(self, who: str, *, sign_in: bool = True, **more: object) -> Entry:
        """A person of the company became known (id: `user_of(who)`)."""
        stream = derived("user", user_of(who))
        event = events.UserAdded(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=events.Actor("system", "hilo"),
            user=user_of(who),
            sign_in=sign_in,
            role="agent" if sign_in else None,
            name=who,
            email=f"{who.lower()}@example.mx" if sign_in else None,
        )
        return self.add(structs.replace(event, **more))

    def department(self, key: str, name: str, *, active: bool = True) -> Entry:
        """A department has this name."""
        return self._word(events.DepartmentSet, key, name, active=active)

    def campaign(self, key: str, name: str, *, active: bool = True) -> Entry:
        """A campaign has this name."""
        return self._word(events.CampaignSet, key, name, active=active)

    def source(self, key: str, name: str, **more: object) -> Entry:
        """A source has this name."""
        stream = derived("source", key)
        event = events.SourceSet(
            originator_id=stream,
            originator_version=self._next(stream),
            actor=by_user("Rosa"),
            key=key,
            name=name,
        )
        return self.add(structs.replace(event, **more))

    def token_issued(self, name: str, *, scopes: tuple[str, ...] = ("append",)) -> Entry:
        """A token was made (id: `derived("token", name)`)."""
        event = events.TokenIssued(
            originator_id=derived("token-stream", name),
            originator_version=1,
            actor=by_user("Rosa"),
            token=derived("token", name),
            name=name,
            scopes=scopes,
        )
        return self.add(event)

    def token_revoked(self, name: str) -> Entry:
        """A token opens nothing any more."""
        event = events.TokenRevoked(
            originator_id=derived("token-stream", name),
            originator_version=2,
            actor=by_user("Rosa"),
            token=derived("token", name),
        )
        return self.add(event)

    # ------------------------------------------------------------------- inside

    def _word(
        self,
        kind: type[events.DepartmentSet | events.CampaignSet],
        key: str,
        name: str,
        *,
        active: bool,
    ) -> Entry:
        stream = derived(TOPIC_OF[kind], key)
        version, rosa = self._next(stream), by_user("Rosa")
        return self.add(
            kind(
                originator_id=stream,
                originator_version=version,
                actor=rosa,
                key=key,
                active=active,
                name=name,
            )
        )

    def _when(self, at: int | None) -> int:
        self.at = self.at + 60 if at is None else at
        return self.at

    def _next(self, stream: UUID) -> int:
        return self._versions.get(stream, 0) + 1
