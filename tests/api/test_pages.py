"""The pages: what they show, to whom, in which language, and that nothing in them can act."""

from __future__ import annotations

import re

import httpx
import pytest

from api.web.languages import language_of, translations_of
from api.web.moments import Moments
from storage.credentials import Link
from tests.api.station import NOON, Station
from tests.api.test_read_interactions import hide

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{1234577*7654321}}"


def browser(station: Station, language: str = "en") -> dict[str, str]:
    """The headers of a signed-in person's browser."""
    return {**station.session(station.user("Rosa", "manager")), "Accept-Language": language}


def test_a_stranger_meets_the_door(station: Station) -> None:
    """Without a session each page is 401 and says how to come in; nothing of the ledger shows."""
    made = station.append(contact_name="Ana")
    for path in ("/", "/activity", f"/contacts/{made['contact']}", f"/interactions/{made['id']}"):
        answer = station.get(path, headers={"Accept-Language": "es"})
        assert answer.status_code == 401
        assert "<h1>Entrar</h1>" in answer.text
        assert "hilo serve" in answer.text
        assert "Ana" not in answer.text


def test_the_link_opens_the_inbox(each_station: Station) -> None:
    """The one-time link signs the first administrator in, who may go to the empty inbox."""
    link = Link("sign-in", None, each_station.now[0] + 10**9)
    secret = each_station.services.credentials.links.make(link)
    answer = each_station.get(f"/welcome/{secret}", headers={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = each_station.get("/", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Your ledger is ready, and empty" in page.text
    assert "curl http://127.0.0.1:8000/v1/interactions" in page.text
    assert "2026-11-22T12:00:00Z" in page.text
    assert "make demo" in page.text


def test_the_inbox_lists_conversations(each_station: Station) -> None:
    """A row shows whom, when, over what and the last words; unread ones are counted."""
    headers = browser(each_station, "es-MX,es;q=0.9,en;q=0.1")
    made = each_station.append(contact_name="Ana Núñez", text="¿Sigue disponible?")
    page = each_station.get("/", headers=headers)
    assert page.headers["content-language"] == "es"
    assert '<html lang="es">' in page.text
    assert f'href="/conversations/{made["contact"]}"' in page.text
    for shown in ("Conversaciones", "Ana Núñez", "¿Sigue disponible?", ">AN<", "5:15", "#whatsapp"):
        assert shown in page.text
    assert re.search(r'class="count">1<span class="vh"> sin leer', page.text)
    empty = each_station.get("/?status=resolved", headers=headers)
    assert "Nada con este filtro" in empty.text


def test_the_inbox_shows_whose_it_is_and_what_rests(each_station: Station) -> None:
    """The name of whoever has it; among all, what is resolved or snoozed says so."""
    headers = browser(each_station)
    made = each_station.append()
    path = f"/v1/conversations/{made['contact']}"
    rosa = each_station.user("Eva")
    each_station.ask(path)
    each_station.post(f"{path}/assign", json={"assignee": str(rosa)})
    page = each_station.get("/", headers=headers)
    assert '<span class="vh">Assigned to Eva</span>' in page.text
    each_station.post(f"{path}/resolve", json={})
    assert "resolved</span>" not in each_station.get("/?status=resolved", headers=headers).text
    assert (
        '<span class="bd">resolved</span>' in each_station.get("/?status=all", headers=headers).text
    )


def test_a_note_stands_among_the_interactions(each_station: Station) -> None:
    """With its author, escaped like everything else; one that is void says so, and why."""
    headers = browser(each_station)
    contact = each_station.append()["contact"]
    each_station.ask("/v1/conversations")
    path = f"/v1/conversations/{contact}/notes"
    note = each_station.post(path, json={"text": HOSTILE}).json()
    page = each_station.get(f"/contacts/{contact}", headers=headers)
    assert "Internal note" in page.text
    assert f'id="i{note["id"]}"' in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>" not in page.text
    each_station.post(f"{path}/{note['id']}/retraction", json={"reason": "era de otro"})
    page = each_station.get(f"/contacts/{contact}", headers=headers)
    assert '<span class="bd bad">void</span>' in page.text
    assert "era de otro" in page.text
    assert each_station.get(f"/interactions/{note['id']}", headers=headers).status_code == 404


def test_a_contact_s_page_is_its_timeline(each_station: Station) -> None:
    """Newest first, with filters by direction and a pager; months count what there is."""
    headers = browser(each_station)
    made = [
        each_station.append(
            text=f"mensaje {number:02d}",
            occurred_at=f"2026-11-21T10:{number:02d}:00-06:00",
            channel=("whatsapp", "call")[number % 2],
        )
        for number in range(60)
    ]
    path = f"/contacts/{made[0]['contact']}"
    page = each_station.get(path, headers=headers)
    found = re.findall(r"mensaje (\d\d)", page.text)
    assert found == [f"{number:02d}" for number in range(59, 29, -1)]
    assert "Yesterday, Saturday, November 21" in page.text
    assert re.search(r'data-month="2026-11"><span>Nov</span>.*?<span>60</span>', page.text)
    [older] = re.findall(r'rel="next" href="([^"]+)"', page.text)
    rest = each_station.get(older.replace("&amp;", "&"), headers=headers)
    assert len(re.findall(r"mensaje \d\d", rest.text)) == 30
    outbound = each_station.get(f"{path}?direction=outbound", headers=headers)
    assert "Nothing under this filter" in outbound.text


def test_an_interaction_s_link_opens_it_among_its_neighbours(station: Station) -> None:
    """`/interactions/<id>` leads to the contact's page, where that one stands out."""
    headers = browser(station)
    made = station.append(text="esta", campaign="Feria")
    answer = station.get(f"/interactions/{made['id']}", headers=headers)
    where = f"/contacts/{made['contact']}?around={made['id']}"
    assert (answer.status_code, answer.headers["location"]) == (302, f"{where}#i{made['id']}")
    page = station.get(where, headers=headers)
    assert re.search(rf'id="i{made["id"]}".*?<div class="ix hit" data-hit>', page.text, re.DOTALL)
    assert "Feria" in page.text


def test_a_linked_address_leads_to_its_contact(station: Station) -> None:
    """Under the id of a linked subject a page is 302, since a link may be undone."""
    headers = browser(station)
    made = station.post(
        "/v1/contacts", json={"addresses": ["tel:+525511111111", "mailto:b@example.com"]}
    ).json()
    answer = station.get(f"/contacts/{made['addresses'][1]['subject']}", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, f"/contacts/{made['id']}")


def test_activity_lists_everybody(station: Station) -> None:
    """The table has a row an interaction, grouped by day."""
    headers = browser(station)
    station.append(contact_name="Ana", attended_by="Iván Olmedo", department="Ventas")
    station.append(
        channel="call",
        contact_name="Eva",
        resource="tel:+525577778888",
        call={"outcome": "missed"},
    )
    page = station.get("/activity", headers=headers)
    for shown in ("Ana", "Eva", "Iván Olmedo", "Ventas", "missed", "Today, Sunday, November 22"):
        assert shown in page.text


def test_hostile_text_stays_text(station: Station) -> None:
    """Whatever people write is shown as they wrote it, and is never markup."""
    headers = browser(station)
    made = station.append(
        text=HOSTILE,
        contact_name=HOSTILE,
        department=HOSTILE,
        campaign=HOSTILE,
        attended_by=HOSTILE,
        attachments=[{"name": HOSTILE, "media_type": "text/html", "bytes": 1}],
    )
    for path in ("/", "/activity", f"/contacts/{made['contact']}?around={made['id']}"):
        text = station.get(path, headers=headers).text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>" not in text
        assert "<img" not in text
        assert str(1234577 * 7654321) not in text


def test_no_page_can_act(station: Station) -> None:
    """The policy allows nothing inline and nothing from elsewhere; pages have none of it."""
    headers = browser(station)
    made = station.append()
    for path in ("/", "/activity", f"/contacts/{made['contact']}", "/interactions/99"):
        answer = station.get(path, headers=headers)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; object-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?! src=)|<style| style=| on\w+=|javascript:", answer.text)
        assert all(src.startswith("/static/") for src in re.findall(r'src="([^"]*)"', answer.text))
    [style] = re.findall(r'rel="stylesheet" href="([^"]+)"', station.get("/", headers={}).text)
    sheet = station.get(style, headers={})
    assert sheet.headers["content-type"].startswith("text/css")
    assert "immutable" in sheet.headers["cache-control"]
    assert "http" not in sheet.text
    assert station.get("/static/other.css", headers={}).status_code == 404


def test_refusals_are_pages_too(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there, not allowed or not understood says so, in the reader's language."""
    headers = browser(station)

    def asked(path: str, headers: dict[str, str]) -> httpx.Response:
        answer = station.get(path, headers={**headers, "Accept-Language": "en"})
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer

    made = station.append()
    assert asked("/contacts/nobody", headers).status_code == 404
    assert asked("/interactions/0", headers).status_code == 404
    assert asked("/?cursor=nonsense", headers).status_code == 400
    assert asked("/activity?unknown=1", headers).status_code == 422
    auditor = station.session(station.user("Ada", "auditor"))
    refused = asked("/activity", auditor)
    assert (refused.status_code, "You are not allowed" in refused.text) == (403, True)
    hide(monkeypatch)
    hidden = asked(f"/contacts/{made['contact']}", headers)
    assert (hidden.status_code, "There is nothing here" in hidden.text) == (404, True)


def test_the_language_is_the_browser_s_wish() -> None:
    """The most liked of ours, else Spanish; both say the same things."""
    assert language_of("en-GB,en;q=0.9,es;q=0.8") == "en"
    assert language_of("fr,es;q=0.2,en;q=0.5") == "en"
    assert language_of("de") == "es"
    assert language_of(None) == "es"
    assert language_of("en;q=x, es;q=0.1") == "es"


def test_times_are_near_or_exact() -> None:
    """Today's are hours, yesterday's a word, others dates, with the year where it is another."""
    when = Moments("es", "America/Mexico_City", lambda: NOON, translations_of("es").gettext)
    assert when.near("2026-11-22T11:05:00.000000Z") == "5:05"
    assert when.near("2026-11-22T05:59:00.000000Z") == "ayer"
    assert when.near("2026-03-02T12:00:00.000000Z") == "2 mar"
    assert when.near("2025-03-02T12:00:00.000000Z") == "2 mar 2025"
    assert when.exact("2026-11-22T11:05:09.999999Z") == "22 nov 2026, 5:05:09"
    assert when.day("2026-11-22T11:05:00.000000Z") == "Hoy, domingo, 22 de noviembre"
    assert when.day("2025-03-02T12:00:00.000000Z") == "Domingo, 2 de marzo de 2025"
    assert when.length(462) == "7:42"
    assert when.length(3_600 + 462) == "1:07:42"
    assert when.ago("2026-11-22T11:55:00Z") == "hace 5 minutos"
    assert when.ago("2026-11-22T12:00:03Z") == "ahora mismo"
    assert (when.number(18_412), when.size(214_000)) == ("18.412", "208 kB")
    when = Moments("en", "UTC", lambda: NOON, str)
    assert when.day("2026-11-20T12:00:00Z") == "Friday, November 20"
    assert (when.number(18_412), when.near("2026-11-21T12:00:00Z")) == ("18,412", "yesterday")


def test_a_note_stands_in_the_timeline(station: Station) -> None:
    """What the team wrote for itself is there, told apart, by whom, and harmless."""
    headers = browser(station, "en")
    made = station.append(text="hola")
    path = f"/v1/conversations/{made['contact']}/notes"
    noted = station.post(path, json={"text": HOSTILE})
    assert noted.status_code == 201, noted.text
    page = station.get(f"/contacts/{made['contact']}", headers=headers)
    assert page.status_code == 200
    assert "Internal note" in page.text
    assert "<script>" not in page.text


def test_the_document_of_the_interface_is_a_page_of_our_own(station: Station) -> None:
    """`/docs` shows each call and each field, and loads nothing from any other place."""
    page = station.request("GET", "/docs", headers={})
    assert page.status_code == 200
    document = station.request("GET", "/openapi.json", headers={}).json()
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"<h2><code>{method.upper()} {path}</code></h2>" in page.text
    for name, schema in document["components"]["schemas"].items():
        assert f'id="shape-{name}"' in page.text
        assert all(
            f"<td><code>{field}</code>" in page.text for field in schema.get("properties", {})
        )
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    ids = set(re.findall(r' id="([^"]+)"', page.text))
    assert {link for link in re.findall(r'href="#([^"]+)"', page.text) if link} <= ids


def test_activity_takes_every_filter(station: Station) -> None:
    """The filters of the interface narrow the page in the same way; a field left empty is none."""
    headers = browser(station)
    first = station.append(text="hola", department="Ventas", campaign="Feria", external_id="a1")
    station.append(channel="email", resource="mailto:eva@example.mx", external_id="a2")
    station.append(
        channel="call",
        direction="outbound",
        attended_by="Rosa",
        occurred_at="2026-11-20T10:00:00Z",
        external_id="a3",
    )
    for query, count in (
        ("", 3),
        (f"contact={first['contact']}", 1),
        (f"contact={first['contact']}&sort=recorded", 1),
        ("contact=5f1a0000-0000-4000-8000-000000000000", 0),
        ("channel=call&channel=email", 2),
        ("direction=outbound", 1),
        ("campaign=feria", 1),
        ("campaign=none", 2),
        ("department=Ventas&origin=automatic", 1),
        ("attended_by=none&to=2026-11-22", 0),
        ("from=2026-11-20&to=2026-11-21&tz=UTC", 1),
        ("source=whatsapp:1065&sort=recorded&order=asc", 3),
        ("kind=note", 0),
        ("limit=2", 2),
        ("at=2026-11-21", 3),
        (f"around={first['id']}", 3),
    ):
        page = station.get(f"/activity?{query}", headers=headers)
        assert page.status_code == 200, query
        assert len(re.findall(r'class="ent[ "]', page.text)) == count, query
        ids = ",".join(str(number) for number in range(1, 30))
        news = f"/activity/-/rows?{query}&ids={ids}"
        if "at=" not in query and "around=" not in query and "limit=" not in query:
            piece = station.get(news, headers=headers).text
            assert len(re.findall(r'class="ent[ "]', piece)) == count, news
    tidied = station.get("/activity?channel=&from=&department=ventas", headers=headers)
    assert (tidied.status_code, tidied.headers["location"]) == (302, "/activity?department=ventas")
    for query in ("channel=fax", "ids=1", "cursor=zz", "from=morgen", "contact=x"):
        assert station.get(f"/activity?{query}", headers=headers).status_code in {400, 422}, query
    for query in ("ids=x", f"ids={'1,' * 41}1"):
        assert station.get(f"/activity/-/rows?{query}", headers=headers).status_code == 422, query
