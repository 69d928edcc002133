"""The search box and the page of the search, in real browsers."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

HOSTILE = "<b>fuerte</b> <img src=x onerror=alert(1)> & precio"


def test_messages_are_found_as_one_types(ledger: Ledger, browse: Browse) -> None:
    """`/` leads to the box; people and messages show, marked; the page has the rest."""
    ledger.append(contact_name="Ana Precioso", text="Hola, ¿cuál es el PRECIÓ del coche?")
    ledger.append(text=HOSTILE, resource="tel:+525511112222", channel="sms")
    long = "De lo que hablamos ayer por la tarde en la sucursal, con su papá: "
    ledger.append(text=f"{long}el modelo azul", resource="tel:+525511113333")
    ledger.searchable()
    window = browse()
    page = window.go("/activity")
    page.keyboard.press("/")
    page.keyboard.type("precio")
    window.see("#find-found a", "Ana Precioso")
    expect(window.see("#find-found mark")).to_have_text(["precio", "PRECIÓ"])
    no_barriers(page)
    page.locator("#find-q").fill("azul")
    excerpt = window.see("#find-found .ex", "el modelo azul").inner_text()
    assert (excerpt[0], len(excerpt) < len(long)) == ("…", True)
    page.locator("#find-q").fill("precio")
    window.see("#find-found a", "Ana Precioso")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=precio")
    expect(page.locator("ol.found mark")).to_have_text(["precio", "PRECIÓ"])
    expect(page.locator("ol.found .said").first).to_contain_text(HOSTILE)
    expect(page.locator("ol.found img, ol.found .ex b")).to_have_count(0)
    no_barriers(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/**")


def test_the_page_filters_and_turns_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """Type, direction, days and order stand in the address; what is found is in both languages."""
    for number in range(32):
        ledger.append(text=f"hola {number}", channel="sms" if number == 7 else "whatsapp")
    ledger.searchable()
    window = browse("Rosa", "en", java_script_enabled=False)
    page = window.go("/search")
    window.see("main", "Type at least two letters.")
    page.locator("#seek-q").fill("hola")
    page.locator("#seek-q").press("Enter")
    expect(page.locator("ol.found li")).to_have_count(30)
    page.locator("a[rel=next]").click()
    expect(page.locator("ol.found li")).to_have_count(2)
    page.locator("select[name=channel]").select_option("sms")
    page.locator("select[name=sort]").select_option("relevance")
    page.locator("input[name=from]").fill("2026-11-22")
    page.locator("input[name=to]").fill("2026-11-22")
    page.locator("form.seek button").click()
    expect(page.locator("ol.found mark")).to_have_text(["hola"])
    window.see("ol.found .ex", "hola 7")
    page.locator("select[name=attended_by]").select_option("none")
    page.locator("form.seek button").click()
    window.see("ol.found .ex", "hola 7")
    page.locator("input[name=to]").fill("2026-11-21")
    page.locator("form.seek button").click()
    window.see("main", "No message says this")
    spanish = browse("Rosa", "es").go("/search?q=nada")
    spanish.locator("main", has_text="Ningún mensaje lo dice").wait_for()
    no_barriers(spanish)
