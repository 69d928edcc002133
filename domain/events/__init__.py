"""What has happened: every event, frozen, fields only.

Which fields lie in clear and which are sealed stands in `topics.golden`; a field that is not
listed there in clear is sealed. A sealed field has a default, for that is all that is left of
it once its key is destroyed. Times are microseconds since the epoch, UTC.

An event that has been written is never edited: a new shape is a new name or an upcaster.
"""

from __future__ import annotations

from domain.events.base import (
    Actor,
    Event,
)
from domain.events.contacts import (
    AccessOpened,
    AccessRestricted,
    AddressLinked,
    AddressReassigned,
    AddressUnlinked,
    ContactNamed,
    ContactsMerged,
    MergeUndone,
)
from domain.events.conversations import (
    ConversationSeen,
)
from domain.events.interactions import (
    Attachment,
    Call,
    DeliveryReported,
    Identity,
    InteractionCorrected,
    InteractionEdited,
    InteractionRecorded,
    InteractionRetracted,
    InteractionRevoked,
    OwnParticipant,
    Party,
    ReactionSet,
    Seat,
    WatermarkAdvanced,
)
from domain.events.people import (
    AdministratorLost,
    CampaignSet,
    DepartmentSet,
    PasswordSet,
    RoleGiven,
    RoleTaken,
    SourceSet,
    TeamAdded,
    TeamJoined,
    TeamLeft,
    TeamNamed,
    TokenIssued,
    TokenRevoked,
    UserAdded,
    UserInvited,
    UserMapped,
    UserNamed,
    UserRestored,
    UserSettingsSet,
    UserSuspended,
)

__all__ = [
    "AccessOpened",
    "AccessRestricted",
    "Actor",
    "AddressLinked",
    "AddressReassigned",
    "AddressUnlinked",
    "AdministratorLost",
    "Attachment",
    "Call",
    "CampaignSet",
    "ContactNamed",
    "ContactsMerged",
    "ConversationSeen",
    "DeliveryReported",
    "DepartmentSet",
    "Event",
    "Identity",
    "InteractionCorrected",
    "InteractionEdited",
    "InteractionRecorded",
    "InteractionRetracted",
    "InteractionRevoked",
    "MergeUndone",
    "OwnParticipant",
    "Party",
    "PasswordSet",
    "ReactionSet",
    "RoleGiven",
    "RoleTaken",
    "Seat",
    "SourceSet",
    "TeamAdded",
    "TeamJoined",
    "TeamLeft",
    "TeamNamed",
    "TokenIssued",
    "TokenRevoked",
    "UserAdded",
    "UserInvited",
    "UserMapped",
    "UserNamed",
    "UserRestored",
    "UserSettingsSet",
    "UserSuspended",
    "WatermarkAdvanced",
]
