"""What the page of Conversations takes and gives without a browser: forms, pieces, refusals."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.api.station import Station

ANA, EVA = "tel:+525512345678", "tel:+525511112222"


class Desk:
    """Somebody who is signed in, and sends forms."""

    def __init__(self, station: Station, role: str = "manager") -> None:
        self.station = station
        self.user = station.user("Rosa", role)
        self.headers = {**station.session(self.user), "Accept-Language": "en"}

    def get(self, path: str, **more: str) -> httpx.Response:
        """A page; with `hx_request` a piece of it."""
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return self.station.get(path, headers={**self.headers, **headers})

    def send(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form with the page's token, as a browser without scripts does."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        data = {"csrf": found[1] if found else "", **fields}
        return self.station.post(path, headers=self.headers, data=data)

    def state(self, contact: str) -> dict[str, Any]:
        """The conversation, as this person has it."""
        headers = self.headers
        answer = self.station.get(f"/v1/conversations/{contact}", headers=headers)
        found: dict[str, Any] = answer.json()
        return found


def test_every_gesture_is_a_form(each_station: Station) -> None:
    """Assign, snooze, resolve, mute, note, seen, unread: each goes back to where it came from."""
    desk = Desk(each_station)
    contact = each_station.append(contact_name="Ana", text="hola")["contact"]
    path = f"/conversations/{contact}"
    back = f"{path}?status=all"

    def do(**fields: str) -> dict[str, Any]:
        answer = desk.send(f"{path}/act", next=back, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, back), answer.text
        return desk.state(contact)

    assert do(do="assign", to="me")["assignee"]["name"] == "Rosa"
    assert do(do="assign", to="nobody")["assignee"] is None
    eva = each_station.user("Eva")
    assert do(do="assign", to=f"user:{eva}")["assignee"]["name"] == "Eva"
    assert do(do="resolve")["status"] == "resolved"
    assert do(do="reopen")["status"] == "open"
    snoozed = do(do="snooze", until="2026-11-23T09:00")
    assert snoozed["snoozed_until"] == "2026-11-23T15:00:00.000000Z"
    assert do(do="reopen")["status"] == "open"
    assert do(do="mute")["muted"] is True
    assert do(do="unmute")["muted"] is False
    assert do(do="seen")["unread"] == 0
    assert do(do="unread")["unread"] == 1
    do(do="note", text="Viene con\r\nsu padre")
    page = desk.get(back)
    assert "Viene con\nsu padre" in page.text
    assert 'aria-current="true"' in page.text


def test_forms_are_ours_and_say_what_is_wrong(station: Station) -> None:
    """Without the page's token, or with nonsense: nothing is done, and it says so."""
    desk = Desk(station)
    contact = station.append()["contact"]
    path = f"/conversations/{contact}/act"
    station.get("/v1/conversations")
    assert station.post(path, headers=desk.headers, data={"do": "resolve"}).status_code == 403
    for fields in (
        {"do": "dance"},
        {"do": "assign", "to": "user:nobody"},
        {"do": "snooze", "until": "mañana"},
        {"do": "snooze", "until": "2020-01-01T09:00"},
        {"do": "note", "text": "  "},
        {"do": "seen", "through": "x"},
        {"do": "unread", "from": "99999999"},
    ):
        assert desk.send(path, **fields).status_code == 422, fields
    assert desk.send("/conversations/nobody/act", do="resolve").status_code == 422
    assert desk.send("/conversations/-/bulk", do="resolve").status_code == 422
    away = desk.send(path, do="resolve", next="https://elsewhere.example/")
    assert away.headers["location"] == "/"
    stranger = station.post(path, headers={"HX-Request": "true"}, data={"do": "resolve"})
    assert (stranger.status_code, stranger.headers["hx-redirect"]) == (401, "/sign-in")
    said = station.post(
        path, headers={**desk.headers, "HX-Request": "true"}, data={"do": "resolve", "csrf": "no"}
    )
    assert (said.status_code, said.text.strip()) == (403, "The page was old. Try again.")


def test_many_conversations_at_a_time(each_station: Station) -> None:
    """Those that are ticked, and no other one; what cannot be found harms none of them."""
    desk = Desk(each_station)
    ids = [
        each_station.append(resource=f"tel:+52551111000{number}")["contact"] for number in range(3)
    ]
    missing = "00000000-0000-8000-8000-000000000000"
    answer = desk.send("/conversations/-/bulk", do="resolve", ids=[*ids[:2], missing, "?"])
    assert answer.status_code == 303
    assert [desk.state(id)["status"] for id in ids] == ["resolved", "resolved", "open"]
    desk.send("/conversations/-/bulk", do="assign", to="me", ids=[ids[2]])
    assert desk.state(ids[2])["assignee"]["name"] == "Rosa"


def test_pieces_are_parts_of_the_page(each_station: Station) -> None:
    """List, thread, one message and the head come alone, for scripts; what is not there is 404."""
    desk = Desk(each_station)
    made = each_station.append(contact_name="Ana", text="hola")
    other = each_station.append(resource=EVA)
    path = f"/conversations/{made['contact']}"
    for piece in ("/conversations/-/list", f"{path}/messages", f"{path}/head"):
        answer = desk.get(piece, hx_request="true")
        assert answer.status_code == 200, piece
        assert "<html" not in answer.text
        assert "Ana" in answer.text
    one = desk.get(f"{path}/messages/{made['id']}").text
    assert one.count("<article") == 1
    assert f'id="i{made["id"]}"' in one
    assert desk.get(f"{path}/messages/{other['id']}").status_code == 404
    assert desk.get(f"{path}/messages/9999").status_code == 404
    assert desk.get(f"/interactions/{made['id']}/card").status_code == 200
    assert desk.get("/interactions/9999/card").status_code == 404
    assert desk.get("/?assignee=x").status_code == 422
    assert desk.get("/find?q=%23" + str(made["id"])).headers["location"].endswith(str(made["id"]))


def test_a_merged_contact_s_conversation_leads_on(station: Station) -> None:
    """The address of one that was merged leads to where its thread stands, filters and all."""
    desk = Desk(station)
    ana, eva = (station.append(resource=one)["contact"] for one in (ANA, EVA))
    station.ask("/v1/conversations")
    station.post(f"/v1/contacts/{ana}/merge", json={"other": eva})
    answers = [desk.get(f"/conversations/{one}?status=all") for one in (ana, eva)]
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    moved = next(answer for answer in answers if answer.status_code == 302)
    assert moved.headers["location"].endswith("?status=all")


def test_who_may_only_read_is_offered_no_gesture(station: Station) -> None:
    """An auditor is led to the audit; elsewhere what a page offers follows from what they may."""
    auditor = Desk(station, "auditor")
    first = auditor.get("/")
    assert (first.status_code, first.headers["location"]) == (302, "/audit")
    assert auditor.get("/activity").status_code == 403


@pytest.mark.parametrize("name", ["hilo.css", "ground.js", "live.js", "hilo.svg"])
def test_files_are_kept_for_a_year_under_their_hash(station: Station, name: str) -> None:
    """Files are packed where the browser can unpack, and no other address of theirs is known."""
    address = station.application.state.page_maker.files.address(name)
    plain = station.get(address, headers={"Accept-Encoding": "identity"})
    packed = station.get(address, headers={"Accept-Encoding": "gzip"})
    assert plain.content == packed.content
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in plain.headers["cache-control"]
    assert station.get(f"/static/{name}", headers={}).status_code == 404
