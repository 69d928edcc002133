"""The linking rule alone: who is one person, as a pure function."""

from __future__ import annotations

import random

from msgspec import structs

from projections.linking import SUBJECTS_MAX, Node, Pair, partition

A, B, C, D = b"a" * 16, b"b" * 16, b"c" * 16, b"d" * 16


def tel(place: int, **more: object) -> Node:
    """A phone that appeared at that place."""
    return _node("tel", None, place, more)


def bsuid(place: int, **more: object) -> Node:
    """A user id of one business."""
    return _node("whatsapp", "1065", place, more)


def _node(scheme: str, scope: str | None, place: int, more: dict[str, object]) -> Node:
    return structs.replace(Node(scheme, scope, place), **more)


def pair(one: bytes, other: bytes, at: int, position: int = 10) -> tuple[bytes, Pair]:
    """A provider asserted at that time that the two are one person."""
    return one, Pair(other, at, bytes([at]) * 16, position)


def test_an_asserted_pair_is_one_person_named_after_the_first() -> None:
    """Two subjects of a pair have one contact: the subject that appeared first."""
    assert partition({A: tel(2), B: bsuid(1)}, [pair(A, B, 5)]) == {A: B, B: B}


def test_strangers_stay_themselves() -> None:
    """A subject without pair or link is a contact of its own."""
    assert partition({A: tel(1), B: tel(2)}, []) == {A: A, B: B}


def test_a_business_knows_a_person_by_one_id() -> None:
    """A phone comes to one user id of a business; the second one seen with it stays apart."""
    nodes = {A: tel(1), B: bsuid(2), C: bsuid(3)}
    assert partition(nodes, [pair(A, B, 5), pair(A, C, 6)]) == {A: A, B: A, C: C}


def test_the_earlier_message_wins_however_late_it_comes() -> None:
    """Of two pairs that exclude each other the one that happened first counts."""
    nodes = {A: tel(1), B: bsuid(2), C: bsuid(3)}
    late = [pair(A, B, 5, position=10), pair(A, C, 4, position=99)]
    assert partition(nodes, late) == {A: A, B: B, C: A}


def test_phones_exclude_nothing() -> None:
    """A person may have two phones."""
    nodes = {A: bsuid(1), B: tel(2), C: tel(3)}
    assert partition(nodes, [pair(A, B, 5), pair(A, C, 6)]) == {A: A, B: A, C: A}


def test_what_people_touched_on_both_sides_is_theirs_to_decide() -> None:
    """A pair first seen after people had decided about both joins nothing; about one, it does."""
    both = {A: tel(1, touched=3), B: bsuid(2, touched=4)}
    assert partition(both, [pair(A, B, 5, position=9)]) == {A: A, B: B}
    one = {A: tel(1, touched=3), B: bsuid(2, touched=20)}
    assert partition(one, [pair(A, B, 5, position=9)]) == {A: A, B: A}


def test_a_link_by_hand_comes_first_and_keeps_its_contact() -> None:
    """A linked address belongs to the contact it was given to, also where it is the older one."""
    nodes = {A: tel(1, parent=B, parent_at=8), B: tel(2)}
    assert partition(nodes, []) == {A: B, B: B}


def test_a_moved_address_leaves_what_was_observed_before() -> None:
    """A link by hand outranks the pairs that were seen before it, and not those seen after."""
    nodes = {A: tel(1), B: bsuid(2, parent=C, parent_at=20), C: tel(3)}
    assert partition(nodes, [pair(A, B, 5, position=10)]) == {A: A, B: C, C: C}
    assert partition(nodes, [pair(A, B, 5, position=30)]) == {A: A, B: A, C: A}


def test_links_in_a_ring_still_give_one_contact() -> None:
    """Two contacts that were linked to each other are one, named after the first."""
    nodes = {A: tel(1, parent=B, parent_at=5), B: tel(2, parent=A, parent_at=6)}
    assert partition(nodes, []) == {A: A, B: A}


