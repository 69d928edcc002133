"""The invented dealer group: its branches, people, numbers, mailboxes, campaigns and cars.

Telephone numbers are valid but of the 555 kind; mailboxes and sites are on example domains.
"""

from dataclasses import dataclass

from app.demo.dice import uuid_of

COMPANY = "Grupo Colibrí Automotriz"
DOMAIN = "colibri.example.mx"


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the company's branches."""

    key: str
    name: str
    street: str
    phone: str


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works at the company."""

    name: str
    department: str
    branch: str

    @property
    def email(self) -> str:
        """The address with which they would sign in."""
        first, last = self.name.translate(PLAIN).lower().split()[:2]
        return f"{first}.{last}@{DOMAIN}"

    @property
    def user(self) -> str:
        """A stable UUID, for calls from their own mobile (`user:<uuid>`)."""
        return uuid_of("staff", self.name)

    @property
    def first_name(self) -> str:
        """What customers call them."""
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class Car:
    """A model that the group sells: its name and the list price of its three versions."""

    name: str
    prices: tuple[int, int, int]


PLAIN = str.maketrans("áéíóúñüÁÉÍÓÚÑ", "aeiounuAEIOUN")

BRANCHES = {
    "del-valle": Branch("del-valle", "Del Valle", "Av. Coyoacán 1188", "+525555500110"),
    "satelite": Branch("satelite", "Satélite", "Circuito Médicos 45", "+525555500120"),
    "santa-fe": Branch("santa-fe", "Santa Fe", "Vasco de Quiroga 3310", "+525555500130"),
}

DEPARTMENTS = {
    "ventas": "Ventas",
    "seminuevos": "Seminuevos",
    "taller": "Taller",
    "posventa": "Posventa",
    "financiamiento": "Financiamiento",
    "refacciones": "Refacciones",
    "flotillas": "Flotillas",
}

CAMPAIGNS = {
    "venta-suv": "Venta SUV",
    "estrena-hibrido": "Estrena híbrido",
    "bono-de-toma-a-cuenta": "Bono de toma a cuenta",
    "feria-del-auto": "Feria del auto",
    "seminuevos-certificados": "Seminuevos certificados",
    "flotillas-pyme": "Flotillas PyME",
    "taller-al-cien": "Taller al cien",
}
# Which campaigns bring people to which department, and which are about one car.
CAMPAIGN_OF_CAR = {"Cumbre": "venta-suv", "Cumbre Híbrida": "estrena-hibrido"}
CAMPAIGNS_OF = {
    "Ventas": ("bono-de-toma-a-cuenta", "feria-del-auto"),
    "Seminuevos": ("seminuevos-certificados",),
    "Flotillas": ("flotillas-pyme",),
    "Taller": ("taller-al-cien",),
}

STAFF = (
    Staff("Mariana Ibarra Solís", "Ventas", "del-valle"),
    Staff("Rodrigo Peñaloza", "Ventas", "satelite"),
    Staff("Ximena Alcocer Ruiz", "Ventas", "santa-fe"),
    Staff("Emilio Zárate", "Ventas", "del-valle"),
    Staff("Fabiola Montaño", "Seminuevos", "satelite"),
    Staff("Héctor Uribe Lara", "Taller", "del-valle"),
    Staff("Lucero Bañuelos", "Taller", "satelite"),
    Staff("Joaquín Tovar", "Taller", "santa-fe"),
    Staff("Rosa Elena Cárdenas", "Posventa", "del-valle"),
    Staff("Iván Olmedo", "Posventa", "satelite"),
    Staff("Nayeli Cortázar", "Financiamiento", "del-valle"),
    Staff("Samuel Reyna", "Refacciones", "satelite"),
    Staff("Patricia Luján", "Flotillas", "del-valle"),
)

TEAMS = {
    "Ventas": frozenset({"Ventas", "Seminuevos", "Financiamiento", "Flotillas"}),
    "Servicio": frozenset({"Taller", "Posventa", "Refacciones"}),
}

WHATSAPP_BUSINESS = "203344556677889"
WHATSAPP_SALES = ("106540352249101", "+525555500140")
WHATSAPP_SERVICE = ("106540352249202", "+525555500150")
SERVICE_DEPARTMENTS = frozenset({"Taller", "Posventa", "Refacciones"})
SMS_PHONE = "+525555500160"
SMS_SHORT_CODE = "25800"
MESSENGER_PAGE = "100200300400501"
INSTAGRAM_ACCOUNT = "17841400550060007"
TELEGRAM_BOT = "7100200300"
WEBCHAT_ACCOUNT = "colibri-web"
MAILBOXES = {
    "Ventas": "ventas",
    "Seminuevos": "seminuevos",
    "Taller": "taller",
    "Posventa": "posventa",
    "Financiamiento": "financiamiento",
    "Refacciones": "refacciones",
    "Flotillas": "flotillas",
}
NEWSLETTER_MAILBOX = "novedades"
IMPORT_SOURCE = "import:crm-anterior"
SURVEY_SOURCE = "api:encuestas"

SOURCES = {
    f"whatsapp:{WHATSAPP_SALES[0]}": "WhatsApp · Ventas CDMX",
    f"whatsapp:{WHATSAPP_SERVICE[0]}": "WhatsApp · Taller y posventa",
    f"messenger:{MESSENGER_PAGE}": "Messenger · Colibrí Automotriz",
    f"instagram:{INSTAGRAM_ACCOUNT}": "Instagram · @colibri.autos",
    f"telegram:{TELEGRAM_BOT}": "Telegram · @ColibriAutosBot",
    f"webchat:{WEBCHAT_ACCOUNT}": "Chat del sitio",
    f"sms:{SMS_PHONE}": "SMS · +52 55 5550 0160",
    f"sms:{SMS_SHORT_CODE}": "SMS · avisos 25800",
    "form:web": "Formularios del sitio",
    SURVEY_SOURCE: "Encuestas de satisfacción",
    IMPORT_SOURCE: "CRM anterior",
    "manual": "Registro manual",
    **{f"call:{branch.phone}": f"Teléfono · {branch.name}" for branch in BRANCHES.values()},
    **{f"email:{box}@{DOMAIN}": f"Correo · {name}" for name, box in MAILBOXES.items()},
    f"email:{NEWSLETTER_MAILBOX}@{DOMAIN}": "Correo · boletín",
}

CARS = (
    Car("Alzor Brisa", (289_900, 318_900, 347_900)),
    Car("Alzor Lucero", (342_900, 376_900, 409_900)),
    Car("Alzor Cumbre", (489_900, 534_900, 578_900)),
    Car("Alzor Cumbre Híbrida", (598_900, 642_900, 689_900)),
    Car("Alzor Mezquite", (521_900, 569_900, 634_900)),
)
VERSIONS = ("Activa", "Plena", "Élite")
HYBRID = CARS[3]
FLEET_CAR = "Alzor Faena"
FLEET_PRICE = 438_900
USED_CARS = (
    ("Lucero 2021", 268_000),
    ("Brisa 2022", 239_000),
    ("Cumbre 2020", 349_000),
    ("Mezquite 2021", 428_000),
)


def staff_for(department: str, branch: str) -> Staff:
    """Return who of the department looks after that branch."""
    team = [person for person in STAFF if person.department == department]
    return next((person for person in team if person.branch == branch), team[0])
