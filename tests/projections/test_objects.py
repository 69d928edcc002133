"""Conversations and contacts as the contract shows them, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from domain.values import Channel
from projections import inbox_pages, rendering
from projections.access import EVERYTHING
from projections.inbox_pages import InboxQuery
from tests.backends import Backend
from tests.projections.reading import Desk, desk_of
from tests.projections.story import SOURCE, Story, subject_of, user_of
from tests.projections.test_rendering import ROW_FIELDS

ANA = "tel:+525511111111"
ANA_META = "whatsapp:106540352242922/ana"
BETO = "mailto:beto@example.com"

CONVERSATION_FIELDS = [
    "id",
    "contact",
    "status",
    "snoozed_until",
    "assignee",
    "team",
    "department",
    "unread",
    "seen_through",
    "waiting_since",
    "last_at",
    "last",
    "channels",
    "interactions",
    "first_at",
    "muted",
    "restricted",
    "version",
]
"""Contract 2.5."""

CONTACT_FIELDS = [
    "id",
    "name",
    "label",
    "company",
    "owner",
    "language",
    "addresses",
    "merged",
    "first_at",
    "last_at",
    "interactions",
    "by_channel",
    "first_source",
    "access",
    "muted",
    "holds",
    "erased_at",
    "created",
    "version",
]
"""Contract 2.6."""


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """Core views, empty."""
    with desk_of(backend) as opened:
        yield opened


def test_conversations_show_their_last_interaction(desk: Desk) -> None:
    """The inbox's row is the contract's, with the interaction row inside."""
    story = Story()
    story.user("Rosa")
    story.inbound(ANA, "1", at=10, contact_name="Ana", channel=Channel.SMS)
    story.inbound(ANA, "2", at=20, department="ventas")
    story.inbound(ANA, "3", at=15)
    desk.tell(story)
    with desk.views.reading() as reading:
        page = inbox_pages.page(reading, user_of("Rosa").bytes, InboxQuery(), EVERYTHING)
        body = json.loads(desk.renderer.inbox(reading, page, EVERYTHING))
    assert list(body) == ["items", "next", "prev"]
    row = body["items"][0]
    assert list(row) == CONVERSATION_FIELDS
    assert list(row["last"]) == ROW_FIELDS
    assert (row["last"]["text"], row["channels"]) == ("2", ["whatsapp", "sms"])
    assert (row["unread"], row["seen_through"], row["status"]) == (3, 1, "open")
    assert row["department"] == {"key": "ventas", "name": "ventas"}
    assert row["waiting_since"] == row["first_at"] == "2025-10-09T08:53:30.000000Z"


def test_contacts_show_addresses_and_sums(desk: Desk) -> None:
    """A contact's object is the contract's, its numbers summed over its addresses."""
    story = Story()
    story.inbound(ANA, "1", at=10)
    story.inbound(ANA_META, "2", at=20)
    story.linked(subject_of(ANA), ANA_META)
    story.named(subject_of(ANA), name="Ana", company="Transportes")
    desk.tell(story)
    with desk.views.reading() as reading:
        found = desk.renderer.contact(reading, subject_of(ANA).bytes)
        assert desk.renderer.contact(reading, subject_of(BETO).bytes) is None
        assert desk.renderer.contact(reading, subject_of(ANA_META).bytes) is None
    body = json.loads(rendering.encode(found))
    assert list(body) == CONTACT_FIELDS
    assert [(one["address"], one["linked_by"]) for one in body["addresses"]] == [
        (ANA, "first"),
        (ANA_META, "user"),
    ]
    assert body["addresses"][0]["channels"] == ["whatsapp"]
    assert (body["interactions"], body["by_channel"]) == (2, {"whatsapp": 2})
    assert body["first_source"]["key"] == SOURCE
    assert (body["name"], body["company"], body["version"]) == ("Ana", "Transportes", 2)
