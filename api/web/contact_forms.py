"""What the pages about one contact have in common: how they open, and how a form is answered.

A form that was refused comes again with all that was typed, what is wrong at its field, and what
can be done about it. Where it was carried out, the page goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from msgspec import Struct

from api.auth import services_of
from api.parameters import POSITION_MAX, Freshness, uuid_in_path, uuid_of
from api.problems import problem_of
from api.reads import look
from api.web.acting import carry_out
from api.web.ground import frame_of, redirect
from api.web.making import Shown, maker_of
from api.web.words import WORDS
from domain import contact, identity_book
from domain.commands import Repeatable
from domain.errors import (
    AddressTaken,
    ChangedMeanwhile,
    HiloError,
    InvalidInput,
    KeyReused,
    NotFound,
    StateConflict,
    Unavailable,
    WrongState,
)
from projections.dictionary import USER

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Found, Look
    from api.web.acting import Sent
    from domain.commands import By
    from projections.dictionary import Named
    from projections.shapes import ContactView

STATES: Final = {
    identity_book.FULL: "full",
    identity_book.NAMED_AFTER: "named_after",
    identity_book.HANGS: "hangs",
    identity_book.NOBODY: "nobody",
    identity_book.ONE_ALREADY: "one_already",
    contact.MERGED_MEANWHILE: "changed",
    contact.ERASED: "erased",
}
"""Why the state of things refuses it → the sentence that says what to do."""

REFUSALS: Final = (InvalidInput, StateConflict, ChangedMeanwhile, Unavailable)
"""What a form can be refused for, and sent again; everything else ends on a page of its own."""


class Form(Struct, frozen=True):
    """A form as it stands on its page: as it was sent, and what is wrong with it.

    `errors` field → word of the vocabulary `contact`, `problem` such a word about all of it.
    `taken` is the contact that has the address, where the reader may see it. `key` makes one
    command of a form that is sent twice.
    """

    key: str
    fields: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
    problem: str = ""
    taken: str | None = None
    status: int = 200

    def value(self, name: str, otherwise: str | None = "") -> str:
        """What a field shows: what was typed, else what is known."""
        return self.fields[name][0] if name in self.fields else otherwise or ""

    def many(self, name: str) -> list[str]:
        """What is ticked of several."""
        return self.fields.get(name, [])

    @property
    def was_sent(self) -> bool:
        """Whether it comes back, refused."""
        return bool(self.fields)


Do = Callable[["Caller", "Sent"], Awaitable[str]]
"""What a form does; it gives the address where one goes on."""

Show = Callable[["Look", Form], Shown]
"""The page of a form."""


def fresh(look: Look) -> Form:
    """A form that nobody has sent yet."""
    return Form(str(look.services.new_id()))


async def send(request: Request, do: Do, show: Show) -> Response:
    """Carry a form out and go on; refused, its page comes again with what is wrong."""

    async def act(caller: Caller, sent: Sent) -> Response:
        try:
            where = await do(caller, sent)
        except REFUSALS as error:
            form = refused(error, sent, str(services_of(request).new_id()))
            again = await look(
                request, caller, Freshness(), lambda look: framed(look, show(look, form))
            )
            return maker_of(request).page(request, again)
        return redirect(where)

    return await carry_out(request, act)


def framed(look: Look, shown: Shown) -> Shown:
    """A page with what its frame says of the reader."""
    return Shown(shown.template, {**frame_of(look), **shown.values}, shown.tab, shown.status)


def refused(error: HiloError, sent: Sent, key: str) -> Form:
    """A form that comes back: what is wrong with it, in words that the pages have."""
    errors: dict[str, str] = {}
    problem, taken = "", None
    match error:
        case InvalidInput():
            for one in error.errors:
                field = one.field.partition("[")[0].removeprefix("query.")
                errors.setdefault(field, _word(field, one.code))
        case AddressTaken():
            problem, taken = "taken" if error.contact else "taken_hidden", error.contact
        case WrongState():
            problem = STATES.get(error.detail, "state")
        case ChangedMeanwhile():
            problem = "changed"
        case KeyReused():
            problem = "sent"
        case _:
            problem = "busy"
    status = problem_of(error).status
    return Form(key, dict(sent.fields), errors, problem, taken, status)


def _word(field: str, code: str) -> str:
    """The sentence about a field; a plain one where nobody wrote a better."""
    known = WORDS["contact"]
    return next((one for one in (f"{field}.{code}", code) if one in known), "unread")


# ------------------------------------------------------------------------- one contact


def id_of(request: Request) -> UUID:
    """The contact that a path names. Raises NotFound."""
    return uuid_in_path(request.path_params["id"])


def of_contact(
    request: Request, id: UUID, part: str, show: Callable[[Look, Found], Shown]
) -> Callable[[Look], Shown | Response]:
    """A page about a contact; another id leads to where it stands now."""

    def work(look: Look) -> Shown | Response:
        found = look.contact(id)
        if found.moved:
            query = urlencode(request.query_params.multi_items())
            return redirect(f"/contacts/{found.id}/{part}" + (f"?{query}" if query else ""), 302)
        return show(look, found)

    return work


def view_of(look: Look, id: UUID) -> ContactView:
    """A contact as its page shows it. Raises NotFound."""
    shown = look.renderer.contact(look.reading, look.contact(id).id.bytes)
    if shown is None:
        raise NotFound("There is no such contact.")
    return shown


def staff(look: Look) -> list[Named]:
    """Those who may sign in."""
    return [one for one in look.names.all(USER) if one.active and one.extra.sign_in]


# ----------------------------------------------------------------------- what was sent


def author(request: Request, caller: Caller, sent: Sent) -> By:
    """Who sent a form. Sent twice it is one command: with other content it is refused."""
    key = sent.one("key")
    if uuid_of(key) is None:
        return caller.by()
    derive = services_of(request).ledger.derive
    said = [
        part
        for name, values in sorted(sent.fields.items())
        if name not in {"csrf", "key"}
        for part in (name, *values)
    ]
    command_id = derive.id("command", caller.actor.kind, caller.actor.id, f"form:{key}")
    return caller.by(Repeatable(command_id, derive.code("body", request.url.path, *said)))


def version_in(sent: Sent, name: str = "version") -> int | None:
    """The version that somebody saw when they filled the form in."""
    text = sent.one(name)
    plain = text.isascii() and text.isdigit() and len(text) < len(str(POSITION_MAX))
    return int(text) if plain else None


def typed_address(text: str) -> str:
    """An address as people write it, with its scheme: a number, an e-mail, or as it stands."""
    plain = text.strip()
    if not plain or ":" in plain:
        return plain
    return f"mailto:{plain}" if "@" in plain else f"tel:{plain}"
