"""The Audit page and the page of an erasure: every gesture, by those who may, in both languages."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from api.audit_views import RunView
from api.web.audit_parts import Pace, number_in, pace_of
from app.cli.proofs import verify_bundle
from app.running import perform
from app.verifying import Wish
from audit.verify import Verified
from tests.patience import PATIENCE_S
from tests.web.window import DOT, Ledger, Window, no_barriers

Browse = Callable[..., Window]

ANA = "tel:+525512345678"


@pytest.fixture
def signed(ledger: Ledger) -> Ledger:
    """A ledger with a few interactions, a checkpoint over them, and runs done on the spot."""
    for number in range(3):
        ledger.append(contact_name="Ana Núñez", text=f"secreto {number}")
    proofs = ledger.composition.proofs
    proofs.launch = lambda run: perform(ledger.composition, run)
    ledger.composition.proving.now()
    return ledger


@pytest.mark.parametrize("language", ["es", "en"])
def test_an_auditor_sees_how_the_log_is_and_verifies_it(
    signed: Ledger, browse: Browse, language: str
) -> None:
    """State, checkpoint and places; one click verifies; a receipt and the log are fetched."""
    signed.user("Aurora", "auditor")
    window = browse("Aurora", language, color_scheme="dark" if language == "en" else "light")
    page = window.go("/")
    expect(page).to_have_url(re.compile(r"/audit$"))
    titles = {"es": "todavía no se ha verificado", "en": "was not verified yet"}
    expect(page.locator("#hero h2")).to_contain_text(titles[language])
    expect(page.locator(".nav nav li")).to_have_count(1)  # nothing else is for auditors
    last = signed.composition.proofs.last()
    expect(page.locator("#checkpoint pre").first).to_have_text(last.note.rstrip("\n"))
    no_barriers(page)
    page.locator("#hero button").click()
    good = {"es": "El registro está íntegro", "en": "The log is intact"}
    expect(page.locator("#hero h2")).to_have_text(good[language])
    expect(page.locator("#verification .bd.ok")).to_be_visible()
    first = signed.composition.log.head() - 2
    page.locator("input[name=receipt]").fill(f"#{first}")
    page.locator("#receipts form button").click()
    with page.expect_download() as fetched:
        page.locator("#receipts a[download]").click()
    receipt = fetched.value.path().read_text("utf-8")
    assert receipt.startswith("c2sp.org/tlog-proof@v1\n")
    assert last.note in receipt
    page.goto("/audit?receipt=999999")
    expect(page.locator("#receipt-err")).to_be_visible()
    page.locator(".phead a").click()
    event = page.locator(f"#e{first}")
    event.locator("summary").click()
    expect(event.locator("dl")).to_contain_text("whatsapp")
    assert "secreto" not in page.content()
    assert "Ana" not in page.content()
    no_barriers(page)


def test_the_log_is_paged_by_number(signed: Ledger, browse: Browse) -> None:
    """The latest first; a position leads to itself, and the two ways lead on; nonsense is said."""
    signed.batch({"text": f"mensaje {number}"} for number in range(60))
    page = browse("Rosa", "en").go("/audit/log")
    head = signed.composition.log.head()
    numbers = page.locator(".ev summary > span.mono:first-child")
    expect(numbers.first).to_have_text(str(head))
    expect(numbers).to_have_count(50)
    page.locator("a[rel=next]").click()
    expect(numbers.first).to_have_text(str(head - 50))
    page.locator("a[rel=prev]").click()
    expect(numbers.first).to_have_text(str(head))
    page.locator("input[name=upto]").fill("3")
    page.locator("form.rrange button").click()
    expect(numbers).to_have_text(["3", "2", "1"])
    page.goto("/audit/log?upto=x")
    expect(page.locator("#upto-err")).to_be_visible()
    asked = httpx.get(
        f"{signed.url}/audit?receipt={head - 5}", headers=signed.headers, timeout=PATIENCE_S
    )
    assert (asked.status_code, f"upto={head - 5}" in asked.text) == (200, True)  # by a token too


def test_exports_are_made_and_fetched(signed: Ledger, browse: Browse, tmp_path: Path) -> None:
    """What was typed is kept; the log, or a person's all with their files, without a script too."""
    signed.user("Ada", "admin")
    window = browse("Ada", "en", java_script_enabled=False)
    window.expected = lambda text: "422" in text
    page = window.go("/audit")
    page.locator("#exports summary").click()
    page.locator("#exports input[name=from]").fill("nothing")
    page.locator("#exports form button").click()
    expect(page.locator("#from-err")).to_be_visible()
    expect(page.locator("#exports input[name=from]")).to_have_value("nothing")
    page.locator("#exports input[name=from]").fill("1")
    page.locator("#exports input[name=with_keys]").check()
    page.locator("#exports form button").click()
    expect(page.locator("#reason-err")).to_be_visible()
    expect(page.locator("#exports input[name=with_keys]")).to_be_checked()
    page.locator("#exports input[name=with_keys]").uncheck()
    page.locator("#exports form button").click()
    with page.expect_download() as fetched:
        page.locator("#made a[download]").click()
    with tarfile.open(fetched.value.path()) as archive:
        assert "hilo-export/checkpoint" in archive.getnames()
    file = signed.upload("foto de Ana.png", "image/png")
    photo = {"name": "foto de Ana.png", "media_type": "image/png", "attachment": file}
    ana = signed.append(text="mi foto", attachments=[photo])["contact"]
    signed.now[0] += 1_000_000  # the newest stands first
    page = window.go(f"/audit?contact={ana}")
    expect(page.locator("#exports form")).to_contain_text("Ana Núñez")
    page.locator("#exports form button").click()
    with page.expect_download() as fetched:
        page.locator("#made a[download]").first.click()
    with tarfile.open(fetched.value.path()) as archive:
        archive.extractall(tmp_path, filter="data")
    bundle = tmp_path / "hilo-export"
    [line] = (bundle / "attachments.ndjson").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert (told["name"], told["media_type"]) == ("foto de Ana.png", "image/png")
    assert (bundle / told["file"]).read_bytes() == b64decode(DOT)
    assert hashlib.sha256(b64decode(DOT)).hexdigest() == told["sha256"]
    assert isinstance(verify_bundle(bundle, Wish(), 1, lambda *_: None), Verified)
    manager = browse("Rosa", "es").go("/audit")
    expect(manager.locator("#exports input[name=with_keys]")).to_have_count(0)


