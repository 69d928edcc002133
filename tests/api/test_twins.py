"""Twins over HTTP: logging by hand beside what the channel reports, linking and taking back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.station import Station
from tests.api.test_read_interactions import hide

CALL: dict[str, Any] = {"channel": "call", "source": "twilio:1", "text": None}
BY_HAND: dict[str, Any] = {"channel": "call", "source": "manual", "text": "Quiere una cita"}
AT = "2026-11-22T05:1{}:00-06:00"


def automatic(station: Station, minute: int = 5, **changes: object) -> dict[str, Any]:
    """A call that the channel reported."""
    return station.append(**{**CALL, "occurred_at": AT.format(minute), **changes})


def by_hand(station: Station, minute: int = 7, **changes: object) -> dict[str, Any]:
    """A call that somebody logged, whatever else is there."""
    return station.append(**{**BY_HAND, "occurred_at": AT.format(minute), **changes})


def log_by_hand(station: Station, query: str, **changes: object) -> Any:  # noqa: ANN401 - httpx's
    """The answer to a call that somebody logs."""
    body = {
        "direction": "inbound",
        "resource": "tel:+525512345678",
        "destination": "tel:+525598765432",
        "external_id": f"form.{next(station.numbers)}",
        "occurred_at": AT.format(7),
        **BY_HAND,
        **changes,
    }
    return station.post(f"/v1/interactions{query}", json=body)


def listed(station: Station, contact: str) -> list[int]:
    """The ids in a contact's timeline."""
    items = station.ask(f"/v1/contacts/{contact}/timeline")["items"]
    return [one["id"] for one in items]


def test_a_probable_twin_is_shown_before_anything_is_written(each_station: Station) -> None:
    """With `check_twins` a record that the channel reported is named: 409, and nothing written."""
    made = automatic(each_station)
    head = each_station.head
    answer = log_by_hand(each_station, "?check_twins=true")
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"] == "urn:hilo:problem:probable-twins"
    assert answer.json()["twins"] == [
        {"id": made["id"], "score": 0.9, "why": ["contact", "channel", "direction", "120 s"]}
    ]
    assert each_station.head == head


def test_confirming_writes_and_names_the_twins(each_station: Station) -> None:
    """With `confirm`, or without `check_twins`, it is written; the answer proposes them still."""
    made = automatic(each_station)
    each_station.ask("/v1/activity")
    for query in ("?check_twins=true&confirm=true", ""):
        answer = log_by_hand(each_station, query)
        assert answer.status_code == 201, answer.text
        assert [one["id"] for one in answer.json()["twins"]] == [made["id"]]
    assert automatic(each_station, 6)["twins"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": "2026-11-22T05:31:00-06:00"},
        {"channel": "walk_in", "destination": "place:main"},
        {
            "direction": "outbound",
            "resource": "tel:+525598765432",
            "destination": "tel:+525512345678",
        },
        {"resource": "tel:+525500000000"},
    ],
)
def test_what_differs_is_no_twin(station: Station, changes: dict[str, object]) -> None:
    """Another time, channel, direction or contact proposes nothing, and is written at once."""
    automatic(station)
    answer = log_by_hand(station, "?check_twins=true", **changes)
    assert (answer.status_code, answer.json()["twins"]) == (201, [])


def test_what_is_void_or_linked_is_no_twin(station: Station) -> None:
    """Neither a retracted record nor one that has its twin is proposed."""
    void, taken = automatic(station), automatic(station, 6)
    station.post(f"/v1/interactions/{void['id']}/retraction", json={"reason": "prueba"})
    assert log_by_hand(station, "", twin_of=taken["id"]).status_code == 201
    answer = log_by_hand(station, "?check_twins=true")
    assert (answer.status_code, answer.json()["twins"]) == (201, [])


def test_logging_as_a_twin_links_in_one_unit(each_station: Station) -> None:
    """With `twin_of` record and link come together: both stay, the reported one is shown."""
    made = automatic(each_station)
    each_station.ask("/v1/activity")
    head = each_station.head
    answer = log_by_hand(each_station, "?check_twins=true", twin_of=made["id"])
    assert (answer.status_code, answer.json()["twins"]) == (201, [])
    assert each_station.head == head + 3
    hidden = answer.json()["id"]
    cards = [each_station.ask(f"/v1/interactions/{id}") for id in (made["id"], hidden)]
    assert [card["twin"] for card in cards] == [
        {"id": hidden, "role": "shown"},
        {"id": made["id"], "role": "hidden"},
    ]
    assert [card["twins"] for card in cards] == [[], []]
    assert listed(each_station, made["contact"]) == [made["id"]]


def test_a_twin_is_logged_once(each_station: Station) -> None:
    """The same body again is the first record; a second record cannot be the same one's twin."""
    made = automatic(each_station)
    body = {"twin_of": made["id"], "external_id": "form.x"}
    first = log_by_hand(each_station, "", **body)
    again = log_by_hand(each_station, "?check_twins=true", **body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["duplicate"]) == (first.json()["id"], True)
    another = log_by_hand(each_station, "", twin_of=made["id"])
    assert another.json()["type"] == "urn:hilo:problem:state"


