"""INSERT with ON CONFLICT, as each database's dialect has it.

PostgreSQL's dialect is read by processes that work on PostgreSQL: it is a fifth of SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"
"""The statement of either dialect."""


def insert_into(table: sa.Table, *, on_sqlite: bool) -> Insert:
    """An INSERT that knows ON CONFLICT."""
    if on_sqlite:
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - the module's own sentence

    return postgresql.insert(table)
