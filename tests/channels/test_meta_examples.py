"""Requests about pages and Instagram accounts, typed anew: what each comes to, and the tables."""

from __future__ import annotations

import pytest

from tests.channels.meta_examples import ALL, TABLES, document, renewed
from tests.channels.meta_shop import parsed
from tests.channels.told import told


@pytest.mark.parametrize(
    ("channel", "body", "expected"),
    [
        pytest.param(channel, body, said, id=f"{channel} {name}")
        for channel, name, body, said in ALL
    ],
)
def test_each_kind_comes_to_what_it_is(
    channel: str, body: object, expected: tuple[str, ...]
) -> None:
    """Each kind of request comes to what the table says."""
    assert tuple(told(parsed(channel, body))) == expected


@pytest.mark.parametrize(
    ("channel", "body"),
    [pytest.param(channel, body, id=f"{channel} {name}") for channel, name, body, _ in ALL],
)
def test_an_example_alone_parses_to_itself(channel: str, body: object) -> None:
    """What would be kept of an atom in quarantine parses to that atom and nothing else."""
    for atom in parsed(channel, body):
        alone = parsed(channel, atom.raw())
        assert [(one.source, one.outcome) for one in alone] == [(atom.source, atom.outcome)]


@pytest.mark.parametrize("channel", TABLES)
def test_the_document_has_the_table(channel: str) -> None:
    """The table of each document is what the parser says today."""
    text = document(channel).read_text("utf-8")
    assert text == renewed(channel, text), "make it: python -m tests.channels.meta_examples"
