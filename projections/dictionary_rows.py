"""The dictionary's rows: staff, teams, departments, campaigns, sources, tokens; and their handler.

A source is `discovered` by its first interaction, and `named` once somebody gave it a name.
Who reads it: projections/dictionary.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from projections.base import EPOCH, Key, Rows, RowTable

NAMES_EPOCH: Final = "names"

USER: Final = "user"
TEAM: Final = "team"
DEPARTMENT: Final = "department"
CAMPAIGN: Final = "campaign"
SOURCE: Final = "source"
TOKEN: Final = "token"  # noqa: S105 - the kind of a row
CHANNEL: Final = "channel"

# ------------------------------------------------------------------------ rows


class Extra(Struct, frozen=True, omit_defaults=True):
    """What only some kinds have; `discovered`: nobody has named the source yet.

    `version` is that of the entry's stream. `department` is a source's, or a user's own;
    `language`, `zone` and `shortcuts` are what a user chose; `into` is the user whom a person
    without sign-in was declared to be. A suspended user is an entry that is not active.
    """

    version: int = 0
    email: str | None = None
    sign_in: bool = False
    role: str | None = None
    department: str | None = None
    address: str | None = None
    discovered: bool = False
    scopes: tuple[str, ...] = ()
    source: str | None = None
    user: UUID | None = None
    expires_at: int | None = None
    revoked_at: int | None = None
    language: str | None = None
    zone: str | None = None
    shortcuts: bool | None = None
    into: UUID | None = None


class NameRow(Struct, gc=False):
    """One entry: `key` is a UUID's text for users, teams and tokens; `stream` is its log stream.

    `changed` is the position of its last change, `since` of its first.
    """

    kind: str
    key: str
    name: str | None
    active: bool
    stream: bytes
    since: int
    changed: int
    extra: bytes


NAMES: Final = RowTable(
    "names",
    NameRow,
    key=("kind", "key"),
    columns={
        "kind": sa.Text(),
        "key": sa.Text(),
        "name": sa.Text(),
        "active": sa.Boolean(),
        "stream": sa.LargeBinary(16),
        "since": sa.BigInteger(),
        "changed": sa.BigInteger(),
        "extra": sa.LargeBinary(),
    },
    indexes=(("changed", ("changed",), None, False),),
)

_encode = msgspec.msgpack.Encoder().encode
read_extra: Final = msgspec.msgpack.Decoder(Extra).decode
"""What only some kinds have, from a row's bytes."""

# -------------------------------------------------------------------- handlers


class DictionaryProjection:
    """The projection."""

    name: ClassVar[str] = "dictionary"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[RowTable[Any], ...]] = (NAMES,)
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            "interaction.recorded",
            "user.added",
            "user.named",
            "user.suspended",
            "user.restored",
            "user.mapped",
            "user.settings_set",
            "role.given",
            "role.taken",
            "team.added",
            "team.named",
            "team.joined",
            "team.left",
            "department.set",
            "campaign.set",
            "source.set",
            "token.issued",
            "token.revoked",
        }
    )

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The one entry that the event is about."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            return ((NAMES, (SOURCE, event.source)),)
        return ((NAMES, _key_of(event)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Discover a source, or take what the event says."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            key: Key = (SOURCE, event.source)
            if rows.get(NAMES, key) is not None:
                return
            row = _new(entry, key, b"")
            row.extra = _encode(Extra(discovered=True))
        else:
            key = _key_of(event)
            row = rows.get(NAMES, key) or _new(entry, key, event.originator_id.bytes)
            _take(row, entry)
        row.changed = entry.position
        rows.put(NAMES, row)
        rows.touch(EPOCH, (NAMES_EPOCH,))

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


_OF_USERS: Final = (
    events.UserAdded
    | events.UserNamed
    | events.UserSuspended
    | events.UserRestored
    | events.UserMapped
    | events.UserSettingsSet
    | events.RoleGiven
    | events.RoleTaken
)


def _key_of(event: object) -> Key:
    if isinstance(event, _OF_USERS):
        return (USER, str(event.user))
    match event:
        case (
            events.TeamAdded() | events.TeamNamed() | events.TeamJoined() | events.TeamLeft()
        ):  # who joins or leaves raises the team's version
            return (TEAM, str(event.team))
        case events.DepartmentSet():
            return (DEPARTMENT, event.key)
        case events.CampaignSet():
            return (CAMPAIGN, event.key)
        case events.SourceSet():
            return (SOURCE, event.key)
        case events.TokenIssued() | events.TokenRevoked():
            return (TOKEN, str(event.token))
    message = f"the dictionary has no entry for {type(event).__name__}"
    raise TypeError(message)


def _new(entry: Entry, key: Key, stream: bytes) -> NameRow:
    kind, text = key
    return NameRow(
        kind=str(kind),
        key=str(text),
        name=None,
        active=True,
        stream=stream,
        since=entry.position,
        changed=entry.position,
        extra=_encode(Extra()),
    )


def _take(row: NameRow, entry: Entry) -> None:
    event = entry.event
    row.stream = event.originator_id.bytes
    extra = _take_of_user(row, event)
    match event:
        case events.TeamAdded():
            row.name = event.name
        case events.TeamNamed() | events.DepartmentSet() | events.CampaignSet():
            row.name, row.active = event.name, event.active
        case events.SourceSet():
            row.name = event.name
            extra = Extra(department=event.department, address=event.address)
        case events.TokenIssued():
            row.name = event.name
            extra = Extra(
                scopes=event.scopes,
                source=event.source,
                user=event.user,
                expires_at=event.expires_at,
            )
        case events.TokenRevoked():
            row.active = False
            extra = structs.replace(extra, revoked_at=entry.recorded_at)
    row.extra = _encode(structs.replace(extra, version=event.originator_version))


def _take_of_user(row: NameRow, event: object) -> Extra:
    """What an event says of a user; anything else leaves what was there."""
    extra = read_extra(row.extra)
    match event:
        case events.UserAdded():
            row.name = event.name
            return Extra(email=event.email, sign_in=event.sign_in, role=event.role)
        case events.UserNamed():
            if "name" in event.fields:
                row.name = event.name
            return structs.replace(extra, email=event.email) if "email" in event.fields else extra
        case events.UserSuspended():
            row.active = False
        case events.UserRestored():
            row.active = True
        case events.RoleGiven():
            return structs.replace(extra, role=event.role)
        case events.RoleTaken():
            return structs.replace(extra, role=None)
        case events.UserMapped():
            return structs.replace(extra, into=event.into)
        case events.UserSettingsSet():
            return structs.replace(extra, **{name: getattr(event, name) for name in event.fields})
    return extra