def test_a_bucket_of_withheld_numbers_is_nobody() -> None:
    """An anonymous subject joins no pair."""
    nodes = {A: Node("anonymous", "x", 1), B: tel(2)}
    assert partition(nodes, [pair(A, B, 5)]) == {A: A, B: B}


def test_a_contact_has_at_most_64_addresses() -> None:
    """A pair that would make a 65th address joins nothing."""
    many = [bytes([number]) * 16 for number in range(SUBJECTS_MAX + 1)]
    nodes = {subject: tel(number) for number, subject in enumerate(many)}
    found = partition(nodes, [pair(many[0], other, 1 + n) for n, other in enumerate(many[1:])])
    assert sum(contact == many[0] for contact in found.values()) == SUBJECTS_MAX
    assert found[many[-1]] == many[-1]


def test_the_order_of_what_is_told_does_not_matter() -> None:
    """Pairs in any order, told from either side, give the same contacts."""
    nodes = {A: tel(1), B: bsuid(2), C: tel(3), D: bsuid(4)}
    told = [pair(A, B, 9), pair(C, B, 8), pair(C, D, 7), pair(A, D, 6)]
    expected = partition(nodes, told)
    dice = random.Random(7)
    for _ in range(50):
        mirrored = [
            (p.other, Pair(one, p.occurred_at, p.originator, p.position))
            if dice.random() < 0.5
            else (one, p)
            for one, p in told
        ]
        dice.shuffle(mirrored)
        assert partition(nodes, mirrored) == expected


def test_an_id_linked_by_hand_pushes_nobody_out() -> None:
    """A second id of one kind, linked by people, stands beside the one that was observed."""
    nodes = {A: tel(1), B: bsuid(2), C: bsuid(3, parent=A, parent_at=20)}
    assert partition(nodes, [pair(A, B, 5, position=10)]) == {A: A, B: A, C: A}
    assert partition(nodes, [pair(A, B, 5, position=30)]) == {A: A, B: B, C: A}


def test_a_merge_names_the_survivor() -> None:
    """The contact that others were merged into names them, also where it came last."""
    nodes = {A: tel(1, merged=C, merged_at=5), B: tel(2), C: tel(3)}
    assert partition(nodes, [pair(A, B, 1, position=1)]) == {A: C, B: C, C: C}
    nodes[C] = tel(3, merged=D, merged_at=6)
    nodes[D] = bsuid(4)
    assert set(partition(nodes, []).values()) == {B, D}


def test_a_merge_takes_part_in_what_is_observed_afterwards() -> None:
    """A pair is judged by the contacts as they were merged when it was first seen."""
    nodes = {A: tel(1), B: bsuid(2, merged=A, merged_at=20), C: bsuid(3)}
    assert partition(nodes, [pair(A, C, 5, position=30)]) == {A: A, B: A, C: C}
    assert partition(nodes, [pair(A, C, 5, position=10)]) == {A: A, B: A, C: A}


def test_a_merge_is_people_deciding_while_it_stands() -> None:
    """A pair with somebody whom people decided about joins a merged contact not by itself."""
    nodes = {A: tel(1), B: tel(2, merged=A, merged_at=5), C: bsuid(3, touched=4)}
    assert partition(nodes, [pair(A, C, 5, position=9)]) == {A: A, B: A, C: C}
    nodes[B] = tel(2)
    assert partition(nodes, [pair(A, C, 5, position=9)]) == {A: A, B: B, C: A}


def test_who_was_taken_off_is_not_joined_again() -> None:
    """Neither directly nor by way of another address, and not by what was seen before."""
    nodes = {A: tel(1), B: bsuid(2, parent_at=20, apart=frozenset({A})), C: tel(3)}
    assert partition(nodes, [pair(A, B, 5, position=30)]) == {A: A, B: B, C: C}
    by_another = [pair(A, C, 1, position=1), pair(C, B, 5, position=30)]
    assert partition(nodes, by_another) == {A: A, B: B, C: A}
    assert partition(nodes, [pair(C, B, 5, position=10)]) == {A: A, B: B, C: C}
    assert partition(nodes, [pair(C, B, 5, position=30)]) == {A: A, B: B, C: B}


