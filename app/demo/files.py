"""The files of the demo: pictures drawn, papers set and sounds made from their names alone."""

from __future__ import annotations

import struct
import zlib
from math import exp, isqrt, pi, sin
from typing import TYPE_CHECKING

from app.demo.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, HEIGHT = 480, 320
GROUND_Y = 236
# Sky, hills and road; the paint of a car; what every picture has alike.
SCENES = (
    ("c9d6e4", "8ea5b8", "6f7c86"),
    ("e6d9c9", "b99f86", "8a7d70"),
    ("cfe3d6", "88a996", "6d7a72"),
    ("d9d3e6", "9c93b5", "77738a"),
)
PAINTS = ("4a5f78", "7a4a35", "a5392f", "2f5d50", "8c8f94", "30323a")
ALIKE = ("dce9f0", "1d1e20", "c3c7cb")
SKY, HILL, ROAD, PAINT, GLASS, TYRE, RIM = range(7)
# What is drawn, from behind to the front: from which line to which, where its upper edge begins
# and ends, and by how much each further line is wider to the left and to the right.
SHAPES = (
    (150, GROUND_Y, 250, 250, 3, 3, HILL),
    (180, GROUND_Y, 400, 480, 2, 0, HILL),
    (128, 176, 152, 318, 0.5, 1, PAINT),  # the cabin, and its two windows
    (138, 174, 164, 232, 0.5, 0, GLASS),
    (138, 174, 242, 306, 0, 1, GLASS),
    (174, 186, 96, 392, 1, 1, PAINT),  # the body, rounded above and below
    (186, 226, 84, 404, 0, 0, PAINT),
    (226, 238, 84, 404, -1, -1, PAINT),
)
WHEELS = ((150, 232), (338, 232))
TYRE_R, RIM_R = 34, 15
RATE_HZ = 8_000
NOTES_HZ = (523.25, 659.25, 783.99)
NOTE_S = 0.6
PAPER = (595, 842)


def content_of(name: str) -> tuple[str, str, bytes] | None:
    """Return name, media type and bytes of a file; None for a kind that is not made here."""
    stem, _, kind = name.rpartition(".")
    match kind:
        case "jpg":
            return f"{stem}.png", "image/png", _picture(name)
        case "pdf":
            return name, "application/pdf", _paper(stem)
        case "ogg":
            return f"{stem}.wav", "audio/wav", _sound()
        case _:
            return None


# ------------------------------------------------------------------------------ a picture


def _picture(name: str) -> bytes:
    """Return a PNG: a car before hills, in colours that the name decides."""
    dice = Dice("picture", name)
    colours = (*dice.pick(SCENES), dice.pick(PAINTS), *ALIKE)
    palette = b"".join(bytes.fromhex(one) for one in colours)
    shift = dice.between(-24, 24)
    rows = b"".join(b"\0" + bytes(_row(y, shift)) for y in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _row(y: int, shift: int) -> bytearray:
    """Return one line of colour numbers: what stands behind first."""
    row = bytearray([ROAD if y >= GROUND_Y else SKY]) * WIDTH
    for left, right, colour in _spans(y):
        by = shift if colour >= PAINT else 0
        begin, end = max(left + by, 0), min(right + by, WIDTH)
        row[begin:end] = bytes([colour]) * max(end - begin, 0)
    return row


def _spans(y: int) -> Iterator[tuple[int, int, int]]:
    """Yield from where to where a line has which colour."""
    for top, bottom, left, right, leftward, rightward, colour in SHAPES:
        if top <= y < bottom:
            down = y - top
            yield int(left - leftward * down), int(right + rightward * down), colour
    for x, centre in WHEELS:
        for radius, colour in ((TYRE_R, TYRE), (RIM_R, RIM)):
            if abs(y - centre) < radius:
                half = isqrt(radius * radius - (y - centre) ** 2)
                yield x - half, x + half, colour


# -------------------------------------------------------------------- a paper, and a sound


def _paper(stem: str) -> bytes:
    """Return a PDF of one page that says what it is."""
    title = stem.replace("-", " ").capitalize().encode("cp1252", "replace")
    lines = (
        b"BT /F 20 Tf 60 760 Td (" + title + b") Tj ET",
        b"BT /F 11 Tf 60 730 Td (Grupo Colibr\xed Automotriz) Tj ET",
        b"0.8 g 60 716 475 1 re f",
        *(b"0.92 g 60 %d %d 7 re f" % (680 - 24 * n, 470 - 37 * (n % 5)) for n in range(18)),
    )
    drawn = b"\n".join(lines)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R" % PAPER
        + b"/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        font,
    )
    text, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(text))
    return text + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + tail


def _sound() -> bytes:
    """Return a WAV: three notes that fade."""
    length = int(RATE_HZ * NOTE_S)
    heard = bytes(
        128 + round(80 * exp(-5 * at / length) * sin(2 * pi * note * at / RATE_HZ))
        for note in NOTES_HZ
        for at in range(length)
    )
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ, 1, 8)
    data = b"WAVE" + form + struct.pack("<4sI", b"data", len(heard)) + heard
    return struct.pack("<4sI", b"RIFF", len(data)) + data
