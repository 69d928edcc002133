"""What the pages about contacts take and give without a browser: forms, refusals, who sees what."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.api.station import Station
from tests.api.test_inbox_pages import Desk

ANA, EVA, LUZ = "tel:+525512345678", "tel:+525511112222", "tel:+525533334444"
NOBODY = UUID(int=7)


@pytest.fixture
def desk(station: Station) -> Desk:
    """A manager who is signed in."""
    return Desk(station)


def contact(station: Station, address: str, name: str, **more: object) -> str:
    """A contact who wrote."""
    made = station.append(resource=address, contact_name=name, text="hola", **more)
    return str(made["contact"])


def shown(desk: Desk, id: str) -> dict[str, Any]:
    """A contact as the API has it."""
    found: dict[str, Any] = desk.station.ask(f"/v1/contacts/{id}")
    return found


def hide(station: Station, id: str) -> None:
    """Have nobody but Luis see a contact."""
    body = {"mode": "restricted", "users": [str(station.user("Luis"))], "reason": "x"}
    station.get("/v1/contacts")
    answer = station.post(f"/v1/contacts/{id}/access", json=body)
    assert answer.status_code == 200, answer.text


def done(answer: httpx.Response) -> str:
    """Where a form that was carried out leads to."""
    assert answer.status_code == 303, re.sub(r"(?s)<style.*?>|\s+", " ", answer.text)[-3000:]
    return answer.headers["location"]


def refused(answer: httpx.Response, status: int, *texts: str) -> None:
    """A form that came back, and what it says."""
    assert answer.status_code == status, answer.text[-2000:]
    for text in texts:
        assert text in answer.text


def test_a_contact_is_made_by_hand(desk: Desk) -> None:
    """With name and addresses, once for a form that is sent twice; a namesake is shown first."""
    form = {"name": "Ana Núñez", "phone": "55 1234 5678", "email": "", "key": str(uuid4())}
    where = done(desk.send("/contacts/new", **form))
    assert done(desk.send("/contacts/new", **form)) == where
    made = shown(desk, where.rpartition("/")[2])
    assert (made["name"], [one["address"] for one in made["addresses"]]) == ("Ana Núñez", [ANA])
    refused(desk.send("/contacts/new", name="ana nunez"), 422, "Is it one of these?", where)
    other = done(desk.send("/contacts/new", name="ana nunez", anyway="true"))
    assert other != where
    taken = desk.send("/contacts/new", name="Otra", phone="+52 55 1234 5678", company="Sol & Mar")
    refused(taken, 409, "belongs to another contact", f'href="{where}"', 'value="Sol &amp; Mar"')
    refused(desk.send("/contacts/new", name=" "), 422, "Write a name, a number or an e-mail")
    refused(desk.send("/contacts/new", name="Eva", phone="12"), 422, "Write a phone number such")
    refused(desk.send("/contacts/new", name="x" * 201), 422, "This is too long")


def test_the_directory_is_paged_and_found(station: Station, desk: Desk) -> None:
    """Fifty at a time by a cursor, the latest first; any part of a name, an old address, a #id."""
    for number in range(52):
        contact(station, f"tel:+5255112200{number:02d}", f"Persona {number:02d}")
    first = desk.get("/contacts").text
    assert len(re.findall("<tr data-row>", first)) == 50
    [more] = re.findall(r'rel="next" href="([^"]+)"', first)
    rest = desk.get(more.replace("&amp;", "&")).text
    assert len(re.findall("<tr data-row>", rest)) == 2
    assert 'rel="prev"' in rest
    piece = desk.get("/contacts?piece=true&q=persona+07", HX_Request="true")
    assert "<html" not in piece.text
    assert re.findall(r">(Persona \d\d)</a>", piece.text) == ["Persona 07"]
    assert piece.headers["hx-replace-url"] == "/contacts?q=persona+07"
    assert "/contacts/new?q=nadie" in desk.get("/contacts?q=nadie").text
    assert 'name="email" value="a@x.mx"' in desk.get("/contacts/new?q=a@x.mx").text
    assert 'name="phone" value="+52 55"' in desk.get("/contacts/new?q=%2B52+55").text
    assert desk.get("/contacts?q=%231").headers["location"] == "/interactions/1"
    assert desk.get("/contacts?cursor=x").status_code == 400


