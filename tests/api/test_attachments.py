"""Files over HTTP: uploaded, attached to one interaction, had back by those who may see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from api.sending_files import clean_name, headers_of, span_of
from app.filing import UPLOAD_KEPT_US, Filing
from app.web import ProvidersWeb
from tests.api.station import NOON, Station
from tests.patience import PATIENCE_S

PHOTO = bytes(range(256)) * 5_000


def upload(station: Station, content: bytes = PHOTO, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Upload a file; its answer."""
    more.setdefault("headers", {**station.headers, "Content-Type": "image/jpeg"})
    more.setdefault("params", {"name": "foto de Ana.jpg"})
    answer = station.post("/v1/attachments", content=content, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def named(file: dict[str, Any], **changes: object) -> dict[str, object]:
    """The file as an append names it."""
    said = {"name": file["name"], "media_type": file["media_type"], "attachment": file["id"]}
    return {**said, **changes}


def shown(station: Station, id: int) -> Any:  # noqa: ANN401 - JSON
    """The attachments of an interaction's card."""
    return station.ask(f"/v1/interactions/{id}")["attachments"]


def test_an_upload_becomes_an_interactions(each_station: Station) -> None:
    """Uploaded, attached, shown, had back byte for byte; told again, it is the same; once only."""
    station = each_station
    file = upload(station)
    assert file["bytes"] == len(PHOTO)
    path = f"/v1/attachments/{file['id']}"
    assert station.get(path, fresh=False).content == PHOTO
    stranger = station.bearer("append", "read")
    assert station.get(path, fresh=False, headers=stranger).status_code == 404
    stolen = station.post("/v1/interactions", json=body(file, "x"), headers=stranger)
    assert stolen.status_code == 422, stolen.text
    assert stolen.json()["errors"][0]["field"] == "attachments[0].attachment"

    made = station.append(external_id="f-1", attachments=[named(file)])
    (view,) = shown(station, made["id"])
    assert view == {
        "id": file["id"],
        "name": "foto de Ana.jpg",
        "media_type": "image/jpeg",
        "bytes": len(PHOTO),
        "sha256": file["sha256"],
        "state": "stored",
        "error": None,
        "url": path,
        "content_id": None,
    }
    answer = station.get(path, fresh=False)
    assert answer.content == PHOTO
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(PHOTO))
    again = station.post("/v1/interactions", json=body(file, "f-1"))
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    twice = station.post("/v1/interactions", json=body(file, "f-2"))
    assert twice.status_code == 422
    composition = station.composition
    assert composition.blobs.index.upload(UUID(file["id"])) is None
    assert len(list((composition.settings.data / "blobs").rglob("*/[0-9a-f]*"))) == 1


def body(file: dict[str, Any], key: str) -> dict[str, object]:
    """An append with a file under a key."""
    return {
        "channel": "whatsapp",
        "direction": "inbound",
        "source": "whatsapp:1065",
        "external_id": key,
        "resource": "tel:+525512345678",
        "destination": "tel:+525598765432",
        "occurred_at": "2026-11-22T05:15:02-06:00",
        "text": "Hola",
        "attachments": [named(file)],
    }


