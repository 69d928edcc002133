"""Conversations in a real browser: every gesture, in both languages, by two people at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

ANA, EVA = "tel:+525512345678", "tel:+525511112222"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{1234577*7654321}}"


def said(page: Page) -> Locator:
    """What the thread says, in its order."""
    return page.locator("#messages .said")


def numbers(page: Page) -> list[int]:
    """Of a thread whose messages are numbered, the numbers that it shows now, in its order."""
    return [int(re.findall(r"\d+", one)[-1]) for one in said(page).all_inner_texts()]


def names(window: Window) -> Locator:
    """The list, from the top."""
    return window.page.locator("#rows .nm")


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_list_its_tabs_and_filters(ledger: Ledger, browse: Browse, language: str) -> None:
    """Tabs say how many; filters live in the address; the panes keep nobody out, dark or light."""
    window = browse(language=language, color_scheme="dark" if language == "en" else "light")
    ana = ledger.append(contact_name="Ana Núñez", text="¿Sigue disponible?")["contact"]
    ledger.append(contact_name="Eva", resource=EVA, channel="sms", source="sms:shop")
    ledger.ask(
        "POST", f"/v1/conversations/{ana}/assign", json={"assignee": str(ledger.user("Rosa"))}
    )
    page = window.go()
    shown = {
        "es": (r"Abiertas\s+2$", r"Mías\s+1$", r"Sin asignar\s+1$"),
        "en": (r"Open\s+2$", r"Mine\s+1$", r"Unassigned\s+1$"),
    }
    for place, tab in enumerate(shown[language]):
        expect(page.locator("#tabs a").nth(place)).to_have_text(re.compile(tab))
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    page.locator("#tabs a").nth(1).click()
    expect(page).to_have_url(re.compile(r"\?assignee=me$"))
    expect(names(window)).to_have_text(["Ana Núñez"])
    page.locator(".lhead summary").first.click()
    page.keyboard.press("Escape")
    expect(page.locator(".lhead details[open]")).to_have_count(0)
    expect(page.locator(".lhead summary").first).to_be_focused()
    page.keyboard.press("Enter")
    page.locator(".lhead a[href*='channel=sms']").click()
    expect(page.locator("#list-empty")).to_be_visible()
    page.go_back()
    page.locator("#rows a.cv").first.click()
    expect(page).to_have_url(re.compile(rf"/conversations/{ana}\?assignee=me$"))
    expect(page.locator("#head h1")).to_have_text("Ana Núñez")
    window.live()
    no_barriers(page)


def test_one_takes_it_up_where_one_left_off(ledger: Ledger, browse: Browse) -> None:
    """It opens at the first unseen under the New line; reading on, no row is lost or doubled."""
    window = browse()
    ledger.batch(
        {"text": f"mensaje {number:03d}", "occurred_at": f"2026-11-21T10:00:00.{number:03d}Z"}
        for number in range(120)
    )
    head = ledger.composition.log.head()
    contact = ledger.ask("GET", "/v1/conversations")["items"][0]["id"]
    rosa = {**ledger.bearer("manage", user=ledger.user("Rosa"))}
    ledger.ask("POST", f"/v1/conversations/{contact}/seen", json={"through": head - 40}, as_=rosa)
    page = window.go(f"/conversations/{contact}")
    line = page.locator("#new-line")
    expect(line).to_have_text("Nuevos: 40 sin leer")
    expect(line.locator("xpath=following-sibling::article[1]")).to_contain_text("mensaje 080")
    expect(line).to_be_in_viewport()
    expect(page.locator("#messages .earlier")).to_be_attached()
    # Reading on: what comes into sight is seen, here and in the list; no row is lost or doubled.
    window.live()
    for _ in range(12):
        page.locator("#messages").press("PageDown")
        page.wait_for_timeout(30)
    page.locator("#messages article", has_text="mensaje 119").scroll_into_view_if_needed()
    found = numbers(page)
    assert found == list(range(found[0], 120))
    page.locator("#messages article").first.scroll_into_view_if_needed()
    expect(page.locator("#messages article", has_text="mensaje 030")).to_be_attached()
    found = numbers(page)
    assert found == list(range(found[0], 120))
    # A reload keeps the place and the draft.
    page.locator("#messages article", has_text="mensaje 060").scroll_into_view_if_needed()
    page.locator("#note-form textarea").fill("aún sin terminar")
    page.reload()
    expect(page.locator("#messages article", has_text="mensaje 060")).to_be_in_viewport()
    expect(page.locator("#note-form textarea")).to_have_value("aún sin terminar")


def test_what_was_seen_is_noted_and_unread_drops(ledger: Ledger, browse: Browse) -> None:
    """Unread falls as one reads, in list, title and on the server; marked unread it stays so."""
    window = browse()
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    page = window.go(f"/conversations/{contact}")
    window.live()
    expect(page.locator("#rows .count")).to_have_count(0)
    expect(page).to_have_title("Ana · Hilo")
    page.locator("#head details").last.locator("summary").click()
    page.locator("[data-unread-button]").click()
    expect(page.locator("#rows .count")).to_have_count(1)
    expect(page).to_have_title("(1) Ana · Hilo")


def test_two_people_see_each_other_s_work(ledger: Ledger, browse: Browse) -> None:
    """Assignment, resolution, notes and messages show at once with the other one, unasked."""
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    rosa, ivan = browse("Rosa"), browse("Iván", "en")
    for window in (rosa, ivan):
        window.go(f"/conversations/{contact}")
        window.live()
    rosa.page.locator("#head summary").first.click()
    rosa.page.locator("#head button", has_text="Iván").click()
    expect(ivan.page.locator("#head")).to_contain_text("Assigned to Iván")
    expect(ivan.page.locator("#card-body")).to_contain_text("Iván")
    rosa.page.locator("#note-form textarea").fill("Viene con su padre.")
    rosa.page.keyboard.press("Control+Enter")
    ivan.see("#messages article.note", "Viene con su padre.")
    expect(rosa.page.locator("#note-form textarea")).to_have_value("")
    ivan.page.locator("#messages").click()
    ivan.page.keyboard.press("e")
    expect(rosa.page.locator("#head [data-key=e]")).to_contain_text("Reabrir")
    expect(rosa.page.locator("#tabs a").first).to_have_text(re.compile(r"Abiertas\s+0"))
    ledger.append(text="una cosa más")
    for window in (rosa, ivan):
        window.see("#messages article", "una cosa más")
    expect(rosa.page.locator("#head [data-key=e]")).to_contain_text("Resolver")
    rosa.page.locator("#head details").nth(1).locator("summary").click()
    rosa.page.locator("#head button[value*='2026-11-23']").first.click()
    expect(ivan.page.locator("#head")).to_contain_text("Snoozed until")
    ivan.page.locator("#head [data-key=e]").click()
    expect(rosa.page.locator("#head [data-key=e]")).to_contain_text("Resolver")
    rosa.page.locator("#head details").last.locator("summary").click()
    rosa.page.locator("#head button", has_text="Silenciar").click()
    expect(ivan.page.locator("#head")).to_contain_text("muted")


def test_a_message_is_shown_with_all_that_became_of_it(ledger: Ledger, browse: Browse) -> None:
    """Ticks, quotes, reactions, edits, deletions, calls, files, late and back-dated ones."""
    window = browse()
    first = ledger.append(text="primero", occurred_at="2026-11-21T10:00:00Z", external_id="w1")
    contact = first["contact"]
    page = window.go(f"/conversations/{contact}")
    window.live()
    sent = ledger.append(
        direction="outbound",
        resource="tel:+525598765432",
        destination=ANA,
        text="con gusto",
        in_reply_to="w1",
        occurred_at="2026-11-22T11:00:00Z",
        attended_by="Rosa",
    )
    expect(page.locator(f"#i{sent['id']} .quote")).to_have_text("primero")
    ledger.ask(
        "POST",
        f"/v1/interactions/{sent['id']}/statuses",
        json={"status": "read", "at": "2026-11-22T11:01:00Z"},
    )
    expect(page.locator(f"#i{sent['id']} .tick.read")).to_be_attached()
    ledger.append(
        channel="call",
        text="plazo",
        call={"outcome": "missed", "seconds": 62},
        occurred_at="2026-11-22T09:00:00Z",
    )
    expect(page.locator("#messages .evt")).to_contain_text("perdida")
    expect(page.locator("#messages .evt")).to_contain_text("1:02")
    ledger.append(
        text="fechado antes",
        source="manual",
        occurred_at="2026-11-20T10:00:00Z",
        attachments=[{"name": "a.pdf", "media_type": "application/pdf"}],
    )
    window.see("#messages article", "fechado antes")
    expect(said(page)).to_have_text(["fechado antes", "primero", "plazo", "con gusto"])
    days = ["Viernes, 20 de noviembre", "Ayer, sábado, 21 de", "Hoy, domingo, 22 de"]
    expect(page.locator("#messages .day")).to_contain_text(days)
    ledger.ask(
        "POST",
        f"/v1/interactions/{first['id']}/corrections",
        json={"changes": {"department": "Ventas"}, "reason": "área"},
    )
    window.see(f"#i{first['id']} .bd", "corregido")


def test_the_card_opens_in_its_row_and_copies(ledger: Ledger, browse: Browse) -> None:
    """The small arrow opens Campaign, Source, ID, ends, times and history; links and texts copy."""
    window = browse("Rosa", "en", permissions=["clipboard-read", "clipboard-write"])
    made = ledger.append(text="hola\n  mundo", campaign="Feria", contact_name="Ana")
    page = window.go(f"/conversations/{made['contact']}")
    article = page.locator(f"#i{made['id']}")
    article.hover()
    article.get_by_title("Copy link").click()
    expect(page.locator("#toast")).to_have_text("Link copied")
    assert (
        page.evaluate("navigator.clipboard.readText()") == f"{ledger.url}/interactions/{made['id']}"
    )
    article.focus()
    page.keyboard.press("c")
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()) === 'hola\\n  mundo'"
    )
    expect(page.locator("#toast")).to_have_text("Text copied")
    article.get_by_title("Details").click()
    card = page.locator(f"#card-{made['id']}")
    for shown in (
        "Feria",
        "whatsapp:1065",
        str(made["id"]),
        "+52 55 1234 5678",
        "+52 55 9876 5432",
        "automatic",
        "History",
        "Recorded",
    ):
        expect(card).to_contain_text(shown)
    expect(card).to_be_in_viewport(ratio=0.5)
    no_barriers(page)
    article.get_by_title("Details").click()
    expect(card).to_be_hidden()
    page.goto(f"/interactions/{made['id']}/card")
    expect(page.locator(".hist")).to_contain_text("Recorded")
    no_barriers(page)


def test_the_list_never_moves_under_the_hand(ledger: Ledger, browse: Browse) -> None:
    """While somebody points at it, a pill says what is new; the order changes when they let go."""
    window = browse()
    ledger.append(contact_name="Ana", occurred_at="2026-11-22T10:00:00Z")
    ledger.append(contact_name="Eva", resource=EVA, occurred_at="2026-11-22T11:00:00Z")
    page = window.go()
    window.live()
    expect(names(window)).to_have_text(["Eva", "Ana"])
    page.locator("#rows a.cv").last.hover()
    ledger.append(text="otra vez yo", occurred_at="2026-11-22T11:30:00Z")
    window.see("#rows .cv", "otra vez yo")
    expect(page.locator("#new-conversations")).to_have_text("1 nueva")
    expect(names(window)).to_have_text(["Eva", "Ana"])
    page.mouse.move(1200, 400)
    expect(page.locator("#new-conversations")).to_be_hidden()
    expect(names(window)).to_have_text(["Ana", "Eva"])
    ledger.append(
        contact_name="Luz", resource="tel:+525533334444", occurred_at="2026-11-22T11:45:00Z"
    )
    expect(page.locator("#rows .nm").first).to_have_text("Luz")


def test_pictures_show_and_other_files_are_links(ledger: Ledger, browse: Browse) -> None:
    """A picture that was sent is seen in the thread, a sound can be played, a paper is a link."""
    window = browse()
    files = [("foto.png", "image/png"), ("voz.ogg", "audio/ogg"), ("oferta.pdf", "application/pdf")]
    made = ledger.append(
        text="mira",
        attachments=[
            {"name": name, "media_type": kind, "attachment": ledger.upload(name, kind)}
            for name, kind in files
        ],
    )
    page = window.go(f"/conversations/{made['contact']}")
    article = page.locator(f"#i{made['id']}")
    expect(article.locator("img[alt='foto.png']")).to_be_visible()
    page.wait_for_function("() => document.querySelector('article img').naturalWidth === 1")
    expect(article.locator("audio[aria-label='voz.ogg']")).to_be_attached()
    expect(article.locator("a.file")).to_contain_text("oferta.pdf")
    no_barriers(page)


def test_who_reads_above_is_not_torn_down(ledger: Ledger, browse: Browse) -> None:
    """A message that comes while one reads further up waits under a pill, which leads to it."""
    window = browse()
    ledger.batch(
        {"text": f"mensaje {number}", "occurred_at": f"2026-11-21T10:00:{number:02d}Z"}
        for number in range(30)
    )
    contact = ledger.append(text="el de ahora")["contact"]
    page = window.go(f"/conversations/{contact}")
    window.live()
    page.locator("#messages article").first.scroll_into_view_if_needed()
    top = page.evaluate("document.getElementById('messages').scrollTop")
    ledger.append(text="y otro")
    expect(page.locator("#new-messages")).to_have_text("1 mensaje nuevo")
    assert page.evaluate("document.getElementById('messages').scrollTop") == top
    page.locator("#new-messages").click()
    expect(page.locator("#messages article", has_text="y otro")).to_be_in_viewport()
    expect(page.locator("#new-messages")).to_be_hidden()


def test_hostile_text_never_becomes_markup(ledger: Ledger, browse: Browse) -> None:
    """Names, texts, subjects, files and notes are shown as they were typed, live and afterwards."""
    window = browse()
    made = ledger.append(text="hola", contact_name=HOSTILE)
    page = window.go(f"/conversations/{made['contact']}")
    window.live()
    ledger.append(
        text=HOSTILE,
        subject=HOSTILE,
        campaign=HOSTILE,
        attended_by=HOSTILE,
        attachments=[{"name": HOSTILE, "media_type": "image/png"}],
    )
    ledger.ask("POST", f"/v1/conversations/{made['contact']}/notes", json={"text": HOSTILE})
    expect(page.locator("#messages article.note .said")).to_have_text(HOSTILE)
    page.locator("#messages article [data-card]").last.click()
    page.reload()
    expect(page.locator("#messages article.note .said")).to_have_text(HOSTILE)
    expect(page.locator("main img, main script")).to_have_count(0)
    assert str(1234577 * 7654321) not in page.content()


def test_opened_at_an_interaction_it_stays_fresh(ledger: Ledger, browse: Browse) -> None:
    """Where a link leads to one message, what others do with the conversation shows as well."""
    window = browse()
    made = ledger.append(contact_name="Ana", text="hola")
    page = window.go(f"/conversations/{made['contact']}?around={made['id']}#i{made['id']}")
    window.live()
    ledger.ask("POST", f"/v1/conversations/{made['contact']}/resolve", json={})
    expect(page.locator("#head [data-key=e]")).to_contain_text("Reabrir")


def test_keys_and_many_at_a_time(ledger: Ledger, browse: Browse) -> None:
    """`j k` and Enter walk and open; ticked conversations are resolved together."""
    window = browse("Rosa", "en")
    for number in range(3):
        ledger.append(
            contact_name=f"Nº {number}",
            resource=f"tel:+52551111000{number}",
            occurred_at=f"2026-11-22T10:0{number}:00Z",
        )
    page = window.go()
    window.live()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#head h1")).to_have_text("Nº 1")
    window.live()
    before = page.locator("#rows li").last.bounding_box()
    for box in page.locator("input[name=ids]").all()[:2]:
        box.check(force=True)
    assert page.locator("#rows li").last.bounding_box() == before
    expect(page.locator("[data-picked]")).to_have_text("2 selected")
    page.locator("#bulk button", has_text="Resolve").click()
    page.mouse.move(1200, 400)
    expect(page.locator("#tabs a").first).to_have_text(re.compile(r"Open\s+1"))


def test_everything_works_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """Reading, assigning, noting and resolving are pages and forms."""
    window = browse("Rosa", "es", java_script_enabled=False)
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    page = window.go()
    page.locator("#rows a.cv").click()
    page.locator("#head summary").first.click()
    page.locator("#head button", has_text="Tomarla yo").click()
    expect(page.locator("#head")).to_contain_text("Asignada a Rosa")
    page.locator("#note-form textarea").fill("sin guiones")
    page.locator("#note-form button").click()
    expect(page.locator("#messages article.note")).to_contain_text("sin guiones")
    page.locator("#head [data-key=e]").click()
    expect(page.locator("#head [data-key=e]")).to_contain_text("Reabrir")
    page.goto(f"/conversations/{contact}")
    expect(page.locator("#messages .said").first).to_have_text("hola")


def test_on_a_phone_one_pane_at_a_time(ledger: Ledger, browse: Browse) -> None:
    """At 360 px list, thread and card are pages with a way back; nothing sticks out."""
    window = browse(
        "Rosa", "es", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    ledger.append(contact_name="María Fernanda Gutiérrez-Ordóñez de la Peña", text="x" * 300)
    page = window.go()
    page.locator("#rows a.cv").click()
    expect(page.locator("#list")).to_be_hidden()
    page.locator("#head .only-mid").click()
    expect(page.locator("#card-body")).to_be_visible()
    no_barriers(page)
    page.locator(".info .back a").click()
    expect(page.locator("#messages")).to_be_visible()
    no_barriers(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    page.locator("#head .back").click()
    expect(page.locator("#rows a.cv")).to_be_visible()
