"""Topic → event class, and the layouts that `topics.golden` freezes.

A topic is stable for ever: it is what stands in the log. The golden file says for each topic
which fields lie in clear, which are sealed, and under whose key.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

from domain import events
from domain.ports import Layout
from domain.upcasters import UPCASTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPICS: Final[dict[str, type[events.Event]]] = {
    "interaction.recorded": events.InteractionRecorded,
    "delivery.reported": events.DeliveryReported,
    "watermark.advanced": events.WatermarkAdvanced,
    "interaction.edited": events.InteractionEdited,
    "interaction.revoked": events.InteractionRevoked,
    "reaction.set": events.ReactionSet,
    "attachment.stored": events.AttachmentStored,
    "attachment.failed": events.AttachmentFailed,
    "interaction.corrected": events.InteractionCorrected,
    "interaction.retracted": events.InteractionRetracted,
    "twin.linked": events.TwinLinked,
    "twin.unlinked": events.TwinUnlinked,
    "contact.named": events.ContactNamed,
    "address.linked": events.AddressLinked,
    "address.unlinked": events.AddressUnlinked,
    "address.reassigned": events.AddressReassigned,
    "contacts.merged": events.ContactsMerged,
    "merge.undone": events.MergeUndone,
    "suggestion.dismissed": events.SuggestionDismissed,
    "suggestion.restored": events.SuggestionRestored,
    "access.restricted": events.AccessRestricted,
    "access.opened": events.AccessOpened,
    "hold.placed": events.HoldPlaced,
    "hold.lifted": events.HoldLifted,
    "contact.erased": events.ContactErased,
    "erasure.completed": events.ErasureCompleted,
    "contact.muted": events.ContactMuted,
    "contact.unmuted": events.ContactUnmuted,
    "conversation.assigned": events.ConversationAssigned,
    "conversation.resolved": events.ConversationResolved,
    "conversation.reopened": events.ConversationReopened,
    "conversation.snoozed": events.ConversationSnoozed,
    "conversation.seen": events.ConversationSeen,
    "conversation.marked_unread": events.ConversationMarkedUnread,
    "note.added": events.NoteAdded,
    "note.retracted": events.NoteRetracted,
    "user.added": events.UserAdded,
    "user.named": events.UserNamed,
    "user.invited": events.UserInvited,
    "user.suspended": events.UserSuspended,
    "user.restored": events.UserRestored,
    "user.mapped": events.UserMapped,
    "user.settings_set": events.UserSettingsSet,
    "role.given": events.RoleGiven,
    "role.taken": events.RoleTaken,
    "administrator.lost": events.AdministratorLost,
    "password.set": events.PasswordSet,
    "team.added": events.TeamAdded,
    "team.named": events.TeamNamed,
    "team.joined": events.TeamJoined,
    "team.left": events.TeamLeft,
    "department.set": events.DepartmentSet,
    "campaign.set": events.CampaignSet,
    "source.set": events.SourceSet,
    "token.issued": events.TokenIssued,
    "token.revoked": events.TokenRevoked,
    "ledger.restored": events.LedgerRestored,
    "log.exported": events.Exported,
}


def layouts() -> dict[str, Layout]:
    """The layout of every topic, read from `topics.golden`."""
    return parse_golden(resources.files("domain").joinpath("topics.golden").read_text("utf-8"))


def parse_golden(text: str) -> dict[str, Layout]:
    """Layouts by topic. Each block: a topic line, then `under`, `clear`, `sealed`, `each` lines."""
    found: dict[str, Layout] = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            layout = _layout(lines[0].strip(), dict(_words(line) for line in lines[1:]))
            found[layout.topic] = layout
    return found


def _words(line: str) -> tuple[str, tuple[str, ...]]:
    label, *words = line.split()
    return label, tuple(words)


def _layout(topic: str, block: Mapping[str, tuple[str, ...]]) -> Layout:
    each = block.get("each")
    upcasters = UPCASTERS.get(topic, ())
    return Layout(
        topic=topic,
        event_class=TOPICS[topic],
        clear=tuple(sorted(block.get("clear", ()))),
        sealed=tuple(sorted(block.get("sealed", ()))),
        under=block.get("under", ("company",))[0],
        each=(each[0], each[1]) if each else None,
        version=len(upcasters) + 1,
        upcasters=upcasters,
    )