def test_what_is_known_of_it_is_put_right(station: Station, desk: Desk) -> None:
    """Only what was changed is written; on older knowledge nothing is, and no typing is lost."""
    id = contact(station, ANA, "Ana")
    page, path = desk.get(f"/contacts/{id}/edit"), f"/contacts/{id}/edit"
    assert 'value="Ana"' in page.text
    [version] = re.findall(r'name="version" value="(\d+)"', page.text)
    rosa = str(desk.user)
    form = {"name": "Ana", "company": "Sol", "owner": rosa, "language": "es", "version": version}
    assert done(desk.send(path, **form)) == f"{path}?done=saved"
    station.append(resource=ANA, contact_name="Ana Núñez", occurred_at="2026-11-22T11:40:00Z")
    now = shown(desk, id)
    assert (now["name"], now["company"], now["owner"]["name"]) == ("Ana Núñez", "Sol", "Rosa")
    late = desk.send(path, **{**form, "company": "Luna & Mar"})
    refused(late, 412, "Somebody changed it while you were here", "Luna &amp; Mar")
    [version] = re.findall(r'name="version" value="(\d+)"', late.text)
    assert done(desk.send(path, **{**form, "company": "", "version": version}))
    assert shown(desk, id)["company"] is None
    refused(desk.send(path, name="Ana", language="español!"), 422, "such as es or pt-BR")
    refused(desk.send(path, name="Ana", owner=str(uuid4())), 422)
    assert desk.get(f"{path}?done=nada").status_code == 422


def test_addresses_are_linked_moved_and_given_on(station: Station, desk: Desk) -> None:
    """A taken one is asked about; a recycled number keeps what was said; each step says why not."""
    ana, eva = contact(station, ANA, "Ana"), contact(station, EVA, "Eva")
    contact(station, LUZ, "Luz", channel="sms", source="sms:x")
    path = f"/contacts/{ana}/addresses"
    assert "done=linked" in done(desk.send(path, address="ana@correo.example"))
    asked = desk.send(path, address="55 1111 2222")
    refused(asked, 409, "The address belongs to another contact", "It was never theirs", ">Eva<")
    assert f"/contacts/{ana}/merge?other={eva}" in asked.text
    early = {"address": EVA, "how": "anew", "from": "2026-11-01T09:00"}
    refused(desk.send(path, **early), 422, "It was still in use after that time")
    refused(desk.send(path, **{**early, "from": "ayer"}), 422, "Choose a day and an hour")
    refused(desk.send(path, **{**early, "from": "2026-11-23T09:00"}), 422, "not come yet")
    assert "done=moved" in done(desk.send(path, **{**early, "from": "2026-11-22T06:00"}))
    assert [one["current"] for one in shown(desk, eva)["addresses"]] == [False]
    assert "done=moved" in done(desk.send(path, address=LUZ, how="move"))
    held = {one["address"]: one for one in shown(desk, ana)["addresses"]}
    assert set(held) == {ANA, "mailto:ana@correo.example", EVA, LUZ}
    assert held[LUZ]["linked_by"] == "user"
    luz = f"{path}/{held[LUZ]['subject']}"
    assert "done=unlinked" in done(desk.send(luz, do="unlink"))
    refused(desk.send(f"{path}/{ana}", do="unlink"), 409, "kept under this address")
    given = {"do": "give", "subject": ana, "from": "2026-11-22T06:00"}
    assert "done=given" in done(desk.send(f"{path}/{ana}", **given))
    refused(desk.send(path, address=" "), 422, "Write a number or an e-mail")
    refused(desk.send(path, address="señal"), 422, "Write a number such as")
    assert LUZ not in {one["address"] for one in shown(desk, ana)["addresses"] if one["current"]}


