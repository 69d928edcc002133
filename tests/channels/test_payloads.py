"""Real requests of other projects: each is recorded as what it is, and none fails."""

from __future__ import annotations

from typing import Final

import pytest

from channels.contract import IGNORED, Ignored
from tests.channels.shop import parsed, payload, payload_names
from tests.channels.told import told

PAYLOADS_TOLD: Final[dict[str, tuple[str, ...]]] = {
    "SYNTH_batch_mixed": (
        "interaction inbound: “second, but first in array”",
        "interaction inbound: “premier 🌍 – first”",
        "interaction inbound: “premier 🌍 – first”",
        "interaction inbound: “[ephemeral]”",
        "status: read",
        "status: delivered",
        "interaction inbound: “Hello World”",
        "quarantine: unknown_kind (the field is unknown)",
    ),
    "pywa_account_update__account_disabled": ("ignored: account_event",),
    "pywa_account_update__mm_api_for_wa_terms_of_service": ("ignored: account_event",),
    "pywa_account_update__partner_added": ("ignored: account_event",),
    "pywa_account_update__partner_app_installed": ("ignored: account_event",),
    "pywa_account_update__partner_app_uninstalled": ("ignored: account_event",),
    "pywa_account_update__partner_led_business_verification_status": ("ignored: account_event",),
    "pywa_account_update__partner_removed": ("ignored: account_event",),
    "pywa_account_update__primary_business_location_set": ("ignored: account_event",),
    "pywa_call_connect__user_initiated": (
        "call inbound",
        "status: connect",
    ),
    "pywa_call_permission_update__accept": ("interaction inbound: “[call permission: accept]”",),
    "pywa_call_permission_update__reject": ("interaction inbound: “[call permission: reject]”",),
    "pywa_call_status__call_status": (
        "call outbound",
        "status: ringing",
    ),
    "pywa_callback_button__button": ("interaction inbound: “title”",),
    "pywa_callback_button__quick_reply": ("interaction inbound: “title”",),
    "pywa_callback_selection__callback": ("interaction inbound: “title”",),
    "pywa_callback_selection__description": ("interaction inbound: “title ⏎ description”",),
    "pywa_deleted_message__revoke": ("revoke",),
    "pywa_edited_message__image": ("edit: “Updated image caption” + image.jpg",),
    "pywa_flow_completion__completion": (
        "interaction inbound: “comment_text: Comment Text ⏎ delivery_rating: 4…”",
    ),
    "pywa_flow_completion__without_flow_token": (
        "interaction inbound: “comment_text: Comment Text ⏎ delivery_rating: 4…”",
    ),
    "pywa_message__animated_sticker": ("interaction inbound: “[sticker]” + sticker.webp",),
    "pywa_message__chosen_location": (
        "interaction inbound: “📍 Facebook HQ, 1 Hacker Way, Menlo Park, CA 940…”",
    ),
    "pywa_message__contacts": (
        "interaction inbound: “👤 Chandler Bing: +1 555-555-5555 ⏎ 👤 Monica: +1…”",
    ),
    "pywa_message__current_location": ("interaction inbound: “📍 12.25089,43.90539”",),
    "pywa_message__document": ("interaction inbound: “caption” + filename.pdf",),
    "pywa_message__forwarded": ("interaction inbound: “forwarded text”",),
    "pywa_message__forwarded_many_times": ("interaction inbound: “text forwarded many times”",),
    "pywa_message__image": ("interaction inbound + image.jpg",),
    "pywa_message__media_with_url": ("interaction inbound + image.jpg",),
    "pywa_message__reaction": ("reaction of contact: 😮",),
    "pywa_message__reply": ("interaction inbound: “replied text”",),
    "pywa_message__text": ("interaction inbound: “Body Text”",),
    "pywa_message__unreaction_no_emoji": ("reaction of contact: taken away",),
    "pywa_message__unsupported": ("interaction inbound: “[unsupported]”",),
    "pywa_message__unsupported_with_type": ("interaction inbound: “[unsupported: pool]”",),
    "pywa_message__video": ("interaction inbound: “caption” + video.mp4",),
    "pywa_message__voice": ("interaction inbound + voice.ogg",),
    "pywa_message_status__delivered": ("status: delivered",),
    "pywa_message_status__failed": ("status: failed (130472)",),
    "pywa_message_status__group": ("status: read",),
    "pywa_message_status__played": ("status: played",),
    "pywa_message_status__read": ("status: read",),
    "pywa_message_status__with_tracker": ("status: sent",),
    "pywa_outgoing_message__delete": ("revoke",),
    "pywa_outgoing_message__edit": ("edit: “Text was edited”",),
    "pywa_outgoing_message__text": ("interaction outbound: “Test message”",),
    "pywa_system__identity_change": ("interaction inbound by a machine: “User identity changed”",),
    "pywa_template_category_update__marketing": ("ignored: account_event",),
    "pywa_template_components_update__element": ("ignored: account_event",),
    "pywa_template_quality_update__yellow": ("ignored: account_event",),
    "pywa_template_status_update__approved": ("ignored: account_event",),
    "pywa_user_marketing_preferences__resume": (
        "interaction inbound by a machine: “User requested to resume marketing messages”",
    ),
    "pywa_user_marketing_preferences__signup": (
        "interaction inbound by a machine: “User signed up via signup link”",
    ),
}
"""What each request comes to; the requests themselves lie beside the project."""


pytestmark = pytest.mark.real_requests


@pytest.mark.parametrize("name", sorted(PAYLOADS_TOLD))
def test_a_real_request_comes_to_what_it_is(name: str) -> None:
    """Each atom of a real request is recorded as its kind, or ignored for its reason."""
    assert tuple(told(parsed(payload(f"{name}.json")))) == PAYLOADS_TOLD[name]


@pytest.mark.parametrize("name", payload_names() or ["none"])
def test_an_atom_alone_parses_to_itself(name: str) -> None:
    """What would be kept of an atom in quarantine parses to that atom and nothing else."""
    for atom in parsed(payload(name)):
        alone = parsed(atom.raw())
        assert [(one.source, one.outcome) for one in alone] == [(atom.source, atom.outcome)]


@pytest.mark.parametrize("name", payload_names() or ["none"])
def test_every_reason_is_one_of_the_contract(name: str) -> None:
    """What is ignored is ignored for a reason that the contract has."""
    outcomes = [atom.outcome for atom in parsed(payload(name))]
    reasons = {outcome.reason for outcome in outcomes if isinstance(outcome, Ignored)}
    assert reasons <= IGNORED


def test_no_real_request_is_left_out() -> None:
    """Every real request that is there has its line in the table."""
    assert {name.removesuffix(".json") for name in payload_names()} <= set(PAYLOADS_TOLD)
