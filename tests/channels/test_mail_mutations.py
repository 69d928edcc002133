"""Mails that were damaged at random: each has one outcome, and reading raises nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import IGNORED, Commands, Ignored
from channels.mail_sides import Envelope
from domain.commands import RecordInteraction
from domain.ports import MAX_UNIT_EVENTS
from domain.values import is_source
from tests.channels.mails import mail, multipart, read

SEEDS = (
    mail("Hola\r\n", references="<a@x> <b@x>", reply_to="Ana <ana@example.com>"),
    multipart(
        "multipart/mixed",
        ("Content-Type: text/plain; charset=iso-8859-1", "Ma\xf1ana".encode("latin-1")),
        ('Content-Type: text/html; name="=?utf-8?q?a?="', "<p>Hola<blockquote>x</p>"),
        ("Content-Type: message/rfc822", mail("Adentro")),
    ),
    multipart(
        "multipart/report",
        (
            "Content-Type: message/delivery-status",
            "A: b\r\n\r\nFinal-Recipient: rfc822; a@x.mx\r\n",
        ),
        ("Content-Type: message/rfc822", mail()),
        **{"from": "MAILER-DAEMON@example.net"},
    ),
)

PIECES = (
    *(b"\r\n", b"\n\n", b"--b\r\n", b"--b--", b"=?utf-8?q?", b"?=", b"\x00", b"\xff\xfe"),
    *(b"<", b">", b'"', b"(", b",", b";", b":", b"@", b"%", b"\\", b"=", b"&#0;", b"&#xD800;"),
    *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Transfer-Encoding: base64\r\n"),
    *(b"From: ", b"To: ", b"Date: ", b"Message-ID: <", b"charset=utf-16", b"filename*0*=x''%"),
)

Damage = tuple[float, float, bytes]

DAMAGES = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.sampled_from(PIECES) | st.binary(max_size=12)),
    max_size=8,
)
"""(where, how much goes, what comes instead)."""


def _damaged(raw: bytes, damages: list[Damage]) -> bytes:
    for where, much, instead in damages:
        at = int(len(raw) * where)
        raw = raw[:at] + instead + raw[at + int(len(raw) * much) :]
    return raw


@given(seed=st.sampled_from(SEEDS), damages=DAMAGES, sender=st.none() | st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_damaged_mail_has_one_outcome(
    seed: bytes, damages: list[Damage], sender: str | None
) -> None:
    """Recorded with both ends, reported, ignored for a reason, or kept for a person."""
    raw = _damaged(seed, damages)
    atom = read(raw, Envelope(sender=sender, recipients=(sender,) if sender else ()))
    assert atom.source == "" or is_source(atom.source)
    match atom.outcome:
        case Ignored(reason):
            assert reason in IGNORED
        case Commands(commands):
            assert atom.source
            assert 1 <= len(commands) <= MAX_UNIT_EVENTS
            for command in commands:
                if isinstance(command, RecordInteraction):
                    assert command.resource
                    assert command.destination
                    assert "\x00" not in f"{command.text}{command.subject_line}{command.thread}"
                    f"{command}".encode()  # no half of a surrogate pair anywhere
        case unreadable:
            assert unreadable.error == "it has no header of a mail", unreadable
