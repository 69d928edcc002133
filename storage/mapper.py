"""The library's mapper, over our codec: its EventStore, Repository and Application keep working.

The stock mapper uses `vars(event)`, has one key for a whole application and stores module paths
as topics; ours seals per subject and stores the topics of `domain/topics.golden`.
"""

from __future__ import annotations

from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from domain.ports import StoredEntry
from storage.codec import Codec

WITHOUT_POSITION = 0
"""What stands for the position of an event that the library hands over: it does not know it."""


class SealedMapper(Mapper[UUID]):
    """Turns events into sealed StoredEvents and back."""

    def __init__(self, codec: Codec) -> None:
        # The transcoder is never asked; the library's mapper cannot be made without one.
        super().__init__(JSONTranscoder())
        self._codec = codec

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The event, sealed. Raises as `Codec.seal`."""
        topic, state = self._codec.seal(domain_event)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            state=state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """The event, opened; what was erased is at its default. Raises as `Codec.open`."""
        originator = stored_event.originator_id
        entry = StoredEntry(
            position=WITHOUT_POSITION,
            originator_id=originator if isinstance(originator, UUID) else UUID(originator),
            originator_version=stored_event.originator_version,
            topic=stored_event.topic,
            recorded_at=0,
            command_id=None,
            state=stored_event.state,
        )
        return self._codec.open(entry).event
