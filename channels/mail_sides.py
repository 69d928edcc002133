"""Who is at the two ends of a mail: which way it went, and who else took part.

A mail goes out where its sender is one of us (by domain, by address, or since it lies in a Sent
folder); else it came in. Its main contact is the one at the other end (design 8): the sender, or
the first recipient outside. What we are called is said by the settings and the connection; where
neither does, by the address that it was delivered to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.mail_addresses import Mailbox, every_mailbox, mailto
from domain.addresses import comparison_key
from domain.commands import Participant
from domain.values import Direction, Role, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival
    from channels.mail_mime import Part

PARTICIPANTS_MAX: Final = 200
"""Participants that are kept (contract 2.2); of the others the number."""

NAMESPACE: Final = "email"
"""The name space of every mail's key: whatever way it came, it is one."""

_WRITERS: Final = ("from", "x-original-from", "x-original-sender", "sender", "reply-to")
"""Who may stand for the sender of a mail whose From names nobody."""


class Envelope(Struct, frozen=True, kw_only=True):
    """What is known of a mail beside its bytes.

    `sender` and `recipients` are those of the delivery, as they were given there (an empty sender
    is one that nobody can answer, None one that is not known); `account` is
    the mailbox that it lies in. `is_sent`: it lies in a Sent folder. `kept_at` is when the
    mailbox took it (µs). `is_past`: it is older than the connection, and notifies nobody.
    """

    sender: str | None = None
    recipients: tuple[str, ...] = ()
    account: str | None = None
    is_sent: bool = False
    kept_at: int | None = None
    is_past: bool = False


class Sides(Struct, frozen=True):
    """The two ends: addresses, which way, everybody who is named, the source."""

    direction: Direction
    theirs: str
    ours: str
    name: str | None
    participants: tuple[Participant, ...]
    count: int
    source: str
    writer: str | None
    is_internal: bool = False


class Own:
    """Our own addresses and domains, as settings and connection name them."""

    def __init__(self, domains: Iterable[str], written: Iterable[str] = ()) -> None:
        self._domains = {domain.lower().lstrip("@") for domain in domains}
        self._addresses: set[str] = set()
        for text in written:
            address = mailto(text) if "@" in text.lstrip("@") else None
            if address is not None:
                self._addresses.add(comparison_key(address))
            elif "." in text:
                self._domains.add(text.strip().lower().lstrip("@"))

    def __contains__(self, address: object) -> bool:
        text = str(address)
        if text.rpartition("@")[2] in self._domains:
            return True
        return not self._addresses.isdisjoint(map(comparison_key, (text, untagged(text))))

    def __bool__(self) -> bool:
        return bool(self._domains or self._addresses)


def own_of(arrival: Arrival, envelope: Envelope) -> Own:
    """Who we are, for what arrives there."""
    options = arrival.options
    named = (options.get(name, "") for name in ("addresses", "recipients", "user"))
    written = [text.strip() for texts in named for text in texts.split(",") if text.strip()]
    return Own(arrival.own_domains, [*written, *filter(None, [envelope.account])])


def untagged(address: str) -> str:
    """An address without what stands behind the plus: `ventas+abc@…` → `ventas@…`."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


class _Named(Struct, frozen=True):
    """Everybody in a mail's headers."""

    writer: Mailbox | None
    to: Sequence[Mailbox]
    cc: Sequence[Mailbox]
    bcc: Sequence[Mailbox]

    @property
    def recipients(self) -> list[Mailbox]:
        """All who were written to, in their order."""
        return [*self.to, *self.cc, *self.bcc]


def sides_of(
    mail: Part, envelope: Envelope, arrival: Arrival, *, about: str | None = None
) -> Sides:
    """The two ends of a mail. `about`: whom a machine's report is about, if anybody."""
    named = _named(mail, envelope)
    own = own_of(arrival, envelope)
    delivered = [address for text in envelope.recipients if (address := mailto(text))]
    writer = named.writer
    outbound = envelope.is_sent or (writer is not None and writer.address in own)
    beyond = _first_outside([*named.recipients, *map(Mailbox, delivered)], own)
    answers_to = _first_outside(every_mailbox(mail.all_raw("reply-to")), own)
    original = _first_outside(every_mailbox(mail.all_raw("x-original-from")), own)
    found: tuple[Direction, Mailbox | None]
    if about is not None:
        found = (Direction.INBOUND, Mailbox(about))
    elif outbound and beyond is None and not envelope.is_sent and (original or answers_to):
        # A form of ours, or a list that writes in its members' place.
        found = (Direction.INBOUND, original or answers_to)
    elif outbound:
        found = (Direction.OUTBOUND, beyond)
    else:
        found = (Direction.INBOUND, writer)
    return _sides(found, named, _Place(own, delivered, arrival, envelope))


