"""Many contacts in one request: a verdict a line, safe to send again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.station import Station

ANA = "tel:+525512345678"


def send(station: Station, *lines: object, query: str = "", **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - httpx's own arguments
    """The verdicts on these lines, and the summary; text goes as it is."""
    body = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
    headers = {**station.headers, "Content-Type": "application/x-ndjson"}
    path = f"/v1/contacts/batch{query}"
    answer = station.post(path, content=body.encode(), headers=headers, **more)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_has_its_verdict(each_station: Station) -> None:
    """A new contact, one that was there, a bad line, two people's addresses: one line each."""
    made = each_station.append()
    each_station.ask("/v1/activity")
    ana = {"name": "Ana", "company": "ACME", "addresses": [ANA, "mailto:ana@example.com"]}
    beto = {"name": "Beto", "addresses": ["tel:55 1111 1111"]}
    both = {"addresses": ["tel:+525511111111", "mailto:ana@example.com"]}
    *verdicts, summary = send(each_station, ana, beto, "", {"nombre": "x"}, both, "{")
    assert [(one["line"], one["status"]) for one in verdicts] == [
        (1, 200),
        (2, 201),
        (4, 422),
        (5, 409),
        (6, 400),
    ]
    assert (verdicts[0]["contact"], verdicts[0]["duplicate"]) == (made["contact"], False)
    assert verdicts[2]["problem"]["errors"][0]["code"] == "unknown_field"
    assert verdicts[3]["problem"]["type"] == "urn:hilo:problem:address-taken"
    assert {key: summary["summary"][key] for key in ("lines", "recorded", "conflict")} == {
        "lines": 5,
        "recorded": 2,
        "conflict": 1,
    }
    assert (summary["summary"]["refused"], summary["summary"]["duplicate"]) == (2, 0)
    body = each_station.ask(f"/v1/contacts/{made['contact']}")
    assert (body["name"], body["company"], body["created"]) == ("Ana", "ACME", "observed")
    assert [one["address"] for one in body["addresses"]] == [ANA, "mailto:ana@example.com"]
    other = each_station.ask(f"/v1/contacts/{verdicts[1]['contact']}")
    assert (other["name"], other["created"]) == ("Beto", "user")


def test_the_same_body_again_changes_nothing(each_station: Station) -> None:
    """Every line is a duplicate, though a person has given another name meanwhile."""
    lines = [{"name": "Ana", "addresses": [ANA]}, {"name": "Sin"}, {"name": "Sin"}]
    first = send(each_station, *lines)
    contact = first[0]["contact"]
    assert len({one["contact"] for one in first[:-1]}) == 3
    renamed = each_station.request("PATCH", f"/v1/contacts/{contact}", json={"name": "Ana N."})
    assert renamed.status_code == 200, renamed.text
    head = each_station.head
    again = send(each_station, *lines)
    assert [(one["status"], one["duplicate"]) for one in again[:-1]] == [(200, True)] * 3
    assert [one["contact"] for one in again[:-1]] == [one["contact"] for one in first[:-1]]
    assert again[-1]["summary"]["duplicate"] == 3
    assert each_station.head == head
    assert each_station.ask(f"/v1/contacts/{contact}")["name"] == "Ana N."


def test_lines_of_one_body_may_speak_of_one_address(each_station: Station) -> None:
    """A later line describes the contact that an earlier one made, in the order of the body."""
    verdicts = send(
        each_station,
        {"name": "Ana", "addresses": [ANA]},
        {"company": "ACME", "addresses": [ANA, "mailto:a@example.com"]},
        {"name": "Ana Núñez", "addresses": ["mailto:a@example.com"]},
    )
    assert [one["status"] for one in verdicts[:-1]] == [201, 200, 200]
    body = each_station.ask(f"/v1/contacts/{verdicts[0]['contact']}")
    assert (body["name"], body["company"], len(body["addresses"])) == ("Ana Núñez", "ACME", 2)


def test_only_bad_lines_are_told_where_asked(station: Station) -> None:
    """With `verdicts=errors` what went well is in the summary alone."""
    found = send(station, {"name": "Ana"}, {"nombre": "x"}, query="?verdicts=errors")
    assert [one.get("line") for one in found] == [2, None]
    assert found[-1]["summary"]["recorded"] == 1


def test_a_line_too_long_is_refused_alone(station: Station) -> None:
    """Its neighbours are taken."""
    found = send(station, {"name": "Ana"}, '"' + "x" * (1 << 20) + '"', {"name": "Beto"})
    assert [one.get("status") for one in found] == [201, 413, 201, None]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content-Type": "application/json"}, 415), ({"Authorization": "Bearer no"}, 401)],
)
def test_what_is_no_batch_is_refused_whole(
    station: Station, headers: dict[str, str], status: int
) -> None:
    """Another type, or nobody known: refused before a line is read."""
    sent = {**station.headers, "Content-Type": "application/x-ndjson", **headers}
    answer = station.post("/v1/contacts/batch", content=b"{}\n", headers=sent)
    assert answer.status_code == status


def test_describing_many_needs_its_scope(station: Station) -> None:
    """A token that only reads or appends makes no contacts."""
    for scope in ("read", "append"):
        sent = {**station.bearer(scope), "Content-Type": "application/x-ndjson"}
        answer = station.post("/v1/contacts/batch", content=b"{}\n", headers=sent)
        assert answer.status_code == 403
