"""The tables that know which files are kept, and whose they are: ids and hashes, no names.

They lie beside the log, in its database. `blobs` has a row for each sealed file, made before the
file is put in its place, so that no file lies where nobody knows whose it is. `uploads` are
files that no interaction has yet; what they are called is sealed under the company's key.
"""

from __future__ import annotations

from typing import Final, LiteralString

import sqlalchemy as sa

ON_SQLITE: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE blobs (
        blob BLOB PRIMARY KEY CHECK (length(blob) = 32),
        subject BLOB NOT NULL CHECK (length(subject) = 16),
        attachment BLOB NOT NULL CHECK (length(attachment) = 16),
        about BLOB NOT NULL CHECK (length(about) = 16),
        fact BLOB NOT NULL CHECK (length(fact) = 16),
        size_bytes INTEGER NOT NULL,
        kept_at INTEGER NOT NULL,
        named INTEGER NOT NULL,
        deleted_at INTEGER
    ) WITHOUT ROWID
    """,
    "CREATE INDEX blobs_subject ON blobs (subject)",
    "CREATE INDEX blobs_attachment ON blobs (attachment)",
    "CREATE INDEX blobs_unnamed ON blobs (kept_at) WHERE named = 0 AND deleted_at IS NULL",
    """
    CREATE TABLE uploads (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        actor TEXT NOT NULL,
        blob BLOB NOT NULL,
        size_bytes INTEGER NOT NULL,
        key_id BLOB NOT NULL,
        sealed BLOB NOT NULL,
        made_at INTEGER NOT NULL,
        stream BLOB
    ) WITHOUT ROWID
    """,
    "CREATE INDEX uploads_age ON uploads (made_at)",
)

ON_POSTGRES: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE hilo_log.blobs (
        blob bytea PRIMARY KEY CHECK (octet_length(blob) = 32),
        subject bytea NOT NULL CHECK (octet_length(subject) = 16),
        attachment bytea NOT NULL CHECK (octet_length(attachment) = 16),
        about bytea NOT NULL CHECK (octet_length(about) = 16),
        fact bytea NOT NULL CHECK (octet_length(fact) = 16),
        size_bytes bigint NOT NULL,
        kept_at bigint NOT NULL,
        named smallint NOT NULL,
        deleted_at bigint
    )
    """,
    "CREATE INDEX blobs_subject ON hilo_log.blobs (subject)",
    "CREATE INDEX blobs_attachment ON hilo_log.blobs (attachment)",
    """
    CREATE INDEX blobs_unnamed ON hilo_log.blobs (kept_at)
    WHERE named = 0 AND deleted_at IS NULL
    """,
    """
    CREATE TABLE hilo_log.uploads (
        id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
        actor text NOT NULL,
        blob bytea NOT NULL,
        size_bytes bigint NOT NULL,
        key_id bytea NOT NULL,
        sealed bytea NOT NULL,
        made_at bigint NOT NULL,
        stream bytea
    )
    """,
    "CREATE INDEX uploads_age ON hilo_log.uploads (made_at)",
)


def blobs_table(metadata: sa.MetaData) -> sa.Table:
    """Sealed files, by the hash of their sealed bytes."""
    return sa.Table(
        "blobs",
        metadata,
        sa.Column("blob", sa.LargeBinary, primary_key=True),
        *(sa.Column(name, sa.LargeBinary) for name in ("subject", "attachment", "about", "fact")),
        *(sa.Column(name, sa.BigInteger) for name in ("size_bytes", "kept_at")),
        sa.Column("named", sa.SmallInteger),
        sa.Column("deleted_at", sa.BigInteger),
    )


def uploads_table(metadata: sa.MetaData) -> sa.Table:
    """Files that were uploaded, by id."""
    return sa.Table(
        "uploads",
        metadata,
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("actor", sa.Text),
        *(sa.Column(name, sa.LargeBinary) for name in ("blob", "key_id", "sealed", "stream")),
        *(sa.Column(name, sa.BigInteger) for name in ("size_bytes", "made_at")),
    )
