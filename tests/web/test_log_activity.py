"""Log activity in a real browser: by keyboard, with a twin, refused at its field, no scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]


def test_it_is_written_down_by_keyboard_alone(ledger: Ledger, browse: Browse) -> None:
    """From the conversation by `l`: written, saved with Ctrl+Enter, it is in the open thread."""
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    ivan, rosa = browse("Iván", "en"), browse("Rosa", color_scheme="dark")
    ivan.go(f"/conversations/{contact}")
    ivan.live()
    rosa.go(f"/contacts/{contact}")
    page = rosa.live()
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile(rf"/contacts/{contact}/log$"))
    expect(page.locator("[name=text]")).to_be_focused()
    expect(page.locator("[name=attended_by]")).to_have_value(str(ledger.user("Rosa")))
    no_barriers(page)
    page.keyboard.type("Pidió una cita.")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(rf"/conversations/{contact}\?around=\d+#i\d+$"))
    rosa.see("#messages article", "Pidió una cita.")
    ivan.see("#messages article", "Pidió una cita.")


def test_what_is_wrong_is_said_at_its_field(ledger: Ledger, browse: Browse) -> None:
    """The future is refused where it was typed, nothing typed is lost, also without scripts."""
    contact = ledger.append(contact_name="Ana", text="hola")["contact"]
    window = browse("Rosa", "en", java_script_enabled=False, viewport={"width": 360, "height": 740})
    window.expected = lambda text: "422" in text
    page = window.go(f"/contacts/{contact}/log")
    page.locator("[name=text]").fill("She called.")
    page.locator("[name=occurred_at]").fill("2027-01-01T10:00")
    page.locator("footer .p").click()
    expect(page.locator("#occurred_at-err")).to_contain_text("future")
    expect(page.locator("[name=text]")).to_have_value("She called.")
    page.locator("[name=occurred_at]").fill("2026-11-20T10:00")
    page.locator("footer .p").click()
    window.see("#messages article", "She called.")
    item = ledger.ask("GET", f"/v1/contacts/{contact}/timeline")["items"][-1]
    assert item["text"] == "She called."
    assert item["occurred_at"].startswith("2026-11-20T16:00")


def test_a_probable_twin_is_shown_before_anything_is_written(
    ledger: Ledger, browse: Browse
) -> None:
    """The call that the channel reported is named; linked, both are shown as one."""
    made = ledger.append(
        channel="call",
        source="twilio:1",
        text=None,
        contact_name="Ana",
        occurred_at="2026-11-22T11:58:00Z",
    )
    window = browse()
    window.expected = lambda text: "409" in text
    page = window.go(f"/contacts/{made['contact']}/log")
    head = ledger.composition.log.head()
    page.locator("[name=text]").fill("Quiere una cita.")
    page.locator("footer .p").click()
    expect(page.locator(".notice")).to_contain_text(str(made["id"]))
    assert ledger.composition.log.head() == head
    no_barriers(page)
    page.locator("footer [value=link]").click()
    expect(page).to_have_url(re.compile(r"/conversations/"))
    ledger.caught_up()
    assert ledger.ask("GET", f"/v1/contacts/{made['contact']}")["interactions"] == 1
