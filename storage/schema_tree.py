"""The tables of proof, beside the log: the tree's tiles, checkpoints, signers, places, runs.

`tiles` is the tree: 256 hashes a tile, level by level (C2SP tlog-tiles); `tree` is how far it
came. `checkpoints` keeps every signed one, `signers` every key that was the configured one,
`places` how each place of publication is. `runs` are verifications and exports under way. All of
it but the signatures can be made again from the log.
"""

from __future__ import annotations

from typing import Final, LiteralString

ON_SQLITE: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE tiles (
        level INTEGER NOT NULL,
        n INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, n)
    )
    """,
    """
    CREATE TABLE tree (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        ledger BLOB NOT NULL,
        position INTEGER NOT NULL,
        leaf BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE checkpoints (
        size INTEGER PRIMARY KEY,
        root BLOB NOT NULL,
        at INTEGER NOT NULL,
        note TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE signers (
        number INTEGER PRIMARY KEY,
        verifier TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        at INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE places (
        place TEXT PRIMARY KEY,
        size INTEGER,
        at INTEGER,
        error TEXT,
        failed_at INTEGER,
        failures INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE runs (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        done INTEGER NOT NULL,
        total INTEGER NOT NULL,
        asked TEXT NOT NULL,
        result TEXT,
        actor TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    )
    """,
    "CREATE INDEX runs_list ON runs (kind, created_at, id)",
)

ON_POSTGRES: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE hilo_log.tiles (
        level integer NOT NULL,
        n bigint NOT NULL,
        hashes bytea NOT NULL,
        PRIMARY KEY (level, n)
    )
    """,
    "ALTER TABLE hilo_log.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL",
    """
    CREATE TABLE hilo_log.tree (
        one integer PRIMARY KEY CHECK (one = 1),
        ledger bytea NOT NULL,
        position bigint NOT NULL,
        leaf bytea NOT NULL
    )
    """,
    """
    CREATE TABLE hilo_log.checkpoints (
        size bigint PRIMARY KEY,
        root bytea NOT NULL,
        at bigint NOT NULL,
        note text NOT NULL
    )
    """,
    """
    CREATE TABLE hilo_log.signers (
        number integer PRIMARY KEY,
        verifier text NOT NULL UNIQUE,
        size bigint NOT NULL,
        at bigint NOT NULL
    )
    """,
    """
    CREATE TABLE hilo_log.places (
        place text PRIMARY KEY,
        size bigint,
        at bigint,
        error text,
        failed_at bigint,
        failures bigint NOT NULL
    )
    """,
    """
    CREATE TABLE hilo_log.runs (
        id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
        kind text NOT NULL,
        state text NOT NULL,
        done bigint NOT NULL,
        total bigint NOT NULL,
        asked text NOT NULL,
        result text,
        actor text NOT NULL,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL
    )
    """,
    "CREATE INDEX runs_list ON hilo_log.runs (kind, created_at, id)",
)
