"""The demo company's year: valid in every field, the same for everybody, and alive to read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import phonenumbers
import pytest

from app.demo import company
from app.demo.company import arrivals, contacts, interactions, statuses
from app.demo.dice import Dice, uuid_of
from app.demo.facts import car_facts, dates, deal_of, facts_of
from app.demo.group import CAMPAIGNS, DEPARTMENTS, SOURCES, STAFF, staff_for
from app.demo.hours import DAY_US, is_open, local, micros
from app.demo.people import Person, people
from app.demo.phrases import Moment, fill
from app.demo.script import APPOINTMENT, Story, parse
from app.demo.stories import stories
from domain.addresses import parse_address

Body = dict[str, object]

SEED = 7
NOON = micros(datetime(2026, 11, 24, 18, 0, tzinfo=UTC))
SUNDAY_NIGHT = micros(datetime(2026, 3, 1, 8, 30, tzinfo=UTC))
LEAP_DAY = micros(datetime(2028, 2, 29, 23, 59, tzinfo=UTC))

TEXT_MAX = {
    "source": 128,
    "external_id": 512,
    "resource": 512,
    "destination": 512,
    "subject": 998,
    "text": 100_000,
    "contact_name": 200,
    "attended_by": 200,
    "department": 200,
    "campaign": 200,
    "thread": 512,
    "in_reply_to": 512,
}
LIST_MAX = {"aliases": 8, "participants": 200, "attachments": 50}
KEYS = {*TEXT_MAX, *LIST_MAX, "channel", "direction", "occurred_at", "call", "auto", "details"}
CHANNELS = {
    *("call", "sms", "whatsapp", "messenger", "instagram", "telegram"),
    *("email", "form", "webchat", "walk_in", "other"),
}
OUTCOMES = {"answered", "missed", "busy", "no_answer", "voicemail", "failed", "canceled"}


@cache
def _year(now_us: int = NOON, seed: int = SEED) -> tuple[Body, ...]:
    return tuple(interactions(now_us, seed))


@cache
def _statuses() -> tuple[Body, ...]:
    return tuple(statuses(NOON, SEED))


def _counterpart(body: Body) -> str:
    return str(body["resource" if body["direction"] == "inbound" else "destination"])


def _at(body: Body, key: str = "occurred_at") -> int:
    return micros(datetime.fromisoformat(str(body[key])))


def _owners() -> dict[str, str]:
    return {at: str(one["name"]) for one in contacts() for at in _texts(one["addresses"])}


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]


def _dicts(value: object) -> list[Body]:
    assert isinstance(value, list)
    return [one for one in value if isinstance(one, dict)]


def _addresses(body: Body) -> Iterator[str]:
    yield str(body["resource"])
    yield str(body["destination"])
    yield from _texts(body.get("aliases", []))
    yield from (str(one["address"]) for one in _dicts(body.get("participants", [])))


@pytest.mark.parametrize("now_us", [NOON, SUNDAY_NIGHT, LEAP_DAY])
def test_the_year_has_its_size_and_ends_now(now_us: int) -> None:
    """Some 2,000 interactions fall into the year before now, ascending, none in the future."""
    times = [_at(body) for body in _year(now_us)]
    assert 1_900 <= len(times) <= 2_300
    assert times == sorted(times)
    assert now_us - 366 * DAY_US <= times[0] <= now_us - 330 * DAY_US
    assert now_us - DAY_US <= times[-1] <= now_us


def test_the_same_now_and_seed_give_the_same_bytes() -> None:
    """The year is decided by its two numbers alone; another seed tells another year."""
    assert json.dumps(_year()) == json.dumps(tuple(interactions(NOON, SEED)))
    assert json.dumps(_statuses()) == json.dumps(tuple(statuses(NOON, SEED)))
    assert json.dumps(_year()) != json.dumps(_year(NOON, SEED + 1))


def test_every_channel_occurs_both_ways_where_it_can() -> None:
    """All channels are there; all but forms in both directions, and visits mostly to us."""
    ways = defaultdict(set)
    for body in _year():
        ways[body["channel"]].add(body["direction"])
    assert set(ways) == CHANNELS
    one_way = {channel for channel, found in ways.items() if found != {"inbound", "outbound"}}
    assert one_way == {"form"}


def test_some_contacts_have_long_histories() -> None:
    """At least three contacts have 150 interactions or more on their main address alone."""
    counts = Counter(_counterpart(body) for body in _year())
    assert sum(count >= 150 for count in counts.values()) >= 3
    assert len({_owners().get(at, at) for at in counts}) >= 40


def test_contacts_come_by_several_channels() -> None:
    """Many contacts use three channels or more, and some more than one chat."""
    owners, used = _owners(), defaultdict(set)
    for body in _year():
        used[owners.get(_counterpart(body))].add(body["channel"])
    assert sum(len(channels) >= 3 for channels in used.values()) >= 25
    chats = {"whatsapp", "messenger", "instagram", "telegram", "webchat"}
    assert sum(len(channels & chats) >= 2 for channels in used.values()) >= 8


def test_every_body_keeps_to_the_contract() -> None:
    """Keys, enums and lengths are those of contract 2.2, and nothing is null."""
    for body in _year():
        assert set(body) <= KEYS, body
        assert body["channel"] in CHANNELS
        assert body["direction"] in {"inbound", "outbound"}
        assert body.get("auto", "bulk") in {"auto_reply", "bounce", "bulk"}
        assert {"source", "external_id", "resource", "destination"} <= set(body)
        for key, longest in TEXT_MAX.items():
            text = body.get(key, "-")
            assert isinstance(text, str), key
            assert 1 <= len(text) <= longest, key
        assert all(len(_dicts(body.get(key, []))) <= most for key, most in LIST_MAX.items())
        assert len(json.dumps(body.get("details", {})).encode()) <= 8 * 1024


def test_calls_attachments_and_participants_are_whole() -> None:
    """A call has an outcome and seconds, a file its hash, a participant a role."""
    for body in _year():
        call = body.get("call")
        assert (body["channel"] == "call") <= (call is not None)
        if isinstance(call, dict):
            assert body["channel"] in {"call", "whatsapp"}
            assert set(call) <= {"seconds", "ring_seconds", "outcome"}
            assert call["outcome"] in OUTCOMES
            assert call["outcome"] in {"answered", "voicemail"} or call["seconds"] == 0
        for file in _dicts(body.get("attachments", [])):
            assert set(file) == {"name", "media_type", "bytes", "sha256"}
            assert len(bytes.fromhex(str(file["sha256"]))) == 32
        for one in _dicts(body.get("participants", [])):
            assert set(one) <= {"address", "role", "name"}
            assert one["role"] in {"from", "to", "cc", "bcc", "member"}


def test_every_interaction_says_something() -> None:
    """Whatever is not a call has a text or a file, and no slot was left open."""
    for body in _year():
        assert body.keys() & {"text", "attachments", "call"}, body
        assert not {"{", "}", "¶", "|"} & set(f"{body.get('text')}{body.get('subject')}"), body
        assert "None" not in f"{body['resource']}{body['destination']}"


def test_addresses_are_canonical() -> None:
    """Every address is one that the ledger would write in the same way."""
    used = {address for body in _year() for address in _addresses(body)}
    listed = {address for one in contacts() for address in _texts(one["addresses"])}
    for address in used | listed:
        assert parse_address(address, country=None) == address


def test_phones_are_valid_and_made_up() -> None:
    """Numbers are valid, of the 555 kind; mail is on example domains."""
    for address in {address for body in _year() for address in _addresses(body)}:
        scheme, _, rest = address.partition(":")
        if scheme == "tel":
            assert phonenumbers.is_valid_number(phonenumbers.parse(rest)), rest
            assert "555" in rest
        if scheme == "mailto":
            assert rest.endswith(("example.com", "example.mx")), rest


def test_ids_are_unique_and_answers_name_earlier_ones() -> None:
    """(source, external_id) is unique, and in_reply_to names something said before."""
    seen: set[object] = set()
    for body in _year():
        assert body["external_id"] not in seen
        assert body.get("in_reply_to") is None or body["in_reply_to"] in seen
        seen.add(body["external_id"])
    assert sum("in_reply_to" in body for body in _year()) > 100


def test_names_come_from_the_dictionary() -> None:
    """Sources, departments, campaigns and staff are those that the demo sets up."""
    staff = {person.name for person in STAFF}
    for body in _year():
        assert body["source"] in SOURCES
        assert body["department"] in DEPARTMENTS.values()
        assert body.get("campaign", "Venta SUV") in CAMPAIGNS.values()
        assert body.get("attended_by", STAFF[0].name) in staff
    assert {body["source"] for body in _year()} == set(SOURCES)
    assert {body.get("campaign") for body in _year()} == {*CAMPAIGNS.values(), None}


def test_what_was_logged_by_hand_looks_it() -> None:
    """Visits are manual, at a branch; calls from an own mobile name the user; whole minutes."""
    manual = [body for body in _year() if body["source"] == "manual"]
    assert {body["channel"] for body in manual} == {"walk_in", "call", "other"}
    for body in manual:
        ours = str(body["destination" if body["direction"] == "inbound" else "resource"])
        assert ours.startswith("user:" if body["channel"] == "call" else "place:")
        assert _at(body) % 60_000_000 == 0
        assert body["attended_by"]


def test_forms_mails_and_groups_carry_what_they_should() -> None:
    """Forms say their campaign's utm, mails everybody on them, groups their thread."""
    for body in _year():
        people_on_it = _dicts(body.get("participants", []))
        if body["channel"] == "form":
            assert "utm_campaign" in str(body["details"])
        if body["channel"] == "email":
            assert body["subject"]
            assert [one["role"] for one in people_on_it][:2] == ["from", "to"]
        elif people_on_it:
            assert str(body["thread"]).endswith("@g.us")
    assert any(len(_dicts(body.get("participants", []))) > 2 for body in _year())
    assert any("> " in str(body.get("text")) for body in _year())


