"""Templates: compiled once for each language, and filled with few steps.

A page has hundreds of calls and up to two thousand values to escape, so what Jinja does at each
of them is most of a page's time. Here its own hooks are used to do less: see `escaped` and
`Plain`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cache, lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import Context
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escaped_text  # type: ignore[attr-defined]  # of a text

from api.web.calling import caller_in
from api.web.files import all_files
from api.web.languages import translations_of
from api.web.offering import tongue, tongues, zones
from api.web.plain_words import explaining
from api.web.words import WORDS, message_of
from domain.topics import TOPICS

HERE: Final = Path(__file__).parent

INITIALS_MAX: Final = 2

WORDS_MAX: Final = 2_000
"""Words that are kept translated: all of ours several times over, and what others call channels."""

_ICON: Final = Markup('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>')

_CONTEXTS: Final = "_contexts"
"""Where the contexts of a page are listed among its values: no template asks for that name."""


def filled(language: str, name: str, values: Mapping[str, Any]) -> str:
    """The text of a template in a language, filled with values."""
    contexts: list[Plain] = []
    try:
        return templates_in(language).get_template(name).render({**values, _CONTEXTS: contexts})
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


def escaped(value: object) -> str:
    """A value as it may stand in HTML.

    Pages have up to two thousand of these. What is safe already is passed on as it is, and the
    text of a page need not be marked as safe piece by piece, as markupsafe's own would do.
    """
    if type(value) is Markup:
        return value
    if type(value) is str:
        return escaped_text(value)
    return escape(value)


class Compiled(Template):
    """A template that escapes by our own function."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 - Jinja's name
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        """As Jinja's, of which this is the documented way in."""
        made = super().from_code(environment, code, globals, uptodate)
        made.root_render_func.__globals__["escape"] = escaped
        return made


class Plain(Context):
    """Calls what templates call as it stands: nothing of ours asks for the context.

    Jinja's own looks each time whether it does, which costs as much as most of the calls. And a
    page's contexts are listed, so that they can be taken apart: a context holds its macros, and
    they hold it, and so all rows of the page waited for the garbage collector, in pauses of its
    own length.
    """

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
    ) -> None:
        super().__init__(environment, parent, name, blocks, globals)
        listed: list[Plain] | None = parent.get(_CONTEXTS)
        if listed is not None:
            listed.append(self)

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.vars.clear()
        self.blocks.clear()
        self.parent = {}

    def call(
        self,
        called: Callable[..., object],
        /,
        *args: object,
        _block_vars: object = None,
        _loop_vars: object = None,
        **values: object,
    ) -> object:
        """Call it."""
        return called(*args, **values)


# ------------------------------------------------------------- what templates call


def _saying(translated: Callable[[str], str]) -> Callable[..., Markup]:
    """What templates call `_`: a message with its values, which are escaped.

    Jinja's own looks at its context and formats each time, also where there is nothing to say
    in between: on a page with a thread that took longer than all reading.
    """
    patterns = cache(lambda message: Markup(translated(message)))  # noqa: S704 - catalogs are ours
    plain = cache(lambda message: patterns(message) % {})

    def say(message: str, /, **values: object) -> Markup:
        return patterns(message) % values if values else plain(message)

    return say


def _choosing(translated: Callable[..., str]) -> Callable[..., Markup]:
    """What templates call `ngettext`, `pgettext` and `npgettext`: as `_`, by more than a message.

    A number comes last, and the message may name it `num`.
    """

    def say(*chosen: str | int, **values: object) -> Markup:
        found = Markup(translated(*chosen))  # noqa: S704 - catalogs are ours
        return found % {"num": chosen[-1], **values}

    return say


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