def test_a_player_asks_for_parts(station: Station) -> None:
    """A range is answered with 206 and what it is of; none such with 416; several with all."""
    file = upload(station)
    station.append(attachments=[named(file)])
    path = f"/v1/attachments/{file['id']}"
    size = len(PHOTO)
    for asked, start, stop in (
        ("bytes=0-99", 0, 100),
        ("bytes=262000-262400", 262_000, 262_401),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=5-{size + 99}", 5, size),
    ):
        answer = station.get(path, fresh=False, headers={**station.headers, "Range": asked})
        assert answer.status_code == 206, asked
        assert answer.content == PHOTO[start:stop]
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    beyond = station.get(path, fresh=False, headers={**station.headers, "Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    several = {**station.headers, "Range": "bytes=0-1,5-6"}
    assert station.get(path, fresh=False, headers=several).content == PHOTO
    assert span_of("bytes=-0", 10) is None
    assert span_of("bytes=5-2", 10) == (0, 10)


@pytest.mark.parametrize(
    ("media_type", "sent", "inline"),
    [
        ("image/png", "image/png", True),
        ("audio/ogg; codecs=opus", "audio/ogg", True),
        ("text/plain", "text/plain; charset=utf-8", True),
        ("application/pdf", "application/pdf", False),
        ("text/html", "application/octet-stream", False),
        ("image/svg+xml", "application/octet-stream", False),
        ("application/xhtml+xml", "application/octet-stream", False),
        ("text/javascript", "application/octet-stream", False),
        ("message/rfc822", "application/octet-stream", False),
        ("x\r\nSet-Cookie: a=b", "application/octet-stream", False),
    ],
)
def test_a_file_does_nothing(media_type: str, sent: str, *, inline: bool) -> None:
    """What might run is saved under a type that runs nowhere; all is shut off from the site."""
    headers = headers_of('a"b\r\nc/../..\\ñandú.exe', media_type)
    assert headers["content-type"] == sent
    kind = "inline" if inline else "attachment"
    told = headers["content-disposition"]
    assert told == f"{kind}; filename=\"_and_.exe\"; filename*=UTF-8''%C3%B1and%C3%BA.exe"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert clean_name("../..\u202e  \n") == "file"


def test_a_form_brings_one_file(station: Station) -> None:
    """As browsers send it; a second part, no part, a body that is cut off: refused by name."""
    files = {"file": ("ñandú.pdf", b"%PDF-1.7", "application/pdf")}
    answer = station.post("/v1/attachments", files=files)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["media_type"], told["bytes"]) == ("ñandú.pdf", "application/pdf", 8)
    two = station.post("/v1/attachments", files={**files, "other": ("b.txt", b"b", "text/plain")})
    assert (two.status_code, two.json()["errors"][0]["code"]) == (422, "repeated")
    head = {**station.headers, "Content-Type": "multipart/form-data; boundary=xyz"}
    part = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
    for content, status in ((part, 400), (b"--xyz--\r\n", 422), (b"nothing", 400)):
        refused = station.post("/v1/attachments", content=content, headers=head)
        assert refused.status_code == status, refused.text
    nameless = {**station.headers, "Content-Type": "multipart/form-data"}
    assert station.post("/v1/attachments", content=b"", headers=nameless).status_code == 400
    parts = station.composition.settings.data / "blobs" / ".parts"
    assert list(parts.iterdir()) == []


def test_a_file_has_a_limit(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large is 413 with the limit, whole or in a form, announced or not."""
    monkeypatch.setattr("api.attachments.UPLOAD_MAX_BYTES", 1_000)
    files = {"file": ("a.bin", bytes(1_001), "application/zip")}

    async def unannounced() -> Any:  # noqa: ANN401 - an iterator of bytes
        for _ in range(11):
            yield bytes(100)

    for more in ({"content": bytes(1_001)}, {"files": files}, {"content": unannounced()}):
        refused = station.post("/v1/attachments", **more)
        assert refused.status_code == 413, refused.text
        assert refused.json()["limit_bytes"] == 1_000
    assert station.post("/v1/attachments", content=bytes(1_000)).status_code == 201


def test_an_upload_repeats_by_its_key(station: Station) -> None:
    """The same key and file are one upload, also once it is attached; another file is refused."""
    head = {**station.headers, "Idempotency-Key": "k-1", "Content-Type": "image/png"}
    file = upload(station, b"uno", headers=head)
    for _ in range(2):
        again = station.post(
            "/v1/attachments", content=b"uno", headers=head, params={"name": "foto de Ana.jpg"}
        )
        assert (again.status_code, again.json()) == (200, file)
        other = station.post("/v1/attachments", content=b"dos", headers=head)
        assert other.json()["type"] == "urn:hilo:problem:key-reused"
        station.post("/v1/interactions", json=body(file, "k"))


def test_an_upload_is_what_the_append_says(station: Station) -> None:
    """Another size or hash, an upload twice, another record: refused, and it stays free."""
    file = upload(station, b"uno")
    for changes, code in (({"bytes": 4}, "mismatch"), ({"sha256": "0" * 64}, "mismatch")):
        refused = station.post(
            "/v1/interactions", json={**body(file, "m"), "attachments": [named(file, **changes)]}
        )
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    twice = {**body(file, "m"), "attachments": [named(file), named(file)]}
    assert station.post("/v1/interactions", json=twice).status_code == 422
    station.append(external_id="other", text="antes")
    conflict = station.post("/v1/interactions", json=body(file, "other"))
    assert conflict.status_code == 409
    right = {"bytes": 3, "sha256": file["sha256"].upper()}
    made = station.append(attachments=[named(file, **right)])
    assert shown(station, made["id"])[0]["state"] == "stored"


def test_a_batch_attaches_too(station: Station) -> None:
    """A line names an upload as a request does; again it is a duplicate; the copy goes soon."""
    file = upload(station, b"uno")
    head = {**station.headers, "Content-Type": "application/x-ndjson"}
    for status in (201, 200):
        told = station.post("/v1/interactions/batch", json=body(file, "b"), headers=head).text
        assert f'"status":{status}' in told, told
    (row,) = station.ask("/v1/activity")["items"]
    assert row["attachments"][0]["state"] == "stored"
    filing = Filing(station.services, ProvidersWeb())
    assert [filing.sweep(), filing.sweep()] == [1, 0]
    assert station.get(row["attachments"][0]["url"], fresh=False).content == b"uno"
    unknown = station.post(
        "/v1/interactions/batch", json=body({**file, "id": str(UUID(int=3))}, "c"), headers=head
    )
    assert '"unknown"' in unknown.text


def test_files_follow_the_access_of_their_contact(each_station: Station) -> None:
    """One predicate: who may not see the contact finds no file; merged, both must be seen."""
    station = each_station
    rosa, luis = station.user("Rosa"), station.user("Luis")
    file = upload(station)
    made = station.append(attachments=[named(file)])
    other = station.append(resource="tel:+525511110009")
    path = f"/v1/attachments/{file['id']}"
    eyes = {name: station.bearer("read", user=one) for name, one in (("r", rosa), ("l", luis))}
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    assert station.get(path, fresh=False, headers=eyes["l"]).status_code == 200
    closing = {"mode": "restricted", "users": ["rosa@example.mx"], "reason": "VIP"}
    contact = made["contact"]
    station.post(f"/v1/contacts/{contact}/access", json=closing)
    assert station.get(path, fresh=False, headers=eyes["r"]).status_code == 200
    hidden = station.get(path, fresh=False, headers=eyes["l"])
    absent = station.get(f"/v1/attachments/{UUID(int=9)}", fresh=False, headers=eyes["l"])
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert {**hidden.json(), "instance": "", "request_id": ""} == {
        **absent.json(),
        "instance": "",
        "request_id": "",
    }
    assert station.get(path, fresh=False, headers=station.bearer("append")).status_code == 403
    merge = {"other": contact, "reason": "la misma"}
    assert station.post(f"/v1/contacts/{other['contact']}/merge", json=merge).status_code == 200
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    assert station.get(path, fresh=False, headers=eyes["l"]).status_code == 404
    assert station.get(path, fresh=False, headers=eyes["r"]).status_code == 200


def test_an_erased_file_says_so(station: Station) -> None:
    """410 `erased` once the key is destroyed, or the bytes are deleted, to those who may see."""
    first, second = upload(station, b"uno"), upload(station, b"dos")
    made = station.append(attachments=[named(first), named(second)])
    composition = station.composition
    subject = UUID(made["contact"])
    path = f"/v1/attachments/{first['id']}"
    assert station.run(composition.tide.wait_for(station.head, PATIENCE_S))
    assert composition.blobs.delete_of([subject]) == 2
    gone = station.get(path, fresh=False)
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:hilo:problem:erased")
    keys = list(composition.keys.ring.key_ids([subject]).values())
    composition.keys.ring.destroy(keys, 1, NOON)
    assert station.get(f"/v1/attachments/{second['id']}", fresh=False).status_code == 410


def test_an_upload_that_nobody_attaches_is_let_go(station: Station) -> None:
    """After a week; what was attached stays."""
    left, taken = upload(station, b"uno"), upload(station, b"dos")
    station.append(attachments=[named(taken)])
    filing = Filing(station.services, ProvidersWeb())
    assert filing.sweep() == 0
    station.now[0] = NOON + UPLOAD_KEPT_US + 1
    assert filing.sweep() == 1
    path = "/v1/attachments/{}"
    assert station.get(path.format(left["id"]), fresh=False).status_code == 404
    assert station.get(path.format(taken["id"]), fresh=False).content == b"dos"
