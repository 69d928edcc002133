"""`hilo log`: an interaction that somebody writes down by hand."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import structs

from api import by_hand
from api.auth import SYSTEM, Caller, implied
from api.ingest import append_answer
from api.parameters import uuid_of
from api.shapes import MANUAL, append_command
from api.terms import terms_of
from app.cli.frame import OK, REFUSED, json_option, look, say, show, with_ledger
from domain.commands import By
from domain.errors import InvalidInput, ProbableTwins
from domain.times import format_utc, zone_of
from domain.values import Auto, CallOutcome, Channel, Direction, Role, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.compose import Composition
    from domain.commands import Receipt, RecordInteraction
    from projections.shapes import TwinView

_NOW: Final = "now"
_STDIN: Final = "-"


def _choice(values: type[Channel | Direction | CallOutcome | Auto]) -> click.Choice[str]:
    return click.Choice([str(value) for value in values])


_OPTIONS: Final = (
    click.option("--channel", type=_choice(Channel), required=True, help="Over what it was."),
    click.option("--direction", type=_choice(Direction), required=True, help="Who began it."),
    click.option("--resource", metavar="ADDRESS", help="Whence it came, such as tel:+5255…"),
    click.option("--destination", metavar="ADDRESS", help="Who received it."),
    click.option("--contact", metavar="UUID", help="With whom, where one address is not known."),
    click.option(
        "--occurred-at",
        default=_NOW,
        metavar="TIME",
        help="RFC 3339, or YYYY-MM-DD HH:MM in HILO_TZ (else now).",
    ),
    click.option("--subject", help="Its subject line."),
    click.option("--text", help="What was said; - reads it from stdin."),
    click.option("--contact-name", help="What the contact is called."),
    click.option("--attended-by", help="Who handled it: an e-mail or uuid of a user, or a name."),
    click.option("--department", help="Which area."),
    click.option("--campaign", help="Which campaign."),
    click.option("--alias", "aliases", multiple=True, help="A further address of the contact."),
    click.option(
        "--participant",
        "participants",
        multiple=True,
        metavar="ROLE=ADDRESS[,NAME]",
        help="Somebody else: cc=mailto:luis@example.com,Luis",
    ),
    click.option(
        "--attachment", "attachments", multiple=True, metavar="JSON", help="A file, as in the API."
    ),
    click.option("--thread", help="The thread that it belongs to."),
    click.option("--in-reply-to", metavar="EXTERNAL-ID", help="What it answers."),
    click.option("--call-seconds", type=int, help="Length of a call."),
    click.option("--call-ring-seconds", type=int, help="How long it rang."),
    click.option("--call-outcome", type=_choice(CallOutcome), help="How a call ended."),
    click.option("--auto", type=_choice(Auto), help="Where a machine wrote it."),
    click.option("--details", metavar="JSON", help="An object of what else is to be kept."),
    click.option("--external-id", help="Its key: the same again is the same interaction."),
    click.option("--twin-of", type=int, metavar="ID", help="What the channel recorded of it."),
)


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("log")
@_with_options
@click.option("--as", "person", metavar="USER", help="Who logs it: an e-mail or uuid of a user.")
@click.option("--check-twins", is_flag=True, help="Write nothing that a channel reported already.")
@click.option("--confirm", is_flag=True, help="Write it all the same.")
@json_option
@with_ledger()
def log(composition: Composition, *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - click's own values
    """Write down one interaction by hand; prints its id."""
    person, check, confirm = (given.pop(name) for name in ("person", "check_twins", "confirm"))
    body = msgspec.json.encode(_request(given, composition.settings.zone, composition.clock()))
    services = composition.services
    key = str(services.new_id())
    if check or person or given["twin_of"]:
        look(composition)
    caller = _caller(composition, person)
    terms = terms_of(services, caller, imported=False, key_of=lambda _: key)
    command = append_command(body, structs.replace(terms, alone=True))
    recording = _recorded(composition, caller, command, check=check and not confirm)
    try:
        receipt, twins = asyncio.run(recording)
    except ProbableTwins as error:
        return _tell_twins(error, as_json=as_json)
    if as_json:
        show(json.loads(bytes(append_answer(receipt, twins).body)))
    else:
        click.echo(receipt.id)
    return OK


async def _recorded(
    composition: Composition, caller: Caller, command: RecordInteraction, *, check: bool
) -> tuple[Receipt, list[TwinView]]:
    """What recording it by hand answers; the views are those of whoever follows the log."""
    room = by_hand.Room(composition.services, composition.reads)
    async with composition.tide.watching():
        return await by_hand.record(room, caller, command, check=check)


def _caller(composition: Composition, person: str | None) -> Caller:
    """Whoever holds the data folder; or, in the name of a user, as much as they may see.

    Raises InvalidInput for somebody who is no user, or is suspended.
    """
    if person is None:
        return Caller(SYSTEM, implied(("admin",)), By(SYSTEM))
    services = composition.services
    text = person.strip()
    is_name = uuid_of(text) is None and "@" not in text
    id_ = None if is_name else services.people.staff_id(text)
    user = services.ledger.people.user(id_) if id_ is not None else None
    if id_ is None or user is None:
        message = f"{echo(text)} is no user; write their e-mail address or id"
        raise InvalidInput.one("as", "unknown", message)
    if user.suspended:
        raise InvalidInput.one("as", "suspended", f"{echo(text)} is suspended")
    return Caller(SYSTEM, implied(("append", "read")), By(SYSTEM, id_), user=id_)


def _tell_twins(error: ProbableTwins, *, as_json: bool) -> int:
    """What is probably the same event: nothing was written."""
    twins = msgspec.to_builtins(error.twins)
    if as_json:
        show({"twins": twins})
    for twin in twins:
        say(f"#{twin['id']}: {', '.join(twin['why'])}")
    say(f"{error.detail} --twin-of ID says that it is one; --confirm writes it all the same.")
    return REFUSED


def _request(given: Mapping[str, Any], zone: str, now: int) -> dict[str, object]:
    """The append request that the options ask for. Raises InvalidInput."""
    calls = {
        name.removeprefix("call_"): given[name]
        for name in ("call_seconds", "call_ring_seconds", "call_outcome")
        if given[name] is not None
    }
    plain = {name: value for name, value in given.items() if not name.startswith("call_")}
    found: dict[str, object] = {
        **plain,
        "source": MANUAL,
        "occurred_at": _time(given["occurred_at"], zone, now),
        "text": sys.stdin.read().rstrip("\n") if given["text"] == _STDIN else given["text"],
        "participants": [_participant(one) for one in given["participants"]],
        "attachments": [_object("attachment", one) for one in given["attachments"]],
        "details": None if given["details"] is None else _object("details", given["details"]),
        "call": calls or None,
    }
    if found["channel"] == Channel.WALK_IN and not given["contact"]:
        ours = "destination" if found["direction"] == Direction.INBOUND else "resource"
        found[ours] = found[ours] or "place:main"
    return {name: value for name, value in found.items() if value not in (None, (), [])}


def _time(text: str, zone: str, now: int) -> str:
    if text == _NOW:
        return format_utc(now)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text  # the request is refused, with what to write instead
    return text if found.tzinfo else found.replace(tzinfo=zone_of(zone)).isoformat()


def _participant(text: str) -> dict[str, str]:
    role, equals, rest = text.partition("=")
    if not equals or role not in set(Role) - {Role.ALIAS}:
        message = f"{echo(text)}: write ROLE=ADDRESS[,NAME], with from, to, cc, bcc or member"
        raise InvalidInput.one("participant", "bad_format", message)
    address, _, name = rest.partition(",")
    return {"role": role, "address": address, **({"name": name} if name else {})}


def _object(field: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise InvalidInput.one(field, "malformed", f"{echo(text)} is no JSON") from None
