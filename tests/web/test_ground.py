"""The ground of all pages: languages, themes, keys, the stream, and what the policy allows."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from playwright.sync_api import expect

from api.problems import PROBLEMS
from api.web.calling import caller_in
from api.web.languages import LANGUAGES, translations_of
from api.web.templating import filled, templates_in
from api.web.words import WORDS
from tests.web import catalogs
from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]


def test_every_message_is_there_in_both_languages() -> None:
    """What pages say stands in each catalog once, translated, with its gaps; nothing else does."""
    shown = catalogs.shown()
    for language in LANGUAGES:
        held = catalogs.held(language)
        assert sorted(map(str, shown.keys() - held.keys())) == [], language
        assert sorted(map(str, held.keys() - shown.keys())) == [], language
        assert catalogs.twice(language) == []
        for (_, text), said in held.items():
            assert all(said), (language, text)
            known = set(re.findall(r"%\(\w+\)\w", str(text)))
            assert all(set(re.findall(r"%\(\w+\)\w", one)) <= known for one in said), text


def test_what_a_page_shows_is_escaped_and_what_is_safe_is_not_twice() -> None:
    """Text, whatever its type, never becomes markup, in macros and messages either."""

    class Wry(str):
        __slots__ = ()

    template = templates_in("en").from_string(
        "{% macro twice(one) %}<i>{{ one }}</i>{% endmacro %}"
        '{{ shown }}|<b title="{{ shown }}">|{{ twice(shown) }}|'
        "{% set kept %}{{ shown }}{% endset %}{{ kept }}|"
        '{{ _("Assigned to %(name)s", name=shown) }}|{{ "<" ~ shown }}|{{ drawing("x") }}'
    )
    said = "&lt;a href=&#39;&#34;&amp;"
    drawn = '<svg class="i s" aria-hidden="true"><use href="#x"/></svg>'
    for hostile in ("<a href='\"&", Wry("<a href='\"&")):
        parts = template.render(shown=hostile).split("|")
        assert parts == [
            said,
            f'<b title="{said}">',
            f"<i>{said}</i>",
            said,
            f"Assigned to {said}",
            f"&lt;{said}",
            drawn,
        ]
    assert template.render(shown=3).startswith("3|")
    assert template.render(shown=Markup("<hr>")).startswith("<hr>|")
    with pytest.raises(UndefinedError):
        template.render()


def test_nothing_that_templates_call_asks_for_a_context() -> None:
    """A call goes straight to what is called: also Jinja's own globals are fit for it."""
    made = templates_in("en")
    assert [name for name, one in made.globals.items() if hasattr(one, "jinja_pass_arg")] == []
    counted = made.from_string('{{ ngettext("%(num)d interaction", "%(num)d interactions", n) }}')
    assert [counted.render(n=n) for n in (1, 2)] == ["1 interaction", "2 interactions"]
    assert made.from_string('{{ pgettext("conversations", "All") }}').render() == "All"


def test_a_macro_takes_its_arguments_as_jinja_gives_them() -> None:
    """By place and by name, with defaults and blocks; what is too much is refused."""
    made = templates_in("en")
    said = "{% macro say(one, two='b') %}{{ one }}{{ two }}{% endmacro %}"
    asked = ("say('a')", "say('a', 'c')", "say(two='d', one='a')", "say('a', **{'two': 'e'})")
    for call, shown in zip(asked, ("ab", "ac", "ad", "ae"), strict=True):
        assert made.from_string(said + "{{ " + call + " }}").render() == shown
    blocks = "{% macro box(one) %}<{{ one }}{{ caller() }}>{% endmacro %}"
    called = made.from_string(blocks + "{% call box('a') %}{{ shown }}{% endcall %}")
    assert called.render(shown="<") == "<a&lt;>"
    for wrong in ("say(1, 2, 3)", "say(three=1)"):
        with pytest.raises(TypeError):
            made.from_string(said + "{{ " + wrong + " }}").render()
    with pytest.raises(UndefinedError):
        made.from_string(said + "{{ say() }}").render()


