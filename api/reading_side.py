"""What the application gets for reading: routers, the hub of its streams, its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, FastAPI
from msgspec import Meta, Struct

from api import (
    attachments,
    audit,
    audit_views,
    bulk,
    contact_access,
    contact_addresses,
    contact_batch,
    contact_merges,
    contact_suggestions,
    conversations,
    erasures,
    exports,
    log_pages,
    log_proofs,
    notes,
    operations,
    people_me,
    people_teams,
    people_users,
    people_words,
    read_activity,
    read_contacts,
    read_conversations,
    read_interactions,
    read_kinship,
    read_reports,
    read_search,
    read_timeline,
    stream,
)
from api.chronicle import Happening
from api.hub import Hub
from api.metrics import ProofNumbers
from api.read_interactions import Proof
from api.shelf import Shelf
from api.stream import Pace
from api.web import (
    acting,
    activity,
    audit_log,
    connection,
    contact_alike,
    contact_directory,
    contact_edit,
    contact_merge,
    contact_walls,
    doors,
    files,
    finding,
    inbox,
    inbox_acts,
    interaction_cards,
    log_activity,
    making,
    pages,
    profile,
    reference,
    reports,
    searching,
    settings_me,
    settings_people,
    settings_teams,
    settings_tokens,
    settings_words,
)
from api.web import audit as web_audit
from api.web import channels as web_channels
from api.web import erasing as web_erasing
from api.web import quarantine as web_quarantine
from api.web.addresses import Pages
from domain.errors import Unavailable
from projections.inbox_counts import Counts
from projections.shapes import (
    AddressView,
    CardView,
    ContactView,
    ConversationView,
    NoteView,
    RowView,
)

if TYPE_CHECKING:
    from api.reads import Reads
    from api.services import Services

ROUTERS: Final[tuple[APIRouter | Pages, ...]] = (
    read_interactions.router,
    read_timeline.router,
    contact_addresses.router,
    contact_merges.router,
    contact_suggestions.router,
    read_kinship.router,
    contact_batch.router,
    read_contacts.router,
    contact_access.router,
    erasures.router,
    read_conversations.router,
    bulk.router,
    conversations.router,
    notes.router,
    read_activity.router,
    read_search.router,
    read_reports.router,
    stream.router,
    attachments.downloads,
    log_pages.router,
    log_proofs.router,
    audit.router,
    exports.router,
    operations.router,
    people_me.router,
    people_users.router,
    people_teams.router,
    people_words.router,
    doors.router,
    files.router,
    acting.router,
    finding.router,
    searching.router,
    inbox.router,
    inbox_acts.router,
    interaction_cards.router,
    activity.router,
    log_activity.router,
    contact_directory.router,
    contact_alike.router,
    contact_edit.router,
    contact_merge.router,
    contact_walls.router,
    profile.router,
    reports.router,
    web_channels.router,
    connection.router,
    web_quarantine.router,
    settings_me.router,
    settings_people.router,
    settings_teams.router,
    settings_words.router,
    settings_tokens.router,
    web_audit.router,
    audit_log.router,
    web_erasing.router,
    reference.router,
)
"""Everything that reads; the first match answers."""


class InteractionPage(Struct):
    """A page of interaction rows."""

    items: list[RowView]
    next: str | None
    prev: str | None


_EITHER: Final = [{"$ref": f"#/components/schemas/{one}"} for one in ("RowView", "NoteView")]


class TimelinePage(Struct):
    """A page of a contact's interactions and notes."""

    items: list[Annotated[object, Meta(extra_json_schema={"anyOf": _EITHER})]]
    next: str | None
    prev: str | None


class ConversationPage(Struct):
    """A page of the inbox."""

    items: list[ConversationView]
    next: str | None
    prev: str | None


class ContactPage(Struct):
    """A page of contacts."""

    items: list[ContactView]
    next: str | None
    prev: str | None


class AddressPage(Struct):
    """A contact's addresses."""

    items: list[AddressView]
    next: str | None
    prev: str | None


class Card(CardView, kw_only=True):
    """All of one interaction."""

    history: list[Happening]
    proof: Proof


BODIES: Final[tuple[type[Struct], ...]] = (
    InteractionPage,
    TimelinePage,
    ConversationPage,
    ContactPage,
    AddressPage,
    Card,
    ConversationView,
    ContactView,
    Counts,
    log_pages.LogPage,
    *log_proofs.STRUCTS,
    *audit_views.STRUCTS,
    operations.Health,
    operations.Ready,
    operations.Viewed,
    *people_me.STRUCTS,
    *people_users.STRUCTS,
    *people_teams.STRUCTS,
    *people_words.STRUCTS,
    read_contacts.ContactRequest,
    *contact_addresses.STRUCTS,
    *contact_merges.STRUCTS,
    *contact_suggestions.STRUCTS,
    *read_kinship.STRUCTS,
    contact_access.AccessRequest,
    contact_access.AccessThen,
    *erasures.STRUCTS,
    NoteView,
    *read_search.STRUCTS,
    *read_reports.STRUCTS,
    *bulk.BODIES,
    *conversations.BODIES,
    *notes.BODIES,
)
"""The Structs that these operations name in the document of the API."""


def furnish(application: FastAPI, services: Services, reads: Reads) -> None:
    """Give the application what its reading needs; to be called once."""
    hub = Hub(services, reads)
    application.state.reads = reads
    application.state.hub = hub
    application.state.pace = Pace()
    application.state.shelf = Shelf()
    application.state.page_maker = making.PageMaker(services, pages.TABS)
    metrics = reads.metrics
    services.log.observe(metrics.committed)
    metrics.watch_queue(services.log.queued)
    metrics.watch_streams(lambda: hub.streams)
    metrics.watch_positions(lambda: _places(services))
    metrics.watch_proofs(lambda: _proof_numbers(services))


def _proof_numbers(services: Services) -> ProofNumbers:
    """How the proofs are; zeroes where the store does not answer."""
    try:
        found = services.proofs.state()
    except Unavailable:
        return ProofNumbers(0, 0, {})
    signed = found.last.size if found.last else 0
    return ProofNumbers(
        found.tree, signed, {row.place: int(bool(row.error)) for row in found.places}
    )


def _places(services: Services) -> tuple[int, int]:
    """The positions of log and core views; 0 for a store that does not answer."""
    head = core = 0
    try:
        head = services.log.head()
        core = services.views.position()
    except Unavailable:
        pass
    return head, core
