"""Erasing a contact, step by step, so that whatever stops it, it is completed (design 10).

1. The key store: a durable intent, and the addresses detached. 2. The log: `ContactErased`, and
the fence raised with it. 3. The keys destroyed; views, quarantine and whatever else keeps a copy
purged; `ErasureCompleted`, and a certificate that says what is still outstanding. Each step may
be done again, by any process: it finds what is left to do.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from msgspec import Struct

from api.erasing_plans import ERASED, Plan
from domain.commands import By
from domain.contact import Doomed
from domain.errors import Held, NotYet, WrongState
from domain.events import Actor, ContactErased, ErasureCompleted
from domain.ports import Gone
from domain.times import format_utc
from storage.erasures import Intent, Node

if TYPE_CHECKING:
    from api.erasing_plans import Sight
    from domain.ledger import Ledger
    from domain.ports import Clock, Purgeable
    from projections.views import Views
    from storage.codec import Codec
    from storage.erasures import Erasures
    from storage.keyring import Keyring
    from storage.log import EventLog

VIEWS_WAIT_S: Final = 30.0
"""How long the views of this place are waited for; later, the next turn goes on."""

POLL_S: Final = 0.05
"""Between two looks at how far they are."""

SCANNED: Final = 1_000
"""Erasures read from the log at once."""

CERTIFICATE_MODE: Final = 0o600
"""A certificate names nobody, but what was erased when is nobody else's business."""

TOPIC: Final = "contact.erased"
CHANGED: Final = "The contact is another than when the plan was made; make a new plan."


class Tools(Struct, frozen=True):
    """What an erasure is done with.

    `purges` are asked in order. `scrub` overwrites what was deleted from the views of this
    place, `scrub_keys` from the keys; `forget` drops what this process remembers. `is_gone`
    says of a place by its name that it is no more; `folder` gets the certificates.
    """

    ledger: Ledger
    log: EventLog
    codec: Codec
    ring: Keyring
    erasures: Erasures
    views: Views
    purges: Sequence[Purgeable]
    scrub: Callable[[], None]
    scrub_keys: Callable[[], None]
    forget: Callable[[], None]
    clock: Clock
    new_id: Callable[[], UUID]
    node: tuple[UUID, str]
    is_gone: Callable[[str], bool]
    folder: Path