def test_notes_and_twins(station: Station, desk: Desk) -> None:
    """A note is written once; a record by hand is linked with its twin, and apart again."""
    ana = contact(station, ANA, "Ana")
    path, form = f"/contacts/{ana}", {"text": "Viene con su padre.", "key": str(uuid4())}
    for _ in range(2):
        assert "done=noted" in done(desk.send(f"{path}/notes", **form))
    assert desk.get(f"{path}/edit").text.count("Viene con su padre.") == 1
    refused(desk.send(f"{path}/notes", text=" "), 422, "Write a few words")
    mine = station.append(source="manual", resource=ANA, text="por mano")["id"]
    page = desk.get(f"{path}/edit").text
    assert "Perhaps recorded twice" in page
    [other] = re.findall(
        rf'name="record" value="{mine}"><input [^>]*name="other" value="(\d+)"', page
    )
    where = done(desk.send(f"{path}/twins", do="twin", record=str(mine), other=other))
    assert shown(desk, ana)["interactions"] == 1
    undo = desk.get(where.partition("#")[0]).text
    assert f'name="record" value="{mine}"' in undo
    assert "done=untwin" in done(desk.send(f"{path}/twins", do="untwin", record=str(mine)))
    assert shown(desk, ana)["interactions"] == 2
    refused(desk.send(f"{path}/twins", do="twin", record=str(mine), other="x"), 422)


def test_who_may_be_the_same_is_shown_and_not_joined(station: Station, desk: Desk) -> None:
    """On the page of all pairs, beside the contact, and first where the other one is chosen.

    Dismissed on any of them, it is suggested nowhere, until that is taken back where it was said.
    """
    mail = {"channel": "email", "source": "email:x", "destination": "mailto:v@hilo.example"}
    ids = [
        contact(station, f"mailto:{name}@correo{number}.example", "Ana Núñez", **mail)
        for number, name in enumerate(("ana.nunez", "ananunez"))
    ]
    other = contact(station, ANA, "ana nunez")
    pairs = desk.get("/contacts/suggestions").text
    assert "They are called the same, and their addresses are similar." in pairs
    compared = re.findall(r'href="/contacts/([^/]+)/merge\?other=([^"]+)"', pairs)
    assert [set(pair) for pair in compared] == [set(ids)]
    assert f"/contacts/{ids[0]}/merge?other={ids[1]}" in desk.get(f"/contacts/{ids[0]}/edit").text
    offered = re.findall(r"merge\?other=([^\"]+)", desk.get(f"/contacts/{ids[0]}/merge").text)
    assert offered == [ids[1], other]
    assert [shown(desk, one)["merged"] for one in ids] == [[], []]
    path, both = f"/contacts/{ids[0]}/suggestions", "/contacts/suggestions"
    for at in ("", "edit"):
        said = desk.get(done(desk.send(path, other=ids[1], do="dismiss", at=at)).partition("#")[0])
        assert "It is not suggested any more." in said.text
        assert 'name="do" value="restore"' in said.text
        assert "are called the same" not in desk.get(both).text
        assert f"other={ids[1]}" not in desk.get(f"/contacts/{ids[0]}/edit").text
        compare = desk.get(f"/contacts/{ids[0]}/merge?other={ids[1]}").text
        assert "They are not the same" not in compare
        assert "are called the same" in desk.get(f"{both}?dismissed=true").text
        again = desk.get(done(desk.send(path, other=ids[1], do="restore", at=at)).partition("#")[0])
        assert "It is suggested again." in again.text
    assert "They are not the same" in desk.get(f"/contacts/{ids[0]}/merge?other={ids[1]}").text
    assert desk.send(path, other="nobody", do="dismiss").status_code == 404


