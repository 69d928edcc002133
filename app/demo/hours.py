"""The company's hours and the way people name a day.

Times are whole microseconds since 1970 in UTC. Mexico City has kept UTC-06:00 all year since
2022, so a fixed offset is exact for every date that the demo can show.
"""

from datetime import UTC, date, datetime, timedelta, timezone

from app.demo.dice import Dice

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

ZONE = timezone(timedelta(hours=-6))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OPEN_HOUR = 9
CLOSE_HOUR = 19
CLOSE_HOUR_SATURDAY = 14
SATURDAY = 5
SUNDAY = 6
# Customers write earlier and later than anybody answers, but not at night.
WAKE_MINUTE = 7 * 60 + 20
SLEEP_MINUTE = 22 * 60 + 40
NOON_HOUR = 12
EVENING_HOUR = 19
# Nobody is given an appointment at shorter notice.
NOTICE_US = 14 * HOUR_US
# Within a week people say the day's name, later the date.
NAMED_DAYS_MAX = 6

WEEKDAYS = {
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio"),
        *("agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
}


def local(at_us: int) -> datetime:
    """Return the moment on the company's wall clock."""
    return (EPOCH + timedelta(microseconds=at_us)).astimezone(ZONE)


def micros(moment: datetime) -> int:
    """Return the microseconds since 1970 of a moment with a zone."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def rfc3339(at_us: int) -> str:
    """Return the moment as RFC 3339 with the company's offset and microseconds."""
    return local(at_us).isoformat(timespec="microseconds")


def is_open(at_us: int) -> bool:
    """Return whether the branches are open at that moment."""
    moment = local(at_us)
    if moment.weekday() == SUNDAY:
        return False
    close = CLOSE_HOUR_SATURDAY if moment.weekday() == SATURDAY else CLOSE_HOUR
    return OPEN_HOUR <= moment.hour < close


def closing(at_us: int, language: str) -> str:
    """Return the hour at which the branches close that day, in words."""
    saturday = local(at_us).weekday() == SATURDAY
    if language == "es":
        return f"{CLOSE_HOUR_SATURDAY if saturday else CLOSE_HOUR}:00"
    return "2 pm" if saturday else "7 pm"


def last_office(at_us: int, dice: Dice) -> int:
    """Return the moment itself, or else some time before the branches last closed."""
    while not is_open(at_us):
        at_us -= at_us % (10 * MINUTE_US) or 10 * MINUTE_US
    return at_us - dice.below(40 * 60) * SECOND_US if at_us % (10 * MINUTE_US) == 0 else at_us


def office(at_us: int, dice: Dice) -> int:
    """Return the moment itself, or else some minutes after the branches next open."""
    if is_open(at_us):
        return at_us
    moment = local(at_us)
    opening = moment.replace(hour=OPEN_HOUR, minute=0, second=0, microsecond=0)
    while opening < moment or opening.weekday() == SUNDAY:
        opening += timedelta(days=1)
    return micros(opening) + dice.between(2 * 60, 50 * 60) * SECOND_US


def awake(at_us: int, dice: Dice) -> int:
    """Return the moment itself, or else some time after people get up."""
    moment = local(at_us)
    minute = moment.hour * 60 + moment.minute
    if WAKE_MINUTE <= minute < SLEEP_MINUTE:
        return at_us
    morning = moment.replace(hour=7, minute=30, second=0, microsecond=0)
    if minute >= SLEEP_MINUTE:
        morning += timedelta(days=1)
    return micros(morning) + dice.between(60, 110 * 60) * SECOND_US


def last_waking(at_us: int) -> int:
    """Return the moment itself, or in the night the last one at which people still write."""
    moment = local(at_us)
    minute = moment.hour * 60 + moment.minute
    if WAKE_MINUTE <= minute < SLEEP_MINUTE:
        return at_us
    evening = moment.replace(hour=22, minute=20, second=0, microsecond=0)
    if minute < WAKE_MINUTE:
        evening -= timedelta(days=1)
    return micros(evening)


def appointment(at_us: int, dice: Dice, *, days: int) -> int:
    """Return a free half hour about `days` days later, while the branches are open."""
    day = local(at_us) + timedelta(days=days)
    if day.weekday() == SUNDAY:
        day += timedelta(days=1)
    half_hours = 8 if day.weekday() == SATURDAY else 17
    start = day.replace(hour=OPEN_HOUR, minute=30, second=0, microsecond=0)
    slot = micros(start) + dice.below(half_hours) * 30 * MINUTE_US
    return slot if slot > at_us + NOTICE_US else appointment(at_us, dice, days=days + 1)


def spoken_day(day_us: int, *, said_us: int, language: str) -> str:
    """Return how somebody speaking at `said_us` names the day: "mañana", "el jueves"."""
    day, today = local(day_us).date(), local(said_us).date()
    ahead = (day - today).days
    if 0 <= ahead <= 1:
        return (("hoy", "mañana") if language == "es" else ("today", "tomorrow"))[ahead]
    if 1 < ahead <= NAMED_DAYS_MAX:
        name = WEEKDAYS[language][day.weekday()]
        return f"el {name}" if language == "es" else f"on {name}"
    return f"el {spoken_date(day, language)}" if language == "es" else spoken_date(day, language)


def spoken_date(day: date, language: str) -> str:
    """Return the date in words without the year: "14 de marzo", "March 14"."""
    month = MONTHS[language][day.month - 1]
    return f"{day.day} de {month}" if language == "es" else f"{month} {day.day}"


def spoken_time(at_us: int, language: str) -> str:
    """Return the hour as people write it: "16:30", "4:30 pm"."""
    moment = local(at_us)
    if language == "es":
        return f"{moment.hour}:{moment.minute:02}"
    half = "pm" if moment.hour >= NOON_HOUR else "am"
    return f"{(moment.hour - 1) % NOON_HOUR + 1}:{moment.minute:02} {half}"


def greeting(at_us: int, language: str) -> str:
    """Return the greeting of that hour, in small letters."""
    hour = local(at_us).hour
    part = 0 if hour < NOON_HOUR else 1 if hour < EVENING_HOUR else 2
    spanish = ("buenos días", "buenas tardes", "buenas noches")
    english = ("good morning", "good afternoon", "good evening")
    return (spanish if language == "es" else english)[part]