def test_a_repeat_is_answered_though_a_twin_came_meanwhile(station: Station) -> None:
    """What was written already is not called a probable twin when it is sent again."""
    first = log_by_hand(station, "?check_twins=true", external_id="form.x")
    automatic(station)
    again = log_by_hand(station, "?check_twins=true", external_id="form.x")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_a_twin_that_cannot_be_one_is_refused(station: Station) -> None:
    """Nothing, another contact's record, a record of a program: each has its answer."""
    stranger = automatic(station, resource="tel:+525500000000")
    unknown = log_by_hand(station, "", twin_of=99_999)
    assert unknown.json()["errors"][0] == {
        "field": "twin_of",
        "code": "unknown",
        "message": "there is no such interaction",
    }
    assert log_by_hand(station, "", twin_of=stranger["id"]).json()["type"].endswith(":state")
    by_program = log_by_hand(station, "", twin_of=stranger["id"], source="api:crm")
    assert by_program.json()["errors"][0]["code"] == "not_allowed"


def test_a_late_report_proposes_itself(each_station: Station) -> None:
    """A report that comes after a record by hand stands in both cards, and links nothing."""
    hand = by_hand(each_station)
    assert hand["twins"] == []
    late = automatic(each_station)
    why = ["contact", "channel", "direction", "120 s"]
    for one, other in ((hand, late), (late, hand)):
        card = each_station.ask(f"/v1/interactions/{one['id']}")
        assert card["twins"] == [{"id": other["id"], "score": 0.9, "why": why}]
        assert card["twin"] is None
    found = each_station.ask(f"/v1/contacts/{hand['contact']}/twins")
    [item] = found["items"]
    assert (item["row"]["id"], found["next"]) == (hand["id"], None)
    assert [(one["id"], one["row"]["id"]) for one in item["twins"]] == [(late["id"],) * 2]
    assert listed(each_station, hand["contact"]) == [hand["id"], late["id"]]


def test_open_proposals_are_a_list(each_station: Station) -> None:
    """They come in pages, the latest record by hand first, and end when they are linked."""
    reported = [automatic(each_station, minute) for minute in (1, 3)]
    hands = [by_hand(each_station, minute) for minute in (2, 4)]
    path = f"/v1/contacts/{hands[0]['contact']}/twins"
    first = each_station.ask(path, limit=1)
    second = each_station.ask(path, limit=1, cursor=first["next"])
    ids = [item["row"]["id"] for page in (first, second) for item in page["items"]]
    assert ids == [hands[1]["id"], hands[0]["id"]]
    for hand, one in zip(hands, reported, strict=True):
        body = {"other": one["id"], "show": one["id"]}
        put = each_station.request("PUT", f"/v1/interactions/{hand['id']}/twin", json=body)
        assert put.status_code == 200, put.text
    assert each_station.ask(path)["items"] == []


def test_linking_counts_once_and_taking_back_restores(each_station: Station) -> None:
    """Lists and counts know one of two twins; without the link all is as it was before."""
    hand, reported = by_hand(each_station), automatic(each_station)
    contact = hand["contact"]

    def seen() -> list[Any]:
        conversation = each_station.ask(f"/v1/conversations/{contact}")
        rows = each_station.ask("/v1/activity")["items"]
        person = each_station.ask(f"/v1/contacts/{contact}")
        timeline = each_station.ask(f"/v1/contacts/{contact}/timeline")["items"]
        return [conversation, rows, person, timeline]

    before = seen()
    path = f"/v1/interactions/{hand['id']}/twin"
    body = {"other": reported["id"], "show": hand["id"]}
    card = each_station.request("PUT", path, json=body).json()
    assert card["twin"] == {"id": reported["id"], "role": "shown"}
    conversation, rows, person, timeline = seen()
    assert [row["id"] for row in rows] == [row["id"] for row in timeline] == [hand["id"]]
    assert (conversation["interactions"], person["interactions"]) == (1, 1)
    assert person["by_channel"] == {"call": 1}
    assert (conversation["first_at"], conversation["last_at"]) == (rows[0]["occurred_at"],) * 2
    around = f"/v1/contacts/{contact}/timeline"
    assert [r["id"] for r in each_station.ask(around, around=reported["id"])["items"]] == [
        hand["id"]
    ]
    assert each_station.request("DELETE", path).status_code == 204
    assert seen() == before
    head = each_station.head
    assert each_station.request("DELETE", path).status_code == 204
    assert each_station.head == head


def test_linking_again_leaves_no_trace_and_the_other_may_be_shown(station: Station) -> None:
    """The same link changes nothing; another `show` turns it; a third record is refused."""
    hand, reported, third = by_hand(station), automatic(station), automatic(station, 6)
    path = f"/v1/interactions/{hand['id']}/twin"
    body = {"other": reported["id"], "show": reported["id"]}
    first = station.request("PUT", path, json=body)
    head = station.head
    again = station.request("PUT", path, json=body)
    assert (again.status_code, again.json(), station.head) == (200, first.json(), head)
    turned = station.request("PUT", path, json={**body, "show": hand["id"]})
    assert turned.json()["twin"] == {"id": reported["id"], "role": "shown"}
    assert listed(station, hand["contact"]) == [hand["id"], third["id"]]
    other = {"other": third["id"], "show": third["id"]}
    assert station.request("PUT", path, json=other).json()["type"].endswith(":state")


