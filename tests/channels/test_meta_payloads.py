"""Real requests of Messenger and Instagram: each comes to what it is, and none fails."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from channels.contract import IGNORED, Commands, Ignored, Unreadable
from tests.channels.meta_shop import parsed
from tests.channels.shop import PAYLOADS
from tests.channels.told import told

FOLDER: Final = PAYLOADS.parent

TOLD: Final[dict[str, tuple[str, ...]]] = {
    "messenger/SYNTH_batch_two_messaging_items": (
        "interaction inbound: “one”",
        "interaction inbound: “two 🦄”",
    ),
    "messenger/SYNTH_ctm_ad_first_message": ("interaction inbound: “Hi”",),
    "messenger/SYNTH_message_edit": ("edit: “edited text”",),
    "messenger/SYNTH_reaction": ("reaction of contact: ❤️",),
    "messenger/chatwoot_incoming_fb_text_message": ("interaction inbound: “facebook message”",),
    "messenger/chatwoot_message_deliveries": ("all until then: delivered",),
    "messenger/chatwoot_message_reads": ("all until then: read",),
    "messenger/msgnode_message_deliveries": ("all until then: delivered",),
    "messenger/msgnode_messages__attachment": ("interaction inbound: “[image]”",),
    "messenger/msgnode_messaging_account_linking": ("ignored: account_event",),
    "messenger/msgnode_messaging_echoes": ("interaction outbound: “hello, world!”",),
    "messenger/msgnode_messaging_handovers__app_roles": ("ignored: account_event",),
    "messenger/msgnode_messaging_handovers__take_thread_control": ("ignored: account_event",),
    "messenger/msgnode_messaging_policy_enforcement": ("ignored: account_event",),
    "messenger/msgnode_messaging_referrals__MESSENGER_CODE": (
        "interaction inbound by a machine: “[referral: <REF_DATA_PASSED_IN_CODE>]”",
    ),
    "instagram/SYNTH_batch_two_messaging_items": (
        "interaction inbound: “one”",
        "interaction inbound: “two 🦄”",
    ),
    "instagram/SYNTH_message_edit": ("edit: “edited text”",),
    "instagram/SYNTH_unreact": ("reaction of contact: taken away",),
    "instagram/chatwoot_incoming_ig_text_message": (
        "interaction inbound: “This is the first message from the customer”",
    ),
    "instagram/chatwoot_instagram_message_image_attachment_event": (
        "interaction inbound + image.jpg",
    ),
    "instagram/chatwoot_instagram_message_share_attachment_event": (
        "interaction inbound: “[share]” + share.jpg",
    ),
    "instagram/chatwoot_instagram_message_standby_event": (
        "interaction inbound: “This is the first standby message from the cust…”",
    ),
    "instagram/chatwoot_instagram_message_unsend_event": ("revoke",),
    "instagram/chatwoot_instagram_message_unsupported_event": (
        "interaction inbound: “[unsupported]”",
    ),
    "instagram/chatwoot_instagram_message_video_attachment_event": (
        "interaction inbound + video.mp4",
    ),
    "instagram/chatwoot_instagram_story_mention_event": (
        "interaction inbound: “[story mention]” + story_mention.jpg",
    ),
    "instagram/chatwoot_instagram_test_text_event": ("interaction inbound: “random_text”",),
    "instagram/chatwoot_messaging_seen_event": ("status: read",),
}
"""What each request comes to; the requests themselves lie beside the project."""


pytestmark = pytest.mark.real_requests


def names() -> list[str]:
    """The real requests that are there, as channel and name."""
    found = [*FOLDER.glob("messenger/*.json"), *FOLDER.glob("instagram/*.json")]
    found += FOLDER.glob("webform/*leadgen*.json")
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in found)


def payload(name: str) -> tuple[str, bytes]:
    """The channel that takes a real request, and its bytes; fails where it is missing."""
    path: Path = FOLDER / f"{name}.json"
    if not path.is_file():
        pytest.fail(f"shared/payloads/{name}.json is missing", pytrace=False)
    folder = name.partition("/")[0]
    return ("lead_ads" if folder == "webform" else folder), path.read_bytes()


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_real_request_comes_to_what_it_is(name: str) -> None:
    """Each atom of a real request is recorded as its kind, or ignored for its reason."""
    assert tuple(told(parsed(*payload(name)))) == TOLD[name]


@pytest.mark.parametrize("name", names() or ["none"])
def test_a_real_request_is_understood(name: str) -> None:
    """Nothing of a real request is unreadable; alone, each atom parses to itself."""
    channel, body = payload(name)
    for atom in parsed(channel, body):
        assert not isinstance(atom.outcome, Unreadable)
        if isinstance(atom.outcome, Ignored):
            assert atom.outcome.reason in IGNORED
        if isinstance(atom.outcome, Commands):
            assert atom.source
        alone = parsed(channel, atom.raw())
        assert [(one.source, one.outcome) for one in alone] == [(atom.source, atom.outcome)]


def test_no_real_request_is_left_out() -> None:
    """Every real request that is there has its line in the table."""
    assert {name for name in names() if not name.startswith("webform/")} <= set(TOLD)
