"""Many lines in one request: order, verdicts, and clients that read only after they have sent."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import socket
from collections.abc import Iterator, Sequence
from typing import Any, cast

import httpx
import msgspec
import pytest

from api.application import build
from api.lines import LINE_MAX_BYTES, Line, Occurrences, Splitter
from api.spool import MEMORY_MAX_BYTES, Spool
from domain.errors import OutcomeUnknown
from domain.ports import Unit, Verdict
from tests.api.house import Client, House, interaction
from tests.api.serving import serving

NDJSON = {"content-type": "application/x-ndjson"}
PATH = "/v1/interactions/batch"


def line(**changes: object) -> bytes:
    """One line of a body."""
    return msgspec.json.encode(interaction(**changes)) + b"\n"


def send(
    house: House, body: bytes, query: str = "", *, source: str | None = None
) -> list[dict[str, Any]]:
    """Send a body; the lines of the answer."""
    headers = {**house.bearer("append", source=source), **NDJSON}
    answer = house.client.post(f"{PATH}{query}", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return read(answer)


def read(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of an answer."""
    return [msgspec.json.decode(one) for one in answer.content.splitlines()]


def test_each_line_has_its_verdict(each_house: House) -> None:
    """Recorded, duplicate, conflict and refused, in order, with a summary that adds up."""
    body = b"".join(
        [
            line(external_id="1"),
            b"\r\n",
            line(external_id="1"),
            line(external_id="1", text="other"),
            line(external_id="2", occurred_at="x"),
            b"{\n",
            line(external_id="3")[:-1],
        ]
    )
    first, second, third, fourth, fifth, sixth, last = send(each_house, body)
    assert (first["line"], first["status"], first["duplicate"]) == (1, 201, False)
    assert second == {**first, "line": 3, "status": 200, "duplicate": True}
    assert (third["line"], third["status"], third["id"]) == (4, 409, first["id"])
    assert third["problem"]["type"] == "urn:hilo:problem:conflict"
    assert (fourth["line"], fourth["status"]) == (5, 422)
    assert fourth["problem"]["errors"][0]["field"] == "occurred_at"
    assert (fifth["status"], fifth["problem"]["type"]) == (400, "urn:hilo:problem:malformed")
    assert (sixth["line"], sixth["status"], sixth["id"]) == (7, 201, first["id"] + 1)
    assert last == {
        "summary": {
            "lines": 6,
            "recorded": 2,
            "duplicate": 1,
            "conflict": 1,
            "refused": 2,
            "first_position": first["id"],
            "last_position": first["id"] + 1,
        }
    }


def test_lines_without_id_are_keyed_by_what_they_are(each_house: House) -> None:
    """Two equal lines count as two; the same body again records nothing."""
    one = line(external_id=...)
    body = one + one.replace(b"\n", b"\r\n") + line(external_id=..., text="Adiós")
    first = send(each_house, body, "?origin=imported")
    assert first[-1]["summary"]["recorded"] == 3
    again = send(each_house, body, "?origin=imported")
    assert again[-1]["summary"]["duplicate"] == 3
    assert [v["id"] for v in again[:-1]] == [v["id"] for v in first[:-1]]
    assert again[-1]["summary"]["first_position"] is None


def test_only_errors_where_only_errors_are_wanted(house: House) -> None:
    """`verdicts=errors` leaves out what went well, and counts it all the same."""
    body = line() + line() + line(text="other") + b"[]\n"
    answer = send(house, body, "?verdicts=errors")
    assert [(one["line"], one["status"]) for one in answer[:-1]] == [(3, 409), (4, 422)]
    summary = answer[-1]["summary"]
    assert (summary["recorded"], summary["duplicate"], summary["lines"]) == (1, 1, 4)


def test_a_line_of_another_source_is_refused_alone(house: House) -> None:
    """A bound token's batch records its own source's lines and refuses the others."""
    body = line(source="sms:1") + line(source=...)
    refused, recorded, _ = send(house, body, source="whatsapp:1065")
    assert refused["problem"]["type"] == "urn:hilo:problem:source-not-yours"
    assert recorded["status"] == 201


def test_a_line_that_is_too_long_is_passed_over(house: House) -> None:
    """Its verdict is 413, and the next line is read as ever."""
    body = b"x" * (LINE_MAX_BYTES + 1) + b"\n" + line()
    long, good, _ = send(house, body)
    assert (long["status"], long["problem"]["limit_bytes"]) == (413, LINE_MAX_BYTES)
    assert (good["line"], good["status"]) == (2, 201)


def test_an_empty_body_has_an_empty_summary(house: House) -> None:
    """Nothing in, nothing refused."""
    (only,) = send(house, b"\n\n")
    assert only["summary"]["lines"] == 0


@pytest.mark.parametrize("query", ["?origin=manual", "?verdicts=none", "?limit=1"])
def test_a_wrong_query_is_refused_before_anything(house: House, query: str) -> None:
    """Whatever is wrong with the request as a whole is an ordinary problem."""
    headers = {**house.bearer("append"), **NDJSON}
    answer = house.client.post(PATH + query, content=line(), headers=headers)
    assert answer.status_code == 422
    assert house.client.post(PATH, content=line(), headers=NDJSON).status_code == 401


class FailingLog:
    """A log whose second commit has no known outcome."""

    def __init__(self, house: House) -> None:
        self._log = house.services.log
        self._calls = 0

    def stream(self, originator_id: Any) -> Any:  # noqa: ANN401 - passed through
        """As the log's."""
        return self._log.stream(originator_id)

    async def append_all(self, units: Sequence[Unit]) -> list[Verdict | Exception]:
        """As the log's, once; then every unit's outcome is unknown."""
        self._calls += 1
        if self._calls == 1:
            return await self._log.append_all(units)
        return [OutcomeUnknown("Repeat it.") for _ in units]


