"""Names: what events set, what is discovered, and what a missing name falls back to."""

from __future__ import annotations

from uuid import UUID

import pytest

from projections import dictionary
from projections.base import Projection
from projections.dictionary import Dictionary, DictionaryProjection, Person, Word
from tests.backends import Backend
from tests.projections.desk import Desk, desk
from tests.projections.story import Story, derived, user_of

PROJECTIONS: tuple[Projection, ...] = (DictionaryProjection(),)
NOBODY = UUID(int=7)


def _names(at: Desk, book: Dictionary) -> dictionary.Names:
    with at.views.reading() as reading:
        return book.names(reading)


def _story() -> Story:
    story = Story()
    story.user("Rosa")
    story.user("Marta", sign_in=False)
    story.department("ventas", "Ventas")
    story.campaign("suv", "Venta SUV", active=False)
    story.inbound("tel:+525512345678", source="whatsapp:1065")
    story.token_issued("crm", scopes=("append", "read"))
    return story


def test_names_stand_for_ids_and_keys(backend: Backend) -> None:
    """People, departments, campaigns and tokens answer with the name that was set."""
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(_story().entries)
        names = _names(at, Dictionary(at.views))
        rosa = str(user_of("Rosa"))
        assert names.user(user_of("Rosa")) == Person(rosa, "Rosa", user=True)
        assert names.user(user_of("Marta").bytes).user is False
        assert names.department("ventas") == Word("ventas", "Ventas")
        assert names.campaign("suv").name == "Venta SUV"
        assert names.token(str(derived("token", "crm"))).name == "crm"
        (campaign,) = names.all(dictionary.CAMPAIGN)
        assert campaign.active is False


def test_a_missing_name_falls_back_to_the_key(backend: Backend) -> None:
    """What nobody named, or whose key was destroyed, is shown by its key."""
    story = _story()
    story.user("Eva", name=None, email=None)
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        names = _names(at, Dictionary(at.views))
        assert names.department("taller") == Word("taller", "taller")
        assert names.user(NOBODY).name == str(NOBODY)
        assert names.user(user_of("Eva")).name == str(user_of("Eva"))
        assert names.source("whatsapp:1065").name == "whatsapp:1065"
        assert names.channel("meta-main") == Word("meta-main", "meta-main")


def test_a_source_is_discovered_and_then_named(backend: Backend) -> None:
    """The first interaction discovers a source; a name makes it a named one."""
    story = _story()
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        book = Dictionary(at.views)
        found = _names(at, book).one(dictionary.SOURCE, "whatsapp:1065")
        assert found is not None
        assert found.extra.discovered
        story.source("whatsapp:1065", "WhatsApp Ventas", department="ventas")
        story.inbound("tel:+525512345678", source="whatsapp:1065")
        at.feed(story.entries)
        found = _names(at, book).one(dictionary.SOURCE, "whatsapp:1065")
        assert found is not None
        assert (found.name, found.extra.discovered) == ("WhatsApp Ventas", False)
        assert found.extra.department == "ventas"


def test_a_revoked_token_is_no_longer_active(backend: Backend) -> None:
    """A token keeps its scopes after it was revoked, and says when that was."""
    story = _story()
    revoked = story.token_revoked("crm")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        token = _names(at, Dictionary(at.views)).one(dictionary.TOKEN, str(derived("token", "crm")))
    assert token is not None
    assert (token.active, token.extra.revoked_at) == (False, revoked.recorded_at)
    assert token.extra.scopes == ("append", "read")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (str(user_of("Rosa")), "Rosa"),
        ("ROSA@example.mx", "Rosa"),
        ("  rosa ", "Rosa"),
        ("marta", "Marta"),
        (str(NOBODY), None),
        ("Ros", None),
    ],
)
def test_staff_is_found_by_id_mail_or_exact_name(
    backend: Backend, text: str, name: str | None
) -> None:
    """A UUID, an e-mail or the exact name, in any case, find a person; nothing else does."""
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(_story().entries)
        expected = user_of(name) if name else None
        assert Dictionary(at.views).staff_id(text) == expected


def test_what_is_cached_follows_the_views(backend: Backend) -> None:
    """A new name, and another generation of the views, reach a book that was read before."""
    story = _story()
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        book = Dictionary(at.views)
        assert _names(at, book).department("ventas").name == "Ventas"
        assert not book.knows(derived("department.set", "taller"))
        story.department("ventas", "Ventas CDMX")
        story.department("taller", "Taller")
        at.feed(story.entries)
        assert _names(at, book).department("ventas").name == "Ventas CDMX"
        assert book.knows(derived("department.set", "taller"))
        at.rebuild(_story().entries)
        assert _names(at, book).department("ventas").name == "Ventas"


def test_nobody_is_known_while_nothing_serves(backend: Backend) -> None:
    """Before the first build the book knows nobody, and raises nothing."""
    with desk(backend.views_url, PROJECTIONS) as at:
        book = Dictionary(at.views)
        assert book.staff_id("Rosa") is None
        assert not book.knows(NOBODY)
