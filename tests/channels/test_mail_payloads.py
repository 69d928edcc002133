"""Real mails of other projects: each comes to what the table in the documents says."""

from __future__ import annotations

import pytest

from channels.contract import IGNORED, Ignored, Unreadable
from tests.channels.mails import DOCUMENT, atoms_of, payload, payload_names, row_of

NAMES = [*payload_names("email"), *payload_names("email_webhooks")]

pytestmark = pytest.mark.real_requests

each = pytest.mark.parametrize("name", NAMES or ["none"])


@each
def test_a_real_mail_comes_to_what_the_table_says(name: str) -> None:
    """Each real file has its row in docs/channels/email-payloads.md, and the row is right."""
    document = DOCUMENT.read_text("utf-8")
    assert row_of(name, payload(name)) in document, "make it anew: python -m tests.channels.mails"


@each
def test_a_real_mail_has_one_outcome(name: str) -> None:
    """Parsing raises nothing; what is ignored has a reason of the contract, and none is unread."""
    for atom in atoms_of(name, payload(name)) or []:
        match atom.outcome:
            case Ignored(reason):
                assert reason in IGNORED
            case Unreadable(error):
                assert error in {
                    "it has no header of a mail",
                    "it is neither a mail nor an event",
                }
