"""The only constructor: from settings to a ledger that works, with all its parts.

Clocks and randomness are made here and nowhere else; everything below gets them as arguments.
Nothing is global: two compositions live in one process without knowing of each other.
"""

from __future__ import annotations

import os
import threading
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.metrics import Metrics
from api.reads import Reads
from api.services import Credentials, Locale, Services
from api.terms import append_reader
from api.tide import Tide
from app.erasing import eraser_of
from app.opening_ahead import OpeningAhead
from app.pairing import refuse_half, refuse_other
from app.proving_parts import proving_of
from app.replay_folders import why
from app.standing import Standing
from channels.contract import Reading
from channels.fetching import fetched
from channels.forgetting import Forgetting
from channels.room import Channels, Stores
from domain.addresses import comparison_key, forget_addresses
from domain.errors import StoreUnavailable
from domain.ledger import Ledger, Surroundings
from domain.topics import layouts
from domain.values import Deriver
from projections.access import Access
from projections.dictionary import Dictionary
from projections.directory import Roots
from projections.groups import GROUPS
from projections.rendering import Renderer
from projections.views import Views
from storage import appending
from storage.arrivals import Arrivals
from storage.blob_index import BlobIndex
from storage.blob_places import place_at
from storage.blob_seal import BlobSeal
from storage.blobs import BlobStore
from storage.codec import Codec
from storage.company_seal import CompanySeal
from storage.connections import ConnectionBook
from storage.credentials import ConnectionSecrets, Links, Sessions, Tokens
from storage.erasures import Erasures
from storage.exclusive import exclusive_for
from storage.follower import Follower, FollowerState, Pace, Phase
from storage.kek import Kek, KekPlaces, find_kek
from storage.keyring import Keyring, has_ledger, random_uuid
from storage.keystore import KeyStore
from storage.leaf import leaf_hash
from storage.log import EventLog, Parts, open_store
from storage.mapper import SealedMapper
from storage.passwords import Passwords
from storage.source import Source
from storage.subjects import SubjectBook

if TYPE_CHECKING:
    from pathlib import Path

    from app.cli.companion import Companion
    from app.settings import Settings
    from domain.ports import Clock, Purgeable, StoredEntry
    from projections.group import Group
    from storage.appending import LogStore
    from storage.keyring import LedgerIdentity

FOLDER_MODE: Final = 0o700
"""The data folder is its owner's alone: names and messages lie in the views."""

DRAWN_BYTES: Final = 4 * 1024
"""Randomness drawn at a time: the nonces of a few hundred events."""

BESIDE: Final = Pace(events=500, seconds=0.05)
"""Figures and search may be that much behind the core: for them each page costs as much as its
events, and leaves the processor to those who wait for an answer."""

_NS_PER_US: Final = 1_000


def system_clock() -> int:
    """The time in microseconds since the epoch, UTC."""
    return time.time_ns() // _NS_PER_US


def entropy(size: int) -> bytes:
    """That many random bytes from the operating system."""
    return os.urandom(size)


def new_id() -> UUID:
    """A new random id."""
    return random_uuid(entropy)


