"""Erasures as the key store keeps them: intended, said in the log, done.

An intent and the detaching of the addresses are one commit: from then on a message from one of
them makes a new subject, and whatever happens to this process, the erasure is completed. What an
intent needs to know of the person (addresses, the reason given) is wrapped by the KEK, and goes
when the erasure is done.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain.errors import WrongState
from domain.ports import Entropy
from storage.kek import Kek
from storage.keyring import LIVE, batches
from storage.keystore import KeyStore

ERASING: Final = "erasing"
"""The `state` of a subject that is being erased, or was."""

ALREADY: Final = "This contact is being erased already."


class Intent(Struct, frozen=True, kw_only=True):
    """An erasure that was asked for.

    `requested_at` is in µs, `actor` (kind, id) asked for it, for `on_behalf_of`. `addresses` and
    `reason` are empty once it is done. `position` is that of the ContactErased.
    """

    erasure: UUID
    contact: UUID
    subjects: tuple[UUID, ...]
    keys: tuple[UUID, ...]
    requested_at: int
    actor: tuple[str, str]
    on_behalf_of: UUID | None
    addresses: tuple[str, ...] = ()
    reason: str = ""
    position: int | None = None
    certificate: Mapping[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do here."""
        return self.certificate is not None


class Node(Struct, frozen=True):
    """A place where views are kept: how far they are, when that was said (µs)."""

    id: UUID
    name: str
    position: int
    seen_at: int