def test_a_whatsapp_person_has_a_second_address_asserted() -> None:
    """WhatsApp bodies carry phone and user id of one person, whichever comes first."""
    for body in _year():
        if body["channel"] == "whatsapp":
            (alias,) = _texts(body["aliases"])
            assert {alias.split(":")[0], _counterpart(body).split(":")[0]} == {"tel", "whatsapp"}


def test_no_neighbours_are_equal() -> None:
    """No text follows an equal one, neither in the list of all nor with one contact."""
    last: dict[str, object] = {}
    for body in _year():
        text = body.get("text")
        if text is not None:
            assert text not in (last.get(""), last.get(_counterpart(body))), text
            last[""] = last[_counterpart(body)] = text


def test_the_texts_are_varied() -> None:
    """Of the longer texts four of five occur once, and none but the assistant's is frequent."""
    spoken = [str(body.get("text", "")) for body in _year() if body.get("auto") is None]
    counts = Counter(text for text in spoken if len(text) > 25)
    assert len(counts) >= 0.8 * counts.total()
    assert max(counts.values()) <= 12


def test_people_answer_while_the_branches_are_open() -> None:
    """Nearly everything that a person of the company says falls into the hours."""
    ours = [body for body in _year() if body["direction"] == "outbound" and "auto" not in body]
    assert sum(is_open(_at(body)) for body in ours) >= 0.98 * len(ours)
    assert {local(_at(body)).utcoffset() for body in ours} == {timedelta(hours=-6)}


