"""When each line of a story is said: answers take minutes, offices close, people sleep."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.demo import hours
from app.demo.dice import Dice
from app.demo.hours import HOUR_US, MINUTE_US, SECOND_US
from app.demo.script import APPOINTMENT, Step, Story

OPTIONAL_PERCENT = 64
# Answers by how patient they are: (percent of cases, fewest seconds, most seconds).
ANSWER_STAFF = ((68, 50, 540), (24, 600, 3_000), (8, 3_600, 14_400))
ANSWER_CONTACT = ((60, 25, 480), (30, 540, 4_200), (10, 7_200, 28_800))
ANSWER_MAIL = ((55, 1_200, 9_000), (45, 9_000, 40_000))
# Whatever is still to be said before an appointment uses at most this part of the time left.
HASTE = 3
BEFORE_APPOINTMENT_US = 25 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Beat:
    """One line of a story and its moment, with the appointment that is then agreed."""

    step: Step
    at_us: int
    appointment_us: int | None


def forward(story: Story, dice: Dice, *, start_us: int, until_us: int) -> list[Beat]:
    """Return the story's beats from `start_us` on, as far as `until_us`."""
    beats: list[Beat] = []
    clock_us, agreed_us, pending_us = start_us, None, None
    for step in _chosen(story, dice):
        if step.code == APPOINTMENT:
            low, high = step.delay_s or (0, 0)
            days = dice.between(low, high) // 86_400
            agreed_us = pending_us = hours.appointment(clock_us, dice, days=days)
            continue
        clock_us = _next(step, clock_us, pending_us, dice)
        pending_us = None if step.at_appointment else pending_us
        if clock_us > until_us:
            break
        beats.append(Beat(step, clock_us, agreed_us))
    return beats


def backward(story: Story, end_us: int, dice: Dice) -> list[Beat]:
    """Return the story's beats such that the last one falls on `end_us`."""
    steps = list(_chosen(story, dice))
    beats: list[Beat] = []
    clock_us = end_us
    for step in reversed(steps):
        if beats and step.outbound:
            clock_us = hours.last_office(clock_us, dice)
        elif beats:
            clock_us = hours.last_waking(clock_us)
        beats.insert(0, Beat(step, clock_us, None))
        clock_us -= _wait_us(step, dice)
    return beats


def _chosen(story: Story, dice: Dice) -> Iterator[Step]:
    """Yield the steps, leaving some of the optional ones out."""
    kept = True
    for step in story.steps:
        if step.mark == "?":
            kept = dice.chance(OPTIONAL_PERCENT)
        if kept or not step.mark:
            yield step


def _next(step: Step, clock_us: int, pending_us: int | None, dice: Dice) -> int:
    """Return when the step happens after `clock_us`."""
    if step.at_appointment and pending_us is not None:
        late_us = dice.between(-6, 12) * MINUTE_US + dice.below(60) * SECOND_US
        return max(pending_us + late_us, clock_us + MINUTE_US)
    wait_us = _wait_us(step, dice)
    if pending_us is not None:
        wait_us = min(wait_us, max((pending_us - clock_us) // HASTE, SECOND_US))
    at_us = _suitable(step, clock_us + wait_us, dice)
    if pending_us is not None and at_us >= pending_us:
        return max(pending_us - BEFORE_APPOINTMENT_US, clock_us + 20 * SECOND_US)
    return at_us


def _suitable(step: Step, at_us: int, dice: Dice) -> int:
    """Return the first moment from `at_us` on at which such a thing happens."""
    answered = step.code == "l" and step.variants[0].startswith(("answered", "{contesta"))
    if step.outbound or answered or step.code in "vLo":
        return hours.office(at_us, dice)
    return hours.awake(at_us, dice)


def _wait_us(step: Step, dice: Dice) -> int:
    """Return how long the step lets the other side wait."""
    if step.delay_s is not None:
        low_s, high_s = step.delay_s
    else:
        habit = ANSWER_STAFF if step.outbound else ANSWER_CONTACT
        low_s, high_s = _habit(ANSWER_MAIL if step.code == "e" else habit, dice)
    return dice.between(low_s, high_s) * SECOND_US + dice.below(SECOND_US)


def _habit(table: tuple[tuple[int, int, int], ...], dice: Dice) -> tuple[int, int]:
    """Return the fewest and most seconds of one of the table's cases."""
    throw = dice.below(100)
    for percent, low_s, high_s in table:
        if throw < percent:
            return low_s, high_s
        throw -= percent
    return table[-1][1:]


def spread(dice: Dice, *, days: int, runs: int, now_us: int) -> Iterator[int]:
    """Yield when each of `runs` stories begins, spread over the last `days` days."""
    share_us = days * hours.DAY_US // runs
    first_us = now_us - days * hours.DAY_US
    for run in range(runs):
        jitter_us = dice.below(max(share_us // 2, HOUR_US)) if run else 0
        yield first_us + run * share_us + jitter_us
