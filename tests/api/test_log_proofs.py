"""Checkpoints, tiles, proofs and receipts over HTTP; verifications and exports; who may."""

from __future__ import annotations

import io
import tarfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from api.audit_views import EXPORT, VERIFICATION
from app.cli.proofs import verify_bundle
from app.running import perform
from app.verifying import Wish, of_server
from audit.merkle import consistent, included, leaf_hash
from audit.notes import opened, read_verifier
from audit.receipts import leaf_in, read_receipt
from audit.verify import Verified, verify
from tests.api.station import Station
from tests.audit.asking import InProcess


def _raw(hashes: list[str]) -> list[bytes]:
    return [b64decode(one) for one in hashes]


def _ask(station: Station, path: str, scope: str = "audit") -> Any:  # noqa: ANN401 - httpx's
    return station.get(path, fresh=False, headers=station.bearer(scope))


def test_an_auditor_checks_the_log_over_http(each_station: Station) -> None:
    """Key, checkpoint, proofs, tiles and entries fit together, and nothing else is needed."""
    station = each_station
    auditor = station.bearer("audit")

    def get(path: str, **params: object) -> Any:  # noqa: ANN401 - httpx's
        more = {"params": params} if params else {}
        return station.get(f"/v1/log/{path}", fresh=False, headers=auditor, **more)

    first = station.append()
    for path in ("checkpoint", "key", "proofs/inclusion?position=1", "receipts/1"):
        answer = get(path)
        assert answer.status_code == 409, path
        assert answer.json()["type"] == "urn:hilo:problem:not-yet-signed"
    station.composition.proving.now()
    old = opened(get("checkpoint").text, [read_verifier(get("key").text)])
    for _ in range(3):
        station.append()
    station.composition.proving.now()
    key = read_verifier(get("key").text)
    new = opened(get("checkpoint").text, [key], station.composition.keys.identity.origin)
    assert new.size == station.head
    kept = get("checkpoints").json()
    assert [one["size"] for one in kept["items"]] == [old.size, new.size]
    assert kept["next"] is None
    assert get("checkpoints", after=old.size, limit=1).json()["next"] == new.size

    proof = get("proofs/inclusion", position=first["id"]).json()
    leaf = b64decode(proof["leaf"])
    assert (proof["index"], proof["size"]) == (first["id"] - 1, new.size)
    assert included(leaf, (proof["index"], proof["size"]), _raw(proof["hashes"]), new.root)
    growth = get("proofs/consistency", **{"from": old.size}).json()
    assert (growth["from"], growth["to"]) == (old.size, new.size)
    assert consistent((old.size, old.root), (new.size, new.root), _raw(growth["hashes"]))

    tile = get(f"tile/0/000.p/{new.size}").content
    assert len(tile) == 32 * new.size
    assert tile[32 * proof["index"] :][:32] == leaf
    entries, leaves = get(f"tile/entries/000.p/{new.size}").content, b""
    while entries:
        end = 2 + int.from_bytes(entries[:2], "big")
        leaves += leaf_hash(entries[2:end])
        entries = entries[end:]
    assert leaves == tile
    receipt = read_receipt(get(f"receipts/{first['id']}", entry="true").text)
    assert leaf_in(receipt) == leaf
    assert receipt.check(leaf, [key], new.origin) == new
    for path, status in (
        ("tile/0/000", 404),
        (f"tile/0/000.p/{new.size + 1}", 404),
        ("tile/9/000.p/1", 404),
        ("tile/0/x000/000.p/1", 404),
        ("tile/entries/001.p/1", 404),
        (f"proofs/inclusion?position={new.size + 1}", 422),
        (f"proofs/inclusion?position=1&size={new.size + 1}", 422),
        ("proofs/inclusion", 422),
        ("proofs/consistency?from=9&to=2", 422),
        ("proofs/consistency", 422),
        ("checkpoints?limit=1001", 422),
        (f"receipts/{new.size + 1}", 404),
    ):
        assert get(path).status_code == status, path


def test_a_receipt_goes_with_the_interaction(each_station: Station) -> None:
    """409 until it is signed, which its card says too; for readers in sight, and for auditors."""
    station = each_station
    id = station.append()["id"]
    path = f"/v1/interactions/{id}/receipt"
    assert station.get(path).status_code == 409
    assert station.ask(f"/v1/interactions/{id}")["proof"]["checkpoint_size"] is None
    station.composition.proving.now()
    answer = station.get(path, fresh=False)
    assert answer.headers["content-type"].startswith("text/plain")
    assert f'filename="{id}.tlog-proof"' in answer.headers["content-disposition"]
    shown = station.ask(f"/v1/interactions/{id}")["proof"]
    assert shown["checkpoint_size"] == station.head
    receipt = read_receipt(answer.text)
    key = station.composition.proofs.key()
    origin = station.composition.keys.identity.origin
    assert receipt.check(b64decode(shown["leaf"]), [key], origin).size == station.head
    assert _ask(station, path).status_code == 200
    assert _ask(station, path, "read").status_code == 200
    assert _ask(station, path, "append").status_code == 403
    assert _ask(station, "/v1/interactions/1/receipt").status_code == 404  # a token's event
    assert _ask(station, "/v1/interactions/99/receipt").status_code == 404


