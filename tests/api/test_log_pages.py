"""The log for auditors: every event, nothing of what is sealed."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from uuid import UUID

import httpx

from tests.api.house import interaction
from tests.api.station import Station


def test_the_log_pages_by_number(each_station: Station) -> None:
    """Every event stands once, in order; `next` is the number to go on after."""
    for number in range(4):
        each_station.append(text=str(number))
    auditor = each_station.bearer("audit")
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = each_station.get(
            "/v1/log", fresh=False, params={"after": str(after), "limit": "3"}, headers=auditor
        )
        body = answer.json()
        assert answer.headers["hilo-position"] == str(each_station.head)
        seen += [item["position"] for item in body["items"]]
        after = body["next"]
    assert seen == list(range(1, each_station.head + 1))
    beyond = each_station.get("/v1/log?after=999999", fresh=False, headers=auditor)
    assert (beyond.json()["items"], beyond.json()["next"]) == ([], None)


def test_the_log_is_waited_for(station: Station) -> None:
    """`min_position` waits until the log is there, and is 503 where it does not come."""
    wanted = {"min_position": str(station.head + 1), "wait_ms": "10000"}

    async def both() -> tuple[httpx.Response, httpx.Response]:
        reading = asyncio.create_task(
            station.client.get("/v1/log", params=wanted, headers=station.headers)
        )
        for _ in range(20):  # the reader looks, and begins to wait
            await asyncio.sleep(0)
        made = await station.client.post(
            "/v1/interactions", json=interaction(external_id="late"), headers=station.headers
        )
        return await reading, made

    read, made = station.run(both())
    assert made.status_code == 201
    assert read.status_code == 200
    assert read.json()["items"][-1]["position"] >= int(wanted["min_position"])
    late = {"min_position": str(station.head + 1), "wait_ms": "1"}
    answer = station.get("/v1/log", fresh=False, params=late)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hilo:problem:not-yet")
    assert answer.headers["retry-after"] == "1"


def test_an_item_has_clear_fields_and_hashes(each_station: Station) -> None:
    """Clear fields are in words, sealed ones are hashes of stored bytes, the leaf is the tree's."""
    rosa = each_station.user("Rosa")
    made = each_station.append(
        text="un secreto", aliases=["mailto:ana@example.com"], contact_name="Ana"
    )
    auditor = each_station.bearer("audit", user=rosa)
    path = f"/v1/log?after={made['id'] - 1}&limit=1"
    answer = each_station.get(path, fresh=False, headers=auditor)
    [item] = answer.json()["items"]
    assert list(item) == [
        "position", "originator", "version", "topic", "recorded_at", "actor", "on_behalf_of",
        "clear", "blobs", "leaf",
    ]  # fmt: skip
    log, codec = each_station.composition.log, each_station.composition.codec
    stored = log.page(made["id"] - 1, 1)[0]
    assert item["leaf"] == b64encode(each_station.composition.leaf(stored)).decode()
    assert item["topic"] == "interaction.recorded"
    assert (item["originator"], item["version"]) == (made["interaction"], 1)
    assert item["actor"]["kind"] == "token"
    assert item["clear"]["channel"] == "whatsapp"
    sections = codec.sections_of(stored)
    subjects = [item["clear"]["subject"], item["clear"]["parties"][0]["subject"]]
    assert item["blobs"] == [
        {"subject": subject, "sha256": digest.hex()}
        for subject, (_, digest) in zip(subjects, sections, strict=True)
    ]
    assert item["blobs"][0]["subject"] == made["contact"]
    for secret in ("un secreto", "Ana", "5512345678", "example.com"):
        assert secret not in answer.text
    assert len(hashlib.sha256().digest()) == len(bytes.fromhex(item["blobs"][0]["sha256"]))


def test_names_of_the_company_are_under_its_own_key(station: Station) -> None:
    """A user's name is sealed under the company's subject."""
    rosa = station.user("Rosa")
    items = station.get("/v1/log", fresh=False).json()["items"]
    [added] = [item for item in items if item["topic"] == "user.added"]
    company = str(station.services.ledger.subjects.company)
    assert [blob["subject"] for blob in added["blobs"]] == [company]
    assert UUID(added["clear"]["user"]) == rosa
    assert "name" not in added["clear"]


def test_the_log_needs_its_scope(station: Station) -> None:
    """Only auditors and administrators page the log; reading scopes are not enough."""
    for scopes, status in ((("manage",), 403), (("audit",), 200), (("admin",), 200)):
        answer = station.get("/v1/log", fresh=False, headers=station.bearer(*scopes))
        assert answer.status_code == status


def test_content_is_not_opened(station: Station) -> None:
    """`open` is a parameter that nobody knows: 422; a limit stays within its bounds."""
    for query in ("open=true", "limit=201", "after=-1", "cursor=x"):
        answer = station.get(f"/v1/log?{query}", fresh=False)
        assert answer.status_code == 422
