"""Which key store belongs to which log: stores of two ledgers are never opened together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import StoresDiffer
from storage.keyring import has_keys, has_ledger

if TYPE_CHECKING:
    from uuid import UUID

    from storage import appending
    from storage.keystore import KeyStore


def refuse_half(row: appending.Ledger | None, keystore: KeyStore) -> None:
    """One store that is empty beside one that is not was lost: nothing is made in its place."""
    if row is not None and not has_ledger(keystore):
        raise StoresDiffer(
            f"The log is of the ledger {row.id}, but the key store is empty. "
            "Restore the key store's backup; without it nothing can be opened."
        )
    if row is None and has_keys(keystore):
        raise StoresDiffer(
            "The key store has been in use, but the log is empty. Restore the log's backup, "
            "or take another data folder to begin anew."
        )


def refuse_other(there: UUID, here: UUID) -> None:
    """A log and keys of two ledgers. Raises StoresDiffer."""
    if there != here:
        raise StoresDiffer(f"The log is of the ledger {there}, the keys are of {here}.")
