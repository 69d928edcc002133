"""What is broken stays with itself: poisoned messages, and bodies of no shape."""

from __future__ import annotations

import pytest

from channels.contract import Commands, Unreadable
from tests.channels.shop import messages, parsed, text


@pytest.mark.parametrize(
    "poison",
    [
        None,
        7,
        "x",
        [],
        {"from": {"a": 1}},
        {"type": "reaction", "from": "525512345678", "id": "wamid.X"},
        {"type": "edit", "from": "525512345678", "id": "wamid.X", "edit": {"message": 3}},
        {"from": "525512345678", "id": "x" * 600},
    ],
)
def test_a_poisoned_message_harms_nobody(poison: object) -> None:
    """Its siblings before and behind are read as if it were not there."""
    atoms = parsed(messages(text("wamid.A"), poison, text("wamid.B")))
    outcomes = [type(atom.outcome) for atom in atoms]
    assert outcomes[0] is outcomes[-1] is Commands
    assert outcomes[1:-1] in ([Unreadable], [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"7",
        b'{"entry": 7}',
        b'{"entry": [7]}',
        b'{"entry": [{"changes": 7}]}',
        b'{"entry": [{"changes": [{"field": "messages", "value": 7}]}]}',
        b"[" * 100_000,
    ],
)
def test_a_body_of_no_shape_is_one_atom(body: bytes) -> None:
    """What cannot be read at all is one atom for the quarantine."""
    (atom,) = parsed(body)
    assert isinstance(atom.outcome, Unreadable)
