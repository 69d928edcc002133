"""The append request (contract 2.2): JSON in, a command for the ledger out.

Types, lengths and enums stand in the Structs; grammar, and what one field means for another, in
the functions below them. All that is wrong with a request comes out in one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from api.bodies import Faults, Shape
from api.parameters import POSITION_MAX
from domain.addresses import AddressError, is_company_side, parse_address, scope_of
from domain.commands import Alias, Participant, RecordInteraction
from domain.errors import SourceNotYours
from domain.events import Attachment, Call
from domain.times import TimeError, parse_rfc3339
from domain.values import (
    Auto,
    CallOutcome,
    Channel,
    Deriver,
    Direction,
    Origin,
    Role,
    TimeSource,
    echo,
    is_source,
)

DETAILS_MAX_BYTES: Final = 8 * 1024
"""Details of an interaction: some fields of a form, not a file."""

FUTURE_MAX_US: Final = 5 * 60 * 1_000_000
"""How far another clock may be ahead of ours before its time counts as wrong."""

BYTES_MAX: Final = (1 << 53) - 1
"""The greatest size that JSON numbers carry exactly in every client."""

SECONDS_MAX: Final = 10_000_000
"""Length of a call, in seconds: four months are no call."""

MANUAL: Final = "manual"
IMPORT: Final = "import:"

_NULL: Final = b"null"

AddressText = Annotated[str, Meta(min_length=1, max_length=512)]
ExternalId = Annotated[str, Meta(min_length=1, max_length=512)]
Name = Annotated[str, Meta(max_length=200)]
Seconds = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]
Reference = Annotated[str, Meta(max_length=512)]
Hex = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", description="64 hex digits")]
Link = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s]+$",
        description="an address that begins with http:// or https://",
    ),
]
TimeText = Annotated[str, Meta(max_length=64)]


class ParticipantShape(Struct, forbid_unknown_fields=True, kw_only=True):
    """Somebody who took part."""

    address: AddressText
    role: Annotated[
        str, Meta(pattern="^(from|to|cc|bcc|member)$", description="from, to, cc, bcc or member")
    ]
    name: Name | None = None


class AttachmentShape(Struct, forbid_unknown_fields=True, kw_only=True):
    """A file; never its bytes."""

    name: Annotated[str, Meta(min_length=1, max_length=512)]
    media_type: Annotated[
        str,
        Meta(
            max_length=255,
            pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;.*)?$",
            description="a media type, such as image/jpeg",
        ),
    ]
    bytes: Annotated[int, Meta(ge=0, le=BYTES_MAX)] | None = None
    sha256: Hex | None = None
    url: Link | None = None
    attachment: UUID | None = None


class CallShape(Struct, forbid_unknown_fields=True, kw_only=True):
    """How a call went, in seconds."""

    seconds: Seconds | None = None
    ring_seconds: Seconds | None = None
    outcome: CallOutcome | None = None


def _no_details() -> Raw:
    """What stands for details that were not sent; a factory, for /openapi.json shows no bytes."""
    return Raw(_NULL)


class AppendRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """One interaction to append."""

    channel: Channel
    direction: Direction
    occurred_at: TimeText
    source: Annotated[str, Meta(max_length=128)] | None = None
    external_id: ExternalId | None = None
    resource: AddressText | None = None
    destination: AddressText | None = None
    contact: UUID | None = None
    subject: Annotated[str, Meta(max_length=998)] | None = None
    text: Annotated[str, Meta(max_length=100_000)] | None = None
    contact_name: Name | None = None
    attended_by: Name | None = None
    department: Name | None = None
    campaign: Name | None = None
    aliases: Annotated[tuple[AddressText, ...], Meta(max_length=8)] = ()
    participants: Annotated[tuple[ParticipantShape, ...], Meta(max_length=200)] = ()
    attachments: Annotated[tuple[AttachmentShape, ...], Meta(max_length=50)] = ()
    thread: Reference | None = None
    in_reply_to: Reference | None = None
    call: CallShape | None = None
    auto: Auto | None = None
    details: Raw = msgspec.field(default_factory=_no_details)
    twin_of: Annotated[int, Meta(ge=1, le=POSITION_MAX)] | None = None


class Terms(Struct, frozen=True):
    """Under which terms requests are read.

    `latest` is the last time (µs) that counts as past; `source` that of a bound token; `fallback`
    stands for a source that is not given; `alone`: the body came by itself, not in a batch.
    `key_of` gives the key of a body that has no external id, or None; `knows` tells whether a
    contact exists; `imported` whether this is history; `attaches`: it may name uploads.
    """

    country: str | None
    latest: int
    imported: bool
    source: str | None
    derive: Deriver
    knows: Callable[[UUID], bool]
    key_of: Callable[[bytes], str | None]
    fallback: str | None = None
    alone: bool = False
    attaches: bool = False


APPEND: Final = Shape(AppendRequest)

_STAND_INS: Final = {
    "channel": Channel.OTHER,
    "direction": Direction.INBOUND,
    "occurred_at": "",
}
"""What stands for a required field that cannot be read, while the others are looked at."""


def append_command(raw: bytes, terms: Terms) -> RecordInteraction:
    """The command that a body asks for.

    Raises Malformed, InvalidInput with everything that needs attention, SourceNotYours.
    """
    faults = Faults()
    request = APPEND.quickly(raw)
    if request is None:
        value = APPEND.examine(raw, faults)
        request = APPEND.partly(value, faults, _STAND_INS)
    made = _Reading(request, terms, faults).command(raw)
    faults.finish()
    return made


class _Reading:
    """One request on its way to a command; what is wrong goes to `faults`, and reading goes on."""

    def __init__(self, request: AppendRequest, terms: Terms, faults: Faults) -> None:
        self.request = request
        self.terms = terms
        self.faults = faults

    def command(self, raw: bytes) -> RecordInteraction:
        """The command; only good where no fault was found."""
        request = self.request
        source = self._source()
        origin = origin_of(source, imported=self.terms.imported)
        key = request.external_id or self.terms.key_of(raw)
        if key is None and not self.faults.is_broken("external_id"):
            message = "send external_id, or the header Idempotency-Key: without one, nobody"
            self._refuse("external_id", "missing_key", f"{message} could tell a repeat")
        mail = request.channel is Channel.EMAIL and request.external_id is not None
        namespace = "email" if mail else source
        occurred_at, offset_min = self._time()
        resource, destination = self._sides()
        return RecordInteraction(
            channel=request.channel,
            direction=request.direction,
            origin=origin,
            source=source,
            namespace=namespace,
            key=key or "",
            external_id=request.external_id,
            resource=resource,
            destination=destination,
            contact=request.contact,
            occurred_at=occurred_at,
            offset_min=offset_min,
            time_source=_TIME_SOURCES[origin],
            subject_line=request.subject,
            text=request.text,
            contact_name=_named(request.contact_name),
            attended_by=_named(request.attended_by),
            department=_named(request.department),
            campaign=_named(request.campaign),
            aliases=self._aliases(origin, resource, destination) if request.aliases else (),
            participants=self._participants() if request.participants else (),
            participant_count=len(request.participants),
            attachments=self._attachments(namespace, key) if request.attachments else (),
            thread=request.thread or None,
            message_id=request.external_id if mail else None,
            in_reply_to=request.in_reply_to or None,
            call=self._call() if request.call else None,
            auto=request.auto,
            details=self._details(),
            twin_of=self._twin_of(origin),
            uploads=frozenset(one.attachment for one in request.attachments if one.attachment),
        )

    def _refuse(self, field: str, code: str, message: str) -> None:
        if not self.faults.is_broken(field):
            self.faults.add(field, code, message)

    def _source(self) -> str:
        bound, asked = self.terms.source, self.request.source or self.terms.fallback
        if asked is None:
            if bound is None:
                self._refuse("source", "missing", "this field is required; for example api:crm")
            return bound or ""
        if bound is not None and asked != bound:
            raise SourceNotYours("This token may append to its own source only.")
        if not is_source(asked):
            message = f"{echo(asked)} is not a source; write one like manual, api:crm or sms:shop"
            self._refuse("source", "bad_source", message)
        return asked

    def _time(self) -> tuple[int, int]:
        try:
            at, offset_min = parse_rfc3339(self.request.occurred_at)
        except TimeError as error:
            self._refuse("occurred_at", error.code, error.message)
            return 0, 0
        if at > self.terms.latest:
            message = "this lies more than 5 minutes in the future; check the clock and the offset"
            self._refuse("occurred_at", "future", message)
        return at, offset_min

    def _address(self, field: str, text: str) -> str | None:
        try:
            found = parse_address(text, country=self.terms.country)
        except AddressError as error:
            self.faults.add(field, error.code, error.message)
            return None
        if found.startswith("contact:") and not self.terms.knows(UUID(found[len("contact:") :])):
            self.faults.add(field, "unknown", "there is no such contact")
        return found

    def _sides(self) -> tuple[str | None, str | None]:
        """Resource and destination: one may be null, where the contact is named."""
        request = self.request
        resource = self._address("resource", request.resource) if request.resource else None
        destination = (
            self._address("destination", request.destination) if request.destination else None
        )
        if request.contact is not None:
            if not self.terms.knows(request.contact):
                self._refuse("contact", "unknown", "there is no such contact")
            if request.resource is None and request.destination is None:
                message = "resource and destination cannot both be null"
                self._refuse("resource", "missing", message)
        else:
            for field, given in (
                ("resource", request.resource),
                ("destination", request.destination),
            ):
                if given is None:
                    message = "this may be null only where contact is given"
                    self._refuse(field, "missing", message)
        self._check_outside(resource, destination)
        return resource, destination

    def _check_outside(self, resource: str | None, destination: str | None) -> None:
        """The address at the other end is never one of ours."""
        if self.faults.is_broken("direction"):
            return
        inbound = self.request.direction is Direction.INBOUND
        field, counterpart = ("resource", resource) if inbound else ("destination", destination)
        if counterpart is not None and is_company_side(counterpart):
            word = "inbound" if inbound else "outbound"
            message = f"{echo(counterpart)} is on our side; of an {word} one this is the contact's"
            self._refuse(field, "bad_address", message)

    def _aliases(
        self, origin: Origin, resource: str | None, destination: str | None
    ) -> tuple[Alias, ...]:
        """Further addresses; asserted to be one person's where a provider's own id is among them.

        Only a program that speaks for a provider asserts; what people type is a suggestion.
        """
        inbound = self.request.direction is Direction.INBOUND
        main = resource if inbound else destination
        provider = origin is Origin.AUTOMATIC
        main_scoped = main is not None and scope_of(main) is not None
        found = []
        for number, text in enumerate(self.request.aliases):
            address = self._address(f"aliases[{number}]", text)
            if address is not None:
                scoped = main_scoped or scope_of(address) is not None
                found.append(Alias(address, asserted=provider and scoped))
        return tuple(found)

    def _participants(self) -> tuple[Participant, ...]:
        found = []
        for number, one in enumerate(self.request.participants):
            address = self._address(f"participants[{number}].address", one.address)
            if address is not None:
                found.append(Participant(address, Role(one.role), _named(one.name)))
        return tuple(found)

    def _attachments(self, namespace: str, key: str | None) -> tuple[Attachment, ...]:
        return tuple(
            self._attachment(one, number, (namespace, key or ""))
            for number, one in enumerate(self.request.attachments)
        )

    def _attachment(self, one: AttachmentShape, number: int, key: tuple[str, str]) -> Attachment:
        """An attachment; its id is its upload's, or follows from the interaction's key."""
        if one.attachment is not None and not self.terms.attaches:
            self.faults.add(f"attachments[{number}].attachment", "not_allowed", "no uploads here")
        return Attachment(
            id=one.attachment or self.terms.derive.id("attachment", *key, str(number)),
            name=one.name,
            media_type=one.media_type.lower(),
            size_bytes=one.bytes,
            sha256=one.sha256.lower() if one.sha256 else None,
            url=one.url,
        )

    def _call(self) -> Call | None:
        request = self.request
        wrong = request.channel not in {Channel.CALL, Channel.WHATSAPP}
        if wrong and not self.faults.is_broken("channel"):
            self._refuse("call", "not_allowed", f"an interaction over {request.channel} is no call")
        made = request.call
        return Call(made.seconds, made.ring_seconds, made.outcome) if made else None

    def _twin_of(self, origin: Origin) -> int | None:
        if self.request.twin_of and not (self.terms.alone and origin is Origin.MANUAL):
            self._refuse("twin_of", "not_allowed", "only what is logged by hand, one at a time")
        return self.request.twin_of

    def _details(self) -> bytes | None:
        raw = bytes(self.request.details)
        if raw == _NULL:
            return None
        if not raw.startswith(b"{"):
            self._refuse("details", "bad_type", "an object")
        elif len(raw) > DETAILS_MAX_BYTES:
            message = f"at most {DETAILS_MAX_BYTES} bytes of JSON; these are {len(raw)}"
            self._refuse("details", "too_long", message)
        return raw


_TIME_SOURCES: Final = {
    Origin.AUTOMATIC: TimeSource.PROVIDER,
    Origin.MANUAL: TimeSource.TYPED,
    Origin.IMPORTED: TimeSource.IMPORT,
}


def origin_of(source: str, *, imported: bool) -> Origin:
    """How the record came to be: said by its source, or by whoever brings history."""
    if imported or source.startswith(IMPORT):
        return Origin.IMPORTED
    return Origin.MANUAL if source == MANUAL else Origin.AUTOMATIC


def _named(text: str | None) -> str | None:
    """A name, or None where there is nothing but blanks."""
    return text if text and not text.isspace() else None
