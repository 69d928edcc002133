"""Requests of Meta that were bent: types changed, keys gone, things doubled, numbers huge."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import IGNORED, Commands, Ignored, Unreadable
from channels.lenient import NESTED_MAX, loads
from domain.ports import MAX_UNIT_EVENTS
from domain.values import is_source
from tests.channels import examples
from tests.channels.meta_examples import ALL
from tests.channels.meta_shop import inbox, item, parsed

SAMPLES: Final = [
    *((channel, body) for channel, _, body, _ in ALL if not isinstance(body, bytes)),
    *(("whatsapp", body) for _, body, _ in examples.EXAMPLES if not isinstance(body, bytes)),
]

POISON: Final[st.SearchStrategy[object]] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        7,
        10**18,
        10**30,
        1.5e300,
        "",
        " ",
        "0",
        "a\x00b",
        "x" * 600,
        "/",
        "é/ü :",
        "\u2028",
        "2026-01-02T03:04:05+0000",
        "inf",
        "nan",
        [],
        {},
        [[]],
        [None, {}],
        {"id": {"id": 1}},
        {"mid": ["x"], "id": [], "type": {}, "watermark": "9" * 40},
    ]
)
"""What may stand where something else should."""


def spots(value: object) -> list[tuple[Any, Any]]:
    """Every place of an object where something stands: the container and the key."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            inside: list[tuple[Any, object]] = list(one.items())
        else:
            inside = list(enumerate(one)) if isinstance(one, list) else []
        found += [(one, key) for key, _ in inside]
        todo += [inner for _, inner in inside]
    return found


@st.composite
def bent(draw: st.DrawFn) -> tuple[str, bytes]:
    """A request of our own with one to four things in it changed, removed or doubled."""
    channel, body = draw(st.sampled_from(SAMPLES))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 4))):
        places = spots(body)
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["change", "change", "remove", "double", "list"])):
            case "change":
                container[key] = copy.deepcopy(draw(POISON))
            case "remove":
                del container[key]
            case "double" if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _:
                container[key] = [container[key], copy.deepcopy(container[key])]
    return channel, json.dumps(body).encode()


@given(bent())
@settings(max_examples=400, deadline=None)
def test_whatever_is_bent_has_an_outcome(request_: tuple[str, bytes]) -> None:
    """Nothing raises, each atom has an outcome of the contract, and alone parses to itself."""
    channel, body = request_
    atoms = parsed(channel, body)
    assert [atom.number for atom in atoms] == list(range(len(atoms)))
    assert atoms
    for atom in atoms:
        assert atom.source == "" or is_source(atom.source)
        match atom.outcome:
            case Ignored(reason):
                assert reason in IGNORED
            case Commands(commands):
                assert 1 <= len(commands) <= MAX_UNIT_EVENTS
                assert atom.source
        alone = parsed(channel, atom.raw())
        assert [(one.source, one.outcome) for one in alone] == [(atom.source, atom.outcome)]


@pytest.mark.parametrize(
    "poison",
    [None, 7, "x", {"sender": {"id": "1"}, "message": 7}, {"message": {"mid": "x" * 600}}],
)
def test_a_poisoned_item_harms_nobody(poison: object) -> None:
    """Its siblings before and behind are read as if it were not there."""
    good = [item(message={"mid": mid, "text": "Hola"}) for mid in ("m_1", "m_2")]
    atoms = parsed("messenger", inbox(good[0], poison, good[1]))
    outcomes = [type(atom.outcome) for atom in atoms]
    assert outcomes[0] is outcomes[-1] is Commands
    assert outcomes[1:-1] in ([Unreadable], [])


@pytest.mark.parametrize("spoiled", [b'"\\u0000"', b'"\\ud83d"', b"1"])
def test_deep_nesting_is_one_atom_whatever_else_is_in_it(spoiled: bytes) -> None:
    """A body that nests too deeply is one atom for the quarantine, also with odd text in it."""
    for depth in (NESTED_MAX + 1, 900, 50_000):
        body = b'{"a":' + spoiled + b',"b":' + b"[" * depth + b"]" * depth + b"}"
        (atom,) = parsed("messenger", body)
        assert isinstance(atom.outcome, Unreadable)
        assert atom.raw() == body


def test_a_number_of_thousands_of_digits_harms_nobody() -> None:
    """A number that Python does not read is text, and its siblings are read."""
    raw = json.dumps(inbox(item(message={"mid": "m_1", "text": "Hola"}), "HUGE")).encode()
    atoms = parsed("messenger", raw.replace(b'"HUGE"', b"9" * 6_000))
    assert [type(atom.outcome) for atom in atoms] == [Commands, Unreadable]


def test_numbers_without_bounds_become_nothing() -> None:
    """Numbers beyond what JSON has become null, so that what is kept can be read again."""
    assert loads(b'{"a": 1e999, "b": NaN, "c": [-Infinity, 2]}') == {
        "a": None,
        "b": None,
        "c": [None, 2],
    }