def test_two_become_one_and_two_again(each_station: Station) -> None:
    """What the preview says is what the merge gives; its undoing gives back what was before."""
    station, desk = each_station, Desk(each_station)
    ana = contact(station, ANA, "Ana")
    eva = contact(station, EVA, "Eva", channel="sms", source="sms:x")
    desk.send(f"/contacts/{eva}/edit", name="Eva Ríos", company="Sol")
    before = [shown(desk, one) for one in (ana, eva)]
    page = desk.get(f"/contacts/{ana}/merge?other={eva}").text
    after = re.findall(r'class="after"><div>(.*?)</div></td>', page, re.DOTALL)
    plain = [" ".join(re.sub("<[^>]+>", " ", one).split()) for one in after]
    assert plain[:3] == ["Eva Ríos", "Sol", "+52 55 1234 5678 +52 55 1111 2222"]
    assert plain[3].split()[0] == "2"
    where = done(desk.send(f"/contacts/{ana}/merge", other=eva, reason="la misma"))
    now = shown(desk, ana)
    assert (now["name"], now["company"], now["interactions"]) == ("Eva Ríos", "Sol", 2)
    listed = desk.get(where).text
    assert "la misma" in listed
    assert "<b>Eva Ríos</b>" in listed
    again = desk.get(f"/contacts/{eva}/merge?other={ana}")
    assert (again.status_code, again.headers["location"]) == (
        302,
        f"/contacts/{ana}/merge?other={ana}",
    )
    once = desk.send(f"/contacts/{ana}/merge", other=eva)
    refused(once, 409, "They are one contact already")
    [undo] = re.findall(rf'action="(/contacts/{ana}/merges/[^"]+/undo)"', listed)
    apart = done(desk.send(undo))
    assert apart == f"/contacts/{ana}/merge?done=undone&now={eva}"
    for was, one in zip(before, (ana, eva), strict=True):
        is_now = shown(desk, one)
        for part in ("name", "company", "addresses", "interactions", "by_channel"):
            assert is_now[part] == was[part]
    assert done(desk.send(undo)) == apart
    assert "undone by Rosa" in desk.get(apart).text


def test_a_merge_that_cannot_be_says_what_to_do(station: Station, desk: Desk) -> None:
    """With itself, nobody, a hidden one, or on older knowledge: why not, and nothing is done."""
    ana, eva = contact(station, ANA, "Ana"), contact(station, EVA, "Eva")
    path = f"/contacts/{ana}/merge"
    assert "It is the contact itself" in desk.get(f"{path}?other={ana}").text
    refused(desk.send(path, other=ana), 422, "Choose another one")
    refused(desk.send(path, other="x"), 422, "ask whoever administers Hilo")
    page = desk.get(f"{path}?other={eva}").text
    versions = dict(re.findall(r'name="((?:other_)?version)" value="(\d+)"', page))
    desk.send(f"/contacts/{eva}/edit", name="Eva Ríos")
    late = desk.send(path, other=eva, reason="porque sí", **versions)
    refused(late, 412, "Somebody changed it while you were here", 'value="porque sí"', "Eva Ríos")
    hide(station, eva)
    head = station.head
    refused(desk.send(path, other=eva), 422, "Only somebody who sees both")
    assert "Only somebody who sees both" in desk.get(f"{path}?other={eva}").text
    refused(desk.send(f"/contacts/{ana}/merges/{uuid4()}/undo"), 422, "There is no such merge here")
    refused(desk.send(path, other=eva, reason="x" * 501), 422)
    assert station.head == head


def test_access_is_restricted_and_opened(station: Station, desk: Desk) -> None:
    """Named ones and a reason are needed; nobody shuts themselves out without saying so."""
    ana, luis = contact(station, ANA, "Ana"), station.user("Luis")
    path = f"/contacts/{ana}/access"
    closed: dict[str, str | list[str]] = {"mode": "restricted", "reason": "delicado"}
    refused(desk.send(path, **closed), 422, "Tick at least one team or person", 'value="delicado"')
    blind = desk.send(path, **closed, users=str(luis))
    refused(blind, 422, "you would not see it yourself any more", 'name="anyway"')
    assert f'value="{luis}" checked' in blind.text
    both = [str(luis), str(desk.user)]
    refused(desk.send(path, mode="restricted", users=both, reason=" "), 422, "Say why")
    assert done(desk.send(path, **closed, users=both)) == f"{path}?done=saved"
    access = shown(desk, ana)["access"]
    assert (access["mode"], sorted(one["name"] for one in access["users"])) == (
        "restricted",
        ["Luis", "Rosa"],
    )
    stale = desk.send(path, mode="open", reason="ya", version="0")
    refused(stale, 412, "Somebody changed it while you were here")
    assert "delicado" in desk.get(path).text
    assert done(desk.send(path, mode="open", reason="ya")) == f"{path}?done=saved"
    gone = desk.send(path, **closed, users=str(luis), anyway="true")
    assert done(gone) == "/contacts"
    assert desk.get(path).status_code == 404


