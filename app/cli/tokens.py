"""`hilo token`: make, list and revoke the tokens of programs."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import click

from api.tokens import NewToken, issue
from api.tokens import revoke as revoke_token
from app.cli.frame import OK, json_option, look, say, show, with_ledger
from domain.commands import By
from domain.errors import InvalidInput, NotFound
from domain.events import Actor
from domain.times import format_utc
from domain.values import is_source

if TYPE_CHECKING:
    from uuid import UUID

    from app.compose import Composition

BY: Final = By(Actor("system", "hilo"))
"""Whoever can run the command here holds the data folder: no person signed in."""

SCOPES: Final = ("append", "read", "manage", "audit", "admin")

_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400}


@click.group()
def token() -> None:
    """Make, list and revoke the tokens with which programs speak to Hilo."""


@token.command("create")
@click.option("--name", required=True, help="What it is for; unique.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES))
@click.option("--source", help="Bind it to one source; it can append nothing else.")
@click.option("--expires", help="After how long it ends: 90d, 12h, 30m.")
@click.option("--user", help="E-mail of the person as whom it acts.")
@json_option
@with_ledger()
def create(
    composition: Composition,
    *,
    name: str,
    scopes: tuple[str, ...],
    source: str | None,
    expires: str | None,
    user: str | None,
    as_json: bool,
) -> int:
    """Print a new token, alone; it is shown this once."""
    services = composition.services
    lasts_us = _duration_us(expires)
    wanted = NewToken(
        name=name,
        scopes=scopes,
        source=_source(source),
        user=_user(composition, user),
        expires_at=services.clock() + lasts_us if lasts_us else None,
    )
    secret, _ = asyncio.run(issue(services, wanted, BY))
    if as_json:
        show({"name": name, "token": secret})
    else:
        click.echo(secret)
    return OK


@token.command("list")
@json_option
@with_ledger()
def list_(composition: Composition, *, as_json: bool) -> int:
    """List the tokens; never their secrets."""
    for item in composition.services.credentials.tokens.all():
        row = {
            "name": item.name,
            "created_at": format_utc(item.created_at),
            "expires_at": format_utc(item.expires_at) if item.expires_at else None,
            "revoked": item.revoked_at is not None,
        }
        if as_json:
            show(row)
        else:
            state = "revoked" if row["revoked"] else f"until {row['expires_at'] or 'revoked'}"
            click.echo(f"{item.name}\t{row['created_at']}\t{state}")
    return OK


@token.command("revoke")
@click.argument("name")
@json_option
@with_ledger()
def revoke(composition: Composition, name: str, *, as_json: bool) -> int:
    """End a token; it opens nothing within a second, in every process."""
    services = composition.services
    for item in services.credentials.tokens.all():
        if item.name == name:
            asyncio.run(revoke_token(services, item.token_id, BY))
            if as_json:
                show({"name": name, "revoked": True})
            say(f"{name} is revoked.")
            return OK
    message = f"There is no token {name!r}."
    raise NotFound(message)


def _source(text: str | None) -> str | None:
    if text is None or is_source(text):
        return text
    raise InvalidInput.one("source", "bad_source", "write one like api:crm or whatsapp:1065")


def _user(composition: Composition, email: str | None) -> UUID | None:
    if email is None:
        return None
    look(composition)
    found = composition.dictionary.staff_id(email)
    if found is None:
        message = f"There is no user {email!r}."
        raise NotFound(message)
    return found


def _duration_us(text: str | None) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if not match:
        raise InvalidInput.one("expires", "bad_duration", "write 90d, 12h or 30m")
    return int(match[1]) * _UNITS[match[2]] * 1_000_000
