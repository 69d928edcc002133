"""Settings in a real browser: oneself, people, teams, words, tokens; in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.api.browser import PASSWORD
from tests.patience import PATIENCE_S
from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is not the matter here."""
    monkeypatch.setattr("storage.passwords.MEMORY_KIB", 64)
    monkeypatch.setattr("storage.passwords.PASSES", 1)


def refused(window: Window) -> Window:
    """Forms of this browser are going to be refused: the browser itself says so."""
    window.expected = lambda text: bool(re.search(r"status of (401|404|409|422)", text))
    return window


def press(page: Page, name: str) -> None:
    """Press a button, and wait for the next page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


def test_everybody_chooses_how_hilo_speaks_to_them(ledger: Ledger, browse: Browse) -> None:
    """Language, zone and shortcuts take effect at once; a zone that is none stands at its field."""
    ledger.user("Rosa", "agent")
    window = refused(browse("Rosa", "es"))
    page = window.go("/")
    page.locator(".nav .foot a", has_text="Ajustes").click()
    expect(page.locator(".setnav a:visible")).to_have_text(["Yo"])
    page.get_by_label("Zona horaria").fill("Marte/Olimpo")
    page.get_by_label("Tu nombre").fill("Rosa D.")
    press(page, "Guardar")
    expect(page.locator("#me-zone-err")).to_have_text(
        "Escribe una zona horaria como America/Mexico_City."
    )
    expect(page.get_by_label("Zona horaria")).to_be_focused()
    expect(page.get_by_label("Tu nombre")).to_have_value("Rosa D.")
    no_barriers(page)
    page.get_by_label("Zona horaria").fill("Asia/Tokyo")
    page.get_by_label("Idioma").select_option("en")
    page.get_by_label("Atajos de una tecla").uncheck()
    press(page, "Guardar")
    expect(page.locator("main [role=status]")).to_have_text("Saved.")
    expect(page.locator("details.me summary")).to_have_attribute("title", "Rosa D.")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.locator("body")).to_have_attribute("data-keys", "off")
    expect(page.locator(".lines")).to_contain_text("21:00")  # noon in UTC, where they are
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/settings")
    expect(page.locator(".setbody")).to_be_hidden()
    no_barriers(page)
    page.locator(".setnav a", has_text="Me").click()
    expect(page.locator("h1.seth")).to_have_text("Me")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["es", "en"])
def test_somebody_is_invited_and_kept_out(ledger: Ledger, browse: Browse, language: str) -> None:
    """The link shows once and works once; the form behind it says what is wrong at its field."""
    says = SAYS[language]
    ledger.user("Ada", "admin")
    window = refused(browse("Ada", language, color_scheme="dark" if language == "en" else "light"))
    page = window.go("/settings/people")
    no_barriers(page)
    page.locator("#invite-name").fill("Luis")
    page.locator("#invite-email").fill("ada@example.mx")
    press(page, says["make"])
    expect(page.locator("#invite-email-err")).to_have_text(says["taken"])
    expect(page.locator("#invite-name")).to_have_value("Luis")
    page.locator("#invite-email").fill("luis@example.mx")
    press(page, says["make"])
    link = page.locator(".made input").input_value()
    page.goto("/settings/people")
    assert link not in page.content()
    guest = refused(browse(None, language))
    come_in(guest, link, says)
    page.locator("a.person", has_text="Luis").click()
    press(page, says["suspend"])
    expect(page.locator("main [role=status]")).to_have_text(says["suspended"])
    guest.page.goto("/settings/me")
    expect(guest.page.locator("h1")).to_have_text(says["door"])
    page.goto(f"/settings/people/{ledger.user('Ada')}")
    page.get_by_label(says["role"]).select_option("agent")
    press(page, says["save"])
    expect(page.locator("main [role=alert]")).to_have_text(says["last"])


def come_in(guest: Window, link: str, says: dict[str, str]) -> None:
    """Accept an invitation, with two mistakes at once, and find the password changed later."""
    page = guest.page
    page.goto(link)
    page.locator("#f-name").fill(" ")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("#f-again").fill("something else")
    page.locator("button.p").click()
    expect(page.locator("#f-name-err")).to_have_text(says["name"])
    expect(page.locator("#f-again-err")).to_have_text(says["differs"])
    no_barriers(page)
    page.locator("#f-name").fill("Luis Ferrer")
    page.locator("#f-password").fill(PASSWORD)
    page.locator("#f-again").fill(PASSWORD)
    page.locator("button.p").click()
    page.goto("/settings/me")
    page.locator("#password-current").fill("not this one")
    page.locator("#password-password").fill("another long one")
    page.locator("#password-again").fill("another long one")
    press(page, says["change"])
    expect(page.locator("#password-current-err")).to_have_text(says["wrong"])
    page.goto(link)
    expect(page.locator("h1")).to_have_text(says["used"])


SAYS = {
    "es": {
        "make": "Hacer el enlace",
        "taken": "Ese correo ya es de otra persona.",
        "suspend": "Suspender",
        "suspended": "Suspendido: ya no puede entrar.",
        "door": "Entrar",
        "role": "Rol",
        "save": "Guardar",
        "last": "Tiene que quedar alguien que administre y pueda entrar.",
        "name": "Escribe tu nombre.",
        "differs": "Las dos contraseñas no son iguales.",
        "change": "Cambiar la contraseña",
        "wrong": "Esta no es tu contraseña.",
        "used": "Este enlace ya no sirve",
    },
    "en": {
        "make": "Make the link",
        "taken": "This e-mail address is somebody else's already.",
        "suspend": "Suspend",
        "suspended": "Suspended.",
        "door": "Sign in",
        "role": "Role",
        "save": "Save",
        "last": "One administrator must remain who may come in.",
        "name": "Write your name.",
        "differs": "The two passwords are not the same.",
        "change": "Change password",
        "wrong": "This is not your password.",
        "used": "This link does not work any more",
    },
}
"""What the pages say, in both languages."""


def test_teams_and_words_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """Made, named, joined, left and no longer offered, by plain forms; a name that is taken."""
    ledger.append(channel="sms", source="sms:shop")
    window = refused(browse("Rosa", "en", java_script_enabled=False))
    page = window.go("/settings/teams")
    page.get_by_label("New team").fill("Ventas")
    press(page, "Add")
    page.get_by_label("Add a member").select_option(label="Rosa")
    page.locator(".word form:has(select) button").click()
    expect(page.locator(".members li")).to_have_text(re.compile("Rosa"))
    page.locator(".word").get_by_label("Name").fill("Ventas MX")
    press(page, "Rename")
    press(page, "Do not offer it any more")
    expect(page.locator(".word summary")).to_contain_text("Ventas MX1 membernot offered")
    press(page, "Take Rosa out")
    expect(page.locator(".members")).to_have_text("Nobody is in it yet.")
    page = window.go("/settings/departments")
    for name in ("Taller", "Ventas", " ventas"):
        page.get_by_label("New department").fill(name)
        press(page, "Add")
    expect(page.locator("#add-name-err")).to_have_text("There is one of this name already.")
    expect(page.locator("#add-name")).to_have_value(" ventas")
    page.locator(".word summary").first.click()
    page.locator(".word[open]").get_by_label("Name").fill("Taller Norte")
    page.locator(".word[open]").get_by_role("button", name="Save").click()
    page.locator(".word summary").first.click()
    page.locator(".word[open]").get_by_role("button", name="Do not offer").click()
    expect(page.locator(".word summary").first).to_contain_text("Taller Norte")
    expect(page.locator(".word summary").first).to_contain_text("not offered")
    page = window.go("/settings/sources")
    expect(page.locator(".word summary")).to_contain_text("no name yet")
    page.locator(".word summary").click()
    page.locator(".word").get_by_label("Name").fill("SMS · Tienda")
    page.locator(".word").get_by_label("Department").select_option("ventas")
    page.locator(".word").get_by_label("Our address").fill("tel:abc")
    press(page, "Save")
    expect(page.locator(".word .err")).to_contain_text("Write an address")
    page.locator(".word").get_by_label("Our address").fill("tel:+525598765432")
    press(page, "Save")
    expect(page.locator(".word summary")).to_contain_text("SMS · Tiendasms:shop · +525598765432")


def test_a_token_is_shown_once_and_revoked(ledger: Ledger, browse: Browse) -> None:
    """With scopes, source and a last day; it opens what it says, until it is revoked."""
    ledger.user("Ada", "admin")
    window = refused(browse("Ada", "es"))
    page = window.go("/settings/tokens")
    no_barriers(page)
    page.get_by_label("Nombre").fill("CRM")
    page.get_by_label("Ligado a una fuente").fill("no es una fuente")
    page.get_by_label("Sirve hasta").fill("2020-01-01")
    page.get_by_label("read").check()
    press(page, "Crear el token")
    expect(page.locator("#issue-source-err")).to_contain_text("api:crm")
    expect(page.locator("#issue-expires_at-err")).to_have_text("Esto está en el pasado.")
    expect(page.get_by_label("read")).to_be_checked()
    page.get_by_label("Ligado a una fuente").fill("api:crm")
    page.get_by_label("Sirve hasta").fill("2026-11-22")
    page.get_by_label("Actúa como").select_option(label="Ada")
    press(page, "Crear el token")
    secret = page.locator(".made input").input_value()
    page.locator(".made button").click()
    expect(page.locator("#toast")).to_be_visible()
    no_barriers(page)
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (
        httpx.get(f"{ledger.url}/v1/contacts", headers=bearer, timeout=PATIENCE_S).status_code
        == 200
    )
    page.goto("/settings/tokens")
    assert secret not in page.content()
    row = page.locator(".tokens li", has_text="CRM")
    expect(row).to_contain_text("api:crm · como Ada · ")
    expect(row).to_contain_text("hasta el 23 nov 2026, 0:00:00")
    row.locator("summary").click()
    press(page, "Revocar CRM")
    expect(row).to_contain_text("revocado")
    assert (
        httpx.get(f"{ledger.url}/v1/contacts", headers=bearer, timeout=PATIENCE_S).status_code
        == 401
    )
