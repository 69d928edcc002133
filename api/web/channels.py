"""Connections as people see them: what each brings, what ails it, and the form of a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.auth import services_of
from api.connections import ConnectionAnswer, shown
from api.parameters import Freshness, Query
from api.reads import look
from api.web.acting import carry_out
from api.web.addresses import Pages
from api.web.channel_forms import (
    groups,
    icon_of,
    options_of,
    secrets_of,
    sent_options,
    sent_secrets,
    words_of,
)
from api.web.ground import frame_of, open_page, redirect
from api.web.making import Shown, maker_of
from channels.connections import Draft
from channels.registry import CHANNELS
from domain.errors import InvalidInput, NotFound, WrongState
from domain.word import DEPARTMENT
from storage.connections import REMOVED

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work
    from channels.contract import ChannelModule
    from storage.connections import Connection

router = Pages()

TAB = "channels"


class Held(Struct, frozen=True):
    """A form as it came: what was typed, but for secrets, and what is wrong with it by field."""

    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    status: int = 200


# -------------------------------------------------------------------------- the list


@router.get("/channels")
async def connections(request: Request) -> Response:
    """All connections, with what came through them."""
    return await open_page(request, _connections, scope="manage")


def _connections(request: Request, _caller: Caller) -> Work:
    Query(request).close()

    def work(look: Look) -> Shown:
        book = look.services.channels.connections.book
        found = [shown(look.services, one) for one in book.all()]
        found.sort(key=lambda one: (one.state == REMOVED, one.title.casefold(), one.key))
        values = {
            "rows": [one for one in found if one.state != REMOVED],
            "gone": [one for one in found if one.state == REMOVED],
            "sums": _sums(found),
            "icon_of": icon_of,
        }
        return Shown("channels.html", values, TAB)

    return work


def _sums(rows: list[ConnectionAnswer]) -> dict[str, int]:
    """What came in through all of them, and where it ended."""
    balances = [row.balance for row in rows]
    return {
        "received": sum(one.received for one in balances),
        "recorded": sum(one.recorded for one in balances),
        "duplicate": sum(one.duplicate for one in balances),
        "ignored": sum(sum(one.ignored.values()) for one in balances),
        "quarantined": sum(one.quarantined for one in balances),
    }


# ------------------------------------------------------------------------ a new one


@router.get("/channels/new")
async def new(request: Request) -> Response:
    """The kinds of connections; once one is chosen, its form."""
    return await open_page(request, _new, scope="admin")


def _new(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    kind = query.text("channel")
    query.close()
    module = CHANNELS.get(kind or "")
    if kind and module is None:
        raise NotFound("There is no such channel.")
    return lambda look: _form(look, module, Held({"name": _free(look, module)}))


def _form(look: Look, module: ChannelModule | None, held: Held) -> Shown:
    values: dict[str, Any] = {
        "kind": module.channel if module else "",
        "groups": groups(),
        "icon_of": icon_of,
        "options": options_of(module) if module else [],
        "secrets": secrets_of(module) if module else [],
        "choices": module.secret_choices if module else (),
        "typed": held.typed,
        "errors": held.errors,
        "departments": [one.name for one in look.names.all(DEPARTMENT) if one.active],
    }
    return Shown("channel_new.html", values, TAB, held.status)


def _free(look: Look, module: ChannelModule | None) -> str:
    """A name that no connection of the kind has."""
    taken = {
        one.name
        for one in look.services.channels.connections.book.all()
        if module is not None and one.channel == module.channel and one.state != REMOVED
    }
    names = ("main", *(f"main-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


@router.post("/channels/new")
async def add(request: Request) -> Response:
    """Add a connection, and go on to it; else the form again, with what is wrong."""

    async def act(caller: Caller, sent: Sent) -> Response:
        module = CHANNELS.get(sent.one("channel"))
        if module is None:
            raise NotFound("There is no such channel.")
        typed = {name: values[0] for name, values in sent.fields.items() if _may_return(name)}
        try:
            connection = await run_in_threadpool(_added, request, sent, module)
        except InvalidInput as error:
            held = Held(typed, words_of(error), 422)
        except WrongState:
            held = Held(typed, {"name": "taken"}, 409)
        else:
            return redirect(f"/connections/{connection.key}")
        again = await look(request, caller, Freshness(), lambda look: _framed(look, module, held))
        return maker_of(request).page(request, again)

    return await carry_out(request, act, scope="admin")


def _added(request: Request, sent: Sent, module: ChannelModule) -> Connection:
    draft = Draft(
        channel=module.channel,
        name=sent.one("name").strip(),
        title=sent.one("title").strip() or None,
        department=sent.one("department").strip() or None,
        secrets=sent_secrets(sent, module),
        options={name: text for name, text in sent_options(sent, module).items() if text},
    )
    return services_of(request).channels.connections.add(draft)


def _may_return(name: str) -> bool:
    """Whether what was typed is shown again: a secret never is, and the code of the form is new."""
    return name != "csrf" and not name.startswith("secrets.")


def _framed(look: Look, module: ChannelModule, held: Held) -> Shown:
    form = _form(look, module, held)
    return Shown(form.template, {**frame_of(look), **form.values}, form.tab, form.status)
