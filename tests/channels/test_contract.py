"""What every channel promises, tried on each that there is; a new one runs through by itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import (
    IGNORED,
    Arrival,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Rejected,
    Verified,
)
from channels.registry import CHANNELS
from domain.ports import MAX_UNIT_EVENTS
from domain.values import is_source
from tests.api.house import NOON
from tests.channels.shop import DERIVE

NAMES = (
    *("entry", "changes", "value"),
    *("field", "messages", "message_echoes"),
    *("statuses", "calls", "errors"),
    *("history", "threads", "metadata"),
    *("contacts", "from", "to"),
    *("id", "type", "text"),
    *("timestamp", "status", "event"),
    *("phone_number_id", "user_preferences", "reaction"),
    *("edit", "revoke", "interactive"),
    *("location", "image", "order"),
    *("messaging", "standby", "sender"),
    *("recipient", "message", "mid"),
    *("postback", "read", "watermark"),
    *("delivery", "mids", "attachments"),
    *("is_echo", "referral", "leadgen_id"),
    *("CallSid", "ParentCallSid", "CallStatus"),
    *("MessageSid", "MessageStatus", "From"),
    *("To", "Body", "RecordingSid"),
    *("message", "edited_message", "callback_query"),
    *("deleted_business_messages", "message_ids", "chat"),
    *("message_reaction", "poll_answer", "message_id"),
    *("user", "photo", "contact"),
)
"""What stands in requests of a provider, so that made-up ones go deep."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.just("page")
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=24,
)

each = pytest.mark.parametrize("module", [pytest.param(m, id=n) for n, m in CHANNELS.items()])
signing = pytest.mark.parametrize(
    "module", [pytest.param(m, id=n) for n, m in CHANNELS.items() if m.is_hooked and m.all_secrets]
)
"""Those that share a secret with their provider; of SES we have only what tells its signature."""


def secrets_of(module: ChannelModule) -> dict[str, list[bytes]]:
    """A made-up secret for each name, and the one before it."""
    choices = (*module.secrets, *(name for choice in module.secret_choices for name in choice))
    names = choices or module.all_secrets
    return {name: [f"new {name}".encode(), f"old {name}".encode()] for name in names}


def atoms_of(module: ChannelModule, body: bytes) -> list[Atom]:
    """The atoms of a body."""
    arrival = Arrival(connection=f"{module.channel}/test", received_at=NOON, derive=DERIVE)
    return module.parse(Incoming(body=body), arrival)


@signing
def test_what_the_provider_signed_is_taken(module: ChannelModule) -> None:
    """A signature under today's secret is good, and one under the secret before it."""
    body, secrets = b'{"a": "\\u00e9\\/"}', secrets_of(module)
    older = {name: values[1:] for name, values in secrets.items()}
    for signing in (secrets, older):
        incoming = Incoming(body=body, headers=module.sign(body, signing))
        assert isinstance(module.verify(incoming, secrets), Verified)


@signing
def test_what_anybody_may_have_sent_is_refused(module: ChannelModule) -> None:
    """Another secret, no secret at all and no signature are refused; so is a changed byte."""
    body, secrets = b"{}", secrets_of(module)
    headers = module.sign(body, secrets)
    other = {name: [b"guess"] for name in secrets}
    unknown = Verified() if module.is_open else Rejected("bad_signature")
    assert module.verify(Incoming(body=body, headers=headers), {}) == unknown
    changed = Incoming(body=body + b" ", headers=headers)
    refused = Rejected("bad_signature") if module.signs_body else None
    verified = module.verify(changed, secrets)
    assert verified == refused if refused else isinstance(verified, Verified)
    for incoming, known in (
        (Incoming(body=body, headers=module.sign(body, other)), secrets),
        (Incoming(body=body, headers=dict.fromkeys(headers, "é")), secrets),
    ):
        assert module.verify(incoming, known) == Rejected("bad_signature")
    assert module.verify(Incoming(body=body), secrets) == Rejected("no_signature")


@signing
def test_an_empty_secret_lets_nobody_in(module: ChannelModule) -> None:
    """A secret that is empty is none."""
    body = b"{}"
    empty = {name: [b""] for name in secrets_of(module)}
    incoming = Incoming(body=body, headers=module.sign(body, empty))
    assert module.verify(incoming, empty) == Rejected("bad_signature")


@each
def test_nobody_is_let_in_where_nobody_can_sign(module: ChannelModule) -> None:
    """A channel without a shared secret takes no request that is not proven in its own way."""
    if not module.all_secrets or not module.is_hooked:
        for body in (b"{}", b'{"Type": "Notification", "Signature": "AA=="}'):
            assert isinstance(module.verify(Incoming(body=body), {}), Rejected)


@each
@given(body=st.binary(max_size=64) | JSON.map(msgspec.json.encode))
@settings(max_examples=120)
def test_any_body_becomes_atoms(module: ChannelModule, body: bytes) -> None:
    """Whatever comes, parsing raises nothing, and each atom is what the contract allows."""
    atoms = atoms_of(module, body)
    assert [atom.number for atom in atoms] == list(range(len(atoms)))
    assert atoms
    for atom in atoms:
        assert atom.source == "" or is_source(atom.source)
        match atom.outcome:
            case Ignored(reason):
                assert reason in IGNORED
            case Commands(commands):
                assert 1 <= len(commands) <= MAX_UNIT_EVENTS
                assert atom.source
        assert [one.outcome for one in atoms_of(module, atom.raw())] == [atom.outcome]


@each
def test_names_of_secrets_and_options_are_told_apart(module: ChannelModule) -> None:
    """No name stands twice, and none of the kept headers is one that carries a secret."""
    names: list[Any] = [*module.all_secrets, *module.all_options]
    assert len(names) == len(set(names))
    assert not set(module.kept_headers) & {"authorization", "cookie"}
