"""What the house did beside talking: whose a conversation is, notes, and what became of messages.

Pure, like company.py: the same year, `now_us` and seed give the same deeds. A deed is a time, a
kind and a body; app/demo/doing.py carries them out.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from app.demo import hours
from app.demo.dice import Dice
from app.demo.group import IMPORT_SOURCE, staff_for
from app.demo.hours import DAY_US, MINUTE_US, SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.demo.people import Person
    from app.demo.teller import Told

Deed = tuple[int, str, dict[str, object]]
"""When, what kind, and what more: `change`, `note`, `assign`, `resolve` or `snooze`."""

# What was quiet for so long has mostly been settled; what is younger may still rest a while.
SETTLED_US = 3 * DAY_US
RESTING_US = 30 * DAY_US
LEFT_OPEN_PERCENT = 12
SNOOZED_PERCENT = 30
TAKEN_PERCENT = 55
NOTED_PERCENT = 45
# Of a hundred messages of a chat, so many met with this.
REACTION_PERCENT = 5
REACTION_OF_STAFF_PERCENT = 2
EDIT_PERCENT = 2
REVOKE_PERCENT = 1
CHATS = frozenset("wtmig")
EDITABLE = frozenset("wt")
REACTIONS = ("👍", "🙏", "❤️", "😂")
AFTERTHOUGHTS = {
    "es": ("¡Gracias!", "Si se puede, hoy mismo.", "Perdón por la prisa."),
    "en": ("Thanks!", "Today, if you can.", "Sorry for the rush."),
}
NOTES = {
    "Ventas": (
        "Decide con su pareja; vienen juntos el sábado. Tener lista la propuesta con seguro.",
        "Compara con otra agencia. Le importa más el plazo que el enganche.",
        "Quiere entregar su auto a cuenta: falta la factura de origen.",
    ),
    "Seminuevos": ("Pide revisión mecánica por escrito antes de apartar.",),
    "Taller": (
        "Llega sin cita si no se le confirma la víspera. Llamar, no escribir.",
        "Autorizó hasta $4,500 sin preguntar; por encima, llamar antes.",
    ),
    "Posventa": (
        "Tercera visita por el mismo testigo: que lo vea Héctor en persona.",
        "Prometimos auto de cortesía hasta el viernes.",
    ),
    "Financiamiento": ("Faltan dos estados de cuenta y el comprobante de domicilio.",),
    "Refacciones": ("Pieza pedida a planta; avisar en cuanto llegue.",),
    "Flotillas": (
        "Factura a nombre de la empresa, con número de orden en cada renglón.",
        "Prefiere que los autos entren de dos en dos, los martes.",
    ),
}


def deeds(year: Sequence[Told], *, now_us: int, seed: int) -> Iterator[Deed]:
    """Yield what was done in a year, contact after contact; nothing after `now_us`."""
    lives = sorted(year, key=lambda told: told.person.key)  # within one, the year's order stays
    for _, life in groupby(lives, key=lambda told: told.person.key):
        for deed in _of_life(list(life), now_us, seed):
            if deed[0] <= now_us:
                yield deed


def _of_life(life: list[Told], now_us: int, seed: int) -> Iterator[Deed]:
    person = life[0].person
    dice = Dice(seed, "deeds", person.key)
    for told in life:
        if told.code in CHATS and told.body["source"] != IMPORT_SOURCE:
            yield from _changes(told, dice, is_last=told is life[-1])
    if person.name:  # whoever never said a name is found by no deed
        yield from _notes(life, dice)
        yield from _work(person, life[-1], dice, now_us)


def _work(person: Person, last: Told, dice: Dice, now_us: int) -> Iterator[Deed]:
    """Yield whose it is now, and whether it is settled or rests."""
    place: dict[str, object] = {"contact": person.name, "by": _staff(last)}
    quiet_us = now_us - last.at_us
    if person.waits_for is not None:
        if dice.chance(TAKEN_PERCENT):
            yield last.at_us + SECOND_US, "assign", place
        return
    taken_us = hours.office(last.at_us + dice.between(2, 30) * MINUTE_US, dice)
    yield taken_us, "assign", place
    if quiet_us < RESTING_US and dice.chance(SNOOZED_PERCENT):
        until_us = hours.appointment(now_us, dice, days=1 + dice.below(4))
        yield taken_us + MINUTE_US, "snooze", {**place, "until": until_us}
    elif quiet_us > SETTLED_US and not dice.chance(LEFT_OPEN_PERCENT):
        yield taken_us + dice.between(5, 180) * MINUTE_US, "resolve", place


def _notes(life: list[Told], dice: Dice) -> Iterator[Deed]:
    """Yield perhaps one note about the contact, written while something was going on."""
    heard = [told for told in life if not told.outbound][-6:]
    if not heard or not dice.chance(NOTED_PERCENT):
        return
    told = dice.pick(heard)
    text = dice.pick(NOTES[str(told.body["department"])])
    who = _staff(told)
    body: dict[str, object] = {"contact": told.person.name, "by": who, "text": text}
    yield told.at_us + dice.between(3, 40) * MINUTE_US, "note", body


def _changes(told: Told, dice: Dice, *, is_last: bool) -> Iterator[Deed]:
    """Yield what became of one message of a chat: a reaction, an edit, a deletion."""
    at_us = told.at_us + dice.between(20, 900) * SECOND_US
    if told.outbound:
        if dice.chance(REACTION_PERCENT):
            yield at_us, "change", _change(told, "reaction", emoji=dice.pick(REACTIONS))
        return
    text = told.body.get("text")
    if dice.chance(REACTION_OF_STAFF_PERCENT):
        yield at_us, "change", _change(told, "reaction", emoji=REACTIONS[0], by="staff")
    elif text and told.code in EDITABLE and dice.chance(EDIT_PERCENT):
        more = dice.pick(AFTERTHOUGHTS[told.person.language])
        yield at_us, "change", _change(told, "edit", text=f"{text} {more}")
    elif text and not is_last and dice.chance(REVOKE_PERCENT):
        yield at_us, "change", _change(told, "revoke")


def _change(told: Told, kind: str, **more: object) -> dict[str, object]:
    side = "destination" if told.outbound else "resource"
    body = {key: told.body[key] for key in ("source", "external_id")}
    return {**body, "address": told.body[side], "kind": kind, **more}


def _staff(told: Told) -> str:
    return staff_for(str(told.body["department"]), told.person.branch).name
