"""The proofs of a composition put together: the tree, the signer, the places, the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.proving import Proving, Rhythm
from audit.places import Folder, read_witnesses
from audit.room import Proofs, Source
from audit.signer import KeyFiles, Signer
from audit.tree import LeafSource, Tree
from storage import follower as following
from storage.exclusive import exclusive_for
from storage.leaf import entry_bytes
from storage.raw_keys import erasures
from storage.runs import Runs
from storage.standby import flushed
from storage.tree_store import TreeStore

if TYPE_CHECKING:
    from app.compose import Composition
    from domain.ports import Entropy

TREE_EVENTS: Final = 256
TREE_S: Final = 1.0
"""The tree takes 256 events or a second's at a time: a page of it is a transaction."""


def proving_of(composition: Composition, entropy: Entropy) -> tuple[Proofs, Proving]:
    """The proofs of a ledger, and what makes them. Raises InvalidInput: a witness is misnamed."""
    settings, identity, clock = composition.settings, composition.keys.identity, composition.clock
    store = TreeStore(settings.log_url)
    origin, log = identity.origin, composition.log
    proved = Source(origin, log, lambda stored: entry_bytes(stored, origin))
    proofs = Proofs(proved, store, Runs(store, clock), settings.data / "exports")
    proofs.erasures = lambda: erasures(composition.keys.store)
    follower = following.Follower(
        LeafSource((identity.id.bytes, log, log.store.rows), origin),
        Tree(store, identity.id.bytes),
        wakeup=log.wakeup,
        exclusive=exclusive_for(settings.log_url, settings.data / "tree.lock"),
        pace=following.Pace(TREE_EVENTS, TREE_S),
    )
    signer = Signer(KeyFiles(settings.signer_file), store, proofs.tiles, origin, clock=clock)
    signer.flushed = lambda: flushed(settings.log_url)
    rhythm = Rhythm(settings.checkpoint_events, settings.checkpoint_every_us)
    proving = Proving(proofs, follower, signer, rhythm=rhythm, clock=clock, entropy=entropy)
    folder = [Folder(settings.checkpoint_dir)] if settings.checkpoint_dir else []
    proving.places = [*read_witnesses(settings.witnesses, proofs.tiles), *folder]
    return proofs, proving