def test_pages_of_what_is_hidden_are_absent(station: Station, desk: Desk) -> None:
    """A hidden contact is nowhere on these pages, and its own are those of nobody."""
    ana, eva = contact(station, ANA, "Ana"), contact(station, EVA, "Secreta")
    hide(station, eva)
    for part in ("", "/edit", "/merge", "/access"):
        found, nobody = (desk.get(f"/contacts/{one}{part}") for one in (eva, NOBODY))
        assert (found.status_code, nobody.status_code) == (404, 404)
        assert found.text.replace(eva, "") == nobody.text.replace(str(NOBODY), "")
    looked = f"/contacts/{ana}/merge?q=secreta"
    for page in ("/contacts", "/contacts?q=secreta", "/contacts/suggestions", looked):
        assert "Secreta" not in desk.get(page).text


FORMS = (
    ("edit", {"name": "Otra"}),
    ("addresses", {"address": "tel:+525500000009"}),
    (f"addresses/{NOBODY}", {"do": "unlink"}),
    ("notes", {"text": "una nota"}),
    ("merge", {"other": "{open}"}),
    ("access", {"mode": "open", "reason": "ya"}),
)


def test_no_form_does_anything_to_what_is_hidden(station: Station, desk: Desk) -> None:
    """A form about a hidden contact is answered as one about nobody, and nothing is written."""
    ana, eva = contact(station, ANA, "Ana"), contact(station, EVA, "Eva")
    hide(station, eva)
    head = station.head
    for part, fields in FORMS:
        sent = {name: value.format(open=ana) for name, value in fields.items()}
        found, nobody = (desk.send(f"/contacts/{one}/{part}", **sent) for one in (eva, NOBODY))
        assert (found.status_code, nobody.status_code) == (404, 404), part
        plain = [re.sub(f"{eva}|{NOBODY}", "", one.text) for one in (found, nobody)]
        assert plain[0] == plain[1]
    taken = desk.send(f"/contacts/{ana}/addresses", address=EVA, how="move")
    refused(taken, 409, "a contact that you may not see")
    assert not re.search(f">Eva<|{eva}", taken.text)
    assert station.head == head


def test_each_role_opens_what_it_may(station: Station) -> None:
    """Agents, managers and administrators; auditors read the log, and nothing of contacts."""
    ana = contact(station, ANA, "Ana")
    parts = ("edit", "merge", "access")
    pages = ["/contacts", "/contacts/new", "/contacts/suggestions"]
    for name, role in (
        ("Rosa", "agent"),
        ("Eva", "manager"),
        ("Luz", "admin"),
        ("Aldo", "auditor"),
    ):
        headers = station.session(station.user(name, role))
        status = 403 if role == "auditor" else 200
        for page in (*pages, *(f"/contacts/{ana}/{part}" for part in parts)):
            assert station.get(page, headers=headers).status_code == status, (role, page)
    for page in (*pages, *(f"/contacts/{ana}/{part}" for part in parts)):
        assert station.get(page, headers={}).status_code == 401
    for page in ("new", f"{ana}/edit", f"{ana}/notes", f"{ana}/merge", f"{ana}/access"):
        assert station.post(f"/contacts/{page}", headers={}, data={}).status_code == 401
        rosa = station.session(station.user("Rosa"))
        assert station.post(f"/contacts/{page}", headers=rosa, data={}).status_code == 403
