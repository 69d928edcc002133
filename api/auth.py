"""Who is calling, and what they may do.

A program shows a token (`Authorization: Bearer`), a browser its session cookie; a browser that
changes something shows the session's CSRF token as well. What a token may do was written down
when it was issued and is read from the log; whether it still opens anything is asked of the key
store, at most a second ago.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct, structs
from starlette.concurrency import run_in_threadpool

from api.parameters import uuid_of
from domain.commands import By
from domain.errors import CsrfFailed, InvalidInput, NotAllowed, NotSignedIn
from domain.events import Actor, TokenIssued
from domain.user import User
from domain.values import echo
from projections.access import Reader

if TYPE_CHECKING:
    from fastapi import Request

    from api.services import Services
    from domain.commands import Repeatable
    from domain.values import Deriver

REMEMBERED_S: Final = 0.9
"""How long a caller is taken for who they were: a revocation is in force within a second."""

RENEWED_AFTER_S: Final = 0.4
"""From then on one request looks again while the others go on: they never all wait at once."""

REMEMBERED_MAX: Final = 4_096
"""Callers remembered at one time; a company has fewer tokens and browsers than that."""

TOUCH_EVERY_US: Final = 3_600_000_000
"""How often the use of a token or browser is written down, in µs: it is a commit, and an hour
says enough."""

SECRET_MAX_CHARS: Final = 256
"""Length of a token or cookie that is looked up at all; ours have 48."""

SESSION_COOKIE: Final = "hilo_session"
CSRF_HEADER: Final = "X-CSRF-Token"
ACTING_AS_HEADER: Final = "Hilo-Acting-As"

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

SCOPES: Final = ("append", "read", "manage", "audit", "admin")

_IMPLIED: Final = {
    "append": ("append",),
    "read": ("read",),
    "manage": ("manage", "read"),
    "audit": ("audit",),
    "admin": SCOPES,
}

_ROLE_SCOPES: Final = {
    "admin": ("admin",),
    "manager": ("append", "manage", "audit"),
    "agent": ("append", "manage"),
    "auditor": ("audit",),
}
"""What a person may do who signed in, by role; a person without a role may do nothing."""

_LEADING_ROLES: Final = frozenset({"admin", "manager"})
"""Who may change teams, departments and campaigns; agents manage contacts and conversations."""

SYSTEM: Final = Actor("system", "hilo")
"""Who writes down what no person and no program asked for."""


class Caller(Struct, frozen=True):
    """Who is calling: actor, scopes with all that they imply, and the person behind it.

    `source` is the only one that a bound token may append to; `csrf` is a session's own.
    `leads`: they may change what all share (teams, departments, campaigns). `role`, `language`
    and `zone` are those of `user`, None where there is no person, or nothing was chosen.
    `behind`: the person who acts for `user`, whose own eyes see no more for it.
    """

    actor: Actor
    scopes: frozenset[str]
    plain: By
    user: UUID | None = None
    source: str | None = None
    csrf: str | None = None
    leads: bool = False
    role: str | None = None
    language: str | None = None
    zone: str | None = None
    behind: UUID | None = None

    @property
    def reader(self) -> Reader:
        """The caller as one who looks at contacts."""
        return Reader(self.user, everything="admin" in self.scopes, behind=self.behind)

    def by(self, repeatable: Repeatable | None = None) -> By:
        """The caller as the author of a command."""
        if repeatable is None:
            return self.plain
        return By(self.actor, self.plain.on_behalf_of, repeatable)

    def may(self, scope: str) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes


class _Remembered(Struct):
    """A caller, until when that is believed, and when one request shall look again (monotonic)."""

    caller: Caller
    until: float
    renew_at: float


class Doorkeeper:
    """Turns what a request shows into a caller; one for each application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._remembered: dict[bytes, _Remembered] = {}
        self._touched: dict[UUID, int] = {}

    async def admit(self, request: Request, scope: str) -> Caller:
        """The caller of a request. Raises NotSignedIn, NotAllowed, CsrfFailed, InvalidInput."""
        caller = await self.caller(request)
        if scope not in caller.scopes:
            raise NotAllowed(f"This needs the scope `{scope}`.")
        return caller

    async def caller(self, request: Request, csrf: str | None = None) -> Caller:
        """The same, whatever they may do: for what is everybody's own.

        `csrf` is the session's token where a form brings it, since forms send no header.
        """
        headers = dict(request.scope["headers"])
        caller = await self._caller(request, headers, csrf)
        acting_as = headers.get(b"hilo-acting-as")
        if acting_as is not None:
            caller = await run_in_threadpool(self._for_another, caller, acting_as)
        if caller.csrf is not None:
            request.state.caller = caller  # so that a page knows its reader's language
        return caller

    async def optional(self, request: Request) -> Caller | None:
        """The caller, or None where nobody is signed in: for pages that send them to the door."""
        try:
            return await self.caller(request)
        except NotSignedIn:
            return None

    def forget(self) -> None:
        """Ask the key store again at the next call: something was just revoked here."""
        self._remembered.clear()

    async def _caller(
        self, request: Request, headers: dict[bytes, bytes], csrf: str | None
    ) -> Caller:
        shown = headers.get(b"authorization")
        if shown is not None:
            return await self._remember(b"token", _bearer(shown))
        cookie = request.cookies.get(SESSION_COOKIE) if b"cookie" in headers else None
        if cookie is None:
            raise NotSignedIn("Send `Authorization: Bearer <token>`, or sign in.")
        caller = await self._remember(b"session", cookie)
        if request.method not in SAFE_METHODS:
            require_csrf(caller, csrf or request.headers.get(CSRF_HEADER))
        return caller

    async def _remember(self, kind: bytes, secret: str) -> Caller:
        """The caller with a secret; looked up anew when the last look is too long ago."""
        key = hashlib.sha256(kind + secret.encode("utf-8", "surrogatepass")).digest()
        found = self._remembered.get(key)
        now = time.monotonic()
        if found is not None and now < found.until:
            if now < found.renew_at:
                return found.caller
            found.renew_at = found.until  # this request looks; the others need not
        if len(secret) > SECRET_MAX_CHARS:
            raise NotSignedIn("This opens nothing.")
        look_up = self._by_token if kind == b"token" else self._by_session
        caller = await run_in_threadpool(look_up, secret)
        if caller is None:
            self._remembered.pop(key, None)
            raise NotSignedIn("This opens nothing, or nothing any more.")
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        # Counted from before the look: what was revoked since then is not believed for longer.
        self._remembered[key] = _Remembered(caller, now + REMEMBERED_S, now + RENEWED_AFTER_S)
        return caller

    def _by_token(self, secret: str) -> Caller | None:
        services = self._services
        now = services.clock()
        token = services.credentials.tokens.find(secret, now)
        if token is None:
            return None
        self._touch(token.token_id, token.last_used_at, now)
        stream = token_stream(services.ledger.derive, token.token_id)
        entries = services.log.stream(stream)
        issued = entries[0].event if entries else None
        if not isinstance(issued, TokenIssued):
            return None  # made, but never written down: the maker died in between
        user = self._person(issued.user) if issued.user else None
        if user is not None and user.suspended:
            return None
        actor = Actor("token", str(token.token_id))
        scopes = implied(issued.scopes)
        return _as_person(
            Caller(
                actor=actor,
                scopes=scopes,
                plain=By(actor, issued.user),
                user=issued.user,
                source=issued.source,
                # A token never makes more of a person than their role does.
                leads="manage" in scopes and (user is None or user.role in _LEADING_ROLES),
            ),
            user,
        )

    def _by_session(self, secret: str) -> Caller | None:
        services = self._services
        sessions, now = services.credentials.sessions, services.clock()
        session = sessions.find(secret, now)
        if session is None:
            return None
        user = self._person(session.user)
        if user is not None and user.suspended:
            return None
        if now - session.seen_at >= TOUCH_EVERY_US:
            sessions.touch(secret, now)
        actor = Actor("user", str(session.user))
        role = user.role if user and user.sign_in else None
        return _as_person(
            Caller(
                actor=actor,
                scopes=implied(_ROLE_SCOPES.get(role or "", ())),
                plain=By(actor),
                user=session.user,
                csrf=session.csrf,
                leads=role in _LEADING_ROLES,
            ),
            user,
        )

    def _person(self, user: UUID) -> User | None:
        """What the log says of a user now."""
        return self._services.ledger.people.user(user)

    def _touch(self, token: UUID, last_used_at: int | None, now: int) -> None:
        """Write down that a token is in use, once in a while."""
        last = max(last_used_at or 0, self._touched.get(token, 0))
        if now - last < TOUCH_EVERY_US:
            return
        if len(self._touched) >= REMEMBERED_MAX:
            self._touched.clear()
        self._touched[token] = now
        self._services.credentials.tokens.touch(token, now)

    def _for_another(self, caller: Caller, shown: bytes) -> Caller:
        """The caller, acting for the user that `Hilo-Acting-As` names."""
        if not caller.may("manage"):
            raise NotAllowed("Acting for somebody needs the scope `manage`.")
        text = shown.decode("latin-1").strip()
        is_name = uuid_of(text) is None and "@" not in text
        user = None if is_name else self._services.people.staff_id(text)
        if user is None:
            message = f"{echo(text)} is no user; write their id or e-mail address"
            raise InvalidInput.one(f"header.{ACTING_AS_HEADER}", "unknown", message)
        person = self._person(user)
        if person is not None and person.suspended:
            message = f"{echo(text)} is suspended; nobody acts for them"
            raise InvalidInput.one(f"header.{ACTING_AS_HEADER}", "suspended", message)
        return _as_person(
            structs.replace(
                caller,
                plain=By(caller.actor, user),
                user=user,
                behind=None if caller.user == user else caller.user,
                role=None,
                language=None,
                zone=None,
            ),
            person,
        )


