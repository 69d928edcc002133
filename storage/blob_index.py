"""Which files are kept and whose they are: rows of ids and hashes, beside the log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from storage.blob_tables import blobs_table, uploads_table
from storage.confirming import confirmed
from storage.keyring import batches
from storage.schema import SCHEMA
from storage.trade_tables import engine_of, translated
from storage.upserting import insert_into

if TYPE_CHECKING:
    from domain.ports import Clock
    from storage.blobs import Owner


class BlobRow(Struct, frozen=True):
    """A kept file: hash of its sealed bytes (32), whose it is, and what belongs to what.

    `fact` is the stream of the event that names it. `size_bytes` is the file's own; times are
    µs. With `deleted_at` its bytes are gone, by an erasure.
    """

    blob: bytes
    subject: UUID
    attachment: UUID
    about: UUID
    fact: UUID
    size_bytes: int
    kept_at: int
    deleted_at: int | None


class Upload(Struct, frozen=True, kw_only=True):
    """A file that was uploaded: by whom, its hash, and what it is called, sealed.

    `stream` is the interaction that it was given to, None until then.
    """

    id: UUID
    actor: str
    blob: bytes
    size_bytes: int
    key_id: bytes
    sealed: bytes
    made_at: int
    stream: UUID | None = None


class BlobIndex:
    """The rows of one ledger; safe between threads and processes.

    Every method is one short transaction. Raises StoreUnavailable.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._engine = engine_of(url)
        self._sqlite = self._engine.dialect.name == "sqlite"
        metadata = sa.MetaData(schema=None if self._sqlite else SCHEMA)
        self._blobs = blobs_table(metadata)
        self._uploads = uploads_table(metadata)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # ---------------------------------------------------------------------- blobs

    def note(self, owner: Owner, blob: bytes, size_bytes: int) -> None:
        """Know of a file, before it lies anywhere."""
        row = {
            "blob": blob,
            "subject": owner.subject.bytes,
            "attachment": owner.attachment.bytes,
            "about": owner.about.bytes,
            "fact": owner.fact.bytes,
            "size_bytes": size_bytes,
            "kept_at": self._clock(),
            "named": 0,
        }
        with self._writing() as transaction:
            transaction.execute(self._blobs.insert().values(row))

    def row(self, blob: bytes) -> BlobRow | None:
        """One file."""
        found = self._found(self._blobs.c.blob == blob)
        return found[0] if found else None

    def of_attachment(self, attachment: UUID) -> list[BlobRow]:
        """The files of an attachment: of one that was tried several times there may be some."""
        return self._found(self._blobs.c.attachment == attachment.bytes)

    def of_subjects(self, subjects: Collection[UUID]) -> list[BlobRow]:
        """Every file of these subjects that still lies there."""
        table = self._blobs
        found: list[BlobRow] = []
        for some in batches(subjects):
            here = table.c.subject.in_([subject.bytes for subject in some])
            found += self._found(here & table.c.deleted_at.is_(None))
        return found

    def gone(self, blob: bytes) -> None:
        """A file's bytes were deleted, by an erasure; its row says so from now on."""
        table = self._blobs
        change = table.update().where(table.c.blob == blob, table.c.deleted_at.is_(None))
        self._change(change.values(deleted_at=self._clock()))

    def named(self, blob: bytes) -> None:
        """An event names the file: it stays."""
        self._change(self._blobs.update().where(self._blobs.c.blob == blob).values(named=1))

    def forget(self, blob: bytes) -> None:
        """Nobody names the file, and it is gone."""
        self._change(self._blobs.delete().where(self._blobs.c.blob == blob))

    def unnamed(self, before: int, limit: int) -> list[BlobRow]:
        """Files of before a time of which nobody has looked yet whether an event names them."""
        table = self._blobs
        waiting = (table.c.named == 0) & table.c.deleted_at.is_(None)
        return self._found(waiting & (table.c.kept_at < before), limit)

    # -------------------------------------------------------------------- uploads

    def add_upload(self, upload: Upload) -> bool:
        """Know of an uploaded file; False where its id is known already, and stays as it is."""
        insert = insert_into(self._uploads, on_sqlite=self._sqlite)
        values = {name: getattr(upload, name) for name in upload.__struct_fields__}
        values |= {"id": upload.id.bytes, "stream": None}
        with self._writing() as transaction:
            added = transaction.execute(insert.values(values).on_conflict_do_nothing())
        return added.rowcount == 1

    def upload(self, id: UUID) -> Upload | None:
        """An uploaded file that no interaction has yet."""
        rows = self._rows(sa.select(self._uploads).where(self._uploads.c.id == id.bytes))
        return _upload(rows[0]) if rows else None

    def claim_upload(self, id: UUID, actor: str, stream: UUID) -> Upload | None:
        """Give an upload to an interaction; None where it is not this actor's, or another's."""
        table = self._uploads
        mine = (table.c.id == id.bytes) & (table.c.actor == actor)
        free = table.c.stream.is_(None) | (table.c.stream == stream.bytes)
        with self._writing() as transaction:
            change = table.update().where(mine, free).values(stream=stream.bytes)
            if not transaction.execute(change).rowcount:
                return None
            return _upload(transaction.execute(sa.select(table).where(mine)).one())

    def release_upload(self, id: UUID, stream: UUID) -> None:
        """The interaction did not come to be: another one may have it."""
        table = self._uploads
        here = table.update().where(table.c.id == id.bytes, table.c.stream == stream.bytes)
        self._change(here.values(stream=None))

    def drop_upload(self, id: UUID) -> None:
        """The upload is an interaction's now, or was let go."""
        self._change(self._uploads.delete().where(self._uploads.c.id == id.bytes))

    def claimed_uploads(self, limit: int) -> list[Upload]:
        """Uploads that were given to an interaction, the oldest first."""
        table = self._uploads
        query = sa.select(table).where(table.c.stream.is_not(None))
        return [_upload(row) for row in self._rows(query.order_by(table.c.made_at).limit(limit))]

    def old_uploads(self, before: int, limit: int) -> list[Upload]:
        """Uploads of before a time."""
        table = self._uploads
        query = sa.select(table).where(table.c.made_at < before).limit(limit)
        return [_upload(row) for row in self._rows(query)]

    # --------------------------------------------------------------------- inside

    def _found(self, where: sa.ColumnElement[bool], limit: int | None = None) -> list[BlobRow]:
        table = self._blobs
        query = sa.select(table).where(where).order_by(table.c.kept_at, table.c.blob).limit(limit)
        return [_blob(row) for row in self._rows(query)]

    def _change(self, statement: sa.Executable) -> None:
        with self._writing() as transaction:
            transaction.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with translated(), self._engine.connect() as connection, confirmed(connection):
            if self._sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with translated(), self._engine.connect() as connection:
            return connection.execute(query).all()


def _blob(row: sa.Row[Any]) -> BlobRow:
    return BlobRow(
        row.blob,
        UUID(bytes=row.subject),
        UUID(bytes=row.attachment),
        UUID(bytes=row.about),
        UUID(bytes=row.fact),
        row.size_bytes,
        row.kept_at,
        row.deleted_at,
    )


def _upload(row: sa.Row[Any]) -> Upload:
    return Upload(
        id=UUID(bytes=row.id),
        actor=row.actor,
        blob=row.blob,
        size_bytes=row.size_bytes,
        key_id=row.key_id,
        sealed=row.sealed,
        made_at=row.made_at,
        stream=UUID(bytes=row.stream) if row.stream else None,
    )
