"""The words of a mail: bytes into text, whatever character set they claim to be in.

Charsets are unknown, wrong, or missing; encoded words are cut in the middle of a letter; raw
bytes stand where none are allowed. Nothing here raises, and no text that comes out holds a NUL
or half of a surrogate pair, which no database keeps.

Sources: RFC 2047 (encoded words), RFC 2231 (parameters), and the WHATWG's table of what charset
labels mean in practice.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

GUESSED_FROM_MAX_BYTES: Final = 2 * 1024
"""How much of a text is looked at to guess its charset: guessing takes milliseconds a KB."""

PARAMETERS_MAX: Final = 100
"""Parameters of one header field; a long file name comes in some ten pieces."""

LINE_MAX_CHARS: Final = 64 * 1024
"""Length of a header that is decoded: beyond is no name and no subject."""

ASCII_MAX: Final = 0x7F

WORD_MAX_BYTES: Final = 32
"""In a text so short, one of two letters may have an accent."""

_MEANT: Final = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
}
"""What a label means in practice: senders say ISO 8859-1 and send Windows' quotes."""

_PLAUSIBLE: Final = [
    *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
"""What text in another script than Latin is in where nobody says so."""

_EIGHT_BITS: Final = {
    "iso2022_jp_ext": "euc_jp",
    "iso2022_kr": "cp949",
    "hz": "gb18030",
    "utf-7": "utf-8",
}
"""Charsets that need no byte beyond ASCII, and what a text with such bytes is in instead."""

_NEVER: Final = frozenset({"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"})
"""Python's codecs that are no charset of anybody's mail."""

_ENCODED: Final = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=(\s+(?==\?))?")
_PARAMETER: Final = re.compile(
    rb";\s*([^\s=;\"]{1,100})\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;]*)", re.DOTALL
)
_QUOTED: Final = re.compile(rb"\\(.)", re.DOTALL)
_SECTION: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that every store keeps: no NUL, no half of a surrogate pair, one kind of line break."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return _SURROGATES.sub("\ufffd", plain)


def decoded(raw: bytes, charset: str | None = None) -> str:
    """Bytes as clean text, in the charset that is named where that can be."""
    return clean(_decoded(raw, charset))


def header_text(raw: bytes | None, charset: str | None = None) -> str:
    """A header's value as one line of text: unfolded, encoded words decoded.

    `charset` is what raw bytes are probably in: that of the mail's text.
    """
    if raw is None:
        return ""
    return " ".join(clean(unworded(bare_text(raw[:LINE_MAX_CHARS], charset))).split())


def bare_text(raw: bytes, charset: str | None = None) -> str:
    """A header's bytes as text, encoded words as they are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _decoded(raw, charset)


def unworded(text: str) -> str:
    """Text with its encoded words decoded; neighbours of one charset are joined before.

    Some mailers cut a text into words in the middle of a letter.
    """
    found: list[str] = []
    last, charset, collected = 0, "", b""

    def flush() -> None:
        if charset:
            found.append(_decoded(collected, charset))

    for word in _ENCODED.finditer(text):
        between = text[last : word.start()]
        named = word[1].partition("*")[0].lower()
        if between or named != charset:
            flush()
            found.append(between)
            collected = b""
        charset = named
        collected += _word_bytes(word[2], word[3])
        last = word.end()
        if word[4] is None and last < len(text):
            flush()
            charset, collected = "", b""
    flush()
    found.append(text[last:])
    return "".join(found)


def plain_word(raw: bytes) -> str:
    """The first word of a header's value, in small letters: `attachment; …` → `attachment`."""
    text = raw[:LINE_MAX_CHARS].partition(b";")[0].decode("ascii", "ignore")
    return " ".join(text.split()).strip('"').lower()


def parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """A header's value in small letters, and its parameters: pieces joined, text decoded."""
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(raw[:LINE_MAX_CHARS])):
        if count >= PARAMETERS_MAX:
            break
        section = _SECTION.fullmatch(found[1].decode("ascii", "ignore").lower())
        if section is not None:
            number = int(section[2] or 0)
            pieces.setdefault(section[1], []).append((number, bool(section[3]), _bare(found[2])))
    return plain_word(raw), {name: _joined(parts) for name, parts in pieces.items()}


# ------------------------------------------------------------------------ inside


def _bare(value: bytes) -> bytes:
    plain = value.strip()
    if plain.startswith(b'"'):
        plain = _QUOTED.sub(rb"\1", plain[1:].removesuffix(b'"'))
    return plain.replace(b"\r", b"").replace(b"\n", b"")


def _joined(parts: list[tuple[int, bool, bytes]]) -> str:
    """The pieces of a parameter, in order; `charset'language'…` before percent signs."""
    parts.sort(key=lambda part: part[0])
    charset: str | None = None
    collected = b""
    for place, (_, is_encoded, value) in enumerate(parts):
        rest = value
        if is_encoded and place == 0 and value.count(b"'") >= 2:  # noqa: PLR2004 - RFC 2231
            named, _, rest = value.split(b"'", 2)
            charset = named.decode("ascii", "ignore") or None
        collected += unquote_to_bytes(rest) if is_encoded else rest
    text = _decoded(collected, charset)
    return clean(text if charset else unworded(text)).strip()


def _word_bytes(kind: str, text: str) -> bytes:
    """What an encoded word holds."""
    raw = text.encode("utf-8", "surrogatepass")
    if kind in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=False)
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    whole = len(plain) - (len(plain) % 4 == 1)
    return binascii.a2b_base64(plain[:whole] + b"=" * (-whole % 4))


def _decoded(raw: bytes, charset: str | None) -> str:
    named = _codec(charset) if charset else None
    for codec in dict.fromkeys((named or "utf-8", "utf-8")):
        try:
            return raw.decode(codec)
        except (UnicodeError, ValueError):
            continue
    if named in {"cp1252", "utf-8"} or named is None:
        return _guessed(raw, named)
    if named in _EIGHT_BITS and not raw.isascii():
        try:
            return raw.decode(_EIGHT_BITS[named])
        except UnicodeError:
            return _guessed(raw, None)
    return raw.decode(named, "replace")


def _guessed(raw: bytes, named: str | None) -> str:
    """Bytes that are not what they claim to be, or claim nothing."""
    if named == "cp1252":
        return raw.decode("latin-1")
    rough = raw.decode("utf-8", "replace")
    wrong = rough.count("\ufffd")
    if wrong * 4 < sum(char > "\x7f" for char in rough):  # a letter that was cut, no other charset
        return rough
    sample = raw[:GUESSED_FROM_MAX_BYTES]
    foreign = sum(byte > ASCII_MAX for byte in sample)
    is_latin = foreign * (4 if len(sample) > WORD_MAX_BYTES else 2) < len(sample)
    # In Latin script few letters have an accent; in any other, nearly all bytes are foreign.
    if is_latin:
        return raw.decode("cp1252", "replace")
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to read, seldom needed

    best = from_bytes(sample, cp_isolation=_PLAUSIBLE).best()
    if best is not None:
        try:
            return raw.decode(best.encoding)
        except (UnicodeError, LookupError):
            pass
    return raw.decode("latin-1")


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """Python's name for a charset; None for one that it does not know."""
    label = charset.strip().strip("\"'").lower()
    meant = _MEANT.get(label, label)
    try:
        found = codecs.lookup(meant)
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name.replace("-", "_") not in _NEVER else None