class Eraser:
    """Plans erasures, and does them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    @property
    def erasures(self) -> Erasures:
        """The erasures that were asked for."""
        return self._tools.erasures

    # ----------------------------------------------------------------- the plan

    def plan(self, sight: Sight) -> Plan:
        """What would be erased, and what would still be outstanding then."""
        tools = self._tools
        until = tools.erasures.keys_until(tools.clock())
        return Plan(
            plan=str(self._plan_id(sight)),
            contact=str(sight.contact),
            label=sight.label,
            addresses=list(sight.addresses),
            subjects=len(sight.subjects),
            interactions=sight.interactions,
            by_channel=dict(sight.by_channel),
            holds=sight.holds,
            nodes=[node.name for node in tools.erasures.nodes()],
            keys_until=format_utc(until) if until else None,
        )

    def _plan_id(self, sight: Sight) -> UUID:
        together = b"".join(sorted(one.bytes for one in sight.subjects))
        return self._tools.ledger.derive.id("erasure-plan", sight.contact, together)

    # ----------------------------------------------------------------- the deed

    async def begin(self, sight: Sight, confirm: str, reason: str, by: By) -> Intent:
        """Detach the addresses and say in the log that the contact is erased; durable then.

        Begun by somebody before, that erasure goes on. Raises WrongState (another plan than
        that of the contact as it is, or erased already), Held, StoreUnavailable.
        """
        tools = self._tools
        known = await asyncio.to_thread(tools.erasures.of_contact, sight.contact)
        if known is not None and known.done:
            raise WrongState(ERASED)
        if known is None:
            if confirm != str(self._plan_id(sight)):
                raise WrongState(CHANGED)
            known = await asyncio.to_thread(self._intend, sight, reason, by)
        return await self._say(known)

    def _intend(self, sight: Sight, reason: str, by: By) -> Intent:
        tools = self._tools
        tools.ledger.erasures.refuse_held((sight.contact, *sight.subjects))
        keys = tools.ring.key_ids(sight.subjects)
        intent = Intent(
            erasure=tools.new_id(),
            contact=sight.contact,
            subjects=tuple(sorted(sight.subjects)),
            keys=tuple(sorted(UUID(bytes=key) for key in keys.values())),
            requested_at=tools.clock(),
            actor=(by.actor.kind, by.actor.id),
            on_behalf_of=by.on_behalf_of,
            addresses=sight.addresses,
            reason=reason,
        )
        tools.erasures.intend(intent)
        return intent

    async def _say(self, intent: Intent) -> Intent:
        """Have the log say it, once."""
        if intent.position is not None:
            return intent
        tools = self._tools
        doomed = Doomed(intent.contact, intent.erasure, intent.subjects, intent.keys, intent.reason)
        try:
            position = await tools.ledger.erasures.erase(doomed, by_of(intent))
        except Held:
            await asyncio.to_thread(tools.erasures.abandon, intent)
            raise
        await asyncio.to_thread(tools.erasures.said, intent.erasure, position)
        return (await asyncio.to_thread(tools.erasures.of_contact, intent.contact)) or intent

    async def complete(self, intent: Intent) -> Mapping[str, Any]:
        """Destroy and purge, say so in the log; the certificate.

        Raises NotYet where the views of this place do not follow, StoreUnavailable; what is
        left is done by whoever asks next.
        """
        intent = await self._say(intent)
        done = await asyncio.to_thread(self._take_away, intent)
        completed = await self._state(intent, done)
        certificate = self._certificate(intent, done, completed)
        await asyncio.to_thread(self._keep, intent, certificate)
        return certificate

    async def finish(self, follow: Callable[[], None] | None = None) -> int:
        """Complete every erasure that was begun and not completed; how many.

        `follow` has the views of this place follow the log, where nobody else does.
        """
        pending = await asyncio.to_thread(self._tools.erasures.pending)
        for intent in pending:
            try:
                said = await self._say(intent)
                if follow is not None:
                    await asyncio.to_thread(follow)
                await self.complete(said)
            except Held:  # it was placed before the log had said anything: nothing was erased
                continue
        return len(pending)

    def _take_away(self, intent: Intent) -> _Done:
        tools = self._tools
        position = intent.position or 0
        gone = Gone(
            subjects=intent.subjects,
            keys=intent.keys,
            addresses=intent.addresses,
            position=position,
        )
        self._destroy(intent.keys, position)
        outstanding = [line for purge in tools.purges for line in purge.purge(gone)]
        self._wait_for_views(position)
        tools.forget()
        self.settle_here()
        until = tools.erasures.keys_until(intent.requested_at)
        return _Done((*outstanding, *self._elsewhere(position, until)), until)

    def _elsewhere(self, position: int, until: int | None) -> list[str]:
        """What is outstanding of an erasure at other places."""
        tools = self._tools
        away = [node.name for node in tools.erasures.nodes() if node.position < position]
        found = [f"the views of {name}, which is away" for name in away]
        if until is not None and until > tools.clock():
            found.append(f"copies of the keys in backups, until {format_utc(until)}")
        return found

    def outstanding(self, intent: Intent) -> list[str]:
        """What is outstanding of an erasure now. Raises StoreUnavailable."""
        until = self._tools.erasures.keys_until(intent.requested_at)
        found = self._elsewhere(intent.position or 0, until)
        return found if intent.done else ["it is under way", *found]

    def _destroy(self, keys: Sequence[UUID], position: int) -> None:
        raw = [key.bytes for key in keys]
        self._tools.ring.destroy(raw, position, self._tools.clock())

    def _wait_for_views(self, position: int) -> None:
        until = time.monotonic() + VIEWS_WAIT_S
        while self._tools.views.least() < position:
            if time.monotonic() > until:
                message = "The views of this place do not follow; the erasure goes on when they do."
                raise NotYet(message)
            time.sleep(POLL_S)

    async def _state(self, intent: Intent, done: _Done) -> int:
        derive = self._tools.ledger.derive
        event = ErasureCompleted(
            originator_id=derive.id("erasure", intent.erasure),
            originator_version=1,
            actor=Actor("system", "hilo"),
            contact=intent.contact,
            erasure=intent.erasure,
            position=intent.position or 0,
            outstanding=done.outstanding,
            keys_until=done.keys_until,
        )
        return (await self._tools.ledger.state(event, By(event.actor))).position

    def _certificate(self, intent: Intent, done: _Done, completed: int) -> dict[str, Any]:
        tools = self._tools
        return {
            "erasure": str(intent.erasure),
            "ledger": tools.ring.identity.origin,
            "contact": str(intent.contact),
            "reason": intent.reason,
            "requested_at": format_utc(intent.requested_at),
            "by": {"kind": intent.actor[0], "id": intent.actor[1]},
            "position": intent.position,
            "completed_at": format_utc(tools.clock()),
            "completed_position": completed,
            "subjects": [str(one) for one in intent.subjects],
            "keys_destroyed": [one.hex for one in intent.keys],
            "keys_until": format_utc(done.keys_until) if done.keys_until else None,
            "outstanding": list(done.outstanding),
        }

    def _keep(self, intent: Intent, certificate: Mapping[str, Any]) -> None:
        path = self.path_of(intent.erasure)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, CERTIFICATE_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(certificate, file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._tools.erasures.done(intent.erasure, certificate)
        self._tools.scrub_keys()

    def path_of(self, erasure: UUID) -> Path:
        """Where the certificate of an erasure lies."""
        return self._tools.folder / f"{erasure}.json"

    # ------------------------------------------------------------ of every place

    def settle_here(self) -> None:
        """Say how far the views of this place are; overwrite first what erasures deleted there.

        Raises NotYet where nothing serves, StoreUnavailable.
        """
        tools = self._tools
        position = tools.views.least()
        id_, name = tools.node
        for gone in [node.name for node in tools.erasures.nodes() if tools.is_gone(node.name)]:
            tools.erasures.forget_node(gone)
        before = next((node for node in tools.erasures.nodes() if node.id == id_), None)
        known = before.position if before else 0
        erased = [one.position for one in tools.erasures.all() if one.position is not None]
        if any(known < at <= position for at in erased):
            tools.scrub()
        tools.erasures.register(Node(id_, name, position, tools.clock()))

    def reapply(self) -> int:
        """Destroy again what a restored copy of the keys brought back; how many keys.

        To be called before anything is opened: whoever opens a ledger does. Raises
        StoreUnavailable.
        """
        tools = self._tools
        fence, position = tools.erasures.reapplied()
        now = tools.log.fence()
        if fence == now:
            return 0
        head = tools.log.head()
        position = position if position <= head else 0
        destroyed = 0
        for event, at, recorded_at in self._erasures_after(position):
            keys = [key.bytes for key in event.keys]
            destroyed += tools.ring.destroy(keys, at, recorded_at)
            tools.erasures.reapply(event.subjects)
        tools.erasures.note_reapplied(now, head)
        if destroyed:
            tools.forget()
            tools.scrub_keys()
        return destroyed

    def _erasures_after(self, position: int) -> list[tuple[ContactErased, int, int]]:
        log, codec = self._tools.log, self._tools.codec
        found: list[tuple[ContactErased, int, int]] = []
        for at in log.positions_of(TOPIC, position, SCANNED):
            (stored,) = log.page(at - 1, 1)
            event = codec.open(stored).event
            if isinstance(event, ContactErased):
                found.append((event, at, stored.recorded_at))
        return found


class _Done(Struct, frozen=True):
    """What is still outstanding, and until when a copy of the keys is."""

    outstanding: tuple[str, ...]
    keys_until: int | None


def by_of(intent: Intent) -> By:
    """Who asked for an erasure, as the author of its event."""
    return By(Actor(*intent.actor), intent.on_behalf_of)
