"""The ledger: the only way in. Commands come, units of events go to the log, receipts come back.

Facts are streams of their own at version 1: the log's unique index is their idempotency, and a
clash is opened and compared. What people decide goes through the ledger's books: one for each
kind of thing that is decided about (domain/deciding.py says how).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.annotation_book import AnnotationBook
from domain.commands import FactReceipt, Receipt, RecordInteraction
from domain.contact_book import ContactBook
from domain.conversation_book import ConversationBook
from domain.deciding import BUSY, MAX_TRIES, Decider, Known, Surroundings
from domain.erasure_book import ErasureBook
from domain.errors import Busy, Conflict, NotFound
from domain.events import InteractionRecorded
from domain.facts import report_unit
from domain.identity_book import IdentityBook
from domain.people_book import PeopleBook
from domain.ports import Appended, Clash, Repeated, Unit
from domain.recording import Resolved, recording_unit, same_content
from domain.staff import Mentions
from domain.suggestion_book import SuggestionBook
from domain.team_book import TeamBook
from domain.word_book import WordBook

if TYPE_CHECKING:
    from domain.commands import By, Fact
    from domain.events import Event
    from domain.facts import Report
    from domain.ports import Contacts, Log, People, Subjects, Verdict

__all__ = ["Ledger", "Surroundings"]


class Ledger:
    """The one object through which everything is appended."""

    def __init__(
        self,
        log: Log,
        subjects: Subjects,
        people: People,
        owners: Contacts,
        surroundings: Surroundings,
    ) -> None:
        self.log = log
        self.subjects = subjects
        self.derive = surroundings.derive
        self.clock = surroundings.clock
        self._owners = owners
        self.own_domains = surroundings.own_domains
        self._mentions = Mentions(people, surroundings.derive)
        known = Known(subjects, owners, surroundings)
        self._decider = decider = Decider(log)
        self.annotations = AnnotationBook(decider, surroundings.derive, self._mentions)
        self.contacts = ContactBook(decider, known)
        self.identity = IdentityBook(decider, known)
        self.suggestions = SuggestionBook(decider, known)
        self.erasures = ErasureBook(decider, known)
        self.conversations = ConversationBook(decider, known)
        self.people = PeopleBook(decider, people, surroundings)
        self.teams = TeamBook(decider, surroundings)
        self.words = WordBook(decider, surroundings)

    async def record(self, command: RecordInteraction, by: By) -> Receipt:
        """Append one interaction; durable when this returns.

        Raises Conflict where its key stands with other content, Busy, OutcomeUnknown; with
        `twin_of` also NotFound, and WrongState where that record cannot be its twin.
        """
        unit = self.unit(command, by)
        if command.twin_of is not None:
            return await self._record_twin(command, unit, command.twin_of, by)
        return self.receipt(command, unit, await self.log.append(unit))

    async def report(self, report: Report, by: By) -> FactReceipt:
        """Append a further fact about an interaction; told again, it is a duplicate."""
        verdict = await self.log.append(report_unit(report, by, self.derive))
        match verdict:
            case Appended(positions):
                return FactReceipt(positions[0], positions[0])
            case Clash() | Repeated():
                return FactReceipt(verdict.position, verdict.position, duplicate=True)

    async def state(self, event: Event, by: By) -> FactReceipt:
        """Append one fact of our own, a stream at version 1; standing already, a duplicate."""
        return await self._decider.state(event, by)

    async def _record_twin(
        self, command: RecordInteraction, unit: Unit, twin_of: int, by: By
    ) -> Receipt:
        """Append one interaction and link it to its twin, in one unit."""
        stands = self.log.stream(unit.key)
        if stands:
            return self.duplicate(command, stands[0].position)
        shown = self._decider.entry(twin_of).event
        if not isinstance(shown, InteractionRecorded):
            message = f"There is no interaction {twin_of}."
            raise NotFound(message)
        for _ in range(MAX_TRIES):
            verdict = await self.log.append(self.annotations.as_twin(unit, shown, by))
            if isinstance(verdict, Clash) and verdict.originator_id != unit.key:
                continue  # somebody decided about the other record meanwhile
            return self.receipt(command, unit, verdict)
        raise Busy(BUSY)

    def unit(self, command: Fact, by: By) -> Unit:
        """The unit that a fact will append; nothing is written yet. For batches."""
        if not isinstance(command, RecordInteraction):
            return report_unit(command, by, self.derive)
        attended_by, first_mentions = self._mentions.of(
            command.attended_by, command.department, command.campaign, by
        )
        resolved = Resolved(by, attended_by, first_mentions, self.own_domains)
        return recording_unit(command, resolved, self.derive)

    def receipt(self, command: RecordInteraction, unit: Unit, verdict: Verdict) -> Receipt:
        """What the verdict on a command's unit means to whoever sent it; raises Conflict."""
        if isinstance(verdict, Appended):
            return self.appended(unit, verdict)
        return self.duplicate(command, verdict.position)

    def appended(self, unit: Unit, verdict: Appended) -> Receipt:
        """What it means to whoever sent an interaction that its unit was appended."""
        owner = self._owners.contact_of(verdict.subjects[0])
        return Receipt(verdict.positions[0], unit.key, owner)

    def duplicate(self, command: RecordInteraction, position: int) -> Receipt:
        """What stands at a position instead of a command; raises Conflict where it differs."""
        entry = self._decider.entry(position)
        event = entry.event
        if not isinstance(event, InteractionRecorded):
            raise Conflict(position)
        if not entry.erased and not same_content(event, command):
            raise Conflict(position)
        owner = self._owners.contact_of(event.subject)
        return Receipt(position, event.originator_id, owner, duplicate=True, erased=entry.erased)
