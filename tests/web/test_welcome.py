"""The first steps in a real browser: the door, an empty ledger, the keys of every page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

PAGES = (
    "/",
    "/activity",
    "/reports",
    "/search?q=hola",
    "/channels",
    "/settings/people",
)


@pytest.mark.parametrize("language", ["es", "en"])
def test_an_empty_ledger_leads_in(ledger: Ledger, browse: Browse, language: str) -> None:
    """Three ways in, which give way to Conversations by themselves with the first interaction."""
    ledger.user("Ada", "admin")
    window = browse("Ada", language, color_scheme="dark" if language == "en" else "light")
    page = window.go()
    ways = {
        "es": ["Conectar un canal", "Anotar una a mano", "Mirar la demostración"],
        "en": ["Connect a channel", "Write one down by hand", "Look around in the demo"],
    }
    expect(page.locator(".way h2")).to_have_text(ways[language])
    expect(page.locator(".way a").first).to_have_attribute("href", "/channels")
    expect(page.locator(".way code").last).to_have_text("make demo")
    page.locator(".way1 summary").click()
    expect(page.locator(".way1 pre")).to_contain_text(f"curl {ledger.url}/v1/interactions")
    no_barriers(page)
    window.live()
    ledger.append(contact_name="Ana Núñez")
    expect(page.locator("#rows .nm")).to_have_text("Ana Núñez")
    expect(page.locator(".begin")).to_have_count(0)


def test_the_door_keeps_what_was_typed(browse: Browse) -> None:
    """A wrong password is said in the reader's language; the address stays, the theme is chosen."""
    for language, said in (
        ("es", "El correo o la contraseña no son correctos."),
        ("en", "The e-mail address or the password is not right."),
    ):
        window = browse(None, language, viewport={"width": 360, "height": 740})
        window.expected = lambda text: "status of 401" in text
        page = window.go("/activity")
        expect(page.locator("#f-email")).to_be_focused()
        page.locator("#f-email").fill("rosa@example.mx")
        page.locator("#f-password").fill("not the password")
        page.locator("button.p").click()
        expect(page.locator("[role=alert]")).to_have_text(said)
        expect(page.locator("#f-email")).to_have_value("rosa@example.mx")
        expect(page.locator("#f-password")).to_be_focused()
        page.locator("button[value=dark]").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        no_barriers(page)


def test_the_keys_of_every_page_and_their_switch(ledger: Ledger, browse: Browse) -> None:
    """`?` helps, `/` searches, `j` and `k` walk; switched off in Settings, all are silent."""
    ledger.append(contact_name="Ana Núñez", text="hola")
    ledger.searchable()
    ledger.user("Ada", "admin")
    page = (window := browse("Ada", "en")).go("/")
    for path in PAGES:
        page.goto(path)
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("#find-q")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#find-q")).not_to_be_focused()
        if page.locator("[data-row]:visible").count():
            page.keyboard.press("j")
            expect(page.locator("[data-row]:focus, [data-row] :focus").first).to_be_visible()
    page.goto("/settings/people")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/people/.+"))
    page.goto("/settings/me")
    page.get_by_label("Single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main [role=status]")).to_be_visible()
    for path in PAGES[:2]:
        page.goto(path)
        page.keyboard.press("?")
        page.keyboard.press("/")
        expect(page.locator("#keys:visible, #find-q:focus")).to_have_count(0)
    assert window.faults == []


def test_the_search_box_by_keyboard(ledger: Ledger, browse: Browse) -> None:
    """Arrows lead through what is found; a number opens its interaction, where there is one."""
    made = ledger.append(contact_name="Ana Núñez", text="precio")
    ledger.searchable()
    window = browse()
    page = window.go("/activity")
    page.keyboard.press("/")
    page.keyboard.type("nune")
    window.see("#find-found a", "Ana Núñez")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#find-found a").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.locator("#find-q").fill(f"#{made['id'] + 1}")
    window.see("#find-found li", "No se encontró a nadie")
    page.locator("#find-q").fill(f"#{made['id']}")
    window.see("#find-found a", f"#{made['id']}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"#i{made['id']}$"))
