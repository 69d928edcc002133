"""One connection: the address to paste, its balance, its sources, and what one does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.auth import services_of
from api.bodies import Faults
from api.connections import shown
from api.parameters import Freshness, Query
from api.people import plain_name
from api.reads import look, written
from api.web.acting import carry_out
from api.web.addresses import Pages
from api.web.channel_forms import (
    icon_of,
    options_of,
    secrets_of,
    sent_options,
    sent_secrets,
    words_of,
)
from api.web.ground import frame_of, open_page, redirect
from api.web.making import Shown, maker_of
from channels.connections import TITLE_MAX_CHARS, Change
from channels.registry import CHANNELS
from channels.trying import tried
from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.values import is_source
from domain.word import DEPARTMENT, SOURCE, WordChange
from storage.connections import ACTIVE, PAUSED, REMOVED

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work
    from channels.contract import ChannelModule
    from storage.connections import Connection

router = Pages()

STATES: Final = {"pause": PAUSED, "resume": ACTIVE}


class Told(Struct, frozen=True):
    """What a page says beside the connection itself: what a try found, or what is wrong by field.

    `section` is the form that was sent, `typed` what stood in it.
    """

    checks: dict[str, bool] = {}
    section: str = ""
    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    status: int = 200


@router.get("/connections/{channel}/{name}")
async def connection(request: Request, channel: str, name: str) -> Response:
    """A connection with its sources and its balance."""

    def prepare(request: Request, _caller: Caller) -> Work:
        Query(request).close()
        return lambda look: _shown(look, (channel, name), Told())

    return await open_page(request, prepare, scope="manage")


def _shown(look: Look, place: tuple[str, str], told: Told) -> Shown:
    """Raises NotFound."""
    found = look.services.channels.connections.book.get(*place)
    module = CHANNELS.get(found.channel)
    if module is None:
        raise NotFound("There is no such connection.")
    values: dict[str, Any] = {
        "one": shown(look.services, found),
        "icon": icon_of(found.channel),
        "place": _place(module),
        "options": options_of(module),
        "secrets": secrets_of(module),
        "departments": [one.name for one in look.names.all(DEPARTMENT) if one.active],
        "told": told,
    }
    return Shown("connection.html", values, "channels", told.status)


def _place(module: ChannelModule) -> str:
    """What is done with the address that a connection shows."""
    if module.is_hooked:
        return "form" if module.is_open else "hook"
    return "fetches" if "host" in module.options else "listens"


@router.post("/connections/{channel}/{name}/act")
async def act(request: Request, channel: str, name: str) -> Response:
    """Do something with a connection; the button's `do` says what."""
    here = f"/connections/{channel}/{name}"

    async def work(caller: Caller, sent: Sent) -> Response:
        do = sent.one("do")
        _require(caller, do)
        try:
            found = await run_in_threadpool(
                services_of(request).channels.connections.book.get, channel, name
            )
            checks = await _done(request, caller, found, sent)
        except InvalidInput as error:
            told = Told(section=do, typed=_typed(sent), errors=words_of(error), status=422)
        else:
            if checks is None:
                return redirect("/channels" if do == "remove" else here)
            told = Told(checks=checks)

        def framed(look: Look) -> Shown:
            page = _shown(look, (channel, name), told)
            return Shown(page.template, {**frame_of(look), **page.values}, page.tab, page.status)

        again = await look(request, caller, Freshness(), framed)
        return maker_of(request).page(request, again)

    return await carry_out(request, work)


def _require(caller: Caller, do: str) -> None:
    """Raise NotAllowed: leaders name sources, all else is for administrators."""
    if not (caller.leads if do == "source" else caller.may("admin")):
        raise NotAllowed("This is for administrators.")


def _typed(sent: Sent) -> dict[str, str]:
    """What is shown again; a secret never is."""
    return {
        name: values[0]
        for name, values in sent.fields.items()
        if name != "csrf" and not name.startswith("secrets.")
    }


async def _done(
    request: Request, caller: Caller, found: Connection, sent: Sent
) -> dict[str, bool] | None:
    """Do it; what a try found. Raises InvalidInput, WrongState."""
    services, module = services_of(request), CHANNELS.get(found.channel)
    connections = services.channels.connections
    if module is None or found.state == REMOVED:
        raise NotFound("There is no such connection.")
    match sent.one("do"):
        case "test":
            opened = await run_in_threadpool(connections.open, found.channel, found.name)
            return await run_in_threadpool(tried, opened)
        case "pause" | "resume" as do:
            wanted = Change(state=STATES[do])
        case "settings":
            wanted = _settings(sent, module)
        case "secret":
            wanted = Change(secrets=_secrets(sent, module))
        case "source":
            await _name_source(request, caller, sent)
            return None
        case "remove":
            await run_in_threadpool(connections.remove, found)
            return None
        case _:
            raise InvalidInput.one("do", "unknown", "there is nothing like that to be done")
    await run_in_threadpool(connections.change, found, wanted)
    return None


def _settings(sent: Sent, module: ChannelModule) -> Change:
    """Title, department and options as the form has them. Raises InvalidInput."""
    faults, options = Faults(), sent_options(sent, module)
    title = sent.one("title").strip()
    if len(title) > TITLE_MAX_CHARS:
        faults.add("title", "too_long", f"{TITLE_MAX_CHARS} characters at most")
    for name in module.options:
        if not options.get(name):
            faults.add(f"options.{name}", "missing", "this channel needs it")
    faults.finish()
    return Change(title=title, department=sent.one("department").strip(), options=options)


def _secrets(sent: Sent, module: ChannelModule) -> dict[str, list[bytes]]:
    """The secrets that were typed. Raises InvalidInput where none was."""
    found = sent_secrets(sent, module)
    if not found:
        first = next((one.name for one in secrets_of(module) if one.name in sent.fields), "do")
        raise InvalidInput.one(first, "missing", "type the new secret")
    return found


async def _name_source(request: Request, caller: Caller, sent: Sent) -> None:
    """Give a source its name. Raises InvalidInput, NotFound."""
    services, key, faults = services_of(request), sent.one("source"), Faults()
    if not is_source(key):
        raise NotFound("There is no such source.")
    name = plain_name(sent.one("name"), "name", faults)
    faults.finish()
    wanted = WordChange(fields=frozenset({"name"}), name=name)
    words = services.ledger.words
    receipt = await words.change((SOURCE, key), wanted, caller.by(), expected=None)
    if receipt is not None:
        await written(services, receipt.last)
