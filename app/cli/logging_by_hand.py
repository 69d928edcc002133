"""`hilo log`: an interaction that somebody writes down by hand."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from api.auth import SYSTEM, Caller, implied
from api.ingest import append_answer, terms_of
from api.shapes import MANUAL, append_command
from app.cli.frame import OK, json_option, show, with_ledger
from domain.commands import By
from domain.errors import InvalidInput
from domain.times import format_utc, zone_of
from domain.values import Auto, CallOutcome, Channel, Direction, Role, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.compose import Composition

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
)


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("log")
@_with_options
@json_option
@with_ledger()
def log(composition: Composition, *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - click's own values
    """Write down one interaction by hand; prints its id."""
    body = msgspec.json.encode(_request(given, composition.settings.zone, composition.clock()))
    by = By(SYSTEM)
    services = composition.services
    key = str(services.new_id())
    caller = Caller(SYSTEM, implied(("append",)), by)
    terms = terms_of(services, caller, imported=False, key_of=lambda _: key)
    receipt = asyncio.run(services.ledger.record(append_command(body, terms), by))
    if as_json:
        show(json.loads(bytes(append_answer(receipt).body)))
    else:
        click.echo(receipt.id)
    return OK


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
