"""What one run of a story is about: the car, the price, the order, the piece that is worn."""

from app.demo import hours
from app.demo.dice import Dice
from app.demo.group import (
    BRANCHES,
    CARS,
    FLEET_CAR,
    FLEET_PRICE,
    HYBRID,
    USED_CARS,
    VERSIONS,
    Staff,
)
from app.demo.people import Person

PARTS = {
    "es": (
        *("las balatas delanteras", "los amortiguadores traseros", "la batería", "las bujías"),
        *("el soporte del motor", "la banda de accesorios", "el filtro de cabina"),
        *("los discos de freno", "la bomba de agua", "las plumas limpiaparabrisas"),
        *("el sensor de oxígeno", "los bujes de la suspensión", "el termostato"),
    ),
    "en": (
        *("the front brake pads", "the battery", "the rear shocks", "the wiper blades"),
        *("the drive belt", "the cabin filter", "the spark plugs", "the water pump"),
    ),
}
COLOURS = {
    "es": ("gris niebla", "rojo cantera", "blanco perla", "azul talavera", "negro obsidiana"),
    "en": ("fog grey", "quarry red", "pearl white", "talavera blue", "obsidian black"),
}
INSURERS = ("Seguros Atalaya", "Quetzal Seguros", "Aseguradora del Anáhuac", "La Ceiba Seguros")
DRIVERS = ("Ramiro", "Beto", "Iván", "Chucho", "Toño", "Lupe", "Efraín")
PLACES = (
    *(
        "la México-Toluca, km 28",
        "Viaducto a la altura de Tlalpan",
        "Circuito Interior y Misterios",
    ),
    *("la salida a Puebla", "el Periférico, en Tepepan", "Insurgentes Norte, junto al metro"),
    *("la caseta de Tepotzotlán", "Ermita y La Viga"),
)
DENTS = ("puerta trasera derecha", "facia delantera", "salpicadera izquierda", "cajuela")
DOWN_PAYMENT_PERCENT = 20
MONTHS_CHOICE = (24, 36, 48, 60)
# What a month costs for each peso lent, by number of months; near a 14 % yearly rate.
MONTHLY_RATE = {24: 0.0480, 36: 0.0342, 48: 0.0273, 60: 0.0233}
SERVICE_STEP_KM = 10_000
KM_PER_DAY = 46


def pesos(amount: float) -> str:
    """Return an amount in whole pesos as it is written in Mexico."""
    return f"${round(amount):,}"


def phone_label(phone: str) -> str:
    """Return one of the company's numbers as people read it."""
    return f"{phone[3:5]} {phone[5:9]} {phone[9:]}"


def facts_of(person: Person, staff: Staff, deal: dict[str, str], dice: Dice) -> dict[str, str]:
    """Return the facts of one run, the people's and the deal's among them."""
    branch = BRANCHES[person.branch]
    names = person.name.split()
    return {
        "nombre": names[0] if names else "",
        "nombre_completo": person.name,
        "correo": person.mail or "",
        "empresa": person.company or "la empresa",
        "asesor": staff.first_name,
        "asesor_completo": staff.name,
        "depto": staff.department,
        "sucursal": branch.name,
        "sucursal_id": branch.key,
        "direccion": branch.street,
        "telefono": phone_label(branch.phone),
        **deal,
        **_numbers(dice),
        **_things(person.language, dice),
    }


def deal_of(language: str, dice: Dice) -> dict[str, str]:
    """Return the new car that somebody has in mind, its price and its credit."""
    car, version = dice.pick(CARS), dice.below(len(VERSIONS))
    price = car.prices[version]
    lower = price - dice.between(6, 15) * 1_000
    down = round(price * DOWN_PAYMENT_PERCENT / 100 / 1_000) * 1_000
    months = dice.pick(MONTHS_CHOICE)
    other = dice.pick([one for one in CARS if one is not car])
    return {
        "modelo": car.name.removeprefix("Alzor "),
        "modelo2": other.name.removeprefix("Alzor "),
        "version": VERSIONS[version],
        "color": dice.pick(COLOURS[language]),
        "precio": pesos(price),
        "precio2": pesos(lower),
        "enganche": pesos(down),
        "plazo": str(months),
        "mensual": pesos((lower - down) * MONTHLY_RATE[months]),
        "tasa": f"12.{dice.between(1, 9)}",
        "precio_flota": pesos(FLEET_PRICE),
        "precio_entrada": pesos(CARS[0].prices[0]),
        "precio_hibrido": pesos(HYBRID.prices[0]),
        "toma": pesos(dice.between(118, 264) * 1_000),
    }


def car_facts(*, auto: str, plate: str, days: int, base_km: int) -> dict[str, str]:
    """Return what is true of an owned car `days` days after it stood at `base_km`."""
    km = base_km + days * KM_PER_DAY
    due = (km // SERVICE_STEP_KM + 1) * SERVICE_STEP_KM
    return {
        "auto": auto,
        "placa": plate,
        "placa_fin": next(mark for mark in reversed(plate) if mark.isdigit()),
        "km": f"{km:,}",
        "kms": f"{due:,}",
    }


def dates(start_us: int, language: str, dice: Dice) -> dict[str, str]:
    """Return the date that somebody promises when a story begins."""
    promised = hours.appointment(start_us, dice, days=dice.between(8, 13))
    return {"fecha": hours.spoken_date(hours.local(promised).date(), language)}


def _numbers(dice: Dice) -> dict[str, str]:
    """Return the numbers of papers and the costs of one run."""
    return {
        "orden": f"OT-{dice.between(20_410, 38_990)}",
        "folio": f"{dice.pick('ABCFGKMR')}{dice.between(10_200, 98_700)}",
        "factura": f"CFA-{dice.between(4_100, 9_900)}",
        "costo": pesos(dice.between(17, 52) * 100 - 10),
        "costo2": pesos(dice.between(24, 118) * 100 - dice.pick((0, 10, 50))),
        "dias": str(dice.between(2, 6)),
        "cod": str(dice.between(101, 799)),
        "flota_n": str(dice.between(3, 12)),
    }


def _things(language: str, dice: Dice) -> dict[str, str]:
    """Return the things and places of one run."""
    part = dice.pick(PARTS[language])
    used, used_price = dice.pick(USED_CARS)
    return {
        "pieza": part,
        "usado": used,
        "precio_usado": pesos(used_price),
        "aseguradora": dice.pick(INSURERS),
        "chofer": dice.pick(DRIVERS),
        "lugar": dice.pick(PLACES),
        "golpe": dice.pick(DENTS),
        "modelo_flota": FLEET_CAR,
    }