def test_a_server_is_verified_from_outside(
    each_station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hilo verify --url` reads entries and tiles, and comes to the same root."""
    station = each_station
    for _ in range(3):
        station.append()
    kept = station.composition.proving.now()
    assert kept is not None
    token = station.bearer("audit")["Authorization"].removeprefix("Bearer ")

    def client(base_url: str, headers: dict[str, str], timeout: float) -> InProcess:
        assert timeout
        return InProcess(station.application, base_url=base_url, headers=headers)

    monkeypatch.setattr("audit.server.httpx.Client", client)
    found = verify(of_server("http://hilo.example", token, Wish()), lambda *_: None)
    assert found == Verified(kept.size, kept.root, 1)


def _runs(station: Station) -> None:
    """Have runs done at once, in this process."""
    proofs = station.composition.proofs
    proofs.launch = lambda run: perform(station.composition, run)


def test_a_verification_is_asked_for(each_station: Station) -> None:
    """202 with an address, the answer there, both in the state; the same key is the first one."""
    station = each_station
    _runs(station)
    station.append()
    station.composition.proving.now()
    headers = station.bearer("audit") | {"Idempotency-Key": "v1"}
    made = station.post("/v1/audit/verifications", json={}, headers=headers)
    assert made.status_code == 202
    place = made.headers["location"]
    found = station.get(place, fresh=False, headers=headers).json()
    assert (found["state"], found["ok"], found["events"]) == ("done", True, station.head)
    assert found["done"] == found["total"] == station.head
    again = station.post("/v1/audit/verifications", json={}, headers=headers)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    assert again.json()["id"] == found["id"]
    other = station.post("/v1/audit/verifications", json={"from": 2}, headers=headers)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"
    state = _ask(station, "/v1/audit/state").json()
    assert state["healthy"]
    assert state["checkpoint"]["unsigned"] == station.head - state["checkpoint"]["size"]
    assert [run["id"] for run in state["verifications"]] == [found["id"]]
    assert state["erasures"] == {"count": 0, "last_position": None}
    listed = _ask(station, "/v1/audit/verifications").json()
    assert [run["id"] for run in listed["items"]] == [found["id"]]
    begun = station.composition.proofs.runs.begin(
        station.services.new_id(), VERIFICATION, "{}", "{}"
    )
    station.now[0] += 61_000_000
    lost = _ask(station, f"/v1/audit/verifications/{begun.id}").json()
    assert lost["state"] == "lost"  # its process is gone
    assert _ask(station, f"/v1/exports/{begun.id}").status_code == 404


def test_an_export_is_asked_for(each_station: Station, tmp_path: Path) -> None:
    """It is fetched as an archive that verifies; what can be read is for administrators."""
    station = each_station
    _runs(station)
    contact = station.append(text="hola Ana")["contact"]
    auditor = station.bearer("audit")
    made = station.post("/v1/exports", json={}, headers=auditor)
    assert made.status_code == 202
    for body in ({"contact": contact}, {"with_keys": True, "reason": "x"}):
        assert station.post("/v1/exports", json=body, headers=auditor).status_code == 403
    for body in ({"with_keys": True}, {"contact": contact, "from": 2}, {"from": 0}):
        assert station.post("/v1/exports", json=body).status_code == 422, body
    theirs = station.post("/v1/exports", json={"contact": contact, "reason": "lo pidió"})
    for place, headers in ((made, auditor), (theirs, station.headers)):
        path = place.headers["location"]
        found = station.get(path, fresh=False, headers=headers).json()
        assert found["state"] == "done", found
        fetched = station.get(found["url"], fresh=False, headers=headers)
        assert len(fetched.content) == found["bytes"]
        folder = tmp_path / found["id"]
        with tarfile.open(fileobj=io.BytesIO(fetched.content)) as archive:
            archive.extractall(folder, filter="data")
        checked = verify_bundle(folder / "hilo-export", Wish(), 1, lambda *_: None)
        assert isinstance(checked, Verified)
    hidden = station.get(theirs.headers["location"], fresh=False, headers=auditor).json()
    assert hidden["url"] is None
    refused = f"{theirs.headers['location']}/download"
    assert station.get(refused, fresh=False, headers=auditor).status_code == 403
    begun = station.composition.proofs.runs.begin(station.services.new_id(), EXPORT, "{}", "{}")
    waiting = station.get(f"/v1/exports/{begun.id}/download", fresh=False)
    assert (waiting.status_code, waiting.json()["type"]) == (409, "urn:hilo:problem:state")
    listed = _ask(station, "/v1/exports").json()
    assert len(listed["items"]) == 3
    nobody = station.post("/v1/exports", json={"contact": str(station.services.new_id())})
    assert nobody.status_code == 404


def test_what_fails_is_in_the_metrics(station: Station) -> None:
    """Positions of tree and signature, and each place that fails, are there for an alarm."""
    station.append()
    station.composition.proving.now()
    station.composition.proofs.store.failed("witness w", "it does not answer", 1)
    text = station.get("/metrics", fresh=False).text
    assert f"hilo_signed_position {float(station.head)}" in text
    assert f"hilo_tree_position {float(station.head)}" in text
    assert 'hilo_proof_failing{place="witness w"} 1.0' in text
    assert 'hilo_proof_failing{place="signer"} 0.0' in text
    assert not _ask(station, "/v1/audit/state").json()["healthy"]
