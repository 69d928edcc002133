"""What tests of erasures begin with: messages, views that follow, an erasure as it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from api.erasing_plans import Sight, sight_in
from app.cli.erasing import _Seen
from app.compose import Composition
from projections import contact_pages
from tests.app.ledgers import run
from tests.domain.commands import BY_ROSA, BY_TOKEN, said

ANA = "tel:+525512345678"
LUIS = "tel:+525500000001"


@pytest.fixture
def quick_scrub(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL writes no table anew: where no bytes are looked at that is only time."""
    monkeypatch.setattr("storage.scrubbing._scrub_schema", lambda *_: None)


def tell(at: Composition, key: str, text: str = "hola", **changes: object) -> UUID:
    """A message is recorded; the contact that it is of."""
    command = said(text, key=key, external_id=key, **changes)
    return run(at.ledger.record(command, BY_TOKEN)).contact


def follow(at: Composition) -> None:
    """Have the views of every group hold all that the log holds."""
    for follower in (at.follower, *at.beside):
        follower.catch_up()
        follower.release()


def sight(at: Composition, contact: UUID) -> Sight:
    """The contact as the views show it now."""
    follow(at)
    with at.views.reading() as reading:
        root = contact_pages.contact_of(reading, contact.bytes)
        assert root is not None
        return sight_in(_Seen(reading, at.renderer), UUID(bytes=root))


def erase(at: Composition, contact: UUID) -> Mapping[str, Any]:
    """Erase a contact; the certificate."""
    seen = sight(at, contact)
    intent = run(at.eraser.begin(seen, at.eraser.plan(seen).plan, "lo pidió", BY_ROSA))
    follow(at)
    return run(at.eraser.complete(intent))


def shown(at: Composition, contact: UUID) -> Any:  # noqa: ANN401 - a view
    """The contact as pages show it; None where there is none."""
    follow(at)
    with at.views.reading() as reading:
        return at.renderer.contact(reading, contact.bytes)