class Randomness:
    """Random bytes from the operating system, drawn some at a time; safe between threads.

    Each draw lets go of the interpreter, and where the event loop is busy it may be milliseconds
    until it is given back: the writer, who needs a nonce for every event, would wait each time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn = b""
        self._at = 0
        self._process = 0

    def __call__(self, size: int) -> bytes:
        """That many random bytes, which nobody else gets."""
        with self._lock:
            start = self._at
            # What was drawn before a fork is the parent's: no two processes share a nonce.
            if start + size > len(self._drawn) or self._process != os.getpid():
                self._process = os.getpid()
                self._drawn = entropy(max(size, DRAWN_BYTES))
                start = 0
            self._at = start + size
            return self._drawn[start : self._at]


class Keys:
    """The key store, opened: who the ledger is, its keys, its subjects, its doors."""

    def __init__(self, settings: Settings, store: KeyStore, clock: Clock) -> None:
        self.store = store
        places = KekPlaces(settings.kek, settings.kek_file, settings.data)
        self.kek: Kek = find_kek(places, entropy, may_make=not has_ledger(self.store))
        self.random = Randomness()
        self.ring = Keyring(self.store, self.kek, self.random, time.monotonic)
        self.identity: LedgerIdentity = self.ring.create_or_open(clock())
        self.derive = Deriver(self.identity.secret, self.identity.id)
        self.subjects = SubjectBook(self.store, self.ring, self._mac, self.random)
        self.credentials = Credentials(
            tokens=Tokens(self.store, entropy),
            links=Links(self.store, entropy),
            sessions=Sessions(self.store, entropy),
            passwords=Passwords(self.store, entropy),
            secrets=ConnectionSecrets(self.store, self.kek, entropy),
        )
        self.erasures = Erasures(self.store, self.kek, self.random)

    def forget(self) -> None:
        """Drop all that is cached of subjects and keys: an erasure came between."""
        self.ring.forget()
        self.subjects.forget()

    def _mac(self, address: str) -> bytes:
        return self.derive.mac(comparison_key(address))


class Composition:
    """A ledger with everything it needs; `close` ends what it began."""

    def __init__(self, settings: Settings, clock: Clock, *, polite: bool = False) -> None:
        self.settings = settings
        self.clock = clock
        _make_folder(settings.data)
        self.store = open_store(settings.log_url, clock)
        try:
            self.keys = _matching_keys(settings, self.store, clock)
        except BaseException:
            self.store.close()
            raise
        codec = Codec(layouts(), self.keys.ring, self.keys.identity.id, self.keys.random)
        parts = Parts(
            codec=codec,
            mapper=SealedMapper(codec),
            subjects=self.keys.subjects,
            forget=self.keys.forget,
            polite=polite,
        )
        self.codec = codec
        self.log = EventLog(self.store, parts)
        self.trade = Arrivals(settings.log_url, clock)
        self.blobs = _blob_store(settings, self.keys, clock)
        self.views = Views(settings.views_url)
        self.groups: tuple[Group, ...] = tuple(make(self.views) for make in GROUPS)
        self.core: Group = self.groups[0]
        self.dictionary = Dictionary(self.views)
        self.roots = Roots(self.views)
        self.keys.subjects.observer = self.roots.made
        self.ledger = Ledger(
            self.log,
            self.keys.subjects,
            self.dictionary,
            self.roots,
            Surroundings(self.keys.derive, clock, new_id, settings.own_domains),
        )
        self.seal = CompanySeal(self.keys.ring, entropy)
        self.channels = self._channels()
        mailboxes = exclusive_for(settings.log_url, settings.data / "mailboxes.lock")
        self.standing = Standing(self.channels, mailboxes)
        identity = self.keys.identity
        self.source = Source(identity.id.bytes, self.log, self.log, self.leaf)
        self.source.helper = OpeningAhead(settings, codec)
        lock = exclusive_for(settings.log_url, settings.data / "follower.lock")
        self.follower = Follower(self.source, self.core, wakeup=self.log.wakeup, exclusive=lock)
        self.beside = tuple(self._follower(group) for group in self.groups[1:])
        self.proofs, self.proving = proving_of(self, entropy)
        self.companion: Companion | None = None
        self.tide = self._tide()
        self.purges: list[Purgeable] = [Forgetting(self.channels.ward), self.blobs, self.proofs]
        self.renderer = Renderer(settings.public_url, self.dictionary)
        self.forgetters = [self.keys.forget, self.renderer.forget, forget_addresses]
        self.eraser = eraser_of(self, new_id)
        self.services = self._services()
        self.reads = self._reads()

    def _tide(self) -> Tide:
        """How far the core views are, for whoever waits for a position."""
        return Tide(
            self.core,
            lambda: self.follower_state().phase is Phase.FOLLOWING,
            lambda: self.core.examine(self.source),
        )

    def _reads(self) -> Reads:
        """What reading needs beside the services."""
        return Reads(
            renderer=self.renderer,
            names=self.dictionary,
            tide=self.tide,
            leaf=self.leaf,
            follower=self.follower_state,
            metrics=Metrics(),
            embedded=self.settings.embedded,
        )

    def _channels(self) -> Channels:
        country = self.settings.country
        return Channels(
            self.ledger,
            Stores(
                arrivals=self.trade,
                blobs=self.blobs,
                subjects=self.keys.subjects,
                book=ConnectionBook(self.keys.store),
                secrets=self.keys.credentials.secrets,
                seal=self.seal,
            ),
            self.clock,
            Reading(country, append_reader(self.ledger, self.clock, country)),
            fetched,
        )

    def _follower(self, group: Group) -> Follower:
        """A follower of a group beside the core, with a lock of its own."""
        path = self.settings.data / f"follower-{group.name}.lock"
        lock = exclusive_for(self.settings.log_url, path)
        wakeup = self.log.wakeup
        return Follower(self.source, group, wakeup=wakeup, exclusive=lock, pace=BESIDE)

    def follow(self) -> None:
        """Have the views of every group follow the log, each in a thread of its own."""
        for follower in (self.follower, *self.beside):
            follower.start()

    def leaf(self, entry: StoredEntry) -> bytes:
        """The leaf hash (32 bytes) of a row of this ledger's log."""
        return leaf_hash(entry, self.keys.identity.origin)

    def forget(self) -> None:
        """Drop what this process remembers of anybody: somebody was erased."""
        for forget in tuple(self.forgetters):
            forget()

    def accompany(self, companion: Companion) -> None:
        """Have another process follow: it hears of this one's commits, and says how far it is."""

        def told(state: FollowerState) -> None:
            if state.phase is Phase.FOLLOWING:
                self.tide.reached(state.position)

        self.companion = companion
        companion.listener = told
        self.log.wakeup.observer = companion.hint

    def follower_state(self) -> FollowerState:
        """How the follower of this server is, wherever it runs."""
        return (self.companion and self.companion.state) or self.follower.state

    def close(self) -> None:
        """Stop following, append what is queued, close the stores."""
        self.proving.close()
        self.log.wakeup.close()  # the follower waits for no more
        followers = (self.follower, *self.beside)
        for follower in followers:
            follower.ask_to_stop()
        for follower in followers:
            follower.stop()
            follower.release()  # where it was stepped by hand, without a thread
        self.log.close()
        self.trade.close()
        self.blobs.index.close()
        self.proofs.store.close()
        self.views.close()
        self.standing.release()
        self.keys.store.close()

    def _services(self) -> Services:
        return Services(
            eraser=self.eraser,
            ledger=self.ledger,
            log=self.log,
            codec=self.codec,
            views=self.views,
            access=Access(),
            people=self.dictionary,
            credentials=self.keys.credentials,
            trade=self.trade,
            channels=self.channels,
            blobs=self.blobs,
            seal=self.seal,
            clock=self.clock,
            entropy=entropy,
            new_id=new_id,
            core_position=self.tide.position,
            wait_for=self.tide.wait_for,
            locale=Locale(
                country=self.settings.country,
                zone=self.settings.zone,
                public_url=self.settings.public_url,
                own_domains=self.settings.own_domains,
            ),
            version=version("hilo"),
            twin_window_us=self.settings.twin_window_us,
            proofs=self.proofs,
        )


