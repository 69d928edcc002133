"""One contact's year, told line by line: which variant, in answer to what, by whom."""

import re
from dataclasses import dataclass, replace

from app.demo import hours
from app.demo.dice import Dice, digits_of
from app.demo.facts import car_facts, dates, deal_of, facts_of
from app.demo.group import CAMPAIGN_OF_CAR, CAMPAIGNS, CAMPAIGNS_OF, staff_for
from app.demo.people import Person
from app.demo.phrases import AUTO_REPLIES, Moment, fill
from app.demo.plot import Beat
from app.demo.script import Step, Story
from app.demo.wire import MAIL, MANUAL, Line, body_of

FILE = re.compile(r"\[(?:foto|pdf|audio|video|doc) ([^\]]+)\]")
# Marks at the head of a text: not delivered, quoting the message before, with copies.
FAILS, QUOTES, COPIES = "! ", "^ ", "[cc] "
# Out of hours the assistant answers, but not everywhere and not twice a day.
AUTO_REPLY_CHATS = "wmi"
AUTO_REPLY_PERCENT = 45
AUTO_REPLY_GAP_US = 14 * hours.HOUR_US
CAMPAIGN_PERCENT = 85
QUOTE_PERCENT = 70
# After one of these somebody has another car, or thinks of one.
BOUGHT = frozenset({"entrega", "en_drive"})
DECIDED = BOUGHT | {"perdido"}
NEW_CAR_KM = 35
AUTO_KIND = {"B": "bulk", "S": "bulk", "b": "bounce"}
PLATE_LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Told:
    """One append request, and what the statuses need to know about it."""

    person: Person
    at_us: int
    serial: int
    code: str
    outbound: bool
    fails: bool
    body: dict[str, object]

    @property
    def answers(self) -> bool:
        """Whether with this the company has said something itself."""
        return self.outbound and "auto" not in self.body


@dataclass(frozen=True, slots=True)
class _Said:
    """A message that a later one may quote or answer."""

    external_id: str
    root: str
    subject: str
    text: str
    name: str
    at_us: int


@dataclass(frozen=True, slots=True)
class _Car:
    """A car that the contact drives, and what it had run at some moment."""

    name: str
    plate: str
    km: int
    at_us: int


@dataclass(slots=True)
class _Run:
    """One run of a story: its facts, and the variants by which its lines are linked."""

    story: Story
    chat: str
    facts: dict[str, str]
    campaign: str | None
    variant: int = 0
    first_variant: int = -1

    def use(self, index: int) -> None:
        """Note which variant was said."""
        self.variant = index
        if self.first_variant < 0:
            self.first_variant = index


