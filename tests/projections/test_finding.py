"""Finding contacts: what matches, in which order, by whichever way, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from projections import contact_pages, finding_pages
from projections.access import EVERYTHING
from projections.contact_pages import ContactQuery
from projections.core import core_projections
from projections.directory_rows import CONTACTS, fold
from projections.finding import HAYSTACKS
from projections.finding_pages import terms_of
from projections.postings import (
    LISTED_MAX,
    POSTINGS,
    SEGMENT,
    bits_of,
    changed,
    grams_asked,
    grams_of,
    numbers_of,
)
from tests.backends import Backend
from tests.projections import kin
from tests.projections.desk import Desk, desk
from tests.projections.story import Story, subject_of

ANA: Final = "tel:+525512345678"
LUIS: Final = "tel:+525587654321"
MAIL: Final = "mailto:Zoe.Pena77@taller-norte.example"
BSUID: Final = "whatsapp:106540352242922/MX.1001"


def found(at: Desk, text: str | None, limit: int = 50) -> list[str]:
    """The names of all contacts that match, page by page, there and back."""
    names, cursor = list[str](), None
    with at.views.reading() as reading:
        while True:
            asked = ContactQuery(text=text, country="MX", limit=limit, cursor=cursor)
            page = contact_pages.page(reading, asked, EVERYTHING)
            names += [row.name or row.folded for row in page.rows]
            if page.next is None:
                break
            cursor = page.next
        while page.prev is not None and len(names) > limit:
            asked = ContactQuery(text=text, country="MX", limit=limit, cursor=page.prev)
            page = contact_pages.page(reading, asked, EVERYTHING)
            if not page.rows:
                break
            back = [row.name or row.folded for row in page.rows]
            assert back == names[names.index(back[0]) :][: len(back)]
    return names


def people() -> Story:
    """Some contacts that are found in different ways."""
    story = Story()
    story.inbound(ANA, at=1, contact_name="Ana Núñez", external_id="a")
    story.inbound(LUIS, at=2, contact_name="Luis O'Donnell 100%")
    story.named(subject_of(LUIS), company="Transportes del Río")
    story.inbound(MAIL, at=3, contact_name="Zoé Peña")
    story.inbound(BSUID, at=4, contact_name="王小明")
    story.named(subject_of("contact:00000000-0000-4000-8000-000000000001"), name="Sin Dirección")
    return story


@contextmanager
def told(backend: Backend, story: Story) -> Iterator[Desk]:
    """The core views of a story."""
    with desk(backend.views_url, core_projections()) as at:
        at.feed(story.entries)
        yield at


def posted(at: Desk) -> set[tuple[str, int]]:
    """Every gram with every number that is written down for it."""
    return {
        (row.gram, number)
        for row in at.rows(POSTINGS)
        for number in numbers_of(bits_of([(row.segment, row.packed)]))
    }


ASKED: Final = {
    "nunez": ["Ana Núñez"],
    "NÚÑ": ["Ana Núñez"],
    "uñe": ["Ana Núñez"],
    "núñez ana": ["Ana Núñez"],
    "ana lopez": [],
    "o'don": ["Luis O'Donnell 100%"],
    "100%": ["Luis O'Donnell 100%"],
    "rio trans": ["Luis O'Donnell 100%"],
    "sportes": ["Luis O'Donnell 100%"],
    "1234 5678": ["Ana Núñez"],
    "(55) 1234-56": ["Ana Núñez"],
    "+52 1 55 1234 5678": ["Ana Núñez"],
    "55 1234 5678": ["Ana Núñez"],
    "tel:+525512345678": ["Ana Núñez"],
    "525": ["Luis O'Donnell 100%", "Ana Núñez"],
    "ana 5678": ["Ana Núñez"],
    "5678": ["Ana Núñez"],
    "78": [],
    "zoe.pena": ["Zoé Peña"],
    "ZOE.PENA77@TALLER-NORTE.EXAMPLE": ["Zoé Peña"],
    "mailto:zoe.pena77@taller-norte.example": ["Zoé Peña"],
    "pena77@taller": ["Zoé Peña"],
    "@taller-norte": ["Zoé Peña"],
    "taller-norte.ex": ["Zoé Peña"],
    "norte.ex": [],
    "mx.1001": ["王小明"],
    "whatsapp:106540352242922/MX.1001": ["王小明"],
    "王小": ["王小明"],
    "a": ["Ana Núñez"],
    "an": ["Ana Núñez"],
    "ña": [],
    "sin dir": ["Sin Dirección"],
    "#1": ["Ana Núñez"],
    "#999": [],
    "#": [],
    "_": [],
    "nobody": [],
    "´": [],
}


def test_a_contact_is_found_by_any_part_of_what_it_is_called(backend: Backend) -> None:
    """Accents, case, order of words and the writing of numbers make no difference."""
    with told(backend, people()) as at:
        assert {text: found(at, text) for text in ASKED} == ASKED


def crowd(dice: random.Random) -> tuple[Story, dict[str, tuple[list[str], list[str]]]]:
    """Many who are called alike; by name the words of which any piece finds them, or the start."""
    first, last = ["Ana", "Eva", "Mariana", "Juan"], ["Cruz", "Santana", "Núñez", "Ruiz"]
    story, words = Story(), dict[str, tuple[list[str], list[str]]]()
    for number in range(80):
        name = f"{dice.choice(first)} {dice.choice(last)} {number:02d}x"
        address, free = f"tel:+52551000{number:04d}", fold(name).split()
        anchored = list[str]()
        if number % 3:
            free.append(address[5:])
        else:
            tokens = [*free[:2], f"{number}"]
            address = f"mailto:{'.'.join(tokens)}@cruz{number % 4}.mx"
            mailbox, domain = address[7:], address.rpartition("@")[2]
            anchored = [mailbox, mailbox.partition(".")[2], mailbox.split(".", 2)[2]]
            anchored += [f"@{domain}", domain]
            free += tokens
        story.inbound(address, at=dice.randrange(60), contact_name=name)
        words[name] = (free, anchored)
    return story, words


def matches(words: tuple[list[str], list[str]], text: str) -> bool:
    """Whether somebody with such words is found by a text, as the contract says it."""
    free, anchored = words
    return all(
        any(word.startswith(piece) for word in (*free, *anchored))
        or (len(piece) > 2 and any(piece in word for word in free))
        for piece in fold(text).split()
    )


def test_the_ways_to_look_find_the_same(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether each is asked for or the list is walked: those who match, the latest first."""
    dice = random.Random(5)
    story, words = crowd(dice)
    texts = ["ana", "ana cruz", "5510", "10 nunez", "c", "anan", "00", "00 xx", "ana.cruz", "cruz1"]
    whole = [word for free, anchored in words.values() for word in (*free, *anchored)]
    for _ in range(25):
        some = [dice.choice(whole) for _ in range(dice.randint(1, 2))]
        starts = [dice.randrange(min(4, len(word))) for word in some]
        ends = [start + dice.randint(1, 9) for start in starts]
        texts.append(" ".join(map(str.__getitem__, some, map(slice, starts, ends))))
    ways = {"asked": (0, 1, 1), "walk": (10**6, 1, 9), "edge": (10**6, 0, 0), "both": (20, 0, 1)}
    answers: dict[str, dict[str, list[str]]] = {}
    with told(backend, story) as at:
        for way, (steps, near, spare) in ways.items():
            monkeypatch.setattr(finding_pages, "LOOK_STEPS", steps)
            monkeypatch.setattr(finding_pages, "NEAR", near)
            monkeypatch.setattr(finding_pages, "SPARE", spare)
            answers[way] = {text: found(at, text, limit=7) for text in texts}
        everybody = found(at, None)
    wanted = {text: [n for n in everybody if matches(words[n], text)] for text in texts}
    assert answers == dict.fromkeys(ways, wanted)
    assert wanted["ana cruz"]


