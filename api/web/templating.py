"""Templates: compiled once for each language, and filled with few steps.

How they are compiled: compiling.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.web.calling import caller_in
from api.web.compiling import CONTEXTS, Compiled, Plain, Straight, as_safe, escaped
from api.web.files import all_files
from api.web.languages import translations_of
from api.web.offering import city, tongue, tongues, zones
from api.web.plain_words import explaining
from api.web.words import WORDS, message_of
from domain.topics import TOPICS

HERE: Final = Path(__file__).parent

INITIALS_MAX: Final = 2

WORDS_MAX: Final = 2_000
"""Words that are kept translated: all of ours several times over, and what others call channels."""

_ICON: Final = Markup('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>')


def filled(language: str, name: str, values: Mapping[str, Any]) -> str:
    """The text of a template in a language, filled with values."""
    contexts: list[Plain] = []
    try:
        return templates_in(language).get_template(name).render({**values, CONTEXTS: contexts})
    finally:
        for one in contexts:
            one.let_go()


@cache
def templates_in(language: str) -> Environment:
    """The templates in a language; a process reads and compiles each once."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # they come with the release: no look at the disk, page after page
        extensions=["jinja2.ext.i18n"],
    )
    translations = translations_of(language)
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    made.template_class, made.context_class = Compiled, Plain
    made.code_generator_class = Straight
    made.globals["gettext"] = made.globals["_"] = _saying(translations.gettext)
    for name in ("ngettext", "pgettext", "npgettext"):
        made.globals[name] = _choosing(getattr(translations, name))
    made.globals["drawing"] = drawing
    made.globals["channel_drawing"] = channel_drawing
    made.filters["initials"] = initials
    made.filters["explained"] = explaining(translations.gettext)
    made.filters["called"] = caller_in(translations.gettext)
    made.globals["asset"] = all_files().address
    made.globals["lang"] = language
    made.globals["zones"] = partial(zones, language)
    made.globals["city"] = partial(city, language)
    made.globals["tongues"] = partial(tongues, language)
    made.globals["tongue"] = partial(tongue, language)
    made.globals["topics"] = " ".join(TOPICS)
    made.globals["word"] = lru_cache(WORDS_MAX)(
        lambda kind, word: translations.gettext(message_of(kind, word))
    )
    made.globals["words"] = lambda kind: {
        word: translations.gettext(message) for word, message in WORDS[kind].items()
    }
    return made


# ------------------------------------------------------------- what templates call


def _saying(translated: Callable[[str], str]) -> Callable[..., Markup]:
    """What templates call `_`: a message with its values, which are escaped.

    Jinja's own looks at its context and formats each time, also where there is nothing to say
    in between: on a page with a thread that took longer than all reading.
    """
    plain = cache(lambda message: _woven(translated(message), {}))

    def say(message: str, /, **values: object) -> Markup:
        return _woven(translated(message), values) if values else plain(message)

    return say


def _choosing(translated: Callable[..., str]) -> Callable[..., Markup]:
    """What templates call `ngettext`, `pgettext` and `npgettext`: as `_`, by more than a message.

    A number comes last, and the message may name it `num`.
    """

    def say(*chosen: str | int, **values: object) -> Markup:
        return _woven(translated(*chosen), {"num": chosen[-1], **values})

    return say


def _woven(message: str, values: Mapping[str, object]) -> Markup:
    """A message of our catalogs with values, of which numbers may be formatted."""
    given = {
        name: value if isinstance(value, int) else escaped(value) for name, value in values.items()
    }
    return as_safe(message % given)


@lru_cache(WORDS_MAX)
def drawing(name: str, kind: str = "i s") -> Markup:
    """A drawing of icons.svg, which every page holds."""
    return _ICON.format(kind, name)


@lru_cache(WORDS_MAX)
def channel_drawing(channel: str, kind: str = "i s") -> Markup:
    """The drawing of a channel."""
    return drawing("walkin" if channel == "walk_in" else channel, kind)


def initials(name: str) -> str:
    """Two letters for a name's round sign; of a number its beginning."""
    words = [word for word in name.split() if word[:1].isalpha()]
    if not words:
        return name[:3]
    return "".join(word[0] for word in (words[0], words[-1])[: min(len(words), INITIALS_MAX)])