def _as_person(caller: Caller, user: User | None) -> Caller:
    """The caller, with what the log says of the person behind them."""
    if user is None:
        return caller
    return structs.replace(
        caller,
        role=user.role,
        language=user.settings.language,
        zone=user.settings.zone,
    )


def token_stream(derive: Deriver, token: UUID) -> UUID:
    """The stream of a token: what it may do."""
    return derive.id("token", token)


def implied(scopes: tuple[str, ...]) -> frozenset[str]:
    """Scopes with all that they imply: manage has read, admin has every one."""
    return frozenset(one for scope in scopes for one in _IMPLIED.get(scope, ()))


def require_csrf(caller: Caller, shown: str | None) -> None:
    """Raise CsrfFailed unless the request shows the session's own token; tokens need none."""
    if caller.csrf is None:
        return
    expected = caller.csrf.encode()
    if not hmac.compare_digest(expected, (shown or "").encode("utf-8", "surrogatepass")):
        raise CsrfFailed(f"Send the session's token in `{CSRF_HEADER}`.")


async def admit(request: Request, scope: str) -> Caller:
    """The caller of a request, who has the scope. Raises NotSignedIn, NotAllowed, CsrfFailed."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    return await keeper.admit(request, scope)


async def admit_leader(request: Request) -> Caller:
    """The caller of a request, who may change what all share. Raises as `admit`."""
    caller = await admit(request, "manage")
    if not caller.leads:
        raise NotAllowed("This is for managers and administrators.")
    return caller


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    services: Services = request.app.state.services
    return services


def _bearer(shown: bytes) -> str:
    scheme, _, secret = shown.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("Send `Authorization: Bearer <token>`.")
    return secret.strip()
