"""How a text is finished: greetings and endings, facts of the story, days and hours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.demo import hours
from app.demo.dice import Dice

FRAGMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "es": {
        "hola": ("Hola", "{Saludo}", "Hola, {saludo}", "Hola qué tal", "Qué tal", "Hola 👋"),
        "holan": ("Hola, {nombre}", "{Saludo}, {nombre}", "Hola {nombre}, {saludo}"),
        "gracias": ("Gracias", "Muchas gracias", "Mil gracias", "Gracias 🙏", "Te lo agradezco"),
        "gracias_m": ("gracias", "muchas gracias", "mil gracias", "muchísimas gracias"),
        "gracias_s": ("Gracias.", "Gracias, {nombre}.", "Muchas gracias."),
        "ok": ("Perfecto", "Va", "Sale", "De acuerdo", "Excelente", "Muy bien", "Órale", "Sí"),
        "ok_s": ("Perfecto.", "Hecho.", "Enseguida.", "Listo, {nombre}.", "Con gusto."),
        "claro": ("Claro que sí", "Por supuesto", "Con gusto", "Claro, {nombre}"),
        "fin": (
            *("Quedo al pendiente.", "Cualquier duda, aquí estoy.", "A tus órdenes."),
            *("Quedo a tus órdenes 🙌", "Seguimos en contacto.", "Que tengas excelente día."),
            *("Aquí estoy para lo que necesites{ri}", "Bonito día{ri}", "Escríbeme con confianza."),
        ),
        "ri": ("", " 🙂", " 👍", " 🙏", " 😊", " 🚗"),
        "firma": ("¶¶Saludos,¶{asesor_completo}¶{depto} · Colibrí {sucursal}¶{telefono}",),
        "firma_c": ("¶¶Saludos,¶{nombre}", "¶¶{nombre_completo}", "¶¶Gracias,¶{nombre}", ""),
    },
    "en": {
        "hola": ("Hi", "Hello", "Hi there", "{Saludo}", "Hey"),
        "holan": ("Hi {nombre}", "{Saludo}, {nombre}", "Hello {nombre}"),
        "gracias": ("Thanks", "Thank you", "Many thanks"),
        "gracias_m": ("thanks", "thank you", "thanks a lot", "many thanks"),
        "ok": ("Great", "Perfect", "OK", "Sounds good", "Sure"),
        "ok_s": ("Done.", "Of course.", "Right away."),
        "claro": ("Of course!", "Sure thing!", "No rush at all."),
        "fin": (
            *("I'm here if you need anything.", "Talk soon!", "Have a great day."),
            *("Just write if anything comes up.", "Best regards from Colibrí 🙂"),
        ),
        "ri": ("", " 🙂"),
        "firma": ("¶¶Best regards,¶{asesor_completo}¶{depto} · Colibrí {sucursal}¶{telefono}",),
        "firma_c": ("¶¶Best,¶{nombre}", "¶¶Thanks,¶{nombre_completo}", "¶¶{nombre}"),
    },
}
AUTO_REPLIES = {
    "es": (
        "¡Gracias por escribir a Colibrí! Estamos fuera de horario; te respondemos a primera hora.",
        "Soy el asistente de Colibrí. Abrimos de lunes a viernes de 9 a 19 y sábados de 9 a 14.",
        "Recibimos tu mensaje. Un asesor te escribe en cuanto abramos. Urgencias: 55 5550 0100.",
    ),
    "en": ("Thanks for writing to Colibrí! We open at 9 am and will answer first thing.",),
}
FREE_HOURS = ("12:30", "13:00", "16:00", "16:30", "17:15", "18:00")
# After this day of the month an offer runs until the middle of the next.
LAST_OFFER_DAY = 24
MID_MONTH = 15


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is said, and which appointment the two are talking about."""

    at_us: int
    appointment_us: int | None
    language: str


def fill(template: str, facts: Mapping[str, str], moment: Moment, dice: Dice) -> str:
    """Return the text with each slot filled; KeyError names a slot that nothing fills."""
    text = template.format_map(_Slots(facts, moment, dice)).replace("¶", "\n")
    text = text.replace(" \n", "\n").strip()
    return text[:1].upper() + text[1:]


class _Slots(Mapping[str, str]):
    """The slots of one text, filled when they are asked for."""

    def __init__(self, facts: Mapping[str, str], moment: Moment, dice: Dice) -> None:
        self._facts = facts
        self._moment = moment
        self._dice = dice

    def __getitem__(self, slot: str) -> str:
        fragments = FRAGMENTS[self._moment.language].get(slot)
        if fragments is not None:
            return self._dice.pick(fragments).format_map(self)
        if slot in self._facts:
            return self._facts[slot]
        return self._timely(slot)

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def _timely(self, slot: str) -> str:
        """Return what depends on the hour at which it is said."""
        at_us, language = self._moment.at_us, self._moment.language
        today = hours.local(at_us).date()
        greeting = hours.greeting(at_us, language)
        soon_us = hours.appointment(at_us, self._dice, days=self._dice.between(1, 3))
        return {
            "saludo": greeting,
            "Saludo": greeting.capitalize(),
            "mes": hours.MONTHS[language][today.month - 1],
            "fecha_hoy": hours.spoken_date(today, language),
            "fin_mes": hours.spoken_date(_offer_end(today), language),
            "cierre": hours.closing(at_us, language),
            "dia_prox": hours.spoken_day(soon_us, said_us=at_us, language=language),
            "hora_libre": self._dice.pick(FREE_HOURS),
            "contesta": self._dice.pick(("answered", "answered", "no_answer")),
            "contesta_in": self._dice.pick(("answered", "missed")),
            **self._appointed(),
        }[slot]

    def _appointed(self) -> dict[str, str]:
        """Return the day and the hour of the appointment, if one is agreed."""
        at_us, language = self._moment.appointment_us, self._moment.language
        if at_us is None:
            return {}
        day = hours.spoken_day(at_us, said_us=self._moment.at_us, language=language)
        hour = hours.spoken_time(at_us, language)
        return {"dia": day, "dia_m": day[:1].upper() + day[1:], "hora": hour}


def _offer_end(today: date) -> date:
    """Return the day on which an offer made today ends."""
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    if today.day > LAST_OFFER_DAY:
        return first.replace(day=MID_MONTH)
    return first - timedelta(days=1)