def test_what_is_wrong_is_said_first(signed: Ledger, browse: Browse) -> None:
    """A place that fails and a log that differs stand at the top, each in its own words."""
    store = signed.composition.proofs.store
    store.reached("folder /kept", 1, signed.now[0])
    store.failed("witness w.example", "It answers 500.", signed.now[0])
    page = browse("Rosa", "es").go("/audit")
    expect(page.locator("#hero h2")).to_have_text("Algo necesita atención")
    failing = page.locator("#places tr", has_text="w.example")
    expect(failing).to_contain_text("falla No responde, o no está de acuerdo.")
    expect(failing.locator("q[lang=en]")).to_have_text("It answers 500.")
    behind = store.latest_checkpoints(1)[0].size - 1
    expect(page.locator("#places tr", has_text="/kept")).to_contain_text(f"{behind} eventos")
    runs = signed.composition.proofs.runs
    run = runs.begin(signed.user("Rosa"), "verification", "{}", "{}")
    runs.tell(run.id, 1, 4)
    page.reload()
    expect(page.locator("#verification progress")).to_have_attribute("value", "25")
    no_barriers(page)
    wrong = {"ok": False, "position": 2, "code": "changed", "what": "its bytes differ"}
    runs.end(run.id, "bad", json.dumps(wrong))
    expect(page.locator("#hero h2")).to_have_text("El registro no es el que se firmó")
    said = page.locator("#verification [role=status]")
    expect(said).to_contain_text("Evento 2: Fue modificado después de registrarse.")
    expect(said.locator("q[lang=en]")).to_have_text("its bytes differ")
    expect(said).to_contain_text("ahora mismo")
    no_barriers(page)