def test_what_changes_is_found_anew(backend: Backend) -> None:
    """A new name finds the contact and the old one does not; grams that are gone leave no row."""
    story = people()
    with told(backend, story) as at:
        story.named(subject_of(ANA), name="Ana Ruiz")
        story.named(subject_of(LUIS), company=None)
        at.feed(story.entries)
        assert (found(at, "nunez"), found(at, "ruiz")) == ([], ["Ana Ruiz"])
        assert found(at, "transportes") == []
        assert posted(at) == {
            (gram, row.number)
            for row in at.rows(HAYSTACKS)
            for gram in grams_of(row.free, row.anchored)
        }


def test_what_brings_no_news_is_not_looked_at(backend: Backend) -> None:
    """A further message of somebody known touches nothing that they are found by."""
    story = people()
    with told(backend, story) as at:
        before = at.checksums()
        story.inbound(ANA, at=90, contact_name="Ana Núñez")
        at.feed(story.entries)
        after = at.checksums()
    assert {name for name in before if before[name] != after[name]}.isdisjoint(
        {"haystacks", "postings", "bygones"}
    )


def test_a_merged_contact_is_found_as_the_one_it_became(backend: Backend) -> None:
    """By the old name, number and interaction comes the survivor; after undoing, both again."""
    story = people()
    with told(backend, story) as at:
        before = at.checksums()
        merge = kin.merged(story, ANA, LUIS)
        at.feed(story.entries)
        for text in ("nunez", "donnell", "8765 4321", "#2", "transportes"):
            assert found(at, text) == found(at, "#1"), text
        kin.undone(story, merge)
        at.feed(story.entries)
        assert (found(at, "nunez"), found(at, "#2")) == (["Ana Núñez"], ["Luis O'Donnell 100%"])
        assert {n: at.checksums()[n] for n in ("haystacks", "postings")} == {
            n: before[n] for n in ("haystacks", "postings")
        }


