"""Every refusal is one document, and none of them says too much."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.exceptions import HTTPException

from api import problems
from api.application import build
from api.frame import base32, request_ids
from api.parameters import BODY_MAX_BYTES
from domain import errors
from domain.commands import By, Receipt, RecordInteraction
from domain.errors import FieldError, HiloError, InvalidInput
from tests.api.house import NOON, Client, House, interaction, with_ledger

SECRET = "la clave de Ana es 1234"


def below(kind: type[HiloError]) -> list[type[HiloError]]:
    """A class of errors and all that domain/errors.py makes of it."""
    ours = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(one for child in ours for one in below(child))]


@pytest.mark.parametrize("kind", below(HiloError), ids=lambda kind: kind.__name__)
def test_every_error_has_its_problem(kind: type[HiloError]) -> None:
    """No class of the tree is left to the row of another one."""
    assert kind in problems.PROBLEMS


def test_the_table_names_no_stranger() -> None:
    """Each row of the table belongs to a class of the tree."""
    assert set(problems.PROBLEMS) == set(below(HiloError))


class Failing:
    """A ledger that refuses everything in one way."""

    def __init__(self, house: House, error: Exception) -> None:
        self.derive = house.services.ledger.derive
        self.subjects = house.services.ledger.subjects
        self._error = error

    async def record(self, _command: RecordInteraction, _by: By) -> Receipt:
        """Refuse."""
        raise self._error


def refused(house: House, error: Exception) -> httpx.Response:
    """What a client sees when appending fails in this way."""
    application = build(with_ledger(house.services, Failing(house, error)))
    client = Client(application, house.runner)
    answer = client.post("/v1/interactions", json=interaction(), headers=house.bearer("append"))
    client.close()
    return answer


@pytest.mark.parametrize(
    ("error", "status", "kind", "extra"),
    [
        (errors.Conflict(7), 409, "conflict", {"id": 7}),
        (errors.ProbableTwins([{"id": 3}]), 409, "probable-twins", {"twins": [{"id": 3}]}),
        (errors.AddressTaken(None), 409, "address-taken", {"contact": None}),
        (errors.Held("A hold."), 409, "held", {}),
        (errors.NotYetSigned(), 409, "not-yet-signed", {}),
        (errors.WrongState("Retracted."), 409, "state", {}),
        (errors.KeyReused("Again."), 409, "key-reused", {}),
        (errors.Erased(), 410, "erased", {}),
        (errors.ChangedMeanwhile({"a": 1}), 412, "changed-meanwhile", {"current": {"a": 1}}),
        (errors.TooLarge(5), 413, "too-large", {"limit_bytes": 5}),
        (errors.TooMany(30), 429, "too-many", {}),
        (errors.Busy("Full."), 503, "busy", {}),
        (errors.NotYet("Not there."), 503, "not-yet", {}),
        (errors.StoreUnavailable("Gone."), 503, "store-unavailable", {}),
        (errors.OutcomeUnknown("Repeat."), 503, "store-unavailable", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_becomes_its_document(
    house: House, error: HiloError, status: int, kind: str, extra: dict[str, object]
) -> None:
    """Status, type, title, detail, instance, request id, and the members of that type."""
    answer = refused(house, error)
    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body.pop("title")
    assert body.pop("detail")
    assert body.pop("request_id") == answer.headers["request-id"]
    assert body == {
        "type": f"urn:hilo:problem:{kind}",
        "status": status,
        "instance": "/v1/interactions",
        **extra,
    }
    waits = {429: "30", 503: "1"}
    assert answer.headers.get("retry-after") == waits.get(status)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        errors.Damaged(3, SECRET),
        errors.KeyMissing(SECRET),
        HTTPException(418),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_unexpected_leaks_nothing(
    house: House, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A 500 says nothing of its cause; the log has the request id, and no message either."""
    with caplog.at_level(logging.ERROR):
        answer = refused(house, error)
    assert answer.status_code == 500
    body = answer.json()
    assert body["type"] == "urn:hilo:problem:internal"
    assert SECRET not in answer.text
    assert SECRET not in caplog.text
    if not isinstance(error, HTTPException):
        assert body["request_id"] in caplog.text
        assert type(error).__name__ in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "kind"),
    [
        ("POST", "/v1/interactions", b"{", {}, 400, "malformed"),
        ("POST", "/v1/interactions", b'{"text": "\xff"}', {}, 400, "malformed"),
        ("POST", "/v1/interactions", b"[" * 100_000, {}, 400, "malformed"),
        ("POST", "/v1/interactions", b"[]", {}, 422, "invalid-input"),
        ("POST", "/v1/interactions", b" " * (BODY_MAX_BYTES + 1), {}, 413, "too-large"),
        ("POST", "/v1/interactions", b"{}", {"content-type": "text/csv"}, 415, "media-type"),
        ("POST", "/v1/interactions", b"{}", {"content-encoding": "gzip"}, 415, "media-type"),
        ("POST", "/v1/interactions/batch", b"{}", {}, 415, "media-type"),
        ("POST", "/v1/interactions?a=%ff", b"{}", {}, 400, "malformed"),
        ("GET", "/v1/tokens?cursor=x", b"", {}, 400, "bad-cursor"),
        ("GET", "/v1/tokens?limit=0", b"", {}, 422, "invalid-input"),
        ("PUT", "/v1/interactions", b"", {}, 405, "method-not-allowed"),
        ("GET", "/nothing/here", b"", {}, 404, "not-found"),
        ("GET", "/v1/interactions/", b"", {}, 404, "not-found"),
    ],
)
def test_what_the_framework_refuses_looks_the_same(  # noqa: PLR0917 - the columns of the table
    house: House,
    method: str,
    path: str,
    content: bytes,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    """Bad bodies, wrong methods and unknown addresses are problems like any other."""
    named = {"content-type": "application/json", **headers, **house.bearer("admin")}
    answer = house.client.request(method, path, content=content, headers=named)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:hilo:problem:{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["request-id"]
    if kind == "method-not-allowed":
        assert answer.headers["allow"] == "POST"


def test_what_succeeds_says_how_long_it_took_and_refusals_do_not(house: House) -> None:
    """`Server-Timing` has tenths of a millisecond; who guesses gets none, nor does a stream."""
    said = house.append(house.bearer("append")).headers["server-timing"]
    assert re.fullmatch(r"app;dur=\d+\.\d", said)
    assert "server-timing" in house.client.get("/healthz").headers
    headers = {"content-type": "application/x-ndjson", **house.bearer("append")}
    lines = house.client.post("/v1/interactions/batch", content=b"{}\n", headers=headers)
    assert lines.status_code == 200
    for silent in (lines, house.client.get("/v1/tokens"), house.client.get("/nowhere")):
        assert "server-timing" not in silent.headers


def test_a_refused_method_is_told_all_that_are_allowed(house: House) -> None:
    """`Allow` names every method of the address, whichever of its routes answers first."""
    for method in ("PUT", "OPTIONS"):
        answer = house.client.request(method, "/v1/tokens", headers=house.bearer("admin"))
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_a_body_in_parts_is_cut_off_at_its_limit(house: House) -> None:
    """A body whose length nobody announced is refused as soon as it is too long."""

    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    headers = {"content-type": "application/json", **house.bearer("append")}
    answer = house.client.post("/v1/interactions", content=parts(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == BODY_MAX_BYTES


def test_problems_echo_little(house: House) -> None:
    """However long the text that was sent, a message repeats at most 80 characters of it."""
    long = "x" * 5_000
    answer = house.append(house.bearer("append"), **{long: 1, "channel": long, "resource": long})
    for error in answer.json()["errors"]:
        assert long[:81] not in error["message"]
        assert long[:81] not in error["field"]
    answer = house.client.get(f"/{long}", headers=house.bearer("read"))
    assert len(answer.json()["instance"]) == problems.INSTANCE_MAX_CHARS


def test_a_hundred_faults_are_enough() -> None:
    """A problem names 100 fields at most."""
    many = InvalidInput([FieldError("a", "b", "c")] * 1_000)
    assert len(problems.members(many)["errors"]) == 100  # type: ignore[arg-type]  # a list, here


def test_request_ids_sort_by_time() -> None:
    """26 characters of Crockford's base 32; later requests have greater ids."""
    now = [NOON]
    new_id = request_ids(lambda: now[0], lambda size: b"\x07" * size)
    first, second = new_id(), new_id()
    now[0] += 1_000
    third = new_id()
    assert first < second < third
    assert {len(one) for one in (first, second, third)} == {26}
    assert first.startswith("01")
    assert base32(32**2 + 31, 3) == "10Z"
