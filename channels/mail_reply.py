"""Where in a text the sender's own words end, and the mail that they answer begins.

The text is never cut: what is found is a place in it. Mailers announce a quote in one of three
ways, in the language of whoever answers: a line of attribution (`El lun, 3 nov 2025 … escribió:`),
a block of headers (`De: … Enviado: …`), or `>` before every line to the end. A forwarded mail is
what the sender wants to show, and no quote.
"""

from __future__ import annotations

import re
from typing import Final

LINES_MAX: Final = 5_000
"""Lines in which a quote is looked for; nobody writes so many above one."""

ATTRIBUTION_MAX_CHARS: Final = 400
"""Length of an attribution: a date, a name, an address, on at most three lines."""

FIELDS_MIN: Final = 2
"""Fields below a sender that make a block of headers; one alone may be anybody's sentence."""

_BEGINS: Final = re.compile(
    r"(?:on|el|le|am|il|em|op|den|dnia|w dniu|dne|pe|på|kl\.|в|<|\d|\S{2,10},? )", re.IGNORECASE
)
"""What an attribution of several lines begins with."""

_WROTE: Final = re.compile(
    r"(?:wrote|writes|escribi[óo]|escrib(?:e|ía)|a écrit|schrieb(?: [^:]{0,80})?|ha scritto"
    r"|escreveu|schreef(?: op [^:]{0,80})?|skrev(?: [^:]{0,80})?|napisa[łl]\(?a?\)?|napsal\(?a?\)?"
    r"|kirjoitti|пишет|написал(?:а)?|yazdı|a scris|va escriure|写道|寫道|のメール|님이 작성)"
    r"\s*[:：]?$",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(
    r"[-_*\s]{2,}\s*(?:original message|mensaje original|mensagem original|message d.origine"
    r"|messaggio originale|ursprüngliche nachricht|originalnachricht|oorspronkelijk bericht"
    r"|original appointment|reply message|missatge original)\s*[-_*\s]{2,}",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(r"\*{0,2}([\w\- ]{1,20}?)\s?:\*{0,2}\s", re.UNICODE)
_FROM: Final = frozenset({"from", "de", "von", "da", "van", "från", "fra", "od", "от"})
_FIELDS: Final = frozenset(
    {
        *("sent", "date", "to", "cc", "subject"),
        *("enviado", "enviado el", "enviada", "enviado em", "fecha", "para", "asunto", "data"),
        *("gesendet", "datum", "an", "betreff", "envoyé", "à", "objet", "inviato", "a", "oggetto"),
        *("assunto", "verzonden", "aan", "onderwerp", "skickat", "till", "ämne", "wysłano", "do"),
        *("temat", "дата", "кому", "тема", "отправлено", "copia", "kopie"),
    }
)
_RULE: Final = re.compile(r"[_\-=─]{5,}")


def quote_start(text: str) -> int | None:
    """The character at which the quoted mail begins.

    None where nothing stands above a quote, and where the sender answers between its lines.
    """
    lines = text.split("\n", LINES_MAX)[:LINES_MAX]
    end = _signature(lines)
    announced = next((n for n in range(len(lines)) if _announces(lines, n)), len(lines))
    start = min(_with_what_leads(lines, announced), _tail(lines[:end], len(lines)))
    if start == len(lines) or not any(line.strip() for line in lines[:start]):
        return None
    below = (line for line in lines[announced + 1 : end] if line.strip())
    if next(below, "").startswith(">") and not all(line.startswith(">") for line in below):
        return None
    return sum(len(line) + 1 for line in lines[:start])


def _signature(lines: list[str]) -> int:
    """The line of a signature under a quote, which is nobody's answer; else behind the last."""
    marks = [number for number, line in enumerate(lines) if line.rstrip() == "--"]
    if marks and any(line.startswith(">") for line in lines[: marks[-1]]):
        return marks[-1]
    return len(lines)


def _tail(lines: list[str], none: int) -> int:
    """The line from which on all are quoted; `none` where the last one is not."""
    start = none
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(">"):
            start = number
        elif lines[number].strip():
            break
    return start


def _announces(lines: list[str], number: int) -> bool:
    """Whether a line says that another's mail follows."""
    line = lines[number].strip()
    if not line or len(line) > ATTRIBUTION_MAX_CHARS or line.startswith(">"):
        return False
    if _SEPARATOR.fullmatch(line):
        return True
    if line[-1] in ":：" and _WROTE.search(line):
        above = " ".join(lines[max(0, number - 2) : number])[-ATTRIBUTION_MAX_CHARS:]
        return any(char.isdigit() or char == "@" for char in above + line)
    return _is_header_block(lines, number)


def _is_header_block(lines: list[str], number: int) -> bool:
    """Whether a sender is named here, and two more fields of a mail's head below."""
    first = _FIELD.match(lines[number].strip())
    if first is None or first[1].strip().lower() not in _FROM:
        return False
    found = set()
    for line in lines[number + 1 : number + 7]:
        field = _FIELD.match(line.strip() + " ")
        if field is not None and field[1].strip().lower() in _FIELDS:
            found.add(field[1].strip().lower())
    return len(found) >= FIELDS_MIN


def _with_what_leads(lines: list[str], number: int) -> int:
    """The place of an announcement with the rule and the first lines of it above."""
    if number == len(lines):
        return number
    start = number
    if _WROTE.search(lines[number].strip()):
        for above in (number - 1, number - 2):
            if above < 0 or not lines[above].strip():
                break
            if _BEGINS.match(lines[above].strip()) and any(map(str.isdigit, lines[above])):
                start = above
    while start > 0 and (not lines[start - 1].strip() or _RULE.fullmatch(lines[start - 1].strip())):
        start -= 1
    return start