def test_an_address_finds_whoever_had_it(backend: Backend) -> None:
    """An address that was taken off a contact finds both that contact and who has it now."""
    story = people()
    story.linked(subject_of(ANA), LUIS)
    kin.unlinked(story, ANA, LUIS)
    with told(backend, story) as at:
        assert found(at, "87654321") == ["Luis O'Donnell 100%", "Ana Núñez"]
        assert found(at, "donnell") == ["Luis O'Donnell 100%"]
        story.linked(subject_of(MAIL), LUIS)
        at.feed(story.entries)
        names = found(at, "87654321")
        at.rebuild(story.entries)
        assert found(at, "87654321") == names == ["Zoé Peña", "Ana Núñez"]


def test_grams_lead_to_every_piece() -> None:
    """Wherever a piece stands in a word, the word has all grams of one way to have the piece."""
    dice = random.Random(3)
    for _ in range(200):
        word = "".join(dice.choice("abc1") for _ in range(dice.randint(1, 20)))
        start = dice.randrange(len(word))
        piece = word[start : start + dice.randint(3, 16)]
        if len(piece) < 3:
            piece = word[:2]
        free, anchored = grams_of(f"\n{word}", ""), grams_of("", f"\n{word}")
        assert any(free.issuperset(way) for way in grams_asked(piece)), piece
        if word.startswith(piece):
            assert any(anchored.issuperset(way) for way in grams_asked(piece)), piece


def test_a_posting_is_its_set_however_it_came_about() -> None:
    """Few or many, come one by one or at once: the same set is the same bytes."""
    dice = random.Random(9)
    for many in (0, 1, LISTED_MAX, LISTED_MAX + 1, 900, SEGMENT):
        wanted = dice.sample(range(SEGMENT), many)
        others = [one for one in dice.sample(range(SEGMENT), 300) if one not in set(wanted)]
        at_once, by_turns = changed(b"", wanted, ()), changed(b"", others, ())
        for one in wanted:
            by_turns = changed(by_turns, (one,), ())
        assert changed(by_turns, (), others) == at_once
        bits = bits_of([(2, at_once)]) if at_once else 0
        assert numbers_of(bits) == [2 * SEGMENT + one for one in sorted(wanted)]


def test_few_words_of_a_long_text_count() -> None:
    """What nobody would type to find a person costs no more than what somebody would."""
    assert len(terms_of("a " * 400)) == finding_pages.WORDS_MAX


def test_every_contact_that_can_be_typed_has_a_haystack(backend: Backend) -> None:
    """Only contacts without name and address have none."""
    story = people()
    story.inbound(None, at=5, subject=subject_of("contact:00000000-0000-4000-8000-000000000009"))
    with told(backend, story) as at:
        everybody = {row.contact for row in at.rows(CONTACTS)}
        nameless = everybody - {row.contact for row in at.rows(HAYSTACKS)}
    assert len(nameless) == 1