class _Place(Struct, frozen=True):
    """Where a mail arrived, and who we are there."""

    own: Own
    delivered: list[str]
    arrival: Arrival
    envelope: Envelope


def _sides(found: tuple[Direction, Mailbox | None], named: _Named, place: _Place) -> Sides:
    direction, other = found
    is_inbound = direction is Direction.INBOUND
    writer = named.writer.address if named.writer else None
    ours = _ours_inbound(named, place) if is_inbound or writer is None else writer
    source = _source(ours, place)
    theirs = other.address if other else f"anonymous:{source}"
    participants = _participants(named)
    return Sides(
        direction=direction,
        theirs=theirs,
        ours=ours or f"sender:{source}/{place.arrival.connection.partition('/')[2]}",
        name=other.name if other else None,
        participants=tuple(participants[:PARTICIPANTS_MAX]),
        count=len(participants),
        source=source,
        writer=writer,
        is_internal=not is_inbound and other is None and bool(named.recipients),
    )


def _named(mail: Part, envelope: Envelope) -> _Named:
    charset = mail.parameters.get("charset")
    writers = (box for name in _WRITERS for box in every_mailbox(mail.all_raw(name), charset)[:1])
    by_envelope = (mailto(text) for text in (envelope.sender, _return_path(mail)) if text)
    bare = (Mailbox(address) for address in by_envelope if address)
    return _Named(
        next(writers, None) or next(bare, None),
        every_mailbox(mail.all_raw("to"), charset),
        every_mailbox(mail.all_raw("cc"), charset),
        every_mailbox(mail.all_raw("bcc"), charset),
    )


def _return_path(mail: Part) -> str:
    return (mail.raw("return-path") or b"").decode("ascii", "ignore")


def _first_outside(boxes: Iterable[Mailbox], own: Own) -> Mailbox | None:
    return next((box for box in boxes if box.address not in own), None)


def _ours_inbound(named: _Named, place: _Place) -> str | None:
    """The address of ours that a mail came to, the surest first."""
    addresses = [box.address for box in named.recipients]
    keys = {comparison_key(address) for address in place.delivered}
    account = mailto(place.envelope.account) if place.envelope.account else None
    sure = (
        *(address for address in addresses if address in place.own),
        *(address for address in addresses if comparison_key(address) in keys),
        *(address for address in place.delivered if address in place.own),
        *place.delivered,
        *filter(None, [account]),
    )
    if sure:
        return sure[0]
    return addresses[0] if addresses and not place.own else None


def _source(ours: str | None, place: _Place) -> str:
    """The mailbox as a source; the connection where it is not sure which address is ours.

    A source stands in clear: it must never be anybody else's address.
    """
    is_sure = ours is not None and (
        ours in place.own
        or place.envelope.is_sent
        or comparison_key(ours) in {comparison_key(one) for one in place.delivered}
    )
    if ours is not None and is_sure:
        source = f"{NAMESPACE}:{untagged(ours).removeprefix('mailto:').lower()}"
        if is_source(source):
            return source
    return f"{NAMESPACE}:{place.arrival.connection.replace('/', '.')}"


def _participants(named: _Named) -> list[Participant]:
    """Everybody who is named, in the order of the headers, nobody twice."""
    rows = [(named.writer, Role.FROM)] if named.writer else []
    rows += [(box, Role.TO) for box in named.to]
    rows += [(box, Role.CC) for box in named.cc]
    rows += [(box, Role.BCC) for box in named.bcc]
    found: dict[str, Participant] = {}
    for box, role in rows:
        if box is not None:
            found.setdefault(box.address, Participant(box.address, role, box.name))
    return list(found.values())