@pytest.mark.parametrize("now_us", [NOON, SUNDAY_NIGHT, LEAP_DAY])
def test_several_contacts_wait_now(now_us: int) -> None:
    """A dozen contacts wrote last, most of them within a day; nobody else is left waiting."""
    last = {}
    for told in company._year(now_us=now_us, seed=SEED):
        if told.body.get("auto") in {None, "bounce"}:
            last[told.person.key] = told
    waiting = [told for told in last.values() if not told.outbound]
    assert 8 <= len(waiting) <= 16
    assert {told.person.key for told in waiting} == {one.key for one in people() if one.waits_for}
    assert sum(told.at_us > now_us - DAY_US for told in waiting) >= 8


def test_statuses_are_about_outbound_messages() -> None:
    """Delivered, read and failed, ascending, each after its WhatsApp or SMS and not after now."""
    sent = {body["external_id"]: body for body in _year() if body["direction"] == "outbound"}
    times = [_at(status, "at") for status in _statuses()]
    assert times == sorted(times)
    assert times[-1] <= NOON
    for status in _statuses():
        about = sent[status["external_id"]]
        assert set(status) <= {"source", "external_id", "status", "at", "code", "message"}
        assert (status["status"] == "failed") == ("code" in status)
        assert about["channel"] in {"whatsapp", "sms"}
        assert about["source"] == status["source"]
        assert _at(about) < _at(status, "at")
    counts = Counter(status["status"] for status in _statuses())
    assert set(counts) == {"delivered", "read", "failed"}
    assert min(counts.values()) >= 3


