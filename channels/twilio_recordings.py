"""Recordings of calls over Twilio: what a status says of one, and how it is fetched.

Several requests name the same recording: that of the recording itself, the call's last status,
the action of a `<Record>`. Its id follows from Twilio's own, so that it is fetched once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channels.lenient import loads
from channels.media import TWILIO_HOSTS, MediaSource, Target, twilio_media
from domain.commands import ReportDelivery
from domain.events import DeliveryReported
from domain.values import FilePart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from domain.commands import Fact
    from domain.events import Event
    from domain.values import Deriver

MADE: Final = frozenset({"", "completed"})
"""States of a recording that is there; one under way or without a sound is not."""

NAME: Final = "recording.mp3"
MEDIA_TYPE: Final = "audio/mpeg"


def pointed(fact: Fact, derive: Deriver) -> Sequence[UUID]:
    """The recording that a report names, where it is finished."""
    if not isinstance(fact, ReportDelivery):
        return ()
    params = _params(fact.original)
    if not _url(params) or params.get("RecordingStatus", "").strip().lower() not in MADE:
        return ()
    key = params.get("RecordingSid", "").strip() or _url(params)
    return (derive.id("attachment", fact.source, "recording", key),)


def target(event: Event, _id: UUID) -> Target | None:
    """Where the recording lies that a report names."""
    if not isinstance(event, DeliveryReported):
        return None
    url = _url(_params(event.original))
    if not url:
        return None
    bare = url.partition("?")[0].removesuffix(".json").removesuffix(".wav").removesuffix(".mp3")
    return Target(f"{bare}.mp3", None, FilePart.RECORDING, NAME, MEDIA_TYPE)


def _params(original: bytes | None) -> Mapping[str, str]:
    """The parameters of the request that a report was made of."""
    try:
        found = loads(original or b"{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _url(params: Mapping[str, str]) -> str:
    return params.get("RecordingUrl", "").strip()


RECORDINGS: Final = MediaSource(
    hosts=TWILIO_HOSTS, recipe=twilio_media, pointed=pointed, target=target
)
