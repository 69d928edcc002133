"""HTML as the text that a person would read: safe, since nothing of its markup remains.

One pass over the tags, without a tree: 20,000 nested elements cost what 20,000 others cost, and
what is not closed does no harm. The mail itself is kept beside it; this is for reading, searching
and previews.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

HTML_MAX_CHARS: Final = 2 * 1024 * 1024
"""How much HTML is read; what people write is some KB, what machines write some 100 KB."""

QUOTES_MAX: Final = 9
"""Levels of quoting that are shown; each costs two characters of every line."""

TAG_MAX_CHARS: Final = 64 * 1024
"""Length of a tag: images within the text make long ones. A `<` without an end is text."""

TAGS_MAX: Final = 100_000
"""Tags that are read: a long newsletter has some 10,000."""

ENTITY_CHARS: Final = 8
"""How many characters one may be written with (`&ntilde;`): what is far beyond is not read."""

_SILENT: Final = frozenset({"script", "style", "head", "title", "template", "noembed", "object"})
"""Elements whose content nobody reads."""

_BREAKS: Final = frozenset(
    {
        *("address", "article", "aside", "center", "dd", "details", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "header", "hr", "legend", "li", "main", "nav"),
        *("ol", "option", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"})

_MARKUP: Final = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,40})")
_ALT: Final = re.compile(r"\balt\s*=\s*(?:\"([^\"]{1,100})\"|'([^']{1,100})')", re.IGNORECASE)
_LONG_NUMBER: Final = re.compile(r"&(#[0-9]{20}|#[xX][0-9a-fA-F]{20})")
_SPACES: Final = re.compile(r"[ \t\n\f\u00a0]+")
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")
_BLANK_LINES: Final = re.compile(r"\n(?:[> ]*\n){2,}")


def text_of_html(html: str, most_chars: int) -> str:
    """The text, at most so many characters, in lines; those that are quoted begin with `> `."""
    reader = _Reader(html[:HTML_MAX_CHARS], most_chars)
    reader.run()
    lines = [line.rstrip() for line in reader.lines()]
    while lines and not lines[-1].strip("> "):
        lines.pop()
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")[:most_chars]


class _Reader:
    """Reads from the first `<` to the last."""

    def __init__(self, html: str, most_chars: int) -> None:
        self._html = html
        self._low = html.lower() if html.isascii() else _ascii_lower(html)
        self._left = most_chars
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._verbatim = 0
        self._unclosed: set[str] = set()
        self._close = -1

    def lines(self) -> list[str]:
        """What was read."""
        self._end_line()
        return self._lines

    def run(self) -> None:
        """Read it all, or until there is text enough."""
        at = tags = 0
        while at < len(self._html) and self._left > 0 and tags < TAGS_MAX:
            tags += 1
            tag = _MARKUP.search(self._html, at)
            if tag is None:
                self._text(self._html[at:])
                return
            self._text(self._html[at : tag.start()])
            at = self._markup(tag.start())

    # -------------------------------------------------------------------- markup

    def _markup(self, at: int) -> int:
        """Take the markup that begins here; where what follows begins."""
        html = self._html
        if html.startswith("<!--", at):
            stop = html.find("-->", at + 4)
            return stop + 3 if stop >= 0 else len(html)
        if html.startswith(("<!", "<?"), at):
            stop = self._next_close(at)
            return stop + 1 if stop >= 0 else self._unmarked(at)
        name = _NAME.match(html, at)
        stop = self._tag_end(at) if name else -1
        if name is None or stop < 0:
            return self._unmarked(at)
        tag = name[2].lower()
        if tag in _SILENT and not name[1]:
            return self._behind(tag, stop)
        self._element(tag, html[at:stop], closes=bool(name[1]))
        return stop

    def _unmarked(self, at: int) -> int:
        """Take a `<` that begins nothing as text; where no `>` is near, all the way there."""
        stop = max(at + 1, min(self._close - TAG_MAX_CHARS, len(self._html)))
        self._text(self._html[at:stop])
        return stop

    def _tag_end(self, at: int) -> int:
        """Behind the `>` of a tag; one inside quotes does not count."""
        stop = self._next_close(at)
        for _ in range(3):
            if stop < 0 or self._html.count('"', at, stop) % 2 == 0:
                break
            further = self._html.find(">", stop + 1, at + TAG_MAX_CHARS)
            if further < 0 or "<" in self._html[stop:further]:
                break
            stop = further
        return stop + 1 if stop >= 0 else -1

    def _next_close(self, at: int) -> int:
        """The next `>`, not farther than a tag is long; looked for once, however many ask."""
        if self._close < at:
            found = self._html.find(">", at)
            self._close = found if found >= 0 else len(self._html) + TAG_MAX_CHARS
        return self._close if self._close < at + TAG_MAX_CHARS else -1

    def _behind(self, tag: str, stop: int) -> int:
        """Behind an element that nobody reads; where it is not closed, behind its tag."""
        if tag in self._unclosed:
            return stop
        end = self._low.find(f"</{tag}", stop)
        if end < 0:
            self._unclosed.add(tag)
            return stop
        close = self._html.find(">", end)
        return close + 1 if close >= 0 else len(self._html)

    def _element(self, tag: str, whole: str, *, closes: bool) -> None:
        if tag == "br":
            self._end_line()
        elif tag in _PARAGRAPHS:
            self._break()
            if not closes or tag != "pre":
                self._lines.append(self._prefix().rstrip())
            self._nest(tag, closes=closes)
        elif tag in _BREAKS:
            self._break()
            if tag == "li" and not closes:
                self._line.append("- ")
        elif tag in {"td", "th"} and closes:
            self._line.append(" ")
        elif tag == "img" and (alt := _ALT.search(whole)):
            self._text(f"{alt[1] or alt[2]}")

    def _nest(self, tag: str, *, closes: bool) -> None:
        step = -1 if closes else 1
        if tag == "blockquote":
            self._quotes = max(0, self._quotes + step)
        elif tag == "pre":
            self._verbatim = max(0, self._verbatim + step)

    # ---------------------------------------------------------------------- text

    def _text(self, written: str) -> None:
        if not written:
            return
        written = written[: ENTITY_CHARS * self._left]
        plain = _INVISIBLE.sub("", _unescaped(written) if "&" in written else written)
        if self._verbatim:
            first, *rest = plain.split("\n")
            self._line.append(first)
            for line in rest:
                self._end_line()
                self._line.append(line)
        else:
            self._line.append(_SPACES.sub(" ", plain))

    def _break(self) -> None:
        """Begin a line, where none was begun."""
        if "".join(self._line).strip():
            self._end_line()
        else:
            self._line = []

    def _end_line(self) -> None:
        joined = "".join(self._line)
        line = joined if self._verbatim else _SPACES.sub(" ", joined).strip()
        self._line = []
        self._lines.append(self._prefix() + line)
        self._left -= len(line) + 1

    def _prefix(self) -> str:
        return "> " * min(self._quotes, QUOTES_MAX)


def _unescaped(text: str) -> str:
    """Text with its entities as letters; a number too long to be one stays as it is."""
    return unescape(_LONG_NUMBER.sub(r"&amp;\1", text))


def _ascii_lower(text: str) -> str:
    """In small letters as far as markup goes: every character stays where it is."""
    return text.translate({code: code + 32 for code in range(65, 91)})