def test_a_contact_is_erased_by_typing_its_name(signed: Ledger, browse: Browse) -> None:
    """From its actions to the plan; a hold forbids it; name and reason, then a certificate."""
    ana = signed.ask("GET", "/v1/contacts?q=Ana")["items"][0]["id"]
    signed.user("Ada", "admin")
    window = browse("Ada")
    window.expected = lambda text: "422" in text
    page = window.go(f"/contacts/{ana}")
    page.locator(f"a[href='/contacts/{ana}/erasure']").first.evaluate("one => one.click()")
    expect(page.locator("section dd b")).to_have_text("Ana Núñez")
    page.locator("#holds summary").click()
    page.locator("#holds input[name=reason]").fill("juicio 12/2026")
    page.locator("#holds form button").click()
    expect(page.locator("form.hold")).to_contain_text("juicio 12/2026")
    expect(page.locator("#confirm")).to_have_count(0)
    page.goto("/audit/holds")
    expect(page.locator("tbody tr")).to_contain_text("juicio 12/2026")
    page.locator("tbody a").click()
    page.locator("form.hold input[name=reason]").fill("terminó")
    page.locator("form.hold button").click()
    page.locator("#confirm input[name=name]").fill("Eva")
    page.locator("#confirm input[name=reason]").fill("lo pidió")
    page.locator("#confirm button").click()
    expect(page.locator("#name-err")).to_be_visible()
    expect(page.locator("#confirm input[name=reason]")).to_have_value("lo pidió")
    no_barriers(page)
    page.locator("#confirm input[name=name]").fill("ana  núñez")
    page.locator("#confirm button").click()
    expect(page).to_have_url(re.compile("/audit/erasures/"))
    expect(page.locator(".hero h2")).to_have_text("Completo")
    expect(page.locator("dl")).to_contain_text("lo pidió")
    assert "Ana" not in page.content()
    no_barriers(page)
    page.goto("/audit")
    page.locator("#erasures a", has_text=re.compile("^Certifica")).click()
    page.locator("dl a", has_text="#").first.click()
    page.goto(f"/contacts/{ana}/erasure")
    expect(page.locator(".empty a")).to_be_visible()


def test_erasing_is_for_administrators(signed: Ledger, browse: Browse) -> None:
    """A manager sees neither the way to it nor the page, and no certificate; a stale plan fails."""
    ana = signed.ask("GET", "/v1/contacts?q=Ana")["items"][0]["id"]
    window = browse("Rosa", "es")
    window.expected = lambda text: "403" in text or "409" in text
    page = window.go(f"/contacts/{ana}")
    expect(page.locator("a[href$='/erasure']")).to_have_count(0)
    page.goto(f"/contacts/{ana}/erasure")
    expect(page.locator("h1")).to_have_text("No tienes permiso")
    signed.user("Ada", "admin")
    admin = browse("Ada", "en", color_scheme="dark")
    admin.expected = lambda text: "409" in text
    page = admin.go(f"/contacts/{ana}/erasure")
    expect(page.locator("h1")).to_have_text("Erase Ana Núñez")
    no_barriers(page)
    signed.ask("POST", f"/v1/contacts/{ana}/addresses", json={"address": "mailto:ana@example.mx"})
    signed.caught_up()
    page.locator("#confirm input[name=name]").fill("Ana Núñez")
    page.locator("#confirm input[name=reason]").fill("lo pidió")
    page.locator("#confirm button").click()
    expect(page.locator(".say")).to_contain_text("another one than when")
    expect(page.locator("#confirm input[name=reason]")).to_have_value("lo pidió")
    assert signed.ask("GET", f"/v1/contacts/{ana}")["erased_at"] is None


def test_how_far_is_a_share_a_rate_and_a_rest() -> None:
    """Percent, events a second and seconds left; nothing of what is over; numbers as typed."""
    begun, told = "2026-11-22T10:00:00Z", "2026-11-22T10:00:02Z"
    assert pace_of(RunView("1", "running", 250, 1_000, begun, told)) == Pace(25, 125, 6)
    assert pace_of(RunView("1", "done", 4, 4, begun, told)) is None
    fresh = RunView("1", "running", 0, 0, begun, begun)
    assert pace_of(fresh) == Pace(0, 0, None)
    typed = ("12", " #12 ", "", "x", "0", "-1", "1e3", "9" * 30)
    assert [number_in(text) for text in typed] == [12, 12, *[None] * 6]
