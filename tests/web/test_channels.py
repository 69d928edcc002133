"""The pages of connections and of the quarantine: what came, what ails it, what one does."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from channels import meta
from channels.connections import Draft
from tests.channels.shop import NUMBER, messages, text
from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]

SECRET = b"app secret of a test"
POISON = {"id": "wamid.9", "from": "525512345678"}
"""A message of no kind, with nothing in it: it cannot be read."""


def deliver(ledger: Ledger, body: object, secret: bytes = SECRET) -> int:
    """One delivery to the connection `whatsapp/main`; its status."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = meta.sign(raw, {"app_secret": [secret]})
    return httpx.post(
        f"{ledger.url}/channels/whatsapp/main", content=raw, headers=headers
    ).status_code


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
    assert page.get_by_label("Cómo la llama la gente").input_value() == "WhatsApp Ventas"
    assert page.get_by_label("Secreto de la app").input_value() == ""
    page.get_by_label("Nombre en su dirección").fill("main")
    page.get_by_label("Secreto de la app").fill(SECRET.decode())
    page.get_by_label("Token de verificación").fill("verify")
    page.get_by_role("button", name="Conectar").click()
    window.see("h1", "WhatsApp Ventas")
    assert page.locator("#url").inner_text() == f"{window.ledger.url}/channels/whatsapp/main"
    assert SECRET.decode() not in page.content()

    page.get_by_role("button", name="Enviar una muestra firmada").click()
    window.see(".checks .end", "todo bien")
    assert page.locator(".checks li.good").count() == page.locator(".checks li").count() >= 5


def care(ledger: Ledger, window: Window) -> None:
    """Look at what came, name its source, rotate a secret, pause, resume, remove."""
    page = window.page
    assert deliver(ledger, messages(text("wamid.1"), text("wamid.2"), POISON)) == 200
    assert deliver(ledger, messages(text("wamid.1"))) == 200
    assert deliver(ledger, messages(text("wamid.3")), b"wrong") == 401
    window.go("/connections/whatsapp/main")
    assert page.locator(".eq dd").all_inner_texts() == ["4", "2", "1", "0", "1"]
    window.see(".notice", "firma errónea")
    no_barriers(page)
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

    On a phone, in English, in the dark; whoever administrates nothing only looks.
    """
    connections = ledger.composition.channels.connections
    secrets = {"app_secret": [SECRET], "verify_token": [b"v"]}
    connections.add(Draft(channel="whatsapp", name="main", secrets=secrets))
    assert deliver(ledger, messages(POISON)) == 200
    assert deliver(ledger, b"no JSON <b>at all</b>") == 200
    ledger.user("Rosa", "admin")
    window = browse("Rosa", "en", viewport={"width": 360, "height": 760}, color_scheme="dark")
    page = window.go("/quarantine")
    assert page.locator(".quar tbody tr").count() == 2
    no_barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name="whatsapp/main · cannot be read 2").click()
    page.get_by_role("button", name="Deliver all of these again").click()
    window.see(".notice", "0 were delivered. 2 failed again.")
    page.locator(".quar a.nm").first.click()
    window.see("h1", "cannot be read")
    first = page.locator("pre.raw").inner_text()
    page.go_back()
    page.locator(".quar a.nm").nth(1).click()
    window.see("pre.raw")
    assert {"no JSON <b>at all</b>" in first, "wamid.9" in first} == {True, False}
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
    assert page.locator(".quar tbody tr").count() == 1
    for path in ("/channels/new?channel=sendgrid", "/connections/whatsapp/main", "/channels"):
        window.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    no_barriers(page)

    other = browse("Nadia", "en")
    other.go("/quarantine")
    assert other.page.get_by_role("button", name="Deliver all again").count() == 0
    other.page.locator(".quar a.nm").first.click()
    other.see("p", "Administrators see it.")
    assert other.page.locator("pre.raw").count() == 0
    other.expected = lambda text: "403" in text
    other.page.goto("/channels/new")
    other.see("h1", "You are not allowed")
