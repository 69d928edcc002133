"""Rows, cards, conversations and contacts as the contract shows them, on both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from domain import events
from domain.ports import Entry
from domain.values import Channel, Origin, Role, TimeSource
from projections import inbox_pages, rendering, timeline_pages
from projections.access import EVERYTHING
from projections.dictionary import Dictionary
from projections.inbox_pages import InboxQuery
from projections.painting import EXCERPT_MAX_CHARS, TEXT_MAX_CHARS
from projections.rendering import Renderer
from projections.timeline_pages import PageQuery
from tests.backends import Backend
from tests.projections.reading import PUBLIC_URL, Desk, desk_of
from tests.projections.story import SOURCE, US, Story, party, subject_of, user_of

ANA = "tel:+525511111111"
ANA_META = "whatsapp:106540352242922/ana"
BETO = "mailto:beto@example.com"

ROW_FIELDS = [
    "kind",
    "id",
    "interaction",
    "url",
    "contact",
    "contacts",
    "channel",
    "direction",
    "origin",
    "source",
    "resource",
    "destination",
    "occurred_at",
    "occurred_offset_min",
    "occurred_at_source",
    "recorded_at",
    "logged_late",
    "subject",
    "text",
    "text_truncated",
    "attended_by",
    "department",
    "campaign",
    "status",
    "call",
    "attachments",
    "participants",
    "thread",
    "in_reply_to",
    "reactions",
    "auto",
    "edited_at",
    "revoked_at",
    "corrected",
    "retracted",
    "twin",
    "erased",
]
"""Contract 2.3, in its order."""


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """Core views, empty."""
    with desk_of(backend) as opened:
        yield opened


def _stream(entry: Entry) -> UUID:
    return entry.event.originator_id


def _card(desk: Desk, position: int) -> dict[str, Any]:
    with desk.views.reading() as reading:
        ref = timeline_pages.one(reading, position)
        assert ref is not None
        card = desk.renderer.card(reading, ref)
        found: dict[str, Any] = json.loads(rendering.encode(card))
        return found


def test_a_row_has_every_field(desk: Desk) -> None:
    """An interaction's row is the contract's, names resolved, addresses labelled."""
    story = Story()
    story.user("Rosa")
    story.department("ventas", "Ventas")
    story.campaign("suv", "Venta SUV")
    story.source(SOURCE, "WhatsApp Ventas CDMX")
    entry = story.inbound(
        *(ANA, "Hola, ¿sigue disponible?"),
        at=100,
        contact_name="Ana Núñez",
        department="ventas",
        campaign="suv",
        attended_by=user_of("Rosa"),
        offset_min=-360,
    )
    desk.tell(story)
    row = desk.row(entry.position)
    ana = str(subject_of(ANA))
    assert list(row) == ROW_FIELDS
    assert row["url"] == f"{PUBLIC_URL}/interactions/{entry.position}"
    assert row["interaction"] == str(_stream(entry))
    assert row["contact"] == {"id": ana, "name": "Ana Núñez", "label": "Ana Núñez"}
    assert row["contacts"] == [ana]
    assert row["source"] == {"key": SOURCE, "name": "WhatsApp Ventas CDMX"}
    assert row["resource"] == {"address": ANA, "label": "+52 55 1111 1111", "contact": ana}
    assert row["destination"] == {"address": US, "label": "+52 55 9876 5432", "contact": None}
    assert row["occurred_at"] == "2025-10-09T08:55:00.000000Z"
    assert (row["occurred_offset_min"], row["occurred_at_source"]) == (-360, "provider")
    assert row["attended_by"] == {"id": str(user_of("Rosa")), "name": "Rosa", "user": True}
    assert row["department"] == {"key": "ventas", "name": "Ventas"}
    assert row["campaign"] == {"key": "suv", "name": "Venta SUV"}
    assert (row["status"], row["call"], row["retracted"], row["twin"]) == (None, None, None, None)
    assert (row["logged_late"], row["erased"], row["text_truncated"]) == (False, False, False)


def test_a_name_given_later_shows_in_old_rows(desk: Desk) -> None:
    """What was rendered before is not shown once a name, a contact or a link has changed."""
    story = Story()
    entry = story.inbound(ANA, "hola", department="ventas")
    story.inbound(ANA_META, "hola")
    desk.tell(story)
    before = desk.row(1)
    assert before == desk.row(1)
    assert before["contact"] == {
        "id": str(subject_of(ANA)),
        "name": None,
        "label": "+52 55 1111 1111",
    }
    story.department("ventas", "Ventas y taller")
    story.named(subject_of(ANA), name="Ana")
    story.linked(subject_of(ANA), ANA_META)
    desk.tell(story)
    assert desk.row(1)["department"]["name"] == "Ventas y taller"
    assert desk.row(1)["contact"]["name"] == "Ana"
    assert desk.row(2)["contact"]["id"] == str(subject_of(ANA))
    assert desk.row(entry.position)["id"] == entry.position


def test_texts_are_cut_in_rows_and_whole_in_cards(desk: Desk) -> None:
    """A row shows 2,000 characters and says so; the card shows the text and what surrounds it."""
    story = Story()
    long = "ñ" * (TEXT_MAX_CHARS + 1)
    story.inbound(ANA, long, details=b'{"a":[1]}', external_id="wamid.1", on_behalf_of=user_of("R"))
    story.inbound(ANA, long[1:])
    desk.tell(story)
    row, card = desk.row(1), _card(desk, 1)
    assert (len(row["text"]), row["text_truncated"]) == (TEXT_MAX_CHARS, True)
    assert (card["text"], card["text_truncated"]) == (long, False)
    assert (card["external_id"], card["details"], card["position"]) == ("wamid.1", {"a": [1]}, 1)
    assert card["actor"] == {"kind": "channel", "id": "meta-main", "name": "meta-main"}
    assert card["on_behalf_of"]["user"] is False
    assert (card["html"], card["twins"]) == (None, [])
    assert desk.row(2)["text_truncated"] is False


def test_delivery_shows_the_furthest_state(desk: Desk) -> None:
    """Statuses and watermarks show the furthest state; a failure stays beside it."""
    story = Story()
    sent = story.outbound(ANA, "1", at=10)
    story.outbound(ANA, "2", at=20)
    story.outbound(ANA, "3", at=30)
    asked = story.inbound(ANA, "4", at=15)
    story.status(_stream(sent), "failed", at=11, code="131026", message="no está")
    story.status(_stream(sent), "delivered", at=12)
    desk.tell(story)
    failure = {"code": "131026", "message": "no está"}
    status = desk.row(1)["status"]
    assert (status["state"], status["raw"], status["failure"]) == (
        *("delivered", "delivered"),
        failure,
    )
    assert desk.row(2)["status"] is None
    story.watermark(ANA, "delivered", through=25, at=26)
    story.watermark(ANA, "read", through=15, at=27)
    desk.tell(story)
    states = [row["status"]["state"] for row in desk.rows([1, 2])]
    assert states == ["read", "delivered"]
    assert desk.row(1)["status"]["failure"] == failure
    assert [row["status"] for row in desk.rows([3, asked.position])] == [None, None]


def test_edits_revocations_and_reactions_show(desk: Desk) -> None:
    """The last text, when it was edited, who reacted; nothing of what was taken back."""
    story = Story()
    one = story.inbound(ANA, "ola")
    two = story.inbound(ANA, "secreto")
    story.edited(_stream(one), ANA, "hola", at=300)
    story.reaction(_stream(one), ANA, "👍", at=310)
    story.reaction(_stream(one), ANA, "🎉", at=305, by="staff")
    story.revoked(_stream(two), ANA, at=320)
    desk.tell(story)
    row = desk.row(1)
    assert (row["text"], row["edited_at"]) == ("hola", "2025-10-09T08:58:20.000000Z")
    assert [(r["emoji"], r["by"]) for r in row["reactions"]] == [("🎉", "staff"), ("👍", "contact")]
    taken = desk.row(2)
    assert (taken["text"], taken["revoked_at"]) == (None, "2025-10-09T08:58:40.000000Z")


def test_a_call_is_one_row(desk: Desk) -> None:
    """Outcome and seconds of a call come from its record, then from what was reported of it."""
    story = Story()
    call = events.Call(ring_seconds=4)
    entry = story.inbound(ANA, None, channel=Channel.CALL, call=call)
    done = events.Call(seconds=65)
    story.status(_stream(entry), "unknown", word="completed", call=done)
    desk.tell(story)
    row = desk.row(1)
    assert row["call"] == {"seconds": 65, "ring_seconds": 4, "outcome": None, "recording": None}
    assert row["status"]["raw"] == "completed"


def test_late_records_are_marked(desk: Desk) -> None:
    """What was logged long after it happened says so; imported history does not."""
    story = Story()
    story.inbound(ANA, "a tiempo", at=10_000)
    story.inbound(ANA, "tarde", at=9_000)
    story.inbound(
        *(ANA, "hace años"),
        at=10,
        origin=Origin.IMPORTED,
        source="import:viejo",
        time_source=TimeSource.IMPORT,
    )
    desk.tell(story)
    assert [row["logged_late"] for row in desk.rows([1, 2, 3])] == [False, True, False]


def test_replies_find_what_they_answer(desk: Desk) -> None:
    """By stream or, for e-mail, by message-id; before it is recorded only the foreign id shows."""
    story = Story()
    told = Story()
    asked = told.inbound(ANA, "¿" + "a" * 200, at=1)
    reply = story.outbound(ANA, "sí", in_reply_to=_stream(asked), reply_to_external="wamid.9")
    desk.tell(story)
    assert desk.row(1)["in_reply_to"] == {"id": None, "external_id": "wamid.9", "excerpt": None}
    assert isinstance(asked.event, events.Event)
    story.add(asked.event)
    mail_id = UUID(int=77)
    first = story.inbound(BETO, "asunto", channel=Channel.EMAIL, message_id=mail_id)
    second = story.outbound(BETO, "re", channel=Channel.EMAIL, in_reply_to=mail_id)
    story.status(mail_id, "failed", code="550")
    desk.tell(story)
    answered = desk.row(reply.position)["in_reply_to"]
    assert (answered["id"], len(answered["excerpt"])) == (2, EXCERPT_MAX_CHARS)
    assert desk.row(second.position)["in_reply_to"]["id"] == first.position
    assert desk.row(first.position)["status"]["failure"] == {"code": "550", "message": None}
    assert desk.row(second.position)["status"] is None


def test_participants_are_named(desk: Desk) -> None:
    """Everybody on a mail is there in order, the sender too, our own side without a contact."""
    story = Story()
    others = [party(ANA, Role.CC, asserted=False, name="Ana")]
    ours = (events.OwnParticipant("mailto:ventas@hilo.mx", Role.TO, place=2),)
    story.inbound(
        *(BETO, "a todos"),
        channel=Channel.EMAIL,
        with_parties=others,
        own_participants=ours,
        seat=events.Seat(Role.FROM, 0),
        contact_name="Beto",
        attachments=(events.Attachment(UUID(int=5), "a.pdf", "application/pdf", size_bytes=7),),
        subject_line="Presupuesto",
    )
    desk.tell(story)
    row = desk.row(1)
    ana, beto = str(subject_of(ANA)), str(subject_of(BETO))
    assert row["contacts"] == [beto, ana]
    assert [(one["role"], one["name"], one["contact"]) for one in row["participants"]] == [
        ("from", "Beto", beto),
        ("cc", "Ana", ana),
        ("to", None, None),
    ]
    assert row["subject"] == "Presupuesto"
    file = row["attachments"][0]
    assert (file["name"], file["bytes"], file["state"], file["url"]) == (
        "a.pdf",
        7,
        "pending",
        None,
    )


def test_an_erased_row_keeps_its_skeleton(desk: Desk) -> None:
    """Without its key an interaction counts and has a place, and says nothing."""
    story = Story()
    entry = story.inbound(ANA, None, at=100)
    assert isinstance(entry.event, events.InteractionRecorded)
    bare = structs.replace(entry.event, resource=None, destination=None, external_id=None)
    story.entries[0] = structs.replace(entry, event=bare, erased=True)
    desk.tell(story)
    row = desk.row(1)
    assert row["erased"] is True
    assert row["contact"] == {"id": str(subject_of(ANA)), "name": None, "label": "#1"}
    assert (row["text"], row["attachments"], row["thread"]) == (None, None, None)
    assert row["resource"] == {"address": None, "label": None, "contact": str(subject_of(ANA))}
    assert row["channel"] == "whatsapp"


def test_kept_rows_are_bounded_and_can_be_forgotten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds a limited number of rendered rows, and drops them all when told."""
    monkeypatch.setattr(rendering, "ROWS_KEPT", 4)
    story = Story()
    for number in range(6):
        story.inbound(ANA, f"{number}")
    desk.tell(story)
    bodies = desk.rows([1, 2, 3, 4])
    assert desk.rows([5, 6])[0]["text"] == "4"
    assert desk.rows([1, 2, 3, 4]) == bodies
    assert len(desk.renderer._kept) <= 6
    desk.renderer.forget()
    assert not desk.renderer._kept
    assert desk.rows([1, 2, 3, 4]) == bodies


