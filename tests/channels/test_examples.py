"""One request of each kind, typed anew: what it comes to, and the table that people read."""

from __future__ import annotations

import pytest

from tests.channels.examples import DOCUMENT, EXAMPLES, renewed
from tests.channels.shop import parsed
from tests.channels.told import told


@pytest.mark.parametrize(
    ("body", "expected"),
    [pytest.param(body, expected, id=name) for name, body, expected in EXAMPLES],
)
def test_each_kind_comes_to_what_it_is(body: object, expected: tuple[str, ...]) -> None:
    """Each kind of request comes to what the table says."""
    assert tuple(told(parsed(body))) == expected


@pytest.mark.parametrize(
    "body", [pytest.param(body, id=name) for name, body, _ in EXAMPLES if body != b"<html>"]
)
def test_an_example_alone_parses_to_itself(body: object) -> None:
    """What would be kept of an atom in quarantine parses to that atom and nothing else."""
    for atom in parsed(body):
        alone = parsed(atom.raw())
        assert [(one.source, one.outcome) for one in alone] == [(atom.source, atom.outcome)]


def test_the_document_has_the_table() -> None:
    """The table of docs/channels/whatsapp.md is what the parser says today."""
    document = DOCUMENT.read_text("utf-8")
    assert document == renewed(document), "make it anew: python -m tests.channels.examples"