def test_a_page_that_was_made_is_let_go_at_once() -> None:
    """Nothing that a page showed waits for the garbage collector."""

    class Twin:
        pass

    shown = Twin()
    gone = weakref.ref(shown)
    gc.disable()
    try:
        assert "<button" in filled("en", "log_buttons.html", {"twins": [shown]})
        del shown
        assert gone() is None
    finally:
        gc.enable()


def test_every_problem_is_said_in_words() -> None:
    """Each code of a refusal has its sentence on the pages."""
    assert {problem.type for problem in PROBLEMS.values()} <= WORDS["problem"].keys()


def test_whoever_has_no_name_is_called_in_words() -> None:
    """Of a long account id four marks remain; a withheld number is said; names stay as they are."""
    spanish, english = (caller_in(translations_of(one).gettext) for one in ("es", "en"))
    assert spanish("Anonymous") == "Número oculto"
    assert english("Anonymous") == "Withheld number"
    assert english("WhatsApp MX.13491208655302741918") == "WhatsApp …1918"
    for kept in ("Telegram ana_nunez", "+52 55 1234 5678", "WhatsApp Ventas del centro"):
        assert english(kept) == kept


def test_the_frame_in_both_languages_and_themes(ledger: Ledger, browse: Browse) -> None:
    """The language is the browser's, the colours are chosen; nothing keeps anybody out."""
    ledger.append(contact_name="Ana Núñez")
    for language, title in (("es", "Actividad"), ("en", "Activity")):
        window = browse(language=language, color_scheme="dark" if language == "en" else "light")
        page = window.go("/activity")
        expect(page).to_have_title(f"{title} · Hilo")
        no_barriers(page)
        window.live()
        expect(page.locator("html:not([data-theme])")).to_have_count(1)
        page.locator("details.me summary").click()
        page.locator("details.me button[value=dark]").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        no_barriers(page)


def test_keys_and_their_switch(ledger: Ledger, browse: Browse) -> None:
    """`?` shows them, `/` searches, and whoever switches them off is left alone."""
    ledger.append(contact_name="Ana Núñez")
    window = browse()
    page = window.go("/activity")
    page.keyboard.press("?")
    page.locator("#keys").wait_for()
    expect(page.locator("#keys")).to_contain_text("Abrir")
    no_barriers(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("nunez")
    window.see("#find-found a", "Ana Núñez")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.locator("#keys footer button").click()
    page.locator("body[data-keys=off]").wait_for()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_restart_under_an_open_page(ledger: Ledger, browse: Browse) -> None:
    """The indicator says that the connection is lost; afterwards nothing of it is missing."""
    ledger.append(contact_name="Ana")
    window = browse()
    window.expected = lambda text: "ERR_" in text or "Failed to fetch" in text
    page = window.go("/activity")
    window.live()
    page.evaluate(
        "() => { window.heard = [];"
        " document.addEventListener('hilo:event', (e) => window.heard.push(e.detail.type)); }"
    )
    ledger.stop()
    page.wait_for_selector("#live.stale")
    ledger.start()
    ledger.append(text="mientras tanto", resource="tel:+525511112222")
    page.wait_for_function("() => window.heard.includes('interaction.recorded')")
    window.live()
    assert page.evaluate("window.heard.filter((one) => one === 'interaction.recorded').length") == 1


def test_pages_read_without_scripts(ledger: Ledger, browse: Browse) -> None:
    """Without JavaScript the pages are the same, and the search box is a form."""
    ledger.append(contact_name="Ana Núñez")
    page = browse("Rosa", "en", java_script_enabled=False).go("/activity")
    page.locator("#find-q").fill("ana")
    page.locator("#find-q").press("Enter")
    page.locator("ul.found a", has_text="Ana Núñez").last.wait_for()
