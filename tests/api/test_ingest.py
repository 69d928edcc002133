"""Appending over HTTP: what comes back, first time and again, and what is refused."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from domain.events import DeliveryReported, InteractionCorrected, InteractionRecorded
from domain.values import Origin
from tests.api.house import ANA, SHOP, House, interaction


def test_an_interaction_is_appended(each_house: House) -> None:
    """The first append answers 201 with the whole answer of the contract."""
    answer = each_house.append(each_house.bearer("append"))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert list(body) == ["id", "interaction", "contact", "duplicate", "erased", "twins"]
    assert (body["duplicate"], body["erased"], body["twins"]) == (False, False, [])
    entry = each_house.services.log.entry(body["id"])
    assert entry is not None
    assert str(entry.event.originator_id) == body["interaction"]
    assert answer.headers["cache-control"] == "no-store"
    assert "hilo-duplicate" not in answer.headers


def test_a_repeat_is_answered_with_the_first_id(each_house: House) -> None:
    """The same key and content again: 200, the same ids, and it says that it is a duplicate."""
    headers = each_house.bearer("append")
    first = each_house.append(headers).json()
    again = each_house.append(headers, contact_name="Ana", occurred_at="2026-11-22T11:15:02Z")
    assert again.status_code == 200
    assert again.headers["hilo-duplicate"] == "true"
    assert again.json() == {**first, "duplicate": True}


def test_the_same_key_with_other_content_conflicts(each_house: House) -> None:
    """Nothing is overwritten: 409 with the id of the first."""
    headers = each_house.bearer("append")
    first = each_house.append(headers).json()
    answer = each_house.append(headers, text="something else")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:hilo:problem:conflict"
    assert answer.json()["id"] == first["id"]
    assert each_house.services.log.head() == first["id"]


def test_an_idempotency_key_stands_for_the_external_id(house: House) -> None:
    """Without external_id the header is the key, within the source; with one it is ignored."""
    headers = {**house.bearer("append"), "Idempotency-Key": "a-1"}
    first = house.append(headers, external_id=...)
    assert first.status_code == 201
    assert house.append(headers, external_id=...).json()["duplicate"] is True
    other = house.append(headers, external_id=..., source="whatsapp:2")
    assert other.status_code == 201
    keyed = house.append({**headers, "Idempotency-Key": "\x7f" * 300}, external_id="wamid.2")
    assert keyed.status_code == 201
    assert house.append(headers, external_id="a-1").json()["id"] == first.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ñ", "a\tb"])
def test_a_key_that_cannot_be_one_is_refused(house: House, key: str) -> None:
    """The header takes 1 to 255 printable ASCII characters."""
    headers = {**house.bearer("append"), "Idempotency-Key": key.encode()}
    answer = house.append(headers, external_id=...)  # type: ignore[arg-type]  # bytes pass unchanged
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_without_any_key_nothing_is_appended(house: House) -> None:
    """Neither external_id nor header: 422 that names the field."""
    answer = house.append(house.bearer("append"), external_id=None)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("external_id", "missing_key")


def test_history_is_said_in_the_query(house: House) -> None:
    """`?origin=imported` makes a record imported; no other word is known there."""
    headers = house.bearer("append")
    body = interaction()
    answer = house.client.post("/v1/interactions?origin=imported", json=body, headers=headers)
    assert recorded(house, answer.json()["id"]).origin is Origin.IMPORTED
    answer = house.client.post("/v1/interactions?origin=manual", json=body, headers=headers)
    assert answer.json()["errors"][0]["field"] == "query.origin"
    answer = house.client.post("/v1/interactions?check=true", json=body, headers=headers)
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("query.check", "unknown_field")


def test_a_bound_token_has_one_source(house: House) -> None:
    """It may leave its source out, and may name no other; an unbound one must name one."""
    bound = house.bearer("append", source="whatsapp:1065")
    answer = house.append(bound, source=...)
    assert recorded(house, answer.json()["id"]).source == "whatsapp:1065"
    answer = house.append(bound, source="whatsapp:2")
    assert (answer.status_code, problem_type(answer)) == (403, "source-not-yours")
    answer = house.append(house.bearer("append"), source=...)
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("source", "missing")


def test_a_contact_must_exist(house: House) -> None:
    """One side may be null where a contact is given that the ledger knows."""
    headers = house.bearer("append")
    contact = house.append(headers).json()["contact"]
    known = house.append(headers, external_id="2", resource=None, contact=contact)
    assert (known.status_code, known.json()["contact"]) == (201, contact)
    stranger = str(UUID(int=7))
    answer = house.append(headers, external_id="3", resource=None, contact=stranger)
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("contact", "unknown")
    company = str(house.services.ledger.subjects.company)
    answer = house.append(headers, external_id="3", resource=None, contact=company)
    assert answer.status_code == 422
    answer = house.append(headers, external_id="3", resource=f"contact:{stranger}")
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("resource", "unknown")


def test_nothing_is_deleted(house: House) -> None:
    """DELETE of an interaction is 405 by design."""
    headers = house.bearer("admin")
    number = house.append(headers).json()["id"]
    answer = house.client.request("DELETE", f"/v1/interactions/{number}", headers=headers)
    assert (answer.status_code, problem_type(answer)) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


# ------------------------------------------------------------------------- statuses


def test_a_status_is_reported_once(each_house: House) -> None:
    """201 the first time, 200 for the same again, by number or by key; another one is another."""
    headers = each_house.bearer("append")
    number = each_house.append(headers, direction="outbound", resource=SHOP, destination=ANA).json()
    status = {"status": "delivered", "at": "2026-11-22T11:16:00Z"}
    path = f"/v1/interactions/{number['id']}/statuses"
    first = each_house.client.post(path, json=status, headers=headers)
    assert first.status_code == 201, first.text
    assert first.json() == {
        "id": number["id"],
        "interaction": number["interaction"],
        "position": number["id"] + 1,
        "duplicate": False,
    }
    assert each_house.client.post(path, json=status, headers=headers).status_code == 200
    by_key = {**status, "source": "whatsapp:1065", "external_id": "wamid.1"}
    again = each_house.client.post("/v1/statuses", json=by_key, headers=headers)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    read = each_house.client.post(path, json={**status, "status": "in_orbit"}, headers=headers)
    event = each_house.services.log.entry(read.json()["position"])
    assert event is not None
    assert isinstance(event.event, DeliveryReported)
    assert (event.event.state, event.event.word) == ("unknown", "in_orbit")


def test_a_status_may_come_before_its_message(each_house: House) -> None:
    """202 while the message is not there; it is about the message that comes later."""
    headers = each_house.bearer("append")
    status = {
        "status": "sent",
        "at": "2026-11-22T11:16:00Z",
        "source": "whatsapp:1065",
        "external_id": "wamid.1",
    }
    early = each_house.client.post("/v1/statuses", json=status, headers=headers)
    assert (early.status_code, early.json()["id"]) == (202, None)
    assert each_house.append(headers).json()["interaction"] == early.json()["interaction"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"at": "yesterday"}, "at", "bad_time"),
        ({"at": "2027-01-01T00:00:00Z"}, "at", "future"),
        ({"status": ""}, "status", "too_short"),
        ({"participant": "tel:abc"}, "participant", "bad_address"),
        ({"state": "read"}, "state", "unknown_field"),
    ],
)
def test_a_wrong_status_is_refused(
    house: House, changes: dict[str, str], field: str, code: str
) -> None:
    """Each field of a status is checked like those of an interaction."""
    headers = house.bearer("append")
    number = house.append(headers).json()["id"]
    status = {"status": "sent", "at": "2026-11-22T11:16:00Z", **changes}
    answer = house.client.post(f"/v1/interactions/{number}/statuses", json=status, headers=headers)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_statuses_of_other_sources_are_not_a_bound_tokens(house: House) -> None:
    """A bound token reports about its own source's interactions only."""
    number = house.append(house.bearer("append")).json()["id"]
    bound = house.bearer("append", source="sms:1")
    status = {"status": "sent", "at": "2026-11-22T11:16:00Z"}
    answer = house.client.post(f"/v1/interactions/{number}/statuses", json=status, headers=bound)
    assert problem_type(answer) == "source-not-yours"
    by_key = {**status, "source": "whatsapp:1065", "external_id": "wamid.1"}
    answer = house.client.post("/v1/statuses", json=by_key, headers=bound)
    assert problem_type(answer) == "source-not-yours"
    by_key["source"] = "No Source"
    answer = house.client.post("/v1/statuses", json=by_key, headers=house.bearer("append"))
    assert answer.json()["errors"][0]["code"] == "bad_source"
    del by_key["source"]
    answer = house.client.post("/v1/statuses", json=by_key, headers=house.bearer("append"))
    assert answer.json()["errors"][0]["code"] == "missing"


