"""Activity in a real browser: live under the hand, filters in the address, endless, cards."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

EVA = "tel:+525511112222"
MORE_THAN = (
    "(count) => document.querySelectorAll('#rows .ent').length > count"
    " || !document.querySelector('#rows .way')"
)
"""Whether a list has grown, or has come to its end."""

HOSTILE = '<img src=x onerror="document.title=1234577*7654321"><script>alert(1)</script>'


def texts(window: Window) -> Locator:
    """What the rows say, from top to bottom."""
    return window.page.locator("#rows .ent .tx .one")


def top(window: Window) -> float:
    """How far the list is scrolled."""
    found: float = window.page.evaluate("document.querySelector('main').scrollTop")
    return found


SHIFTS = """window.shifts = []; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.shifts.push(...one.sources.map(
    ({ node, previousRect: { x, y }, currentRect }) =>
      [node?.id || node?.className || node?.textContent, x, y, currentRect.x, currentRect.y]));
}).observe({ type: "layout-shift" });"""
"""Notes what jumps on the screen, as browsers see it: what it is, and from where to where."""

SETTLED = """Promise.all(document.getAnimations().map((one) => one.finished))
  .then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))
  .then(() => window.shifts)"""
"""Those, once nothing glides any more."""


def test_new_rows_come_by_themselves_but_never_under_the_hand(
    ledger: Ledger, browse: Browse
) -> None:
    """They take their place by time under their day; pointed at, the list waits with a pill."""
    made = ledger.append(contact_name="Ana", text="hola", occurred_at="2026-11-22T10:00:00Z")
    window = browse()
    page = window.go("/activity")
    window.live()
    page.evaluate(SHIFTS)
    # One after the other: where a glide begins during another, browsers see jumps that nobody sees.
    for text, day in (("de ayer", 21), ("ahora", 22)):
        ledger.append(text=text, occurred_at=f"2026-11-{day}T11:00:00Z")
        window.see("#rows .tx", text)
        assert page.evaluate(SETTLED) == []
    expect(texts(window)).to_have_text(["ahora", "hola", "de ayer"])
    expect(page.locator("#rows .sep")).to_have_text(
        ["Hoy, domingo, 22 de noviembre", "Ayer, sábado, 21 de noviembre"]
    )
    page.locator("#rows .ent").nth(1).hover()
    ledger.append(text="y ahora", occurred_at="2026-11-22T11:30:00Z", resource=EVA)
    ledger.append(text=HOSTILE, occurred_at="2026-11-22T11:40:00Z", resource=EVA)
    ledger.ask(
        "POST",
        f"/v1/interactions/{made['id']}/corrections",
        json={"changes": {"department": "Taller"}, "reason": "área"},
    )
    expect(page.locator("#news")).to_have_text("2 nuevas")
    expect(page.locator(f"#i{made['id']}")).to_contain_text("Taller")
    expect(texts(window)).to_have_text(["ahora", "hola", "de ayer"])
    page.locator("#news").click()
    expect(texts(window)).to_have_text([HOSTILE, "y ahora", "ahora", "hola", "de ayer"])
    expect(page.locator("#news")).to_be_hidden()
    expect(page.locator("main img, main script")).to_have_count(0)
    assert str(1234577 * 7654321) not in page.title()


def test_every_filter_stands_in_the_address(ledger: Ledger, browse: Browse) -> None:
    """Ticked, it holds at once, for new rows too; taken back, sent on and undone by the browser."""
    ledger.append(contact_name="Ana", text="hola", department="Ventas", campaign="Feria")
    ledger.append(text="correo", channel="email", resource="mailto:eva@example.mx")
    ledger.append(
        text="llamé",
        channel="call",
        direction="outbound",
        attended_by="Rosa",
        occurred_at="2026-11-20T10:00:00Z",
    )
    window = browse("Rosa", "en")
    page = window.go("/activity")
    window.live()
    expect(texts(window)).to_have_count(3)
    page.locator("#chip-channel").click()
    page.locator("input[value=whatsapp]").check()
    expect(page).to_have_url(re.compile(r"/activity\?channel=whatsapp$"))
    expect(page.locator("#rows .ent")).to_have_count(1)
    page.locator("input[value=call]").check()
    expect(page).to_have_url(
        re.compile(r"channel=call&channel=whatsapp|channel=whatsapp&channel=call")
    )
    expect(page.locator("#rows .ent")).to_have_count(2)
    ledger.append(text="fuera", channel="email", resource="mailto:eva@example.mx")
    ledger.append(text="dentro", occurred_at="2026-11-22T11:30:00Z")
    window.see("#rows .tx", "dentro")
    expect(texts(window).filter(has_text="fuera")).to_have_count(0)
    page.go_back()
    expect(page.locator("#rows .ent")).to_have_count(2)
    page.goto("/activity?channel=&from=&sort=recorded")
    expect(page).to_have_url(re.compile(r"/activity\?sort=recorded$"))
    expect(texts(window).nth(0)).to_have_text("dentro")
    expect(texts(window).nth(1)).to_have_text("fuera")


def test_it_scrolls_both_ways_and_keeps_its_place(ledger: Ledger, browse: Browse) -> None:
    """From the middle to both ends without gap or double; a reload opens where one was."""
    ledger.batch(
        {
            "text": f"número {number:03d}",
            "occurred_at": f"2026-11-{1 + number // 10:02d}T10:{number % 10:02d}:00Z",
        }
        for number in range(90)
    )
    window = browse("Rosa", "es", viewport={"width": 1280, "height": 700})
    page = window.go("/activity?limit=20&at=2026-11-06")
    window.live()
    for wanted in ("número 000", "número 089"):
        for _ in range(12):
            if page.locator("#rows .tx", has_text=wanted).count():
                break
            rows = page.locator("#rows .ent")
            shown = rows.count()
            rows.nth(-1 if wanted.endswith("0") else 0).scroll_into_view_if_needed()
            page.wait_for_function(MORE_THAN, arg=shown)
    expect(texts(window)).to_have_text([f"número {number:03d}" for number in range(89, -1, -1)])
    expect(page.locator("#rows .sep")).to_have_count(9)
    page.locator("#rows .ent", has_text="número 045").scroll_into_view_if_needed()
    before = top(window)
    ledger.append(text="mientras leo", occurred_at="2026-11-22T11:00:00Z")
    expect(page.locator("#news")).to_have_text("1 nueva")
    assert top(window) == before
    page.reload()
    expect(page.locator("#rows .ent", has_text="número 045")).to_be_in_viewport()
    page.goto(f"/activity?around={1 + 45}")
    expect(page.locator("#rows .ent.hit")).to_be_in_viewport()


def test_a_row_copies_and_opens_its_card(ledger: Ledger, browse: Browse) -> None:
    """Link and whole text are copied and it is said; the card tells all, and proves it."""
    window = browse("Rosa", "en", permissions=["clipboard-read", "clipboard-write"])
    long, ivan = "palabra " * 300, str(ledger.user("Iván"))
    ledger.caught_up()
    made = ledger.append(text=long, contact_name="Ana", campaign="Feria", department="Ventas")
    ledger.ask(
        "POST",
        f"/v1/interactions/{made['id']}/corrections",
        json={
            "changes": {"department": "Taller", "attended_by": ivan},
            "reason": "wrong team",
        },
    )
    page = window.go("/activity")
    row = page.locator(f"#i{made['id']}")
    row.hover()
    row.get_by_title("Copy link").click()
    expect(page.locator("#toast")).to_have_text("Link copied")
    said = page.evaluate("navigator.clipboard.readText()")
    assert said == f"{ledger.url}/interactions/{made['id']}"
    row.get_by_title("Copy text").click()
    page.wait_for_function(
        f"async () => (await navigator.clipboard.readText()).trim().length === {len(long.strip())}"
    )
    row.get_by_title("Details").click()
    card = page.locator(f"#card-{made['id']}")
    for part in ("Feria", "whatsapp:1065", "+52 55 1234 5678", "+52 55 9876 5432", "automatic"):
        expect(card).to_contain_text(part)
    expect(card.locator(".hist")).to_contain_text("Department: Ventas Taller")
    expect(card.locator(".hist")).to_contain_text("Attended by: Iván")
    expect(card.locator(".hist")).to_contain_text("wrong team")
    expect(card.locator(".proof")).to_contain_text("leaf")
    no_barriers(page)
    card.get_by_role("link", name="Copy link").click()
    expect(page.locator("#toast")).to_have_text("Link copied")
    page.keyboard.press("Escape")
    page.locator("#rows .ct a").click()
    expect(page).to_have_url(re.compile(rf"around={made['id']}"))


def test_on_a_phone_and_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """At 360 px a row has two lines and nothing sticks out; filters and pages are plain forms."""
    ledger.batch(
        {"text": f"número {number}", "occurred_at": f"2026-11-21T10:{number:02d}:00Z"}
        for number in range(60)
    )
    ledger.append(contact_name="María Fernanda Gutiérrez-Ordóñez de la Peña", text="x" * 300)
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    window = browse("Rosa", "es", **phone)
    page = window.go("/activity")
    no_barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("#rows .ent tr").first.bounding_box()
    assert box is not None
    assert 44 <= box["height"] <= 72
    page.locator("#chip-direction").click()
    expect(page.locator("input[value=outbound]")).to_be_in_viewport()
    plain = browse("Rosa", "en", java_script_enabled=False).go("/activity")
    plain.locator("#rows [rel=next]").click()
    expect(plain.locator("#rows .ent")).to_have_count(61 - 40)
    plain.locator("#chip-direction").click()
    plain.locator("input[value=outbound]").check()
    plain.locator("details[open] [data-apply]").click()
    expect(plain).to_have_url(re.compile(r"/activity\?direction=outbound$"))
    expect(plain.locator("#activity h2")).to_have_text("Nothing under this filter")