def test_arrivals_are_the_same_facts_in_the_order_of_learning() -> None:
    """Arrivals hold every interaction and status once, ascending, none before it happened."""
    found = list(arrivals(NOON, SEED))
    assert [one.at_us for one in found] == sorted(one.at_us for one in found)
    told = [one for one in found if one.kind in {"interaction", "status"}]
    bodies = sorted(json.dumps(one.body) for one in told)
    assert bodies == sorted(json.dumps(body) for body in (*_year(), *_statuses()))
    for one in told:
        at_us = _at(one.body, "occurred_at" if one.kind == "interaction" else "at")
        assert at_us <= one.at_us <= NOON


def test_a_few_interactions_are_logged_late() -> None:
    """Some things done by hand are written down more than 15 minutes later."""
    late = [
        one.body["source"]
        for one in arrivals(NOON, SEED)
        if one.kind == "interaction" and one.at_us - _at(one.body) > 15 * 60_000_000
    ]
    counts = Counter(late)
    assert 15 <= counts["manual"] <= 80
    assert set(counts) == {"manual", "import:crm-anterior"}


def _facts(person: Person, story: Story) -> dict[str, str]:
    dice = Dice("facts")
    staff = staff_for(story.department, person.branch)
    return {
        **facts_of(person, staff, deal_of(person.language, dice), dice),
        **car_facts(auto="Brisa 2021", plate="P42-BRT", days=3, base_km=9_000),
        **dates(NOON, person.language, dice),
        "placa2": "LB-41-807",
    }


@pytest.mark.parametrize("name", sorted(stories()))
def test_every_variant_of_a_story_can_be_told(name: str) -> None:
    """No variant has an unknown slot, or names an appointment that was not made before it."""
    story, agreed_us = stories()[name], None
    person = next(one for one in people() if one.language == ("en" if "en" in name else "es"))
    for step in story.steps:
        if step.code == APPOINTMENT:
            agreed_us = NOON + DAY_US
        for variant in step.variants:
            moment = Moment(NOON, agreed_us, person.language)
            assert "{" not in fill(variant, _facts(person, story), moment, Dice(variant))


@pytest.mark.parametrize("name", sorted(stories()))
def test_linked_lines_have_as_many_variants(name: str) -> None:
    """An answer linked to a question has a variant for each of the question's."""
    story = stories()[name]
    spoken = [step for step in story.steps if step.code != APPOINTMENT]
    for before, step in pairwise(spoken):
        asked = {"=": before, "#": spoken[0]}.get(step.link)
        assert asked is None or len(asked.variants) == len(step.variants), step.key


def test_every_contact_can_live_their_plan() -> None:
    """Plans name stories, their chats have addresses, and who gets mail has a mailbox."""
    for person in people():
        words = [
            *person.plan,
            *([] if person.waits_for in {None, "nobody"} else [person.waits_for]),
        ]
        for word in words:
            name, _, chat = str(word).partition(":")
            codes = {step.code for step in stories()[name].steps} | set(chat)
            assert not codes & set("eBbf") or person.mail, person.key
            assert codes & set("mitc") <= set(person.chats), person.key
            assert "x" not in codes or chat or person.chats, person.key


def test_the_notation_refuses_what_it_cannot_read() -> None:
    """A line or a span outside the notation is named in the error."""
    with pytest.raises(ValueError, match=r"x\.0: this line is not in the notation: hola"):
        list(parse("== x | Ventas\nhola\n"))
    with pytest.raises(ValueError, match="pronto is not a span"):
        list(parse("== x | Ventas\n@ pronto\n"))


def test_dice_are_the_same_on_every_machine() -> None:
    """The generator's first numbers never change, or every demo would."""
    dice = Dice("hilo", 1)
    assert [dice.below(1_000) for _ in range(4)] == [642, 160, 933, 675]
    assert uuid_of("hilo")[14] == "8"