@pytest.mark.parametrize("number", ["0", "99", "abc", "-1", "9" * 30, "1.5"])
def test_a_status_of_nothing_is_not_found(house: House, number: str) -> None:
    """An id that names no interaction is 404, whatever it looks like."""
    status = {"status": "sent", "at": "2026-11-22T11:16:00Z"}
    path = f"/v1/interactions/{number}/statuses"
    answer = house.client.post(path, json=status, headers=house.bearer("append"))
    assert (answer.status_code, problem_type(answer)) == (404, "not-found")


# ------------------------------------------------------------- corrections, retraction


def test_a_correction_is_appended_once(living_house: House) -> None:
    """What was added to a record may be corrected; the same again changes nothing."""
    headers = living_house.bearer("append", "manage")
    number = living_house.append(headers, department="Ventas").json()["id"]
    body = {"changes": {"department": "Postventa"}, "reason": "área equivocada"}
    path = f"/v1/interactions/{number}/corrections"
    answer = living_house.client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    card = answer.json()
    assert (card["id"], card["department"]["key"]) == (number, "postventa")
    assert card["corrected"] == ["department"]
    head = living_house.services.log.head()
    again = living_house.client.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, card)
    assert living_house.services.log.head() == head


def test_content_of_an_automatic_record_stays(each_house: House) -> None:
    """Its text is evidence: 409; of a manual one it may be corrected, also the call's length."""
    headers = each_house.bearer("append", "manage")
    automatic = each_house.append(headers).json()["id"]
    body: dict[str, object] = {"changes": {"text": "Adiós"}, "reason": "typing"}
    path = f"/v1/interactions/{automatic}/corrections"
    each_house.catch_up()
    answer = each_house.client.post(path, json=body, headers=headers)
    assert (answer.status_code, problem_type(answer)) == (409, "state")
    manual = each_house.append(headers, source="manual", channel="call", call={"seconds": 5})
    changes = {"text": None, "call.seconds": 60, "occurred_at": "2026-11-22T11:00:00Z"}
    body = {"changes": changes, "reason": "typing"}
    each_house.catch_up()
    path = f"/v1/interactions/{manual.json()['id']}/corrections"
    answer = each_house.client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    entry = each_house.services.log.entry(each_house.services.log.head())
    assert entry is not None
    assert isinstance(entry.event, InteractionCorrected)
    assert entry.event.fields == ("call_seconds", "occurred_at", "offset_min", "text")
    assert entry.event.call_seconds == 60


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"changes": {}, "reason": "x"}, "changes", "missing"),
        ({"changes": {"department": "a"}}, "reason", "missing"),
        ({"changes": {"department": "a"}, "reason": " "}, "reason", "too_short"),
        ({"changes": {"source": "a"}, "reason": "x"}, "changes.source", "unknown_field"),
        ({"changes": {"channel": "fax"}, "reason": "x"}, "changes.channel", "bad_enum"),
        ({"changes": {"occurred_at": "x"}, "reason": "x"}, "changes.occurred_at", "bad_time"),
        (
            {"changes": {"occurred_at": "2030-01-01T00:00:00Z"}, "reason": "x"},
            "changes.occurred_at",
            "future",
        ),
        ({"changes": {"call.seconds": -1}, "reason": "x"}, "changes.call.seconds", "out_of_range"),
    ],
)
def test_a_wrong_correction_is_refused(
    house: House, body: dict[str, object], field: str, code: str
) -> None:
    """Each field of a correction is checked."""
    headers = house.bearer("append", "manage")
    number = house.append(headers).json()["id"]
    path = f"/v1/interactions/{number}/corrections"
    answer = house.client.post(path, json=body, headers=headers)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_a_retraction_is_final(living_house: House) -> None:
    """A record is declared void once; after that it can no longer be corrected."""
    headers = living_house.bearer("append", "manage")
    number = living_house.append(headers).json()["id"]
    path = f"/v1/interactions/{number}"
    body = {"reason": "wrong customer"}
    first = living_house.client.post(f"{path}/retraction", json=body, headers=headers)
    assert first.status_code == 200, first.text
    assert first.json()["retracted"]["reason"] == "wrong customer"
    again = living_house.client.post(f"{path}/retraction", json=body, headers=headers)
    assert again.json() == first.json()
    correction = {"changes": {"department": "a"}, "reason": "x"}
    answer = living_house.client.post(f"{path}/corrections", json=correction, headers=headers)
    assert problem_type(answer) == "state"


