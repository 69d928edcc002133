"""The key store's tables about erasures: what was asked for, where views are, which copies are."""

from __future__ import annotations

import sqlalchemy as sa

Raw = type[sa.LargeBinary]
"""The type of columns with plain bytes."""


def erasures(metadata: sa.MetaData, raw: Raw) -> sa.Table:
    """Erasures from their intent on; `sealed` goes when one is done, `certificate` comes."""
    return sa.Table(
        "erasures",
        metadata,
        sa.Column("erasure", raw, primary_key=True),
        sa.Column("contact", raw, nullable=False, unique=True),
        sa.Column("subjects", raw, nullable=False),
        sa.Column("keys", raw, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("on_behalf_of", raw),
        sa.Column("position", sa.BigInteger),
        sa.Column("sealed", raw),
        sa.Column("certificate", sa.Text),
    )


def nodes(metadata: sa.MetaData, raw: Raw) -> sa.Table:
    """Every place where views of this ledger are kept, and how far they have come."""
    return sa.Table(
        "nodes",
        metadata,
        sa.Column("node", raw, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )


def backups(metadata: sa.MetaData, raw: Raw) -> sa.Table:
    """When the keys were copied, and until when such a copy is kept."""
    return sa.Table(
        "backups",
        metadata,
        sa.Column("backup", raw, primary_key=True),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("keys_until", sa.BigInteger, nullable=False),
    )


def reapplied(metadata: sa.MetaData) -> sa.Table:
    """Up to which fence and position of the log its erasures were applied to these keys."""
    return sa.Table(
        "reapplied",
        metadata,
        sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
