"""What a form is told to be, and what it refuses: options that are none, pages that hear of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.cli import run
from channels.connections import Change, Draft
from channels.registry import CHANNELS
from channels.typeform import sign
from domain.errors import InvalidInput
from tests.backends import sqlite_backend
from tests.channels.form_examples import ANA, WHOLE
from tests.channels.test_cloudevents import RESPONSE
from tests.channels.vendors import Desk, open_desk

ORIGINS = "https://www.example.mx"

WRONG = {
    "country": ("Mexico", "52", "XX", "MX,US"),
    "redirect": ("/gracias", "javascript:x", "https://", "https://a.mx/a b", "http://[x"),
    "origins": ("www.example.mx", "https://a.mx/contacto", "*,ftp://a.mx", ","),
}
RIGHT = {
    "country": ("MX", "es"),
    "redirect": ("https://www.example.mx/gracias?a=b#c", "http://localhost:8000/"),
    "origins": ("*", "https://a.mx, http://b.mx:8080"),
}


@pytest.fixture
def forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk with a form of one page, which takes two posts in a quarter of an hour, on SQLite."""
    monkeypatch.setattr("api.gate.POSTS_MAX", 2)
    folder = tmp_path / "forms"
    folder.mkdir()
    with open_desk(sqlite_backend(folder)) as desk:
        connections = desk.house.composition.channels.connections
        connections.add(Draft(channel="form", name="web", options={"origins": ORIGINS}))
        connections.add(
            Draft(channel="typeform", name="main", secrets={"signing_secret": [b"signed"]})
        )
        connections.add(Draft(channel="google_forms", name="main", secrets={"secret": [b"us"]}))
        yield desk


def test_an_option_that_is_none_is_named(forms: Desk) -> None:
    """Country, page of thanks and origins are looked at when a connection is made or changed."""
    connections = forms.house.composition.channels.connections
    connection = connections.book.get("form", "web")
    for name, texts in WRONG.items():
        for text in texts:
            with pytest.raises(InvalidInput) as refused:
                connections.add(Draft(channel="form", name="other", options={name: text}))
            assert [one.field for one in refused.value.errors] == [f"options.{name}"], text
            with pytest.raises(InvalidInput):
                connections.change(connection, Change(options={name: text}))
    for name, texts in RIGHT.items():
        for text in (*texts, ""):
            connection = connections.change(connection, Change(options={name: text}))
    for one in CHANNELS.values():
        nonsense = dict.fromkeys(one.all_options, "\x00")
        wrong = one.check(nonsense) if one.check is not None else {}
        assert set(wrong) <= set(one.all_options), one.channel


def test_an_option_that_is_none_ends_with_its_name(
    forms: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The API answers 422 and the command exits with 2, both with the option and an example."""
    body = {"channel": "form", "name": "b", "options": {"redirect": "gracias"}}
    answer = forms.house.client.post("/v1/channels", json=body, headers=forms.admin)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("options.redirect", "bad_format")
    monkeypatch.setenv("HILO_DATA", str(tmp_path / "typed"))
    assert run(("channel", "add", "form", "web", "--option", "country=Mexico")) == 2
    assert "options.country" in capsys.readouterr().err


def test_a_page_hears_why_it_was_refused(forms: Desk) -> None:
    """A refusal goes with the headers without which a browser keeps it from the page's script."""
    post = forms.house.client.post
    url, ours = "/channels/form/web", {"origin": ORIGINS}

    def refused(status: int, path: str = url, **more: bytes | dict[str, str]) -> str | None:
        answer = post(path, headers=ours, **more)
        assert answer.status_code == status
        assert answer.json()["status"] == status
        origin: str | None = answer.headers.get("access-control-allow-origin")
        return origin

    assert refused(413, content=b"x" * (CHANNELS["form"].body_max_bytes + 1)) == ORIGINS
    assert post(url, data=ANA, headers=ours).status_code == 200
    assert refused(429, data=ANA) == ORIGINS
    assert refused(404, path="/channels/form/nobody", data=ANA) == "*"
    connections = forms.house.composition.channels.connections
    connection = connections.book.get("form", "web")
    connections.change(connection, Change(state="paused", secrets={"secret": [b"between us"]}))
    assert refused(401, data=ANA) == ORIGINS
    other = post(url, data=ANA, headers={"origin": "https://c.mx"})
    assert "access-control-allow-origin" not in other.headers
    known = post(url, data=ANA, headers={**ours, "x-hilo-secret": "between us"})
    assert (known.status_code, known.headers["retry-after"]) == (503, "60")
    assert known.headers["access-control-allow-origin"] == ORIGINS
    assert "access-control-allow-origin" not in post("/channels/typeform/main").headers


def test_a_changed_response_is_kept_for_a_person(forms: Desk) -> None:
    """A response that is changed later has its key: nothing is overwritten, its words wait."""
    post, secrets = forms.house.client.post, {"signing_secret": [b"signed"]}
    changed = json.loads(json.dumps(WHOLE))
    answer = {"type": "text", "text": "En rojo", "field": {"id": "q9", "ref": "color"}}
    changed["form_response"]["answers"].append(answer)
    for sent in (WHOLE, changed, WHOLE, changed):
        body = msgspec.json.encode(sent)
        headers = sign(body, secrets)
        assert post("/channels/typeform/main", content=body, headers=headers).status_code == 200
    edited = {**RESPONSE, "answers": [{"title": "¿Qué días?", "response": "Jueves"}]}
    for sent in (RESPONSE, edited, RESPONSE, edited):
        headers = {"x-hilo-secret": "us"}
        assert post("/channels/google_forms/main", json=sent, headers=headers).status_code == 200
    for channel in ("typeform", "google_forms"):
        balance = forms.balance(channel)
        assert (balance["recorded"], balance["duplicate"], balance["quarantined"]) == (1, 2, 1)
    waiting = forms.house.client.get("/v1/quarantine", headers=forms.admin).json()["items"]
    assert {one["reason"] for one in waiting} == {"conflict"}
