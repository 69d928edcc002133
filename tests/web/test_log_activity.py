"""Log activity in a real browser: by keyboard, with a twin, refused at its field, no scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]


def test_it_is_written_down_by_keyboard_alone(ledger: Ledger, browse: Browse) -> None:
    """From the profile by `l`: saved with Ctrl+Enter, both browsers show it, none reloads."""
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    ledger.ask("POST", "/v1/departments", json={"name": "Taller"})
    ledger.ask("PATCH", "/v1/departments/taller", json={"active": False})
    ivan, rosa = browse("Iván", "en"), browse("Rosa", color_scheme="dark")
    for window, path in ((ivan, "conversations"), (rosa, "contacts")):
        window.go(f"/{path}/{contact}")
        window.live()
        window.page.evaluate("window.same = true")
    page = rosa.page
    page.locator("#contact-actions summary").press("Enter")
    page.locator("#contact-actions a", has_text="Interacción").press("Enter")
    expect(page.locator(".logdlg [name=text]")).to_be_focused()
    expect(page.locator(".logdlg [name=attended_by]")).to_have_value(str(ledger.user("Rosa")))
    expect(page.locator(".logdlg [name=channel]")).to_have_count(11)
    expect(page.locator(".logdlg")).to_contain_text("Ciudad de México")
    expect(page.locator(".logdlg [name=department] option")).to_have_text(["Ninguno"])
    no_barriers(page)
    page.keyboard.type("Pidió")
    page.keyboard.press("Escape")
    expect(page.locator(".logdlg")).to_have_count(0)
    page.keyboard.press("l")
    expect(page.locator(".logdlg [name=text]")).to_have_value("Pidió")
    page.keyboard.press("End")
    page.keyboard.type(" una cita.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toast")).to_have_text("Guardado")
    for window in (rosa, ivan):
        window.see("article[data-row]", "Pidió una cita.")
        assert window.page.evaluate("window.same")
    ledger.append(text="una cosa más")
    rosa.see("article[data-row]", "una cosa más")


def test_what_is_wrong_is_said_at_its_field(ledger: Ledger, browse: Browse) -> None:
    """The future is refused where it was typed, nothing typed is lost, also without scripts."""
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    window = browse("Rosa", "es", viewport={"width": 360, "height": 740})
    window.expected = lambda text: "422" in text
    page = window.go(f"/conversations/{contact}")
    page.locator("a[data-key=l]").click()
    page.locator(".logdlg [name=text]").fill("Llamó.")
    page.locator(".logdlg [name=occurred_at]").fill("2026-11-22T06:01")
    page.locator(".logdlg footer .p").click()
    expect(page.locator("#occurred_at-err")).to_contain_text("futuro")
    expect(page.locator(".logdlg [name=occurred_at]")).to_be_focused()
    expect(page.locator(".logdlg [name=text]")).to_have_value("Llamó.")
    plain = browse("Rosa", "en", java_script_enabled=False)
    plain.expected = lambda text: "422" in text
    page = plain.go(f"/contacts/{contact}/log")
    page.locator("[name=text]").fill("She called.")
    page.locator("[name=occurred_at]").fill("2027-01-01T10:00")
    page.locator("footer .p").click()
    expect(page.locator("#occurred_at-err")).to_contain_text("future")
    expect(page.locator("[name=text]")).to_have_value("She called.")
    page.locator("[name=occurred_at]").fill("2026-11-20T10:00")
    page.locator("footer .p").click()
    plain.see("#messages article", "She called.")
    item = ledger.ask("GET", f"/v1/contacts/{contact}/timeline")["items"][-1]
    assert item["text"] == "She called."
    assert item["occurred_at"].startswith("2026-11-20T16:00")


def test_a_probable_twin_is_shown_before_anything_is_written(
    ledger: Ledger, browse: Browse
) -> None:
    """The channel's record shows as one types; linked, both are one; apart stays possible."""
    made = ledger.append(
        channel="call",
        source="twilio:1",
        text=None,
        contact_name="Ana",
        occurred_at="2026-11-22T11:58:00Z",
    )
    window = browse()
    page = window.go(f"/conversations/{made['contact']}")
    window.live()
    head = ledger.composition.log.head()
    page.keyboard.press("l")
    expect(page.locator(".twins .dup")).to_contain_text(str(made["id"]))
    expect(page.locator(".logdlg footer .p")).to_have_text("Vincular y guardar")
    expect(page.locator(".logdlg footer button").first).to_have_text("Guardar aparte")
    no_barriers(page)
    page.locator(".logdlg [name=channel][value=walk_in]").check(force=True)
    expect(page.locator(".logdlg footer .p")).to_have_text("Guardar")
    expect(page.locator(".twins .dup")).to_have_count(0)
    page.locator(".logdlg [name=channel][value=call]").check(force=True)
    expect(page.locator(".logdlg footer .p")).to_have_text("Vincular y guardar")
    assert ledger.composition.log.head() == head
    page.locator(".logdlg [name=text]").fill("Quiere una cita.")
    page.locator(".logdlg footer [value=link]").click()
    expect(page.locator("#toast")).to_have_text("Guardado")
    ledger.caught_up()
    assert ledger.ask("GET", f"/v1/contacts/{made['contact']}")["interactions"] == 1
    page.goto(f"/interactions/{made['id']}/card")
    window.see(".evt.note", "Quiere una cita.")
    plain = browse("Rosa", "en", java_script_enabled=False)
    plain.expected = lambda text: "409" in text
    ledger.append(channel="call", source="twilio:1", text=None, occurred_at="2026-11-22T11:59:00Z")
    page = plain.go(f"/contacts/{made['contact']}/log")
    page.locator("[name=text]").fill("Something else.")
    page.locator("footer .p").click()
    expect(page.locator(".twins .dup")).to_contain_text("inbound")
    page.locator("footer [value=apart]").click()
    plain.see("#messages article", "Something else.")


def test_from_elsewhere_it_leads_to_what_was_saved(browse: Browse) -> None:
    """Whom one names is found by number or name; afterwards one stands before what was written."""
    window = browse("Rosa", "en")
    page = window.go("/log")
    page.locator("[name=who]").fill("55 1234 5678")
    page.locator("[name=contact_name]").fill("Ana")
    page.locator("[name=text]").fill("She came in.")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/conversations/[0-9a-f-]+\?around=\d+#i\d+$"))
    window.see("#messages article", "She came in.")
    expect(page.locator("#head h1")).to_have_text("Ana")
