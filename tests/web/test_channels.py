"""The pages of connections and of the quarantine: what came, what ails it, what one does."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator

import httpx
from playwright.sync_api import Page, expect

from api.web.plain_words import told
from api.web.words import WORDS
from app import web
from channels import media, media_fetching, meta
from channels.connections import Draft
from tests.channels.shop import NUMBER, messages, text
from tests.patience import PATIENCE_S
from tests.source_tree import ROOT
from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

SECRET = b"app secret of a test"
POISON = {"id": "wamid.9", "from": "525512345678"}
"""A message of no kind, with nothing in it: it cannot be read."""


SAYING = {"Unreadable", "Unfit", "MailboxTrouble", "_translated"}
"""What channels' modules call with a sentence that is kept, and shown to people."""


def test_every_error_that_channels_keep_is_said_in_words() -> None:
    """What a channel's module says of what it cannot read, and why a file was not fetched."""
    sentences = {one for call in calls_of(SAYING) for one in sentences_in(call)}
    assert len(sentences) > 60
    assert sorted(one for one in sentences if told(one) is None) == []
    names = {**vars(web), **vars(media), **vars(media_fetching)}
    codes = [call.args[0] for call in calls_of({"CannotFetch"})]
    told_of = {
        names[one.id] if isinstance(one, ast.Name) else ast.literal_eval(one) for one in codes
    }
    assert told_of <= WORDS["not_fetched"].keys()


