"""Settings: the frame of their sections, who sees which, and how their forms come and go.

Each section has a module of its own beside this one (settings_me, _people, _teams, _words,
_tokens). A form that cannot be carried out comes back with its section, everything typed in it,
and what is wrong below its field; what is shown only once comes with the section as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import Request, Response
from msgspec import Struct, structs

from api.parameters import Freshness, Query
from api.reads import look, written
from api.web.acting import carry_out
from api.web.forms import Held, held_of
from api.web.ground import frame_of, open_page, redirect
from api.web.languages import N_
from api.web.making import Shown, maker_of
from domain.errors import HiloError, NotAllowed, NotFound, NotSignedIn, TooMany, WrongState
from domain.people_book import LAST_ADMINISTRATOR
from projections.dictionary import DEPARTMENT, USER

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from api.web.acting import Sent
    from api.web.ground import Work
    from domain.commands import FactReceipt

DONE: Final = ("", "saved", "password", "signed-out", "revoked", "suspended", "restored")
"""What the page says after a form was carried out."""

NEVER_SENT_BACK: Final = frozenset({"csrf", "next", "form", "current", "password", "again"})
"""Fields that a form which comes back does not hold."""


class Section(Struct, frozen=True):
    """A section of the settings; `scope` and `leads` say who sees it, `word` is its message."""

    name: str
    icon: str
    word: str
    scope: str | None = None
    leads: bool = False

    def is_for(self, caller: Caller) -> bool:
        """Whether somebody sees it."""
        return (self.scope is None or caller.may(self.scope)) and (caller.leads or not self.leads)

    @property
    def path(self) -> str:
        """Its address."""
        return f"/settings/{self.name}"


ME: Final = Section("me", "user", N_("Me"))
PEOPLE: Final = Section("people", "users", N_("People"), "manage", leads=True)
TEAMS: Final = Section("teams", "team", N_("Teams"), "manage", leads=True)
DEPARTMENTS: Final = Section("departments", "walkin", N_("Departments"), "manage", leads=True)
CAMPAIGNS: Final = Section("campaigns", "flag", N_("Campaigns"), "manage", leads=True)
SOURCES: Final = Section("sources", "link", N_("Sources"), "manage", leads=True)
TOKENS: Final = Section("tokens", "key", N_("Tokens"), "admin")

SECTIONS: Final = (ME, PEOPLE, TEAMS, DEPARTMENTS, CAMPAIGNS, SOURCES, TOKENS)
"""The sections, in their order."""

Fill = Callable[["Look"], Mapping[str, Any]]
"""What a section shows."""

Ready = Callable[[Query], Fill]
"""What a section reads from its address, before it looks."""


class Made(Struct, frozen=True):
    """What a form made that is shown only now; `values` are for the template."""

    values: Mapping[str, Any]


class Room(Struct, frozen=True):
    """A page of the settings: its section, its template, and what it shows.

    `states`: form → field and word that say why it cannot be done in the present state.
    """

    section: Section
    template: str
    ready: Ready
    states: Mapping[str, tuple[str, str]] = {}
    path: str = ""

    @property
    def address(self) -> str:
        """Where it stands."""
        return self.path or self.section.path


Carry = Callable[["Caller", "Sent"], Awaitable["Made | Response | None"]]
"""What a form does: nothing more to say, an answer of its own, or something shown only now."""


async def show(request: Request, room: Room, *, index: bool = False) -> Response:
    """A section as a page; the `index` shows the list of all where there is room for one pane."""

    def prepare(request: Request, caller: Caller) -> Work:
        require(caller, room.section)
        query = Query(request)
        done = query.choice("done", DONE, "")
        fill = room.ready(query)
        query.close()
        return lambda look: _shown(look, room, fill, {"done": done, "index": index})

    return await open_page(request, prepare, scope=room.section.scope)


async def keep(request: Request, room: Room, carry: Carry) -> Response:
    """Carry out a form of a section, and show the section as it is then."""

    async def act(caller: Caller, sent: Sent) -> Response:
        require(caller, room.section)
        held = Held()
        values: Mapping[str, Any] = {}
        try:
            made = await carry(caller, sent)
        except (NotSignedIn, NotAllowed, NotFound):
            raise
        except HiloError as error:
            held = _held(error, sent, room)
        else:
            if isinstance(made, Response):
                return made
            if made is None:
                return redirect(f"{room.address}?done=saved")
            values = made.values
        query = Query(request)
        fill = room.ready(query)
        more = {**values, "held": held}
        again = await look(
            request, caller, Freshness(), lambda look: _again(look, room, fill, more)
        )
        return maker_of(request).page(request, again)

    return await carry_out(request, act, scope=room.section.scope)


def require(caller: Caller, section: Section) -> None:
    """Raise NotAllowed for whom a section is not meant, and for programs."""
    if not section.is_for(caller) or caller.csrf is None or caller.user is None:
        raise NotAllowed("This is for managers and administrators.")
    if caller.plain.on_behalf_of is not None:
        raise NotAllowed("Only the person themself may do this, signed in with a browser.")


def require_administrator(caller: Caller) -> None:
    """Raise NotAllowed for whoever may look, but not change."""
    if not caller.may("admin"):
        raise NotAllowed("This needs the scope `admin`.")


async def settle(services: Services, receipt: FactReceipt | None) -> None:
    """Wait until the next page shows what a form did."""
    if receipt is not None:
        await written(services, receipt.last)


def departments(look: Look, *kept: str | None) -> list[tuple[str, str]]:
    """Key and name of the departments that forms offer, and of those that are chosen already."""
    found = look.names.all(DEPARTMENT)
    return [(one.key, one.name) for one in found if one.active or one.key in kept]


def users(look: Look, *kept: str | None) -> list[tuple[str, str]]:
    """Id and name of the users who may enter, and of those who are chosen already."""
    found = [one for one in look.names.all(USER) if one.extra.sign_in]
    return [(one.key, one.name) for one in found if one.active or one.key in kept]


def body(**fields: object) -> bytes:
    """The fields of a form as the body of the API's own call, which says what is wrong with it."""
    return msgspec.json.encode(fields)


def _again(look: Look, room: Room, fill: Fill, more: Mapping[str, Any]) -> Shown:
    shown = _shown(look, room, fill, more)
    return structs.replace(shown, values={**frame_of(look), **shown.values})


def _shown(look: Look, room: Room, fill: Fill, more: Mapping[str, Any]) -> Shown:
    sections = [one for one in SECTIONS if one.is_for(look.caller)]
    frame = {"sections": sections, "section": room.section, "done": "", "index": False}
    values = {**frame, "held": Held(), "made": None, **fill(look), **more}
    return Shown(room.template, values, "settings", values["held"].status)


def _held(error: HiloError, sent: Sent, room: Room) -> Held:
    """A form that was refused: what it holds, and the words for what is wrong."""
    form = sent.one("form")
    fields = {
        name: " ".join(values)
        for name, values in sent.fields.items()
        if name not in NEVER_SENT_BACK
    }
    held = held_of(error, form, fields)
    if isinstance(error, TooMany):
        return structs.replace(held, problem="later")
    if not isinstance(error, WrongState):
        return held
    if str(error) == LAST_ADMINISTRATOR:
        return structs.replace(held, problem="last-administrator")
    field, word = room.states.get(form.partition(":")[0], ("", "state"))
    if not field:
        return structs.replace(held, problem=word)
    return structs.replace(held, errors={field: word}, problem="fields")
