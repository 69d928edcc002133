"""`hilo erase`: what is known of a person goes, for ever; the plan first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

import click

from api.auth import SYSTEM
from api.erasing_plans import NOBODY, sight_in
from app.cli.frame import OK, json_option, look, look_everywhere, say, show, with_ledger
from domain.addresses import AddressError, parse_address
from domain.commands import By
from domain.errors import InvalidInput, NotFound
from projections import contact_pages

if TYPE_CHECKING:
    from api.erasing_plans import Sight
    from app.compose import Composition
    from projections.rendering import Renderer
    from projections.views import Reading

BY: Final = By(SYSTEM)
"""Whoever can run the command here holds the data folder: no person signed in."""


@click.command()
@click.argument("who", metavar="CONTACT|ADDRESS")
@click.option("--confirm", metavar="PLAN", help="The id of the plan that you have read.")
@click.option("--reason", help="Why, in a few words; do not name the person.")
@json_option
@with_ledger(must_exist=True)
def erase(
    composition: Composition, who: str, *, confirm: str | None, reason: str | None, as_json: bool
) -> int:
    """Print what would be erased of a contact; with --confirm and --reason, erase it."""
    if confirm is not None and not (reason or "").strip():
        raise InvalidInput.one("--reason", "missing", "say why, without naming the person")
    look(composition)
    # What somebody began and did not end is completed first.
    asyncio.run(composition.eraser.finish(lambda: look_everywhere(composition)))
    sight = _sight(composition, _contact(composition, who))
    if confirm is None:
        composition.ledger.erasures.refuse_held((sight.contact, *sight.subjects))
        return _print(composition, sight, as_json=as_json)

    async def deed() -> str:
        eraser = composition.eraser
        intent = await eraser.begin(sight, confirm, reason or "", BY)
        await asyncio.to_thread(look_everywhere, composition)
        await eraser.complete(intent)
        return str(eraser.path_of(intent.erasure))

    path = asyncio.run(deed())
    if as_json:
        show({"erased": str(sight.contact), "certificate": path})
    else:
        click.echo(path)
        say("Erased. The certificate says what is still outstanding.")
    return OK


def _print(composition: Composition, sight: Sight, *, as_json: bool) -> int:
    import msgspec

    plan = composition.eraser.plan(sight)
    if as_json:
        show(msgspec.to_builtins(plan))
        return OK
    click.echo(f"contact       {plan.contact} ({plan.label})")
    for address in plan.addresses:
        click.echo(f"address       {address}")
    counts = ", ".join(f"{name} {count}" for name, count in sorted(plan.by_channel.items()))
    click.echo(f"interactions  {plan.interactions}" + (f" ({counts})" if counts else ""))
    click.echo(f"keys          {plan.subjects}, to be destroyed")
    if plan.keys_until:
        click.echo(f"backups       hold copies of the keys until {plan.keys_until}")
    click.echo(f"plan          {plan.plan}")
    say("Nothing was done. To erase it, for ever: --confirm " + plan.plan + ' --reason "…"')
    return OK


def _contact(composition: Composition, who: str) -> UUID:
    """The contact that somebody means. Raises NotFound, InvalidInput."""
    try:
        return UUID(who)
    except ValueError:
        pass
    if ":" not in who:  # as people write it
        who = ("mailto:" if "@" in who else "tel:") + who
    try:
        address = parse_address(who, country=composition.settings.country)
    except AddressError as error:
        raise InvalidInput.one("CONTACT|ADDRESS", error.code, error.message) from None
    subject = composition.keys.subjects.find(address, composition.clock())
    if subject is None:
        message = "Nobody with this address is known."
        raise NotFound(message)
    return subject


class _Seen(NamedTuple):
    """What a sight is taken from."""

    reading: Reading
    renderer: Renderer


def _sight(composition: Composition, wanted: UUID) -> Sight:
    """The contact as the views show it. Raises NotFound, WrongState for one that was erased."""
    with composition.views.reading() as reading:
        root = contact_pages.contact_of(reading, wanted.bytes)
        if root is None:
            raise NotFound(NOBODY)
        return sight_in(_Seen(reading, composition.renderer), UUID(bytes=root))
