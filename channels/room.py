"""The room of the channels, put together: what the webhooks, the API and the commands speak to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from channels.connections import Connections
from channels.contract import Reading
from channels.delivery import Receiver
from channels.keeping import Keeping, Shelf
from channels.media_fetching import Fetching
from channels.quarantine import Retrying, Ward

if TYPE_CHECKING:
    from channels.fetching import Fetch
    from domain.ledger import Ledger
    from domain.ports import Clock
    from storage.arrivals import Arrivals
    from storage.blobs import BlobStore
    from storage.company_seal import CompanySeal
    from storage.connections import ConnectionBook
    from storage.credentials import ConnectionSecrets
    from storage.subjects import SubjectBook


class Stores(Struct, frozen=True):
    """What the channels keep things in."""

    arrivals: Arrivals
    blobs: BlobStore
    subjects: SubjectBook
    book: ConnectionBook
    secrets: ConnectionSecrets
    seal: CompanySeal


class Channels:
    """Connections, deliveries and quarantine of one ledger."""

    def __init__(
        self, ledger: Ledger, stores: Stores, clock: Clock, reading: Reading, fetch: Fetch
    ) -> None:
        self.arrivals = stores.arrivals
        self.derive = ledger.derive
        self.connections = Connections(stores.book, stores.secrets, clock)
        self.ward = Ward(stores.arrivals, stores.seal, ledger.derive)
        shelf = Shelf(stores.blobs, stores.subjects, stores.arrivals, clock)
        self.keeping = Keeping(ledger, shelf)
        self.receiver = Receiver(ledger, self.ward, self.keeping, reading, fetch)
        self.fetching = Fetching(ledger, self.connections, shelf)
        self.retrying = Retrying(self.ward, self.receiver, self.connections)
