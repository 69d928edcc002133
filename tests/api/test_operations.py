"""For whoever runs it: liveness, readiness, metrics, the state of views, who I am."""

from __future__ import annotations

import time

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from domain.errors import NotYet, StoreUnavailable
from projections.views import Views
from storage.follower import FollowerState, Phase
from tests.api.station import Station
from tests.patience import PATIENCE_S

LOOKS_MAX = 400
"""Looks at something that is a moment away: twenty seconds, on a machine that is far too busy."""


def test_a_process_that_lives_says_so(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """/healthz asks nothing: it answers without a token and without a database."""
    monkeypatch.setattr(Views, "position", _fails)
    answer = station.get("/healthz", fresh=False, headers={})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": "1.0.0"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_ask_with_head(station: Station, path: str) -> None:
    """Balancers that look with HEAD are answered like those that look with GET."""
    station.append()
    # A node whose views are being built is not ready.
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    assert station.request("HEAD", path, headers={}).status_code == 200


def test_a_node_that_can_serve_says_so(each_station: Station) -> None:
    """/readyz is 200 with the positions while the stores answer and the views follow."""
    each_station.append()
    answer = each_station.get("/readyz", headers={})
    head = each_station.head
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "position": head, "head": head}


def test_a_node_without_views_is_not_ready(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer is 503 with Retry-After."""
    monkeypatch.setattr(Views, "position", _fails)
    answer = station.get("/readyz", fresh=False, headers={})
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hilo:problem:store-unavailable"
    assert answer.headers["retry-after"] == "1"


def test_a_node_that_lags_for_a_minute_is_not_ready(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Views that are behind for more than a minute are no place to read; for less they are."""
    station.append()
    monkeypatch.setattr(Views, "position", lambda *_: 0)
    assert station.get("/readyz", fresh=False).status_code == 200
    station.now[0] += 61_000_000
    answer = station.get("/readyz", fresh=False)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hilo:problem:not-yet")


def test_metrics_are_one_application_s(each_station: Station) -> None:
    """Commits, positions and requests are counted, in a registry of the application's own."""
    before = list(REGISTRY.collect())
    made = each_station.append()
    each_station.ask(f"/v1/interactions/{made['id']}")
    answer = each_station.get("/metrics", headers={})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, sample.labels.get("route", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if "_bucket" not in sample.name
    }
    assert samples[("hilo_log_position", "")] == each_station.head
    assert samples[("hilo_core_position", "")] == each_station.head
    assert samples[("hilo_core_lag", "")] == 0
    assert samples[("hilo_appends_total", "")] >= 2
    assert samples[("hilo_batch_units_sum", "")] == samples[("hilo_appends_total", "")]
    assert samples[("hilo_commit_seconds_count", "")] >= 1
    assert samples[("hilo_queue_units", "")] == 0
    assert samples[("hilo_streams", "")] == 0
    assert samples[("hilo_request_seconds_count", "/v1/interactions/{id}")] == 1
    assert len(list(REGISTRY.collect())) == len(before)


def test_requests_are_told_apart_by_route_and_never_by_address(station: Station) -> None:
    """Addresses that lead nowhere share one row, so that nobody can fill the memory with them."""
    for number in range(5):
        station.get(f"/nowhere/{number}", fresh=False)
    station.get("/contacts/7", fresh=False)  # a page
    text = station.get("/metrics", fresh=False).text
    assert 'hilo_request_seconds_count{method="GET",route="-",status="404"} 5.0' in text
    assert 'hilo_request_seconds_count{method="GET",route="/contacts/{id}"' in text
    assert "nowhere" not in text


def test_the_views_tell_how_far_they_are(each_station: Station) -> None:
    """/v1/views has position, lag, what is parked, a rebuild's progress, and the follower."""
    each_station.append()
    head = each_station.head
    following = {"phase": "following", "position": head, "error": None}
    # The follower says where it is a moment after its commit is seen.
    body = each_station.ask("/v1/views")
    for _ in range(LOOKS_MAX):
        if body["follower"] == following:
            break
        time.sleep(0.05)
        body = each_station.ask("/v1/views")
    core = next(one for one in body["items"] if one["group"] == "core")
    assert (core["group"], core["serving"], core["position"], core["lag"]) == (
        "core",
        True,
        head,
        0,
    )
    assert (core["parked"], core["rebuilding"], core["reason"]) == ([], None, None)
    assert body["head"] == head
    assert body["follower"] == following
    auditor = each_station.bearer("audit")
    assert each_station.get("/v1/views", headers=auditor).status_code == 200
    appender = each_station.bearer("append")
    assert each_station.get("/v1/views", headers=appender).status_code == 403


def test_a_follower_that_ended_is_seen(station: Station) -> None:
    """A follower's failure stands in /v1/views, without content."""
    station.ask("/v1/views")
    follower = station.composition.follower
    follower.stop()  # it would say that it follows, a moment after it does
    follower.state = FollowerState(Phase.FAILED, 1, "KeyMissing: gone")
    told = station.get("/v1/views", fresh=False).json()["follower"]
    assert told == {"phase": "failed", "position": 1, "error": "KeyMissing: gone"}


def test_me_is_the_caller(each_station: Station) -> None:
    """A token of nobody's, a token made for a person, and a browser each see themselves."""
    rosa = each_station.user("Rosa", role="manager")
    nobody = each_station.ask("/v1/me")
    assert list(nobody) == [
        "actor", "user", "scopes", "leads", "source", "language", "zone", "shortcuts", "csrf",
    ]  # fmt: skip
    assert (nobody["actor"]["kind"], nobody["user"], nobody["csrf"]) == ("token", None, None)
    assert nobody["scopes"] == ["admin", "append", "audit", "manage", "read"]
    assert nobody["zone"] == "America/Mexico_City"
    hers = each_station.bearer("append", source="api:crm", user=rosa)
    by_token = each_station.get("/v1/me", headers=hers).json()
    in_browser = each_station.get("/v1/me", headers=each_station.session(rosa)).json()
    for body in (by_token, in_browser):
        assert body["user"] == {
            "id": str(rosa),
            "name": "Rosa",
            "email": "rosa@example.mx",
            "role": "manager",
            "department": None,
            "teams": [],
        }
        assert body["leads"] is (body is in_browser)  # her token may only append
    assert in_browser["actor"] == {"kind": "user", "id": str(rosa), "name": "Rosa"}
    assert in_browser["csrf"]
    assert (by_token["source"], by_token["csrf"]) == ("api:crm", None)
    assert each_station.get("/v1/me", headers={}).status_code == 401


def test_the_document_names_every_read(station: Station) -> None:
    """/openapi.json is whole: every reference in it leads to a schema."""
    document = station.get("/openapi.json", fresh=False).json()
    assert "/v1/contacts/{id}/timeline" in document["paths"]
    assert "/contacts/{id}" not in document["paths"]
    schemas = document["components"]["schemas"]
    for name in ("InteractionPage", "Card", "ConversationView", "ContactView", "LogPage"):
        assert name in schemas

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {str(value["$ref"])} if "$ref" in value else set()
            return own.union(*(references(inner) for inner in value.values()))
        if isinstance(value, list):
            return set().union(*(references(inner) for inner in value))
        return set()

    known = {f"#/components/schemas/{name}" for name in schemas}
    assert references(document) <= known


def test_views_being_built_are_not_yet(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing serves, a read is 503 not-yet and no page."""
    monkeypatch.setattr(Views, "reading", _builds)
    answer = station.get("/v1/activity?wait_ms=20", fresh=False)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hilo:problem:not-yet")


def _fails(*_: object) -> int:
    raise StoreUnavailable("The views do not answer.")


def _builds(*_: object) -> None:
    raise NotYet("The views are being built.")