class Erasures:
    """The tables `erasures`, `nodes`, `backups`, `reapplied`. Raises StoreUnavailable."""

    def __init__(self, store: KeyStore, kek: Kek, entropy: Entropy) -> None:
        self._store = store
        self._kek = kek
        self._entropy = entropy

    # ---------------------------------------------------------------- erasures

    def intend(self, intent: Intent) -> None:
        """Note an intent and detach the addresses, in one commit.

        Raises WrongState where the contact is being erased, or was.
        """
        tables = self._store.tables
        subjects = tables.subjects
        raw = [subject.bytes for subject in intent.subjects]
        with self._store.write() as connection:
            held: list[tuple[str, str]] = []
            for some in batches(raw):
                query = sa.select(subjects.c.subject, subjects.c.address_mac).where(
                    subjects.c.subject.in_(some)
                )
                held += [
                    (one.hex(), b64encode(mac).decode()) for one, mac in _macs(query, connection)
                ]
            row = self._row(intent, held)
            made = connection.execute(self._store.insert_new(tables.erasures).values(row))
            if not made.rowcount:
                raise WrongState(ALREADY)
            for some in batches(raw):
                detach = sa.update(subjects).where(subjects.c.subject.in_(some))
                connection.execute(detach.values(address_mac=None, state=ERASING))

    def abandon(self, intent: Intent) -> None:
        """Take an intent back that the log refused: its addresses are found again.

        One that has written since is somebody else's, and stays so.
        """
        tables = self._store.tables
        subjects, erasures = tables.subjects, tables.erasures
        with self._store.write() as connection:
            here = erasures.c.erasure == intent.erasure.bytes
            sealed = connection.scalar(sa.select(erasures.c.sealed).where(here))
            if sealed is None:
                return
            for one, mac in self._opened(intent.erasure, sealed)["held"]:
                code = b64decode(mac)
                taken = sa.select(subjects.c.subject).where(subjects.c.address_mac == code)
                back = sa.update(subjects).where(subjects.c.subject == bytes.fromhex(one))
                found = connection.execute(taken).first()
                values = {"state": LIVE} if found else {"state": LIVE, "address_mac": code}
                connection.execute(back.values(values))
            connection.execute(sa.delete(erasures).where(here))

    def said(self, erasure: UUID, position: int) -> None:
        """Note where in the log it stands."""
        self._update(erasure, {"position": position})

    def done(self, erasure: UUID, certificate: Mapping[str, Any]) -> None:
        """Note that it is done; what was known of the person for it goes."""
        text = json.dumps(certificate, ensure_ascii=False)
        self._update(erasure, {"certificate": text, "sealed": None})

    def pending(self) -> list[Intent]:
        """Those that are not done, the first asked for first."""
        table = self._store.tables.erasures
        return self._read(sa.select(table).where(table.c.certificate.is_(None)))

    def all(self) -> list[Intent]:
        """All of them, the first asked for first."""
        return self._read(sa.select(self._store.tables.erasures))

    def of_contact(self, contact: UUID) -> Intent | None:
        """The erasure of a contact; None where there is none."""
        table = self._store.tables.erasures
        found = self._read(sa.select(table).where(table.c.contact == contact.bytes))
        return found[0] if found else None

    # ----------------------------------------------------------------- the rest

    def register(self, node: Node) -> None:
        """Say how far the views of a place are."""
        table = self._store.tables.nodes
        values = {"name": node.name, "position": node.position, "seen_at": node.seen_at}
        with self._store.write() as connection:
            change = sa.update(table).where(table.c.node == node.id.bytes).values(values)
            if not connection.execute(change).rowcount:
                new = self._store.insert_new(table).values(values | {"node": node.id.bytes})
                connection.execute(new)

    def nodes(self) -> list[Node]:
        """Every place that ever said that it keeps views, by name."""
        table = self._store.tables.nodes
        with self._store.read() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.name)).all()
        return [Node(UUID(bytes=row.node), row.name, row.position, row.seen_at) for row in rows]

    def forget_node(self, name: str) -> int:
        """Count a place no more that is gone with its views; how many had that name."""
        table = self._store.tables.nodes
        with self._store.write() as connection:
            return connection.execute(sa.delete(table).where(table.c.name == name)).rowcount

    def backed_up(self, backup: UUID, made_at: int, keys_until: int) -> None:
        """Note that the keys were copied, and when that copy expires (µs)."""
        row = {"backup": backup.bytes, "made_at": made_at, "keys_until": keys_until}
        with self._store.write() as connection:
            connection.execute(sa.insert(self._store.tables.backups), row)

    def keys_until(self, at: int) -> int | None:
        """When the last copy of the keys made before a time expires; None where there is none."""
        table = self._store.tables.backups
        query = sa.select(sa.func.max(table.c.keys_until)).where(
            table.c.made_at <= at, table.c.keys_until > at
        )
        with self._store.read() as connection:
            found: int | None = connection.scalar(query)
        return found

    def last_backup(self) -> int | None:
        """When the keys were last copied (µs); None: never."""
        table = self._store.tables.backups
        with self._store.read() as connection:
            found: int | None = connection.scalar(sa.select(sa.func.max(table.c.made_at)))
        return found

    def reapplied(self) -> tuple[int, int]:
        """The fence up to which all erasures of the log were applied here, and the position."""
        table = self._store.tables.reapplied
        with self._store.read() as connection:
            row = connection.execute(sa.select(table.c.fence, table.c.position)).first()
        return (row.fence, row.position) if row else (0, 0)

    def reapply(self, subjects: Collection[UUID]) -> None:
        """Detach the addresses of subjects whose erasure stands in the log."""
        table = self._store.tables.subjects
        with self._store.write() as connection:
            for some in batches([subject.bytes for subject in subjects]):
                detach = sa.update(table).where(table.c.subject.in_(some))
                connection.execute(detach.values(address_mac=None, state=ERASING))

    def note_reapplied(self, fence: int, position: int) -> None:
        """Note how far that has come."""
        table = self._store.tables.reapplied
        values = {"fence": fence, "position": position}
        with self._store.write() as connection:
            if not connection.execute(sa.update(table).values(values)).rowcount:
                connection.execute(sa.insert(table), values | {"one": 1})

    # ------------------------------------------------------------------- inside

    def _row(self, intent: Intent, held: Sequence[tuple[str, str]]) -> dict[str, object]:
        plain = {"addresses": intent.addresses, "reason": intent.reason, "held": held}
        text = json.dumps(plain, ensure_ascii=False).encode()
        return {
            "erasure": intent.erasure.bytes,
            "contact": intent.contact.bytes,
            "subjects": b"".join(one.bytes for one in intent.subjects),
            "keys": b"".join(one.bytes for one in intent.keys),
            "requested_at": intent.requested_at,
            "actor": json.dumps(intent.actor),
            "on_behalf_of": intent.on_behalf_of.bytes if intent.on_behalf_of else None,
            "position": None,
            "sealed": self._kek.wrap(text, intent.erasure.bytes, self._entropy),
            "certificate": None,
        }

    def _update(self, erasure: UUID, values: Mapping[str, object]) -> None:
        table = self._store.tables.erasures
        with self._store.write() as connection:
            here = table.c.erasure == erasure.bytes
            connection.execute(sa.update(table).where(here).values(**values))

    def _read(self, query: sa.Select[Any]) -> list[Intent]:
        table = self._store.tables.erasures
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(table.c.requested_at, table.c.erasure)).all()
        return [self._intent(row) for row in rows]

    def _intent(self, row: sa.Row[Any]) -> Intent:
        erasure = UUID(bytes=row.erasure)
        plain = self._opened(erasure, row.sealed) if row.sealed is not None else {}
        kind, name = json.loads(row.actor)
        return Intent(
            erasure=erasure,
            contact=UUID(bytes=row.contact),
            subjects=_uuids(row.subjects),
            keys=_uuids(row.keys),
            requested_at=row.requested_at,
            actor=(kind, name),
            on_behalf_of=UUID(bytes=row.on_behalf_of) if row.on_behalf_of else None,
            addresses=tuple(plain.get("addresses", ())),
            reason=plain.get("reason", ""),
            position=row.position,
            certificate=json.loads(row.certificate) if row.certificate else None,
        )

    def _opened(self, erasure: UUID, sealed: bytes) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self._kek.unwrap(sealed, erasure.bytes))
        return read


def _macs(query: sa.Select[Any], connection: sa.Connection) -> list[tuple[bytes, bytes]]:
    return [(row[0], row[1]) for row in connection.execute(query) if row[1] is not None]


def _uuids(joined: bytes) -> tuple[UUID, ...]:
    return tuple(UUID(bytes=joined[at : at + 16]) for at in range(0, len(joined), 16))