def test_a_command_is_repeated_under_its_key(living_house: House) -> None:
    """The same command again answers the object as it is now; another one with the key is 409."""
    headers = {**living_house.bearer("append", "manage"), "Idempotency-Key": "once"}
    number = living_house.append(headers).json()["id"]
    path = f"/v1/interactions/{number}/corrections"
    body: dict[str, object] = {"changes": {"department": "postventa"}, "reason": "x"}
    first = living_house.client.post(path, json=body, headers=headers)
    again = living_house.client.post(path, json=body, headers=headers)
    assert again.status_code == 200, again.text
    assert again.headers["hilo-duplicate"] == "true"
    assert again.json() == first.json()
    body["reason"] = "y"
    answer = living_house.client.post(path, json=body, headers=headers)
    assert (answer.status_code, problem_type(answer)) == (409, "key-reused")


def test_a_correction_is_done_while_the_views_are_behind(house: House) -> None:
    """A command that is durable is no failure, even where its card does not show it yet."""
    headers = house.bearer("append", "manage")
    number = house.append(headers).json()["id"]
    house.catch_up()
    body = {"reason": "x"}
    path = f"/v1/interactions/{number}/retraction"
    answer = house.client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["id"]) == (200, number)


def test_nothing_is_corrected_that_the_views_do_not_hold(house: House) -> None:
    """Until the views tell who may see a record, nobody changes it: 503, and nothing written."""
    headers = house.bearer("append", "manage")
    number = house.append(headers).json()["id"]
    head = house.services.log.head()
    path = f"/v1/interactions/{number}/retraction"
    answer = house.client.post(path, json={"reason": "x"}, headers=headers)
    assert (answer.status_code, problem_type(answer)) == (503, "not-yet")
    assert house.services.log.head() == head


def recorded(house: House, number: int) -> InteractionRecorded:
    """The interaction with an id, as it stands in the log."""
    entry = house.services.log.entry(number)
    assert entry is not None
    assert isinstance(entry.event, InteractionRecorded)
    return entry.event


def problem_type(answer: httpx.Response) -> str:
    """The type of a problem, without its urn."""
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:hilo:problem:")