def test_the_latest_edge_of_an_address_counts() -> None:
    """Linked after it was merged, it is where it was linked; merged after, with the survivor."""
    later = {"merged": C, "merged_at": 9, "parent": B}
    for parent_at, found in ((20, B), (5, C)):
        nodes = {A: tel(1, parent_at=parent_at, **later), B: tel(2), C: tel(3)}
        assert partition(nodes, [])[A] == found


def test_a_restricted_contact_is_joined_by_people_only() -> None:
    """What was first seen while one of the two was restricted joins nothing by itself."""
    nodes = {A: tel(1, walls=((5, True), (20, False))), B: bsuid(2)}
    assert partition(nodes, [pair(A, B, 1, position=4)]) == {A: A, B: A}
    assert partition(nodes, [pair(A, B, 1, position=10)]) == {A: A, B: B}
    assert partition(nodes, [pair(A, B, 1, position=30)]) == {A: A, B: A}


# ------------------------------------------------------------ a number was changed

E = b"e" * 16


def changed(one: bytes, other: bytes, at: int, age: int = 1) -> tuple[bytes, Pair]:
    """A provider said at that time that a person changed from the one to the other."""
    return one, Pair(other, at, bytes([at]) * 16, 10, age)


def test_a_changed_number_brings_its_new_user_id() -> None:
    """The old number, its user id, the new number and the user id made with it are one person."""
    nodes = {A: tel(1), B: bsuid(2), C: tel(3), D: bsuid(4)}
    told = [pair(A, B, 5), changed(A, C, 6, 1), changed(A, D, 6, 2)]
    assert partition(nodes, told) == {A: A, B: A, C: A, D: A}


def test_a_changed_number_makes_room_for_a_user_id_that_is_seen_later() -> None:
    """Where the change does not say the new user id, the first one seen with the number is it."""
    nodes = {A: tel(1), B: bsuid(2), C: tel(3), D: bsuid(4), E: bsuid(5)}
    told = [pair(A, B, 5), changed(A, C, 6), pair(C, D, 7), pair(C, E, 8)]
    assert partition(nodes, told) == {A: A, B: A, C: A, D: A, E: E}


def test_a_changed_user_id_is_the_same_person() -> None:
    """One user id that followed another is no second person, and a third one still is."""
    nodes = {A: bsuid(1), B: bsuid(2), C: tel(3), D: bsuid(4)}
    told = [changed(A, B, 5), pair(C, B, 6), pair(C, D, 7)]
    assert partition(nodes, told) == {A: A, B: A, C: A, D: D}


def test_a_new_number_of_somebody_else_is_no_proof() -> None:
    """A new number that another user id already had stays with it; the new user id comes along."""
    nodes = {A: tel(1), B: bsuid(2), C: tel(3), D: bsuid(4), E: bsuid(5)}
    told = [pair(A, B, 4), pair(C, D, 5), changed(A, C, 6, 1), changed(A, E, 6, 2)]
    assert partition(nodes, told) == {A: A, B: A, E: A, C: C, D: C}


def test_a_change_told_from_either_side_is_one() -> None:
    """A change that is remembered from its newer side, in any order, gives the same contacts."""
    nodes = {A: tel(1), B: bsuid(2), C: tel(3), D: bsuid(4), E: bsuid(5)}
    told = [pair(A, B, 5), changed(A, C, 6, 1), changed(A, D, 6, 2), pair(C, E, 7)]
    expected = partition(nodes, told)
    dice = random.Random(7)
    for _ in range(50):
        mirrored = [
            (p.other, Pair(one, p.occurred_at, p.originator, p.position, -p.age))
            if dice.random() < 0.5
            else (one, p)
            for one, p in told
        ]
        dice.shuffle(mirrored)
        assert partition(nodes, mirrored) == expected
