"""Contacts in a real browser: found, made, put right, merged and taken apart, shut and opened."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

ANA, EVA = "tel:+525512345678", "tel:+525511112222"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{1234577*7654321}}"


def test_the_directory_is_found_as_one_types(ledger: Ledger, browse: Browse) -> None:
    """It narrows by keyboard alone; who is not there is made from what was typed."""
    ledger.batch(
        {"resource": f"tel:+5255110000{number:02d}", "contact_name": f"Persona {number:02d}"}
        for number in range(53)
    )
    ledger.append(resource=ANA, contact_name="Ana Núñez")
    ledger.append(resource=EVA, contact_name=HOSTILE)
    window = browse()
    page = window.go("/contacts")
    expect(page.locator(".nav [aria-current=page]")).to_have_text("Contactos")
    page.locator(".people .on a").scroll_into_view_if_needed()
    expect(page.locator("tr[data-row]")).to_have_count(55)
    expect(page.locator(".people img, .people script")).to_have_count(0)
    expect(page.locator(".people .ct", has_text="<script>")).to_have_count(1)
    page.locator("#people-q").fill("nunez")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/contacts\?q=nunez$"))
    page.locator("#people-q").fill("1234 56")
    expect(page.locator(".people .ct a")).to_have_text("Ana Núñez")
    no_barriers(page)
    window.expected = lambda text: "409" in text
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/*-*")
    page.goto("/contacts")
    page.locator("#people-q").fill("Luz Ríos")
    page.locator("#nobody a").click()
    expect(page.locator("#f-name")).to_have_value("Luz Ríos")
    page.locator("#f-phone").fill("55 1234 5678")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_have_text("La dirección es de otro contacto.")
    expect(page.locator("#f-name")).to_have_value("Luz Ríos")
    no_barriers(page)
    page.locator("#f-phone").fill("55 3333 4444")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/*-*")
    expect(page.locator("h1")).to_have_text("Luz Ríos")


def test_a_merge_is_compared_made_and_undone(ledger: Ledger, browse: Browse) -> None:
    """From the menu of the card: both side by side, one contact; a colleague makes it two again."""
    ana = ledger.append(resource=ANA, contact_name="Ana", text="desde el móvil")["contact"]
    eva = ledger.append(resource=EVA, contact_name="Ana Núñez", channel="sms", source="sms:x")
    window = browse("Rosa", "en", color_scheme="dark")
    page = window.go(f"/conversations/{ana}")
    page.locator("#card-body .deeds summary").click()
    page.locator("#card-body .deeds a[href$='/merge']").click()
    page.locator("#other-q").fill("1111 2222")
    page.locator("#others a").first.click()
    after = page.locator("td.after")
    expect(after.nth(1)).to_contain_text("+52 55 1234 5678")
    expect(after.nth(1)).to_contain_text("+52 55 1111 2222")
    expect(after.nth(2)).to_contain_text("2")
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 360
    no_barriers(page)
    page.locator("#f-reason").fill("the same")
    page.keyboard.press("Enter")
    expect(page.locator(".well")).to_contain_text("They are one contact now.")
    page = browse("Iván", "es").go(f"/contacts/{eva['contact']}")
    page.wait_for_url(f"**/contacts/{ana}")
    page.locator(".deeds summary").click()
    page.locator(".deeds a[href$='#merges']").click()
    expect(page.locator("#merges")).to_contain_text("the same")
    no_barriers(page)
    page.locator("#merges form button").click()
    expect(page.locator(".well")).to_contain_text("Vuelven a ser dos contactos")
    page.goto(f"/conversations/{ana}")
    expect(page.locator("#messages article")).to_have_count(1)


def test_an_open_conversation_goes_on_as_the_contact_that_it_was_merged_into(
    ledger: Ledger, browse: Browse
) -> None:
    """At once, at the message that is being read, with the draft; it says what happened."""
    eva = ledger.append(resource=EVA, contact_name="Eva", text="de Eva")["contact"]
    ledger.batch(
        {"text": f"mensaje {number}", "occurred_at": f"2026-11-21T10:00:{number:02d}Z"}
        for number in range(30)
    )
    ana = ledger.append(resource=ANA, text="el de ahora")["contact"]
    window = browse()
    page = window.go(f"/conversations/{ana}")
    window.live()
    page.locator("#note-form textarea").fill("a medias")
    read = page.locator("#messages article", has_text="mensaje 12")
    read.evaluate("(one) => one.scrollIntoView({ block: 'start' })")
    stood = down(read) - down(page.locator("#messages"))
    ledger.ask("POST", f"/v1/contacts/{eva}/merge", {"other": ana, "reason": "misma"})
    expect(page.locator("#joined")).to_contain_text("Esta página ahora es de Eva.")
    expect(page.locator("#head h1")).to_have_text("Eva")
    expect(page).to_have_title(re.compile("Eva · Hilo$"))
    expect(page).to_have_url(re.compile(f"/conversations/{eva}"))
    expect(page.locator("#messages article", has_text="de Eva")).to_have_count(1)
    expect(page.locator("#rows .cv[aria-current] .nm")).to_have_text("Eva")
    expect(page.locator("#note-form textarea")).to_have_value("a medias")
    no_barriers(page)
    ledger.append(text="y a Eva", resource=EVA)
    expect(page.locator("#new-messages")).to_be_visible()
    assert abs(down(read) - down(page.locator("#messages")) - stood) <= 2


def down(shown: Locator) -> float:
    """How far down the screen something begins."""
    found: float = shown.evaluate("(one) => one.getBoundingClientRect().top")
    return found


def test_addresses_notes_and_access_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """A taken number is asked about, a recycled one goes on from a time; shut, it is gone."""
    ana = ledger.append(resource=ANA, contact_name="Ana")["contact"]
    ledger.append(resource=EVA, contact_name="Eva")
    ledger.user("Luis")
    without, scripted, stranger = (
        browse("Rosa", "en", java_script_enabled=False),
        browse(),
        browse("Iván"),
    )
    for window in (without, scripted, stranger):
        window.expected = lambda text: re.search("404|409|422", text) is not None
    plain = without.go(f"/contacts/{ana}/edit")
    plain.get_by_label("Language").fill("spanish")
    plain.locator("#details button").click()
    expect(plain.get_by_label("Language")).to_have_value("Spanish")
    assert ledger.ask("GET", f"/v1/contacts/{ana}")["language"] == "es"
    plain.locator("#f-address").fill("55 1111 2222")
    plain.locator("#f-address").press("Enter")
    expect(plain.locator("#taken")).to_contain_text("Eva")
    plain.locator("#taken [value=anew]").check()
    plain.locator("#taken [name=from]").fill("2026-11-01T09:00")
    plain.locator("#taken button").click()
    expect(plain.locator("#from-err")).to_contain_text("It was still in use")
    plain.locator("#taken [name=from]").fill("2026-11-22T06:00")
    plain.locator("#taken button").click()
    expect(plain.locator("#addresses")).to_contain_text("+52 55 1111 2222")
    plain.locator("#notes textarea").fill(HOSTILE)
    plain.locator("#notes button").click()
    expect(plain.locator("#notes .said")).to_have_text(HOSTILE)
    quick = scripted.go(f"/contacts/{ana}/edit")
    no_barriers(quick)
    quick.locator(".tabs a[href$='/access']").click()
    quick.locator("[name=mode][value=restricted]").check()
    quick.locator("label", has_text="Luis").locator("input").check()
    quick.locator("#f-reason").fill("Cuenta delicada")
    quick.keyboard.press("Enter")
    expect(quick.locator("#anyway-err")).to_contain_text("dejarías de verlo")
    no_barriers(quick)
    quick.locator("label", has_text="Rosa").locator("input").check()
    quick.locator("form button.p").click()
    expect(quick.locator(".cth .bd")).to_have_text("restringido")
    page = stranger.go("/contacts")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    answer = page.goto(f"/contacts/{ana}/edit")
    assert answer is not None
    assert answer.status == 404
