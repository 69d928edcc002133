"""`hilo user`: invite, list, suspend and restore the people who may enter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from api.inviting import invitation, invite, shut_out
from app.cli.frame import OK, json_option, look, say, show, with_ledger
from domain.addresses import AddressError, parse_address
from domain.commands import By
from domain.errors import InvalidInput, NotFound
from domain.events import Actor
from domain.user import ROLES, NewUser
from projections.dictionary import USER

if TYPE_CHECKING:
    from api.inviting import InvitationAnswer
    from app.compose import Composition
    from domain.user import User

BY: Final = By(Actor("system", "hilo"))
"""Whoever can run the command here holds the data folder: no person signed in."""


@click.group()
def user() -> None:
    """Say who may enter Hilo, and as what."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What colleagues see; they may change their own.")
@click.option("--role", required=True, type=click.Choice(ROLES))
@json_option
@with_ledger()
def add(composition: Composition, email: str, *, name: str, role: str, as_json: bool) -> int:
    """Make somebody a user, and print the link with which they choose a password, alone."""
    look(composition)
    plain = " ".join(name.split())
    if not plain:
        raise InvalidInput.one("name", "too_short", "write a name")
    new = NewUser(_email(email), plain, role)

    async def make() -> InvitationAnswer:
        id, _ = await invite(composition.services, new, BY)
        return await invitation(composition.services, id, BY)

    return _tell(new.email, asyncio.run(make()), as_json=as_json)


@user.command("invite")
@click.argument("email")
@json_option
@with_ledger()
def invite_again(composition: Composition, email: str, *, as_json: bool) -> int:
    """Print a new link for a user to choose a password; earlier links end."""
    found = _user(composition, email)
    made = asyncio.run(invitation(composition.services, found.user, BY))
    return _tell(found.email or email, made, as_json=as_json)


@user.command("list")
@json_option
@with_ledger()
def list_(composition: Composition, *, as_json: bool) -> int:
    """List the users, with role and state."""
    look(composition)
    with composition.views.reading() as reading:
        users = composition.dictionary.names(reading).all(USER)
    for entry in users:
        if not entry.extra.sign_in:
            continue
        row = {
            "id": entry.key,
            "email": entry.extra.email,
            "name": entry.name,
            "role": entry.extra.role,
            "suspended": not entry.active,
        }
        if as_json:
            show(row)
        else:
            state = entry.extra.role or "no role" if entry.active else "suspended"
            click.echo(f"{entry.extra.email or entry.key}\t{entry.name}\t{state}")
    return OK


@user.command("suspend")
@click.argument("email")
@json_option
@with_ledger()
def suspend(composition: Composition, email: str, *, as_json: bool) -> int:
    """Keep a user out: within a second none of their sessions and tokens opens anything."""
    found = _user(composition, email)
    asyncio.run(shut_out(composition.services, found.user, BY))
    return _done(found.email or email, "suspended", as_json=as_json)


@user.command("restore")
@click.argument("email")
@json_option
@with_ledger()
def restore(composition: Composition, email: str, *, as_json: bool) -> int:
    """Let a suspended user in again, with the role that they had; they sign in anew."""
    found = _user(composition, email)
    asyncio.run(composition.services.ledger.people.restore(found.user, BY))
    return _done(found.email or email, "restored", as_json=as_json)


def _user(composition: Composition, email: str) -> User:
    """The user with an e-mail address. Raises NotFound."""
    look(composition)
    found = composition.services.ledger.people.user_with(_email(email))
    if found is None:
        message = f"There is no user {email!r}."
        raise NotFound(message)
    return found


def _email(text: str) -> str:
    try:
        return parse_address(f"mailto:{text}", country=None).removeprefix("mailto:")
    except AddressError as error:
        raise InvalidInput.one("EMAIL", error.code, error.message) from None


def _tell(email: str, made: InvitationAnswer, *, as_json: bool) -> int:
    if as_json:
        show({"email": email, "invitation": made.invitation, "expires_at": made.expires_at})
    else:
        click.echo(made.invitation)
        say(f"For {email}, once, until {made.expires_at}.")
    return OK


def _done(email: str, state: str, *, as_json: bool) -> int:
    if as_json:
        show({"email": email, state: True})
    say(f"{email} is {state}.")
    return OK