def open_ledger(
    settings: Settings,
    *,
    follow: bool = True,
    polite: bool = False,
    clock: Clock = system_clock,
) -> Composition:
    """A ledger, made where there is none yet; with `follow`, its views follow in a thread.

    `polite` is for importers, who leave room for others between their commits. Raises
    StoresDiffer, NewerData, KeyMissing, StoreUnavailable.
    """
    composition = Composition(settings, clock, polite=polite)
    try:
        if settings.replay is not None:
            composition.log.freeze(why(settings.replay))
        composition.eraser.reapply()
    except BaseException:
        composition.close()
        raise
    if follow:
        composition.follow()
    return composition


def _blob_store(settings: Settings, keys: Keys, clock: Clock) -> BlobStore:
    """Where files are kept. Raises StoreUnavailable for a place that cannot be one."""
    seal = BlobSeal(keys.ring, keys.identity.id, entropy)
    index = BlobIndex(settings.log_url, clock)
    return BlobStore(place_at(settings.blob_place), index, seal, settings.blob_folder)


def _make_folder(folder: Path) -> None:
    """The data folder, closed to others. Raises StoreUnavailable where it cannot be made."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder {folder} cannot be used ({error.strerror})."
        raise StoreUnavailable(message) from error


def _matching_keys(settings: Settings, store: LogStore, clock: Clock) -> Keys:
    """The keys that belong to a log; both are made together on the first start.

    Raises StoresDiffer where one store is empty and the other is not, or they are of two ledgers.
    """
    keystore = KeyStore(settings.keys_url)
    try:
        row = store.ledger_row()
        refuse_half(row, keystore)
        keys = Keys(settings, keystore, clock)
        identity = keys.identity
        mine = appending.Ledger(identity.id, identity.origin, identity.created_at)
        there = row or store.create_ledger(mine)
        refuse_other(there.id, identity.id)
    except BaseException:
        keystore.close()
        raise
    return keys