def calls_of(names: set[str]) -> Iterator[ast.Call]:
    """Where something of these names is called with something, in what channels are made of."""
    for path in (*(ROOT / "channels").glob("*.py"), ROOT / "app" / "web.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and name_of(node) in names:
                yield node


def name_of(call: ast.Call) -> str:
    """What a call calls; empty where that is no plain name."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def sentences_in(call: ast.Call) -> Iterator[str]:
    """The sentences that a call is made with; `x` stands where something is filled in."""
    behind = " (x)" if name_of(call) == "_translated" else ""
    first = call.args[0]
    for one in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
        if isinstance(one, ast.Constant):
            yield f"{one.value!s}{behind}"
        elif isinstance(one, ast.JoinedStr) and isinstance(one.values[0], ast.Constant):
            parts = (part.value if isinstance(part, ast.Constant) else "x" for part in one.values)
            yield "".join(map(str, parts)).replace("folder x ", "folder 'x' ") + behind


def deliver(ledger: Ledger, body: object, secret: bytes = SECRET) -> int:
    """One delivery to the connection `whatsapp/main`; its status."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = meta.sign(raw, {"app_secret": [secret]})
    url = f"{ledger.url}/channels/whatsapp/main"
    return httpx.post(url, content=raw, headers=headers, timeout=PATIENCE_S).status_code


def test_a_channel_is_connected_and_cared_for_on_pages(ledger: Ledger, browse: Browse) -> None:
    """From no channel to a first delivery, its balance, its source's name, a pause, its removal.

    What is wrong with a form stands at its field, nothing typed is lost, and no secret ever
    comes back.
    """
    ledger.user("Rosa", "admin")
    window = browse("Rosa", "es")
    connect(window)
    care(ledger, window)


def connect(window: Window) -> None:
    """Connect a WhatsApp account, with a mistake on the way; send it the sample."""
    page = window.go("/channels")
    window.see("h2", "Aún no hay ningún canal conectado")
    page.get_by_role("link", name="Conectar un canal").first.click()
    window.see("h1", "Conectar un canal")
    page.get_by_role("link", name="WhatsApp Cloud").click()
    page.get_by_label("Cómo la llama la gente").fill("WhatsApp Ventas")
    page.get_by_label("Nombre en su dirección").fill("Con Espacios")
    page.get_by_label("Secreto de la app").fill("to be typed again")
    page.get_by_label("Token de verificación").fill("verify")
    window.expected = lambda text: "422" in text
    page.get_by_role("button", name="Conectar").click()
    window.see(".err", "No puede ser así")
    no_barriers(page)
    expect(page.get_by_label("Cómo la llama la gente")).to_have_value("WhatsApp Ventas")
    expect(page.get_by_label("Secreto de la app")).to_have_value("")
    page.get_by_label("Nombre en su dirección").fill("main")
    page.get_by_label("Secreto de la app").fill(SECRET.decode())
    page.get_by_label("Token de verificación").fill("verify")
    page.get_by_role("button", name="Conectar").click()
    window.see("h1", "WhatsApp Ventas")
    expect(page.locator("#url")).to_have_text(f"{window.ledger.url}/channels/whatsapp/main")
    assert SECRET.decode() not in page.content()

    page.get_by_role("button", name="Enviar una muestra firmada").click()
    window.see(".checks .end", "todo bien")
    expect(page.locator(".checks li.good")).to_have_count(7)
    expect(page.locator(".checks li:not(.good)")).to_have_count(0)


def care(ledger: Ledger, window: Window) -> None:
    """Look at what came, name its source, rotate a secret, pause, resume, remove."""
    page = window.page
    assert deliver(ledger, messages(text("wamid.1"), text("wamid.2"), POISON)) == 200
    assert deliver(ledger, messages(text("wamid.1"))) == 200
    assert deliver(ledger, messages(text("wamid.3")), b"wrong") == 401
    window.go("/connections/whatsapp/main")
    expect(page.locator(".eq dd")).to_have_text(["4", "2", "1", "0", "1"])
    window.see(".notice", "firma errónea")
    no_barriers(page)
    for error, shown in (
        ("imap: the server cannot be reached (gaierror)", "no se llega al servidor (gaierror)"),
        ("unparsable: it cannot be read: KeyError <b>", "no se puede leer: KeyError <b>"),
    ):
        ledger.composition.channels.arrivals.note_error("whatsapp/main", error)
        window.go("/connections/whatsapp/main")
        window.see(".notice", shown)
        expect(page.locator(".notice code[lang=en]")).to_have_count(1)
    page.locator(".srcs summary").click()
    page.get_by_label(f"Nombre de whatsapp:{NUMBER}").fill("Ventas CDMX")
    page.locator(".srcs").get_by_role("button", name="Guardar").click()
    window.see(".srcs a.nm", "Ventas CDMX")

    page.locator("#f-app-secret").fill("a newer one")
    page.get_by_role("button", name="Cambiar: Secreto de la app").click()
    window.see(".secret", "hay 2")
    assert deliver(ledger, messages(text("wamid.4")), b"a newer one") == 200
    page.get_by_role("button", name="Pausar").click()
    window.see("header .bd", "en pausa")
    page.get_by_role("button", name="Reanudar").click()
    window.see("header .bd", "activa")
    page.get_by_text("Quitar…").click()
    page.get_by_role("button", name="Sí, quitarla").click()
    window.see("summary", "1 conexión se quitó")
    assert deliver(ledger, messages(text("wamid.5")), b"a newer one") == 404


def test_the_quarantine_is_looked_at_retried_and_let_go(ledger: Ledger, browse: Browse) -> None:
    """All of a kind is delivered again, one goes for a reason; only administrators see bodies.

    On a phone, in English, in the dark; whoever administrates nothing only looks. How much
    waits stands in the navigation, on a phone under *More*, which a keyboard opens too.
    """
    connections = ledger.composition.channels.connections
    secrets = {"app_secret": [SECRET], "verify_token": [b"v"]}
    connections.add(Draft(channel="whatsapp", name="main", secrets=secrets))
    assert deliver(ledger, messages(POISON)) == 200
    assert deliver(ledger, b"no JSON <b>at all</b>") == 200
    ledger.user("Rosa", "admin")
    window = browse("Rosa", "en", viewport={"width": 360, "height": 760}, color_scheme="dark")
    page = window.go("/quarantine")
    expect(page.locator(".quar tbody tr")).to_have_count(2)
    no_barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    walk_to_channels(page)
    no_barriers(page)
    page.go_back()
    page.get_by_role("link", name="whatsapp/main · cannot be read 2").click()
    page.get_by_role("button", name="Deliver all of these again").click()
    window.see(".notice", "0 were delivered. 2 failed again.")
    page.locator(".quar a.nm").first.click()
    window.see("h1", "cannot be read")
    bodies = ["no JSON <b>at all</b>", "wamid.9"]
    first = page.locator("pre.raw").inner_text()
    [second] = [one for one in bodies if one not in first]
    page.go_back()
    page.locator(".quar a.nm").nth(1).click()
    expect(page.locator("pre.raw")).to_contain_text(second)
    no_barriers(page)
    page.get_by_role("button", name="Deliver it again").click()
    window.see("dd", "3")
    page.get_by_label("Reason").fill("  ")
    window.expected = lambda text: "422" in text
    page.get_by_role("button", name="Discard it").click()
    window.see(".err", "This is needed.")
    page.get_by_label("Reason").fill("sent by a test")
    page.get_by_role("button", name="Discard it").click()
    window.see("h1", "Quarantine")
    expect(page.locator(".quar tbody tr")).to_have_count(1)
    expect(page.locator("#more-tabs summary")).to_have_text(
        "More 1 waits in quarantine", use_inner_text=True
    )
    for path in ("/channels/new?channel=sendgrid", "/connections/whatsapp/main", "/channels"):
        window.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    no_barriers(page)

    other = browse("Nadia", "en")
    other.go("/quarantine")
    expect(other.page.get_by_role("button", name="Deliver all again")).to_have_count(0)
    other.page.locator(".quar a.nm").first.click()
    other.see("p", "Administrators see it.")
    expect(other.page.locator("pre.raw")).to_have_count(0)
    other.expected = lambda text: "403" in text
    other.page.goto("/channels/new")
    other.see("h1", "You are not allowed")


def walk_to_channels(page: Page) -> None:
    """With a keyboard alone through the menu of what has no tab of its own; Escape shuts it."""
    more = page.locator("#more-tabs summary")
    expect(more).to_have_text("More 2 wait in quarantine", use_inner_text=True)
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#more-tabs a")).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.locator("#more-tabs ul")).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Channels")
    expect(more).to_have_class("on")
    page.locator("#more-tabs summary").click()
