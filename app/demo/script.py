"""The small notation in which the demo's stories are written, and its reader.

A story is a run of lines; a line that begins with a space goes on with the one before.

    == cita | Taller | campaña     name, department, and "campaña" where its campaign counts
    @ 1-3d                         an appointment is made for 1 to 3 days later
    x< Hola | Buenas               the contact writes (<), one of the variants
    ?2-9m x> Claro                 the company answers (>) after 2-9 minutes; ? means "perhaps"
    &x< Gracias                    only if the line with ? before it was there
    =x> De nada | A ti             the variant of the same place as in the line before
    #x> Sí | No                    the variant of the same place as in the story's first line
    cita v< Llegó a su cita        at the time of the appointment

Codes: w WhatsApp, s SMS, m Messenger, i Instagram, t Telegram, c web chat, x the chat of this
run, g WhatsApp group, e e-mail ("subject // body"; without a subject it is a reply, ¶ is a new
line), f form, v visit, l call ("outcome seconds"), W WhatsApp call, L call from an own mobile,
o anything else by hand, q survey, S SMS blast, B newsletter, b bounced mail.
In a text {slot} is filled in, a leading ^ quotes the message before, a leading ! means that it
could not be delivered, and [foto name] attaches a file (foto, pdf, audio, video, doc).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
APPOINTMENT = "@"
CODES = "wsmitcxgefvlWLoqSBb"
LINE = re.compile(
    r"(?P<mark>[?&]?)(?P<link>[=#]?)(?:(?P<delay>cita|\d+(?:-\d+)?[smhd]) )?"
    rf"(?P<code>[{CODES}])(?P<way>[<>])(?: (?P<text>.*))?"
)
SPAN = re.compile(r"(\d+)(?:-(\d+))?([smhd])")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a story: who says what, how, and after how many seconds."""

    key: str
    code: str
    outbound: bool
    delay_s: tuple[int, int] | None
    at_appointment: bool
    mark: str
    link: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One topic from its first to its last message."""

    name: str
    department: str
    campaign: bool
    steps: tuple[Step, ...]


def parse(text: str) -> Iterator[Story]:
    """Yield the stories of a text, or raise ValueError naming the line that cannot be read."""
    for block in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        head, *lines = _joined(block)
        name, department, *rest = (part.strip() for part in head.split("|"))
        steps = tuple(_step(f"{name}.{number}", line) for number, line in enumerate(lines))
        yield Story(name, department, "campaña" in rest, steps)


def _joined(block: str) -> list[str]:
    """Return the block's lines, each with those that continue it."""
    lines: list[str] = []
    for line in block.splitlines():
        if line.startswith(" "):
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return lines


def _step(key: str, line: str) -> Step:
    """Return the step that a line describes."""
    if line.startswith(APPOINTMENT):
        span = _span(line.removeprefix(APPOINTMENT).strip())
        return Step(
            key,
            APPOINTMENT,
            outbound=True,
            delay_s=span,
            at_appointment=False,
            mark="",
            link="",
            variants=("",),
        )
    match = LINE.fullmatch(line)
    if match is None:
        message = f"{key}: this line is not in the notation: {line}"
        raise ValueError(message)
    delay = match["delay"]
    timed = delay is not None and delay != "cita"
    return Step(
        key,
        match["code"],
        outbound=match["way"] == ">",
        delay_s=_span(delay) if timed else None,
        at_appointment=delay == "cita",
        mark=match["mark"],
        link=match["link"],
        variants=tuple(part.strip() for part in (match["text"] or "").split(" | ")),
    )


def _span(text: str) -> tuple[int, int]:
    """Return the seconds that a span such as "2-9m" or "3d" allows."""
    match = SPAN.fullmatch(text)
    if match is None:
        message = f"{text} is not a span of time such as 2-9m or 3d"
        raise ValueError(message)
    low, high, unit = int(match[1]), int(match[2] or match[1]), UNIT_S[match[3]]
    return low * unit, high * unit
