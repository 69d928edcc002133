"""The body of a mail as HTML that may be shown: nothing in it runs, calls home or leaves its place.

What is not known to be harmless is taken out: scripts, forms, frames, styles beyond the look of
text. Images that came with the mail are shown from where they are kept; those elsewhere would
tell their owner who reads when, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import unquote

import nh3

HTML_MAX_CHARS: Final = 2 * 1024 * 1024
"""How much HTML is made safe; what is longer is read as text, and kept in the mail itself."""

NESTED_MAX: Final = 500
"""How deep elements stand in each other: tables in tables make some 60. The time that making
safe takes grows with the square of it: 20,000 levels take a second."""

_STYLES: Final = frozenset(
    {
        *("background-color", "border", "border-collapse", "border-color", "border-style"),
        *("border-width", "color", "direction", "font-family", "font-size", "font-style"),
        *("font-weight", "height", "letter-spacing", "line-height", "list-style-type", "margin"),
        *("margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding"),
        *("padding-bottom", "padding-left", "padding-right", "padding-top", "text-align"),
        *("text-decoration", "text-indent", "text-transform", "vertical-align", "white-space"),
        "width",
    }
)
_LOOKS: Final = frozenset({"style", "align", "valign", "dir", "lang", "title", "bgcolor"})
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "*": _LOOKS,
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan", "width", "height"}),
    "th": frozenset({"colspan", "rowspan", "width", "height", "scope"}),
    "table": frozenset({"width", "border", "cellpadding", "cellspacing"}),
    "font": frozenset({"color", "face", "size"}),
    "ol": frozenset({"start", "type"}),
}
_TAGS: Final = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite"),
        *("code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em", "font", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre"),
        *("q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody"),
        *("td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr"),
    }
)
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "cid", "data"})
_INLINE: Final = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_LINKS: Final = ("http://", "https://", "mailto:", "tel:")

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NOT_NESTED: Final = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"),
        *("track", "wbr", "p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead"),
    }
)
"""Elements without an end, or whose end goes without saying."""

_AROUND: Final = (
    '<!doctype html><html><head><meta charset="utf-8"></head><body>{body}</body></html>'
)


def safe_html(written: Sequence[str], images: Mapping[str, str]) -> bytes | None:
    """The parts of a body as one document in UTF-8; None where it is too long or too deep.

    `images` are the addresses of the images that came along, by their Content-ID.
    """
    html = "\n<hr>\n".join(written)
    if not html.strip() or len(html) > HTML_MAX_CHARS or _is_deep(html):
        return None
    body = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=partial(_filtered, images=images),
        filter_style_properties=set(_STYLES),
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return _AROUND.format(body=body).encode("utf-8", "replace")


def _filtered(tag: str, name: str, value: str, *, images: Mapping[str, str]) -> str | None:
    """The value that an attribute may have; None takes it out."""
    if tag == "img" and name == "src":
        scheme, _, id_ = value.partition(":")
        if scheme.lower() == "cid":
            return images.get(id_) or images.get(unquote(id_))
        return value if _INLINE.match(value) else None
    if tag == "a" and name == "href":
        return value if value.strip().lower().startswith(_LINKS) else None
    return value


def _is_deep(html: str) -> bool:
    """Whether more elements stand in each other than people's mailers write."""
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() in _NOT_NESTED:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > NESTED_MAX:
            return True
    return False