def test_the_history_tells_of_twins(station: Station) -> None:
    """Link and unlink stand in the history of both cards, with the other's id and by whom."""
    hand, reported = by_hand(station), automatic(station)
    path = f"/v1/interactions/{hand['id']}/twin"
    station.request("PUT", path, json={"other": reported["id"], "show": reported["id"]})
    linked = station.head
    station.request("DELETE", path)
    history = station.ask(f"/v1/interactions/{hand['id']}")["history"]
    assert [one["event"] for one in history[1:]] == ["twin.linked", "twin.unlinked"]
    assert history[1]["changes"] == [
        {"field": "twin", "from": None, "to": reported["id"]},
        {"field": "twin.role", "from": None, "to": "hidden"},
    ]
    assert history[2]["changes"][0] == {"field": "twin", "from": reported["id"], "to": None}
    assert history[1]["by"]["kind"] == "token"
    then = station.ask(f"/v1/interactions/{hand['id']}", as_of=str(linked))
    assert then["twin"] == {"id": reported["id"], "role": "hidden"}


def test_retracting_the_shown_one_gives_the_other_back(station: Station) -> None:
    """What is void hides nothing: the link ends with the retraction, in one unit."""
    hand, reported = by_hand(station), automatic(station)
    path = f"/v1/interactions/{hand['id']}"
    body = {"other": reported["id"], "show": hand["id"]}
    station.request("PUT", f"{path}/twin", json=body)
    card = station.post(f"{path}/retraction", json={"reason": "doble"}).json()
    assert (card["twin"], card["retracted"]["reason"]) == (None, "doble")
    assert listed(station, hand["contact"]) == [hand["id"], reported["id"]]
    refused = station.request("PUT", f"{path}/twin", json=body)
    assert refused.json()["type"].endswith(":state")
    hidden = {"other": reported["id"], "show": reported["id"]}
    assert station.request("PUT", f"{path}/twin", json=hidden).status_code == 200


def test_what_a_link_gets_wrong_is_named(station: Station) -> None:
    """Itself, nobody, a third to be shown, another contact's: each is refused by its name."""
    hand = by_hand(station)
    stranger = automatic(station, resource="tel:+525500000000")
    path = f"/v1/interactions/{hand['id']}/twin"

    def code(other: int, show: int) -> str:
        answer = station.request("PUT", path, json={"other": other, "show": show}).json()
        return str(answer["errors"][0]["code"] if "errors" in answer else answer["type"])

    assert code(hand["id"], hand["id"]) == "same"
    assert code(99_999, hand["id"]) == "unknown"
    assert code(stranger["id"], 99_999) == "bad_enum"
    assert code(stranger["id"], hand["id"]).endswith(":state")
    nothing = station.request("PUT", "/v1/interactions/99999/twin", json={"other": 1, "show": 1})
    assert nothing.status_code == 404


def test_twins_need_their_scope_and_their_access(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading links nothing; what may not be seen is not there: 404, as for what never was."""
    hand, reported = by_hand(station), automatic(station)
    path = f"/v1/interactions/{hand['id']}/twin"
    body = {"other": reported["id"], "show": hand["id"]}
    reader = station.bearer("read")
    assert station.request("PUT", path, json=body, headers=reader).status_code == 403
    assert station.request("DELETE", path, headers=reader).status_code == 403
    station.ask("/v1/activity")
    hide(monkeypatch)
    assert station.request("PUT", path, json=body).status_code == 404
    assert station.request("DELETE", path).status_code == 404
    assert station.get(f"/v1/contacts/{hand['contact']}/twins").status_code == 404
    correction = {"changes": {"department": "a"}, "reason": "x"}
    for call, sent in (("corrections", correction), ("retraction", {"reason": "x"})):
        answer = station.post(f"/v1/interactions/{hand['id']}/{call}", json=sent)
        assert answer.status_code == 404
    hidden = log_by_hand(station, "?check_twins=true")
    assert (hidden.status_code, hidden.json()["twins"]) == (201, [])


def test_a_link_is_repeated_under_its_key(station: Station) -> None:
    """The same command again answers the card as it is; another one with the key is 409."""
    hand, reported = by_hand(station), automatic(station)
    headers = {**station.headers, "Idempotency-Key": "once"}
    path = f"/v1/interactions/{hand['id']}/twin"
    body = {"other": reported["id"], "show": hand["id"]}
    first = station.request("PUT", path, json=body, headers=headers)
    again = station.request("PUT", path, json=body, headers=headers)
    assert again.headers["hilo-duplicate"] == "true"
    assert again.json() == first.json()
    body["show"] = reported["id"]
    answer = station.request("PUT", path, json=body, headers=headers)
    assert answer.json()["type"] == "urn:hilo:problem:key-reused"