def test_kept_conversations_show_what_has_come_since(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation from memory is the one that would be rendered afresh, for each viewer."""
    monkeypatch.setattr(rendering, "TALKS_KEPT", 2)
    story = Story()
    story.user("Rosa")
    ana = subject_of(ANA)

    def inbox(user: str) -> list[bytes]:
        with desk.views.reading() as reading:
            found = inbox_pages.page(reading, user_of(user).bytes, InboxQuery(), EVERYTHING).rows
            bodies = desk.renderer.conversations(reading, found, EVERYTHING)
            anew = Renderer(PUBLIC_URL, Dictionary(desk.views))
            assert anew.conversations(reading, found, EVERYTHING) == bodies
        return bodies

    told = story.inbound(ANA, "1")
    changes: tuple[Callable[[], object], ...] = (
        lambda: story.inbound(ANA, "2"),
        lambda: story.named(ana, name="Ana"),
        lambda: story.seen(ana, "Rosa", told.position),
        lambda: story.edited(_stream(told), ANA, "uno"),
        lambda: story.inbound(BETO, "3"),
    )
    for change in changes:
        desk.tell(story)
        assert inbox("Rosa") == inbox("Rosa")
        assert len(inbox("Luis")) == len(inbox("Rosa"))
        change()
    desk.tell(story)
    assert [json.loads(body)["contact"]["name"] for body in inbox("Rosa")] == [None, "Ana"]
    assert len(desk.renderer._talks) <= 3


def test_a_page_of_rows_is_what_its_rows_are(desk: Desk) -> None:
    """Rendered from memory or afresh, as bytes or as objects, a page says the same."""
    story = Story()
    for number in range(5):
        told = story.inbound(ANA, f"{number}", at=number)
        story.reaction(_stream(told), ANA, "👍")
    desk.tell(story)
    digests = set()
    for _ in range(2):
        with desk.views.reading() as reading:
            page = timeline_pages.page(
                reading, [subject_of(ANA).bytes], PageQuery(scope="t", limit=3)
            )
            body = desk.renderer.page(reading, page, EVERYTHING)
            rows = desk.renderer.rows(reading, page.rows, EVERYTHING)
        digests.add(hashlib.sha256(body).digest())
        assert json.loads(body)["items"] == [json.loads(row) for row in rows]
        assert json.loads(body)["next"] == page.next
    assert len(digests) == 1
