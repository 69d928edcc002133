"""A contact's profile in a real browser: the timeline, its filters and places, and what is live."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

EVA = "tel:+525511112222"
OURS = "tel:+525598765432"
ANA = "tel:+525512345678"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{1234577*7654321}}"

TOP_ROW = """() => {
  const edge = document.getElementById("filters").getBoundingClientRect().bottom;
  const inSight = (one) => one.getBoundingClientRect().bottom > edge + 1;
  const row = [...document.querySelectorAll("#timeline article")].find(inSight);
  return [row.id, Math.round(row.getBoundingClientRect().top)];
}"""
"""The row that is read first, and how far down it stands."""


def history(ledger: Ledger, days: int = 90) -> str:
    """A contact with three interactions a day, the last of them yesterday; its id."""
    ledger.batch(day_row(day, hour, days) for day in range(days) for hour in range(3))
    ledger.caught_up()
    return str(ledger.ask("GET", "/v1/contacts")["items"][0]["id"])


def day_row(day: int, hour: int, days: int) -> dict[str, object]:
    """A message, an answering call, an SMS: those of the n-th of so many days."""
    at = datetime(2026, 11, 21, 16 + hour, tzinfo=UTC) - timedelta(days=days - 1 - day)
    answer = {"resource": OURS, "destination": ANA, "attended_by": "Iván Olmedo"}
    return {
        "text": f"mensaje {day:03d}.{hour}",
        "channel": ("whatsapp", "call", "sms")[hour],
        "direction": "outbound" if hour == 1 else "inbound",
        "contact_name": "Ana Núñez",
        "occurred_at": at.isoformat(),
        **(answer if hour == 1 else {}),
    }


def top_row(page: Page) -> tuple[str, int]:
    """The row that is read first, and how far down it stands."""
    id, top = page.evaluate(TOP_ROW)
    return id, top


def begins_at(page: Page, day: str) -> None:
    """Wait until one reads from the latest row of a day on."""
    page.wait_for_function(
        f"(day) => document.getElementById(({TOP_ROW})()[0]).dataset.day === day", arg=day
    )


def stands(page: Page, row: tuple[str, int]) -> None:
    """Wait until a row is read first again, where it stood."""
    page.wait_for_function(
        f"(row) => {{ const [id, top] = ({TOP_ROW})();"
        " return id === row[0] && Math.abs(top - row[1]) <= 2; }",
        arg=list(row),
    )


def test_filters_live_in_the_address(ledger: Ledger, browse: Browse) -> None:
    """Channel, direction, people, dates and order narrow the list, and a link has them all."""
    contact = history(ledger)
    page = browse().go(f"/contacts/{contact}")
    articles = page.locator("#timeline article")
    expect(page.locator(".prof h1")).to_have_text("Ana Núñez")
    expect(page.locator(".prof .addrs")).to_contain_text("+52 55 1234 5678")
    expect(page.locator("#months a")).to_have_count(4)
    no_barriers(page)
    page.locator("#filters a.chip", has_text="Salientes").click()
    expect(page).to_have_url(re.compile(r"\?direction=outbound$"))
    expect(articles.filter(has_text="Iván Olmedo")).to_have_count(30)
    expect(articles.filter(has_not_text="Iván Olmedo")).to_have_count(0)
    page.locator("#filters summary", has_text="Canal").click()
    page.locator("#filters a[href*='channel=sms']").click()
    expect(page.locator("#timeline-empty")).to_be_visible()
    page.goto(f"/contacts/{contact}?channel=sms")
    page.locator("#filters details").first.locator("summary").click()
    page.locator("#filters a[href*='channel=call']").click()
    expect(page).to_have_url(re.compile(r"\?channel=sms&channel=call$"))
    page.locator("#filters .ordr").click()
    expect(page).to_have_url(re.compile(r"channel=sms&channel=call&order=asc$"))
    expect(articles.first).to_contain_text("mensaje 000.1")
    page.locator("#filters details").last.locator("summary").click()
    page.locator("[name=origin]").select_option("automatic")
    page.locator("[name=from]").fill("2026-09-10")
    page.locator("#filters form .p").click()
    expect(page).to_have_url(re.compile(r"order=asc&origin=automatic&from=2026-09-10$"))
    expect(articles.first).to_contain_text("mensaje 017.1")


def test_the_place_outlives_reload_and_way_back(ledger: Ledger, browse: Browse) -> None:
    """Reloaded, come back to, sent on, jumped to by date or month: the same row stands there."""
    contact = history(ledger)
    window = browse()
    page = window.go(f"/contacts/{contact}")
    page.mouse.move(600, 500)
    for _ in range(9):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(30)
    page.wait_for_function(f"() => location.search === `?place=${{({TOP_ROW})()[0].slice(1)}}`")
    row = top_row(page)
    page.reload()
    stands(page, row)
    page.locator(".nav a[href='/activity']").click()
    expect(page).to_have_url(re.compile("/activity"))
    page.go_back()
    stands(page, row)
    # A date, typed and sent with Enter; a month; and the oldest first from there on.
    page.locator("#jump input[name=at]").focus()
    page.keyboard.type("09092026")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("at=2026-09-09"))
    begins_at(page, "2026-09-09")
    expect(page.locator("#months a[aria-current]")).to_have_attribute("data-month", "2026-09")
    page.locator("#months a[data-month='2026-10']").click()
    begins_at(page, "2026-10-31")


def test_a_link_leads_to_its_row_through_merges(ledger: Ledger, browse: Browse) -> None:
    """The link to one interaction opens it among its neighbours, wherever its contact went."""
    contact = history(ledger)
    eva = ledger.append(resource=EVA, contact_name="Eva", occurred_at="2026-09-15T12:30:00Z")
    ledger.caught_up()
    ledger.ask(
        "POST", f"/v1/contacts/{contact}/merge", json={"other": eva["contact"], "reason": "misma"}
    )
    allowed = ["clipboard-read", "clipboard-write"]
    window = browse("Rosa", "en", permissions=allowed, color_scheme="dark")
    page = window.go(f"/interactions/{eva['id']}")
    expect(page).to_have_url(re.compile(f"/contacts/{contact}\\?around={eva['id']}#i{eva['id']}$"))
    hit = page.locator(f"#i{eva['id']}")
    expect(hit.locator(".ix.hit")).to_be_in_viewport()
    expect(hit).to_be_focused()
    page.goto(f"/contacts/{eva['contact']}?around={eva['id']}")
    expect(page).to_have_url(re.compile(f"/contacts/{contact}\\?around={eva['id']}"))
    expect(hit.locator(".ix.hit")).to_be_in_viewport()
    # Copy link, copy text, and the card by its arrow: by mouse and by keyboard.
    hit.hover()
    hit.get_by_title("Copy link").click()
    expect(page.locator("#toast")).to_have_text("Link copied")
    assert (
        page.evaluate("navigator.clipboard.readText()") == f"{ledger.url}/interactions/{eva['id']}"
    )
    hit.focus()
    page.keyboard.press("c")
    page.wait_for_function("async () => (await navigator.clipboard.readText()) === 'Hola'")
    page.keyboard.press("Enter")
    card = page.locator(f"#card-{eva['id']}")
    expect(card).to_contain_text("History")
    expect(card).to_contain_text("whatsapp:1065")
    no_barriers(page)
    page.keyboard.press("j")
    expect(hit).not_to_be_focused()


def test_a_profile_goes_on_as_the_contact_that_it_was_merged_into(
    ledger: Ledger, browse: Browse
) -> None:
    """At once, at the row that is being read; it says who did it, and new rows come to it."""
    contact = history(ledger, 20)
    eva = ledger.append(resource=EVA, contact_name="Eva", occurred_at="2026-11-22T10:00:00Z")
    window = browse("Rosa", "es")
    page = window.go(f"/contacts/{contact}")
    window.live()
    page.locator("#timeline").hover(position={"x": 100, "y": 200})
    page.mouse.wheel(0, 1500)
    page.wait_for_url("**place=*")
    row = top_row(page)
    ivan = ledger.bearer("manage", user=ledger.user("Iván"))
    body = {"other": contact, "reason": "misma"}
    ledger.ask("POST", f"/v1/contacts/{eva['contact']}/merge", body, as_=ivan)
    said = "Iván fusionó este contacto con Eva. Esta página ahora es de Eva."
    expect(page.locator("#joined")).to_contain_text(said)
    expect(page.locator("main h1")).to_contain_text("Eva")
    expect(page).to_have_url(re.compile(f"/contacts/{eva['contact']}\\?place="))
    stands(page, row)
    expect(page).to_have_title(re.compile("Eva · Hilo$"))
    no_barriers(page)
    ledger.append(text="a Eva", resource=EVA, occurred_at="2026-11-22T11:30:00Z")
    expect(page.locator("#new-rows")).to_have_text("1 nueva")
    page.locator("#joined a").click()
    expect(page.locator("#merges")).to_contain_text("misma")


def test_what_is_new_waits_under_a_pill(ledger: Ledger, browse: Browse) -> None:
    """At the top a row comes in at once; whoever reads on sees a pill, and no row moves."""
    contact = history(ledger, 40)
    window = browse()
    page = window.go(f"/contacts/{contact}")
    window.live()
    made = ledger.append(text="el primero", occurred_at="2026-11-22T11:00:00Z")
    expect(page.locator("#timeline article").first).to_have_attribute("id", f"i{made['id']}")
    expect(page.locator("#timeline .day:visible").first).to_contain_text("Hoy")
    expect(page.locator(".prof .stats")).to_contain_text("121 interacciones")
    expect(page.locator("#new-rows")).to_be_hidden()
    # The pointer rests on the list: nothing is pushed away under it.
    page.mouse.move(600, 500)
    was = top_row(page)
    ledger.append(text="el segundo", occurred_at="2026-11-22T11:10:00Z")
    expect(page.locator("#new-rows")).to_have_text("1 nueva")
    assert top_row(page) == was
    # Read further down, it is put where it belongs, out of sight.
    for _ in range(3):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(30)
    page.wait_for_function("() => location.search.startsWith('?place=')")
    was = top_row(page)
    last = ledger.append(text="el tercero", occurred_at="2026-11-22T11:20:00Z")
    late = ledger.append(text="de antes", occurred_at="2026-11-01T11:05:00Z")
    expect(page.locator("#new-rows")).to_have_text("2 nuevas")
    expect(page.locator(f"#i{last['id']}")).to_be_attached()
    stands(page, was)
    page.locator("#new-rows").click()
    expect(page.locator(f"#i{last['id']}")).to_be_in_viewport()
    expect(page.locator("#new-rows")).to_be_hidden()
    for place, said in enumerate(("el tercero", "el segundo", "el primero")):
        expect(page.locator("#timeline .said").nth(place)).to_have_text(said)
    # What becomes of a row is shown where it stands, its open card stays; notes are rows too.
    card = page.locator(f"#i{last['id']}")
    card.locator("[data-card]").click()
    ledger.ask(
        "POST",
        f"/v1/interactions/{last['id']}/corrections",
        json={"changes": {"campaign": "Feria"}, "reason": "olvidada"},
    )
    expect(card.locator(".hd")).to_contain_text("Feria")
    expect(card.locator(".cardplace")).to_be_visible()
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getElementById('content').scrollTop = 0")
    ledger.ask("POST", f"/v1/conversations/{contact}/notes", json={"text": HOSTILE})
    window.see("#timeline .ix.note .said", HOSTILE)
    ledger.ask("PATCH", f"/v1/contacts/{contact}", json={"name": "Ana María"})
    expect(page.locator(".prof h1")).to_have_text("Ana María")
    page.goto(f"/interactions/{late['id']}")
    expect(page.locator(f"#i{late['id']} .ix.hit")).to_be_in_viewport()


def test_runs_fold_and_everything_reads_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """A run of messages is one line that opens; without scripts it and the pager are links."""
    ledger.batch(
        {
            "text": f"mensaje {number:02d}",
            "channel": "call" if number == 40 else "whatsapp",
            "occurred_at": f"2026-11-{20 + number // 60}T10:{number % 60:02d}:00Z",
        }
        for number in range(70)
    )
    contact = ledger.append(text="hoy", contact_name="María Fernanda Gutiérrez-Ordóñez")["contact"]
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    window = browse("Rosa", "es", **phone)
    page = window.go(f"/contacts/{contact}")
    fold = page.locator(".fold").first
    expect(fold).to_contain_text("6 mensajes por WhatsApp entre las 4:00 y las 4:05")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    no_barriers(page)
    fold.click()
    expect(page.locator(".run article")).to_have_count(6)
    expect(page.locator(".run .said").first).to_have_text("mensaje 65")
    fold.click()
    expect(page.locator(".run")).to_be_hidden()
    plain = browse("Rosa", "en", java_script_enabled=False).go(f"/contacts/{contact}")
    plain.locator(".fold").first.click()
    expect(plain.locator("article", has_text="mensaje 65")).to_be_in_viewport()
    plain.locator("#step-after").click()
    expect(plain.locator(".fold")).to_contain_text("29 messages over WhatsApp")
    plain.locator("#jump input[name=at]").fill("2026-11-20")
    plain.locator("#jump button").click()
    expect(plain.locator("#landing")).to_be_in_viewport()
    expect(plain.locator("h2.day").first).to_contain_text("November")