def test_a_failing_store_cuts_the_answer_off(house: House) -> None:
    """The lines that failed say so, and the summary is missing: send all again."""
    services = msgspec.structs.replace(house.services, log=cast("Any", FailingLog(house)))
    client = Client(build(services), house.runner)
    body = [line(external_id=str(n)) for n in range(600)]
    headers = {**house.bearer("append"), **NDJSON}
    answer = client.post(PATH, content=b"".join(body), headers=headers)
    client.close()
    lines = read(answer)
    assert [one["status"] for one in lines] == [201] * 500 + [503] * 100
    assert lines[-1]["problem"]["type"] == "urn:hilo:problem:store-unavailable"


def test_an_unexpected_failure_cuts_the_answer_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected leaves the answer without its summary too."""

    def broken(_unit: object, _verdict: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(house.services.ledger, "appended", broken)
    headers = {**house.bearer("append"), **NDJSON}
    answer = house.client.post(PATH, content=line(), headers=headers)
    assert b"summary" not in answer.content


# ------------------------------------------------------------------- real sockets


def long_body() -> Iterator[bytes]:
    """50 MB: a thousand long messages, and 30,000 lines whose verdicts are longer than they."""
    text = "x" * 40_000
    for number in range(1_000):
        yield line(external_id=str(number), text=text)
        yield b'{"channel":"fax","direction":"sideways","text":"%b"}\n' % (b"y" * 250) * 30


def test_a_client_may_send_everything_before_it_reads(house: House) -> None:
    """50 MB go in before one byte of the answer, some 20 MB, is read; nobody waits for ever."""
    with serving(house.application) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        headers = {**house.bearer("append"), **NDJSON}
        connection.request("POST", PATH, body=long_body(), headers=headers, encode_chunked=True)
        answer = connection.getresponse().read()
        connection.close()
    lines = answer.splitlines()
    summary = msgspec.json.decode(lines[-1])["summary"]
    assert (summary["recorded"], summary["refused"]) == (1_000, 30_000)
    assert len(lines) == 31_001
    assert len(answer) > 10 * MEMORY_MAX_BYTES


def test_a_client_may_wait_for_each_verdict(house: House) -> None:
    """A line's verdict comes while the body is still open."""
    with serving(house.application) as port:
        token = house.token("append")
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            connection.sendall(head.encode())
            got = b""
            for number in range(3):
                one = line(external_id=str(number))
                connection.sendall(b"%x\r\n%b\r\n" % (len(one), one))
                while b'"line":%d,' % (number + 1) not in got:
                    part = connection.recv(65_536)
                    assert part
                    got += part
            connection.sendall(b"0\r\n\r\n")
            while b"0\r\n\r\n" not in got:
                part = connection.recv(65_536)
                assert part
                got += part
    assert b'"recorded":3' in got


def test_a_client_that_goes_away_is_left_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that is cut off records what came, and is no error of ours."""
    with serving(house.application) as port:
        token = house.token("append")
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n"
            )
            connection.sendall(head.encode() + line())
            got = b""
            while b'"line":1,' not in got:
                part = connection.recv(65_536)
                assert part
                got += part
    assert b"summary" not in got
    assert not caplog.records


# ------------------------------------------------------------------- the small parts


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_do_not_depend_on_parts(size: int) -> None:
    """However a body is cut into parts, its lines and their numbers are the same."""
    body = b"a\n\n  \r\nb\r\n" + b"c" * 50 + b"\nd"
    splitter = Splitter()
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    lines = [found for part in parts for found in splitter.feed(part)]
    lines += splitter.end()
    assert lines == [Line(1, b"a"), Line(4, b"b"), Line(5, b"c" * 50), Line(6, b"d")]


def test_the_longest_line_is_taken() -> None:
    """A line of exactly 1 MiB is a line, with either end; one byte more is none."""
    longest = b"x" * LINE_MAX_BYTES
    splitter = Splitter()
    body = longest + b"\r\n" + longest + b"\n" + longest + b"x\n" + longest + b"xx\r\n"
    lines = list(splitter.feed(body))
    assert [found.raw for found in lines] == [longest, longest, None, None]


def test_equal_lines_are_numbered() -> None:
    """A key is the line's SHA-256 and its number among its equals."""
    occurrences = Occurrences()
    digest = hashlib.sha256(b"a").hexdigest()
    assert [occurrences.key_of(one) for one in (b"a", b"b", b"a")] == [
        f"sha256:{digest}:1",
        f"sha256:{hashlib.sha256(b'b').hexdigest()}:1",
        f"sha256:{digest}:2",
    ]
    occurrences.close()


def test_a_spool_gives_back_what_it_took() -> None:
    """Far more than its memory, in order, then the end; and once empty it starts anew."""

    async def through() -> None:
        spool = Spool()
        sent = [bytes([number % 251]) * 100_000 for number in range(30)]
        for part in sent:
            spool.write(part)
        got = b""
        while len(got) < 3_000_000:
            got += await spool.read()
        assert got == b"".join(sent)
        reading = asyncio.create_task(spool.read())
        await asyncio.sleep(0)
        spool.write(b"more")
        assert await reading == b"more"
        spool.end()
        assert await spool.read() == b""
        spool.close()

    asyncio.run(through())
