"""Words: how they are folded, what is typed, and where they stand in what people see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.words import EXCERPT_CHARS, Marker, Term, plain, terms_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hola, ¿sigue disponible?", ["hola", "sigue", "disponible"]),
        ("El NIÑO pingüino", ["el", "nino", "pinguino"]),
        ("Stra\u00dfe e\u0301tude", ["strasse", "etude"]),
        ("factura_2026-11.pdf", ["factura", "2026", "11", "pdf"]),
        ("ana@taller.mx", ["ana", "taller", "mx"]),
        ("🚗 | ¤sabc", ["sabc"]),
        ("Спасибо 你好", ["спасибо", "你好"]),
        ("", []),
        (None, []),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str | None, words: list[str]) -> None:
    """Accents, case and all signs are gone; what is left is cut into words."""
    assert words_of(text) == words


@given(st.text(max_size=40))
def test_folding_by_character_is_folding(text: str) -> None:
    """Character by character gives what the whole text gives: nothing depends on neighbours."""
    whole = unicodedata.normalize("NFKD", "".join(char.casefold() for char in text))
    assert plain(text) == "".join(one for one in whole if not unicodedata.combining(one))


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("Precio auto", [Term(("precio",), prefix=True), Term(("auto",), prefix=True)]),
        ('"sigue disponible" auto', [Term(("sigue", "disponible")), Term(("auto",), prefix=True)]),
        ('"sigue disp', [Term(("sigue", "disp"))]),
        ("ana@taller.m", [Term(("ana", "taller", "m"), prefix=True)]),
        ("auto auto", [Term(("auto",), prefix=True)]),
        ('"" !! 🚗', []),
    ],
)
def test_what_is_typed_becomes_terms(typed: str, terms: list[Term]) -> None:
    """Words may go on, phrases in quotes may not; a quote that is still open is a phrase."""
    assert terms_of(typed) == terms


def marked(typed: str, text: str) -> tuple[str, list[str]]:
    """An excerpt, and what is marked in it."""
    excerpt = Marker(terms_of(typed)).excerpt(text)
    return excerpt.text, [excerpt.text[start:end] for start, end in excerpt.marks]


@pytest.mark.parametrize(
    ("typed", "text", "marks"),
    [
        ("disp", "¿Sigue disponible? DISPÓN", ["disp", "DISP"]),
        ("nino", "El niño y el NIN\u0303O", ["niño", "NIN\u0303O"]),
        ('"a la vez"', "Todo a  la\nvez, a la vezita", ["a la vez"]),
        ("strasse", "Stra\u00dfe 5", ["Stra\u00dfe"]),
        ("auto", "El miauto y su auto", ["auto"]),
        ("taller.mx", "ana@taller.mx", ["taller.mx"]),
        ("ﬁ", "la oﬁcina ﬁna", ["ﬁ"]),
        ("<b>", "<b>fuerte</b>", ["b", "b"]),
        ("nada", "todo", []),
    ],
)
def test_marks_stand_where_the_words_do(typed: str, text: str, marks: list[str]) -> None:
    """Marks are places in the text that is shown, whatever folding did to its length."""
    assert marked(typed, text)[1] == marks


def test_an_excerpt_is_around_the_first_find() -> None:
    """Of a long text the part around the first find is shown, cut at spaces."""
    text = " ".join(f"palabra{number}" for number in range(200))
    shown, marks = marked("palabra150", text)
    assert marks == ["palabra150"]
    assert len(shown) <= EXCERPT_CHARS
    assert shown.startswith("palabra14")
    assert shown.split()[-1] in text.split()
    assert marked("x", "y" * 1_000) == ("y" * EXCERPT_CHARS, [])


@given(st.text(max_size=60), st.text(min_size=1, max_size=8))
def test_marks_never_leave_the_excerpt(text: str, typed: str) -> None:
    """Whatever is typed over whatever text: marks are inside, in order, and apart."""
    excerpt = Marker(terms_of(typed)).excerpt(text)
    flat = [place for mark in excerpt.marks for place in mark]
    assert flat == sorted(flat)
    assert all(0 <= place <= len(excerpt.text) for place in flat)
