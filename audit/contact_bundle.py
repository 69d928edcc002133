"""What is checked of the bundle of one contact: each of their events by its own receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from audit.bundle import Manifest
from audit.bundle_reader import bundle_rows
from audit.merkle import leaf_hash
from audit.notes import BadNote, Checkpoint, Verifier
from audit.receipts import read_receipt
from audit.verify import Bad, Verified
from domain.errors import Damaged
from storage.leaf import entry_maker


def receipt_file(position: int) -> str:
    """The name of an event's receipt in a bundle."""
    return f"receipts/{position}.tlog-proof"


def verify_contact(
    folder: Path,
    manifest: Manifest,
    verifiers: Sequence[Verifier],
    progress: Callable[[int, int], None],
) -> Verified | Bad:
    """Check each event of a contact's bundle against its receipt; positions ascend."""
    make = entry_maker(manifest.origin)
    total = sum(1 for part in manifest.parts for _ in bundle_rows(folder / part.file))
    found: Checkpoint | None = None
    count = before = 0
    try:
        for part in manifest.parts:
            for row in bundle_rows(folder / part.file):
                if row[0] <= before:
                    return Bad(
                        row[0], "it stands in the bundle a second time, or out of order", "order"
                    )
                before = row[0]
                receipt = read_receipt((folder / receipt_file(before)).read_text("utf-8"))
                if receipt.index != before - 1:
                    return Bad(before, "its receipt is that of another event", "changed")
                found = receipt.check(leaf_hash(make(row)), verifiers, manifest.origin)
                count += 1
                progress(count, total)
    except Damaged as error:
        return Bad(error.position, error.what)
    except (BadNote, OSError) as error:
        return Bad(before, getattr(error, "detail", "its receipt is missing"), "note")
    return Verified(count, found.root if found else b"", 1 if found else 0)
