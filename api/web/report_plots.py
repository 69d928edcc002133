"""Plots as numbers: where bars begin, how high columns are, how dark an hour of the week is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

SERIES_MAX: Final = 5
"""Colours of a stack: four channels, and all others together."""

COLUMNS_MAX: Final = 92
"""Columns of the plot by time: more are thinner than a finger's line; weeks are shown instead."""

HEIGHT: Final = 200
WIDTH: Final = 600
LEFT: Final = 40
LABELS_MAX: Final = 12
SHADES: Final = 5


class Slice(Struct, frozen=True):
    """A part of a column: which series (from 1), where it begins, how high it is."""

    series: int
    y: float
    height: float


class Column(Struct, frozen=True):
    """A column: its label where there is room for one, its place, its parts, its sum."""

    label: str
    title: str
    x: float
    slices: tuple[Slice, ...]
    total: int


class Stack(Struct, frozen=True):
    """A plot by time: columns of one width under a scale."""

    columns: tuple[Column, ...]
    width: float
    series: tuple[str, ...]
    ticks: tuple[tuple[float, int], ...]


def stacked(
    rows: Sequence[Mapping[str, Any]], unit: str, order: Sequence[str], times: Sequence[str] = ()
) -> Stack:
    """Interactions by time and channel as a stack; `order` names the busiest channels first.

    `times`: columns that stand there in any case, so that a gap is one.
    """
    series = tuple(order[: SERIES_MAX - 1])
    has_others = len(order) >= SERIES_MAX
    places = {channel: number for number, channel in enumerate(series)}
    found: dict[str, list[int]] = {time: [0] * SERIES_MAX for time in times}
    for row in rows:
        counts = found.setdefault(str(row[unit]), [0] * SERIES_MAX)
        counts[places.get(row["channel"], SERIES_MAX - 1)] += row["interactions"]
    top = _round_up(max((sum(counts) for counts in found.values()), default=1))
    step = WIDTH / max(len(found), 1)
    every = -(-len(found) // LABELS_MAX)
    columns = []
    for number, (label, counts) in enumerate(found.items()):
        shown = label if number % every == 0 else ""
        x = round(LEFT + number * step + step * 0.1, 1)
        columns.append(Column(shown, label, x, _slices(counts, top), sum(counts)))
    ticks = tuple((HEIGHT - HEIGHT * part / 4, top * part // 4) for part in range(5))
    named = (*series, "") if has_others else series
    return Stack(tuple(columns), round(step * 0.8, 1), named, ticks)


def _slices(counts: Sequence[int], top: int) -> tuple[Slice, ...]:
    found, y = [], float(HEIGHT)
    for number, count in enumerate(counts, 1):
        if count:
            height = HEIGHT * count / top
            y -= height
            found.append(Slice(number, round(y, 1), round(height, 1)))
    return tuple(found)


def _round_up(value: int) -> int:
    """The next number whose quarters are whole and easily read."""
    step = 4
    while step * 10 < value:
        step *= 10
    return -(-value // step) * step if value > step else step


def shade(count: int, most: int) -> int:
    """How dark: 0 for nothing, 5 for the most."""
    return 0 if not count else max(1, -(-count * SHADES // max(most, 1)))
