"""A connection as answers show it: its sources, its balance, and never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.registry import CHANNELS
from domain.events import DepartmentSet, SourceSet
from domain.staff import department_stream
from domain.times import format_utc
from domain.values import dictionary_key
from storage.arrivals import Arrived
from storage.connections import Connection
from storage.trade import Balance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.services import Services

REJECTED: Final = ("bad_signature", "no_signature", "too_large")
"""Why requests are refused unread; each stands in every balance."""


class Named(Struct):
    """A key and its name."""

    key: str
    name: str


class SecretShown(Struct):
    """What is shown of a secret: never more than that it is there."""

    set: bool
    count: int
    changed_at: str | None


class BalanceShown(Struct):
    """What came in: `received` is the sum of recorded, duplicate, ignored and quarantined."""

    since: str
    deliveries: int
    rejected: dict[str, int]
    received: int
    recorded: int
    duplicate: int
    ignored: dict[str, int]
    quarantined: int


class SourceShown(Struct):
    """An account behind a connection, as its deliveries name it."""

    key: str
    name: str
    address: str | None
    state: str
    department: Named | None
    attended_by: None
    last_at: str | None
    balance: BalanceShown


class ConnectionAnswer(Struct):
    """A connection with its sources and its balance."""

    key: str
    channel: str
    name: str
    title: str
    state: str
    url: str
    secrets: dict[str, SecretShown]
    options: dict[str, str]
    department: Named | None
    sources: list[SourceShown]
    created_at: str
    last_delivery_at: str | None
    last_error: str | None
    balance: BalanceShown


def shown(services: Services, connection: Connection) -> ConnectionAnswer:
    """A connection as the contract has it."""
    channels = services.channels
    facts = channels.connections.facts(connection)
    names = _secret_names(connection)
    arrived = {one.source: one for one in channels.arrivals.arrived(connection.key)}
    balances = {one.source: one for one in channels.arrivals.balances(connection.key)}
    whole = arrived.get("")
    sources = sorted(({*arrived} | {*balances}) - {""})
    return ConnectionAnswer(
        key=connection.key,
        channel=connection.channel,
        name=connection.name,
        title=connection.title,
        state=connection.state,
        url=url_of(services, connection),
        secrets={
            name: SecretShown(
                name in facts,
                facts[name].count if name in facts else 0,
                format_utc(facts[name].changed_at) if name in facts else None,
            )
            for name in dict.fromkeys((*names, *facts))
        },
        options=connection.options,
        department=_department(services, connection.department),
        sources=[_source(services, key, arrived.get(key), balances.get(key)) for key in sources],
        created_at=format_utc(connection.created_at),
        last_delivery_at=_time(whole.last_at if whole else None),
        last_error=whole.error if whole else None,
        balance=_balance(list(balances.values()), connection.created_at),
    )


def url_of(services: Services, connection: Connection) -> str:
    """The URL that goes into the provider's settings, or where Hilo listens or fetches itself."""
    module = CHANNELS.get(connection.channel)
    if module is not None and module.place is not None:
        return module.place(connection.options)
    return f"{services.locale.public_url}/channels/{connection.key}"


def _secret_names(connection: Connection) -> Sequence[str]:
    module = CHANNELS.get(connection.channel)
    return module.secrets if module else ()


def _department(services: Services, text: str | None) -> Named | None:
    """A department by name or key, with the name that the log has for it."""
    if not text:
        return None
    key = dictionary_key(text)
    entries = services.log.stream(department_stream(services.ledger.derive, key))
    last = entries[-1].event if entries else None
    name = last.name if isinstance(last, DepartmentSet) and last.name else text
    return Named(key, name)


def _source(
    services: Services, key: str, arrived: Arrived | None, balance: Balance | None
) -> SourceShown:
    """An account: `named` once somebody gave it a name, until then `discovered`."""
    entries = services.log.stream(services.ledger.derive.id("source", key))
    last = entries[-1].event if entries else None
    known = last if isinstance(last, SourceSet) else None
    said = arrived.address if arrived else None
    return SourceShown(
        key=key,
        name=(known.name if known else None) or key,
        address=(known.address if known else None) or said,
        state="named" if known else "discovered",
        department=_department(services, known.department if known else None),
        attended_by=None,
        last_at=_time(arrived.last_at if arrived else None),
        balance=_balance([balance] if balance else [], 0),
    )


def _balance(balances: Sequence[Balance], since: int) -> BalanceShown:
    """Balances, added up."""
    rejected, ignored = dict.fromkeys(REJECTED, 0), dict[str, int]()
    for balance in balances:
        for reason, n in balance.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + n
        for reason, n in balance.ignored.items():
            ignored[reason] = ignored.get(reason, 0) + n
    return BalanceShown(
        since=format_utc(min((one.since for one in balances), default=since)),
        deliveries=sum(one.deliveries for one in balances),
        rejected=rejected,
        received=sum(one.received for one in balances),
        recorded=sum(one.recorded for one in balances),
        duplicate=sum(one.duplicate for one in balances),
        ignored=ignored,
        quarantined=sum(one.quarantined for one in balances),
    )


def _time(at: int | None) -> str | None:
    return None if at is None else format_utc(at)