class Teller:
    """Tells one contact's stories one after the other, and remembers what has been said."""

    def __init__(self, person: Person, *, seed: int, begin_us: int) -> None:
        """Begin to tell the year of a contact whose first story is at `begin_us`."""
        self._person = person
        self._seed = seed
        self._dice = Dice(seed, "teller", person.key)
        self._deals = 0
        self._deal = self._new_deal()
        self._cars = [
            _Car(name, plate, Dice("km", plate).between(6_000, 44_000), begin_us)
            for name, plate in person.autos
        ]
        self._runs = 0
        self._serial = 0
        self._uses: dict[str, int] = {}
        self._last: dict[tuple[str, bool], _Said] = {}
        self._mail: _Said | None = None
        self._auto_replied_us = 0

    def tell(self, story: Story, beats: list[Beat], chat: str, *, assisted: bool) -> list[Told]:
        """Return what is said in one run; `assisted` lets the assistant answer out of hours."""
        if not beats:
            return []
        run = _Run(story, chat, self._facts(story, beats[0].at_us), self._campaign(story))
        told: list[Told] = []
        for beat in beats:
            line, fails = self._line(run, beat, first=not told)
            told.append(self._keep(line, fails=fails))
            if assisted:
                told += self._auto_reply(line)
        self._runs += 1
        self._decide(story, beats[-1].at_us)
        return told

    def _decide(self, story: Story, at_us: int) -> None:
        """Let the contact drive the car that was bought, and think of the next one."""
        if story.name in BOUGHT:
            letters = "".join(self._dice.pick(PLATE_LETTERS) for _ in range(4))
            plate = f"{letters[0]}{self._dice.between(10, 98)}-{letters[1:]}"
            name = f"{self._deal['modelo']} {hours.local(at_us).year}"
            self._cars = [_Car(name, plate, NEW_CAR_KM, at_us)]
        if story.name in DECIDED:
            self._deals += 1
            self._deal = self._new_deal()

    def _new_deal(self) -> dict[str, str]:
        """Return the car that the contact thinks of next."""
        return deal_of(self._person.language, Dice(self._seed, self._person.key, self._deals))

    def _facts(self, story: Story, start_us: int) -> dict[str, str]:
        """Return the facts of this run."""
        staff = staff_for(story.department, self._person.branch)
        car = self._cars[self._runs % len(self._cars)]
        days = max(start_us - car.at_us, 0) // hours.DAY_US
        return {
            **facts_of(self._person, staff, self._deal, self._dice),
            **car_facts(auto=car.name, plate=car.plate, days=days, base_km=car.km),
            **dates(start_us, self._person.language, self._dice),
            "placa2": self._cars[(self._runs + 1) % len(self._cars)].plate,
        }

    def _campaign(self, story: Story) -> str | None:
        """Return the campaign that this run belongs to, if it belongs to one."""
        keys = CAMPAIGNS_OF.get(story.department, ()) if story.campaign else ()
        if not keys or not self._dice.chance(CAMPAIGN_PERCENT):
            return None
        about = CAMPAIGN_OF_CAR.get(self._deal["modelo"])
        return CAMPAIGNS[about if about and story.department == "Ventas" else self._dice.pick(keys)]

    def _line(self, run: _Run, beat: Beat, *, first: bool) -> tuple[Line, bool]:
        """Return the line of one beat, and whether it cannot be delivered."""
        code = run.chat if beat.step.code == "x" else beat.step.code
        template = self._variant(run, beat.step)
        fails, template = template.startswith(FAILS), template.removeprefix(FAILS)
        quotes, template = template.startswith(QUOTES), template.removeprefix(QUOTES)
        copies, template = template.startswith(COPIES), template.removeprefix(COPIES)
        moment = Moment(beat.at_us, beat.appointment_us, self._person.language)
        subject, _, written = template.rpartition("// ") if code in MAIL else ("", "", template)
        text = fill(written, run.facts, moment, self._dice)
        line = Line(
            person=self._person,
            staff=staff_for(run.story.department, self._person.branch),
            department=run.story.department,
            code=code,
            outbound=beat.step.outbound,
            at_us=_typed(code, beat.at_us),
            serial=self._serial,
            text=FILE.sub("", text).replace("  ", " ").strip() or None,
            subject=fill(subject, run.facts, moment, self._dice) or None,
            campaign=run.campaign,
            first=first,
            auto=AUTO_KIND.get(code),
            copies=copies,
            files=tuple(name.replace(" ", "-") for name in FILE.findall(text)),
        )
        return self._joined(line, quotes=quotes), fails

    def _variant(self, run: _Run, step: Step) -> str:
        """Return the step's text: the linked variant, or the next that was not yet used."""
        count = len(step.variants)
        if step.link == "#":
            index = run.first_variant
        elif step.link == "=":
            index = run.variant
        else:
            start = Dice(self._seed, self._person.key, step.key).below(count)
            index = start + self._uses.get(step.key, 0)
            self._uses[step.key] = self._uses.get(step.key, 0) + 1
        run.use(index % count)
        return step.variants[index % count]

    def _joined(self, line: Line, *, quotes: bool) -> Line:
        """Return the line with what it answers: a mail's thread, a quoted message, a group."""
        if line.code == "e" and line.subject is None and self._mail is not None:
            return self._reply(line, self._mail)
        if line.code == "g":
            return replace(line, thread=f"{digits_of('group', line.person.key, count=18)}@g.us")
        before = self._last.get((line.code, not line.outbound))
        return replace(line, quotes=before.external_id) if quotes and before else line

    def _reply(self, line: Line, before: _Said) -> Line:
        """Return the mail as an answer to the one before, perhaps with its words below."""
        text = line.text or ""
        if self._dice.chance(QUOTE_PERCENT):
            text += _quotation(before, self._person.language)
        subject, key = before.subject, before.external_id
        return replace(line, subject=subject, text=text, quotes=key, thread=before.root)

    def _keep(self, line: Line, *, fails: bool = False) -> Told:
        """Remember a line for those that answer it, and return it with its request."""
        self._serial += 1
        body = body_of(line, self._seed)
        key = str(body["external_id"])
        said = _Said(
            external_id=key,
            root=line.thread or key,
            subject=_reply_subject(line.subject or ""),
            text=line.text or "",
            name=line.staff.name if line.outbound else line.person.name,
            at_us=line.at_us,
        )
        self._last[line.code, line.outbound] = said
        if line.code == "e":
            self._mail = said
        return Told(line.person, line.at_us, line.serial, line.code, line.outbound, fails, body)

    def _auto_reply(self, line: Line) -> list[Told]:
        """Return the assistant's answer to a message out of hours, or nothing."""
        if line.outbound or line.code not in AUTO_REPLY_CHATS or hours.is_open(line.at_us):
            return []
        recent = line.at_us - self._auto_replied_us < AUTO_REPLY_GAP_US
        if recent or not self._dice.chance(AUTO_REPLY_PERCENT):
            return []
        self._auto_replied_us = line.at_us
        answer = Line(
            person=self._person,
            staff=line.staff,
            department=line.department,
            code=line.code,
            outbound=True,
            at_us=line.at_us + self._dice.between(2_000, 6_000) * 1_000,
            serial=self._serial,
            text=self._dice.pick(AUTO_REPLIES[self._person.language]),
            auto="auto_reply",
        )
        return [self._keep(answer)]


def _typed(code: str, at_us: int) -> int:
    """Return the moment as it is typed into a form: in whole minutes, where it is."""
    return at_us - at_us % hours.MINUTE_US if code in MANUAL else at_us


def _reply_subject(subject: str) -> str:
    """Return the subject of an answer to this one."""
    return subject if subject.startswith("Re: ") else f"Re: {subject}"


def _quotation(said: _Said, language: str) -> str:
    """Return the first words of the mail that is answered, as mail programs quote them."""
    paragraphs = [part for part in said.text.split("\n\n") if part]
    count = 2 if paragraphs and paragraphs[0].endswith((":", ",")) else 1
    lines = [line for part in paragraphs[:count] for line in part.splitlines()]
    day = hours.spoken_date(hours.local(said.at_us).date(), language)
    wrote = f"El {day}, {said.name} escribió:" if language == "es" else f"{said.name} wrote:"
    return f"\n\n{wrote}\n" + "\n".join(f"> {line}" for line in lines)
