"""Before the door: how often somebody may guess, and how many passwords are hashed at once.

The counts lie in the memory of each process, in tables of a fixed size. In the key store every
wrong guess would be a commit, which strangers could have for nothing, beside the commits of
those who write. So with n processes a guesser has n times the tries, and a restart forgets
them; a password of some length is safe all the same. Places in a table are chosen by
codes under the ledger's secret: nobody can aim at another one's, nor push anybody's count out.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.concurrency import run_in_threadpool

from domain.addresses import AddressError, comparison_key, parse_address
from domain.errors import Busy, TooMany

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from api.services import Services

ResultT = TypeVar("ResultT")

WINDOW_US: Final = 15 * 60 * 1_000_000
"""How long tries are counted, in µs: long enough to stop a guesser, and short enough for
somebody who has forgotten their password and then remembers it."""

ACCOUNT_TRIES_MAX: Final = 10
"""Wrong passwords for one account in that time: people mistype, programs guess."""

ADDRESS_TRIES_MAX: Final = 50
"""And from one network address, behind which a whole office may sit."""

POSTS_MAX: Final = 120
"""Posts to one open form from one network address in that time: a fair has many visitors behind
one address, a program that floods a form has far more posts."""

PLACES: Final = 65_536
"""Places of a table: some MB at most. Two who share a place share its tries, which is rare."""

HASHINGS_MAX: Final = 2
"""Passwords hashed at one time: each takes a core and 19 MiB."""

HASHINGS_WAITING_MAX: Final = 40
"""And those that wait: some seconds of hashing; who comes then is told to come again."""

_IPV6_NETWORK_BITS: Final = 64
"""What one customer gets of IPv6: who has one address there has them all."""

_US_PER_S: Final = 1_000_000


class Tries:
    """Tries of many, counted in a table of a fixed size; for one thread."""

    def __init__(self, tries_max: int) -> None:
        self._tries_max = tries_max
        self._counts: dict[int, tuple[int, int]] = {}

    def wait_s(self, code: bytes, now: int) -> int:
        """How many seconds somebody must wait before their next try; 0 if they may."""
        since, n = self._counts.get(_place(code), (now, 0))
        left = since + WINDOW_US - now
        return -(-left // _US_PER_S) if n >= self._tries_max and left > 0 else 0

    def count(self, code: bytes, now: int) -> None:
        """A try begins: it counts as wrong until it turns out right."""
        place = _place(code)
        since, n = self._counts.get(place, (now, 0))
        begins_anew = now - since >= WINDOW_US
        self._counts[place] = (now, 1) if begins_anew else (since, n + 1)

    def right(self, code: bytes, *, forget: bool) -> None:
        """The try was right: it counts no more, or with `forget` no earlier one does either."""
        place = _place(code)
        since, n = self._counts.get(place, (0, 0))
        if forget or n <= 1:
            self._counts.pop(place, None)
        else:
            self._counts[place] = (since, n - 1)


class Gate:
    """Checks and keeps passwords for one application, not too often and not too many at once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._accounts = Tries(ACCOUNT_TRIES_MAX)
        self._addresses = Tries(ADDRESS_TRIES_MAX)
        self._posts = Tries(POSTS_MAX)
        self._free = asyncio.Semaphore(HASHINGS_MAX)
        self._waiting = 0

    def email_code(self, email: str) -> bytes:
        """The 32 bytes by which the key store knows an e-mail address."""
        return email_code(self._services, email)

    def count_post(self, connection: str, address: str) -> None:
        """Count a post to a form that takes from anybody. Raises TooMany."""
        now = self._services.clock()
        origin = self._services.ledger.derive.code("post", connection, _network(address))
        wait_s = self._posts.wait_s(origin, now)
        if wait_s:
            raise TooMany(wait_s)
        self._posts.count(origin, now)

    async def check(self, email: str, password: str, address: str) -> UUID | None:
        """The user with that e-mail and password; None for everything else, equally slow.

        Raises TooMany, whether there is such an account or not; Busy.
        """
        passwords, now = self._services.credentials.passwords, self._services.clock()
        account, origin = self.email_code(email), self._origin(address)
        self._begin(account, origin, now)
        user = await self._hashing(lambda: passwords.check(account, password, now))
        if user is not None:
            self._end(account, origin)
        return user

    async def check_own(self, user: UUID, password: str, address: str) -> bool:
        """Whether somebody who is signed in knows their password. Raises TooMany, Busy."""
        passwords, now = self._services.credentials.passwords, self._services.clock()
        account, origin = self._services.ledger.derive.code("own", user), self._origin(address)
        self._begin(account, origin, now)
        right = await self._hashing(lambda: passwords.check_of(user, password, now))
        if right:
            self._end(account, origin)
        return right

    async def keep(self, user: UUID, password: str) -> None:
        """Keep a user's new password. Raises WrongState without an e-mail address, Busy."""
        passwords, now = self._services.credentials.passwords, self._services.clock()
        await self._hashing(lambda: passwords.set(user, password, now))

    def _begin(self, account: bytes, origin: bytes, now: int) -> None:
        wait_s = max(self._accounts.wait_s(account, now), self._addresses.wait_s(origin, now))
        if wait_s:
            raise TooMany(wait_s)
        self._accounts.count(account, now)
        self._addresses.count(origin, now)

    def _end(self, account: bytes, origin: bytes) -> None:
        # The address's earlier tries stay: with an account of one's own one could reset them.
        self._accounts.right(account, forget=True)
        self._addresses.right(origin, forget=False)

    def _origin(self, address: str) -> bytes:
        return self._services.ledger.derive.code("network", _network(address))

    async def _hashing(self, work: Callable[[], ResultT]) -> ResultT:
        if self._waiting >= HASHINGS_WAITING_MAX:
            raise Busy("Too many people sign in at this moment.")
        self._waiting += 1
        try:
            async with self._free:
                return await run_in_threadpool(work)
        finally:
            self._waiting -= 1


def email_code(services: Services, email: str) -> bytes:
    """The 32 bytes by which the key store knows an e-mail address; of any text some."""
    text = f"mailto:{email.strip()}"
    try:
        text = comparison_key(parse_address(text, country=None))
    except AddressError:
        text = text.casefold()
    return services.ledger.derive.code("sign-in", text)


def _place(code: bytes) -> int:
    return int.from_bytes(code[:4], "big") % PLACES


def _network(address: str) -> str:
    """What counts as one place to come from: an IPv4 address, or a network of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:  # noqa: PLR2004 - the version of the protocol
        return str(found)
    return str(ipaddress.ip_network(f"{found}/{_IPV6_NETWORK_BITS}", strict=False))
