"""How somebody comes to be a user, and stops being one, in both places that know of it.

The log says who may enter; the key store knows e-mail addresses by their codes, passwords,
links and sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.gate import email_code
from domain.errors import WrongState
from domain.times import format_utc
from storage.credentials import Link

if TYPE_CHECKING:
    from api.services import Services
    from domain.commands import By, FactReceipt
    from domain.user import NewUser

INVITATION: Final = "invitation"
"""The purpose of a link with which a user sets their password, the first or a new one."""

INVITATION_LASTS_US: Final = 7 * 24 * 3_600 * 1_000_000
"""How long an invitation works, in µs: a week, so that it survives a holiday, and once."""


class InvitationAnswer(Struct, frozen=True):
    """A one-time link with which a user sets their password; shown this once."""

    invitation: str
    expires_at: str


async def invite(services: Services, new: NewUser, by: By) -> tuple[UUID, FactReceipt]:
    """Make somebody a user: their id, an earlier one for a repeat.

    The key store gives the e-mail address away once; a user whose maker died before the log
    knew of them is made by the next try. Raises WrongState where the address is a user's.
    """
    people, passwords = services.ledger.people, services.credentials.passwords
    there = people.user_with(new.email)  # perhaps of a time before the key store knew addresses
    id = there.user if there is not None else services.new_id()
    code, now = email_code(services, new.email), services.clock()
    id = await run_in_threadpool(passwords.claim, id, code, now)
    return await people.add(id, new, by)


def hold_email(services: Services, id: UUID, email: str) -> None:
    """Have the key store know a user by this e-mail address. Raises WrongState: it is taken.

    Whoever claimed it and never became a user gives it up.
    """
    passwords, now = services.credentials.passwords, services.clock()
    code = email_code(services, email)
    owner = passwords.claim(id, code, now)
    if owner != id and services.ledger.people.user(owner) is None:
        passwords.release(owner)
    passwords.move(id, code, now)


async def invitation(services: Services, id: UUID, by: By) -> InvitationAnswer:
    """A one-time link for a user to set their password; earlier ones end.

    Raises WrongState for somebody without sign-in or e-mail, for who is suspended, and where
    the command came before.
    """
    found = services.ledger.people.user(id)
    email = found.email if found is not None and found.sign_in else None
    if found is None or email is None:
        raise WrongState("An invitation is for a user with an e-mail address.")
    if found.suspended:
        raise WrongState("This user is suspended; restore them first.")
    credentials, now = services.credentials, services.clock()
    expires_at = now + INVITATION_LASTS_US
    await services.ledger.people.invite(id, expires_at, by)

    def make() -> str:
        hold_email(services, id, email)
        credentials.links.void(id, INVITATION, now)
        return credentials.links.make(Link(INVITATION, id, expires_at))

    secret = await run_in_threadpool(make)
    address = f"{services.locale.public_url}/invitation/{secret}"
    return InvitationAnswer(address, format_utc(expires_at))


async def shut_out(
    services: Services, person: UUID, by: By, *, expected: int | None = None
) -> FactReceipt | None:
    """Suspend a user and end their sessions and links, for good.

    What the log says already keeps them out; what the key store forgets stays forgotten when
    they are restored.
    """
    receipt = await services.ledger.people.suspend(person, by, expected=expected)

    def end() -> None:
        now = services.clock()
        services.credentials.sessions.close_all_of(person, now)
        services.credentials.links.void(person, INVITATION, now)

    await run_in_threadpool(end)
    return receipt
