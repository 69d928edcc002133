"""What a mail comes to: its ends, its text, its files, its time, its thread."""

from __future__ import annotations

import hashlib

import pytest

from channels.contract import Ignored, Unreadable
from channels.mail_sides import Envelope
from domain.values import Auto, Direction, Origin, TimeSource
from tests.api.house import NOON
from tests.channels.mails import (
    ANA,
    DATE,
    SENT_US,
    SHOP,
    details,
    mail,
    multipart,
    read,
    recorded,
)

# --------------------------------------------------------------------------- its ends


def test_a_mail_from_outside_came_in() -> None:
    """Sender and our mailbox are its ends, text, name, time and offset what they were."""
    command = recorded(read(mail("Sí, a las 5.\r\n")))
    assert command.direction is Direction.INBOUND
    assert (command.resource, command.destination) == (ANA, SHOP)
    assert (command.text, command.subject_line) == ("Sí, a las 5.", "Cita")
    assert command.contact_name == "Ana Núñez"
    assert (command.occurred_at, command.offset_min) == (SENT_US, -360)
    assert command.time_source is TimeSource.PROVIDER
    assert (command.external_id, command.source) == ("a1@example.com", "email:ventas@example.mx")


def test_a_mail_of_ours_went_out() -> None:
    """From one of our domains it went out; the first recipient outside is the contact."""
    raw = mail(
        **{"from": "Rosa <rosa@example.mx>"},
        to="jefe@example.mx, Ana <ana@example.com>, luis@example.com",
    )
    command = recorded(read(raw))
    assert command.direction is Direction.OUTBOUND
    assert (command.resource, command.destination) == ("mailto:rosa@example.mx", ANA)
    assert command.contact_name == "Ana"
    assert [one.address for one in command.participants] == [
        "mailto:rosa@example.mx",
        "mailto:jefe@example.mx",
        ANA,
        "mailto:luis@example.com",
    ]


def test_a_copy_to_the_ledger_alone_went_out() -> None:
    """A blind copy that an agent sends to the ledger is outbound, to whom the headers name."""
    raw = mail(**{"from": "rosa@example.mx"}, to="ana@example.com")
    command = recorded(read(raw, Envelope(recipients=("ledger@example.mx",))))
    assert (command.direction, command.destination) == (Direction.OUTBOUND, ANA)
    assert command.source == "email:rosa@example.mx"


def test_a_sent_folder_says_that_it_went_out() -> None:
    """What lies in a Sent folder went out, also where no domain is known to be ours."""
    raw = mail(**{"from": "taller@gmail.com"}, to="ana@example.com")
    command = recorded(read(raw, Envelope(is_sent=True), own=frozenset()))
    assert (command.direction, command.destination) == (Direction.OUTBOUND, ANA)


def test_addresses_of_a_connection_are_ours() -> None:
    """A mailbox at a provider of everybody's is ours where the connection says so."""
    raw = mail(**{"from": "Taller@gmail.com"}, to="ana@example.com")
    command = recorded(read(raw, options={"addresses": "taller@gmail.com"}, own=frozenset()))
    assert command.direction is Direction.OUTBOUND


def test_mail_among_ourselves_is_no_interaction() -> None:
    """Sender and recipients all ours: ignored as internal."""
    raw = mail(**{"from": "rosa@example.mx"}, to="luis@example.mx")
    assert read(raw).outcome == Ignored("internal")


def test_a_form_of_ours_speaks_for_who_filled_it_in() -> None:
    """From us to us, with somebody else to answer: it came in from them."""
    raw = mail(
        **{"from": "web@example.mx"}, to="ventas@example.mx", reply_to="Ana <ana@example.com>"
    )
    command = recorded(read(raw))
    assert (command.direction, command.resource) == (Direction.INBOUND, ANA)
    assert command.destination == SHOP


def test_everybody_who_is_named_takes_part() -> None:
    """Senders and recipients are participants with role and name, at most 200, and their number."""
    crowd = ", ".join(f"c{number}@example.net" for number in range(250))
    command = recorded(read(mail(cc=crowd)))
    assert [str(one.role) for one in command.participants[:3]] == ["from", "to", "cc"]
    assert (len(command.participants), command.participant_count) == (200, 252)


def test_a_mail_from_nobody_is_kept_all_the_same() -> None:
    """Without any sender the envelope's is taken; without that, nobody's bucket."""
    headers: dict[str, str | None] = {"from": None}
    raw = mail("Hola", **headers)
    assert recorded(read(raw, Envelope(sender="ana@example.com"))).resource == ANA
    command = recorded(read(raw))
    assert command.resource == f"anonymous:{command.source}"


def test_a_source_is_never_somebody_elses_address() -> None:
    """Where no address is known to be ours the connection is the source: it stands in clear."""
    command = recorded(read(mail(to="someone@example.net"), own=frozenset()))
    assert command.source == "email:imap.main"


def test_a_tag_behind_a_plus_makes_no_source() -> None:
    """All tags of a mailbox are one source."""
    command = recorded(read(mail(to="ventas+3f0c2f6f@example.mx")))
    assert command.source == "email:ventas@example.mx"
    assert command.thread == "tag:3f0c2f6f"


# --------------------------------------------------------------------------- its key


def test_the_way_that_a_mail_came_is_no_part_of_its_key() -> None:
    """Relays' headers, line breaks and blank lines at the end make no other mail of it."""
    raw = mail("Hola\r\n\r\n")
    relayed = b"Received: from a by b\r\nDelivered-To: x@example.mx\r\n" + raw
    keys = {recorded(read(one)).key for one in (raw, relayed, raw.replace(b"\r\n", b"\n").rstrip())}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "<other@example.com>"},
        {"date": "Sun, 22 Nov 2026 05:58:00 -0600"},
        {"from": "luis@example.com"},
    ],
)
def test_two_mails_that_share_something_are_two(changed: dict[str, str]) -> None:
    """Another Message-ID, Date or sender is another mail; so is another text."""
    assert recorded(read(mail())).key != recorded(read(mail(**changed))).key
    assert recorded(read(mail())).key != recorded(read(mail("Adiós"))).key


# ------------------------------------------------------------------------- its thread


def test_a_thread_is_named_by_its_first_mail() -> None:
    """References name the thread, In-Reply-To what is answered; of very many the last 50 stay."""
    chain = " ".join(f"<m{number}@x>" for number in range(3_000))
    atom = read(mail(references=chain, in_reply_to="<m2999@x>"))
    command = recorded(atom)
    assert (command.thread, command.in_reply_to) == ("m0@x", "m2999@x")
    assert details(atom)["references"] == [f"m{number}@x" for number in range(2_950, 3_000)]
    assert recorded(read(mail())).thread == "a1@example.com"


# ---------------------------------------------------------------------------- its time


@pytest.mark.parametrize("date", [None, "Thu, 99 Xyz 2099", "Mon, 1 Jan 2035 00:00:00 +0000", ""])
def test_a_date_that_cannot_be_is_the_relays(date: str | None) -> None:
    """The last relay's time stands in for it, and says so; without one the time of arrival."""
    relayed = "from a by b; Sun, 22 Nov 2026 05:00:00 -0600"
    command = recorded(read(mail(date=date, received=relayed)))
    assert (command.occurred_at, command.offset_min) == (NOON - 3_600_000_000, -360)
    assert command.time_source is TimeSource.RECEIVED
    assert recorded(read(mail(date=date))).occurred_at == NOON


def test_old_mail_of_a_mailbox_is_imported() -> None:
    """What is older than the connection keeps its time, and is imported."""
    command = recorded(read(mail(date="Fri, 4 May 2001 14:05:44 -0400"), Envelope(is_past=True)))
    assert (command.origin, command.time_source) == (Origin.IMPORTED, TimeSource.IMPORT)
    assert command.occurred_at == 988_999_544_000_000


# ---------------------------------------------------------------------------- its text

PLAIN = "Content-Type: text/plain; charset=utf-8"
PDF = (
    "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename*=utf-8''..%2FP%C3%B3liza.pdf"
)
HTML = "Content-Type: text/html; charset=utf-8"


def test_of_alternatives_the_plain_text_is_taken() -> None:
    """Plain text before HTML; HTML alone gives a text without markup, and says so."""
    both = multipart("multipart/alternative", (PLAIN, "llano"), (HTML, "<b>rico</b>"))
    assert recorded(read(both)).text == "llano"
    alone = read(multipart("multipart/alternative", (HTML, "<p>Uno</p><p>Dos &amp; tres</p>")))
    assert recorded(alone).text == "Uno\n\nDos & tres"
    assert details(alone)["text_made_of"] == "html"


def test_the_reply_is_told_from_the_quote_without_losing_either() -> None:
    """The whole text is kept, and where the quote begins."""
    text = "Sí, a las 5.\n\nEl lun, 3 nov 2025 a las 10:12, Ventas escribió:\n> ¿Cuándo?\n"
    atom = read(mail(text))
    whole = recorded(atom).text or ""
    assert whole == text.rstrip()
    assert whole[: details(atom)["quote_start"]].rstrip() == "Sí, a las 5."


def test_files_are_named_typed_and_hashed() -> None:
    """A file's name loses its folders; its hash is that of its bytes."""
    raw = multipart(
        "multipart/mixed",
        (PLAIN, "Va el PDF"),
        (PDF, "JVBERi0xLjQ="),
    )
    command = recorded(read(raw))
    (file,) = command.attachments
    assert (command.text, file.name) == ("Va el PDF", "Póliza.pdf")
    assert (file.media_type, file.size_bytes) == ("application/pdf", 8)
    assert file.sha256 == hashlib.sha256(b"%PDF-1.4").hexdigest()


def test_a_mail_inside_gives_its_text_only_where_there_is_no_other() -> None:
    """Forwarded whole it is a file; alone its text is the text."""
    inner = mail("De adentro", subject="Viejo")
    beside = multipart("multipart/mixed", (PLAIN, "Mira"), ("Content-Type: message/rfc822", inner))
    assert recorded(read(beside)).text == "Mira"
    assert [file.name for file in recorded(read(beside)).attachments] == ["Viejo.eml"]
    alone = multipart("multipart/mixed", ("Content-Type: message/rfc822", inner))
    assert recorded(read(alone)).text == "De adentro"


# ------------------------------------------------------------------ written by a machine


@pytest.mark.parametrize(
    ("headers", "auto"),
    [
        ({"auto_submitted": "auto-replied"}, Auto.AUTO_REPLY),
        ({"auto_submitted": "no"}, None),
        ({"precedence": "auto_reply"}, Auto.AUTO_REPLY),
        ({"x_auto_response_suppress": "All"}, Auto.AUTO_REPLY),
        ({"return_path": "<>"}, Auto.AUTO_REPLY),
        ({"x_apple_action": "VACATION"}, Auto.AUTO_REPLY),
        ({"x_apple_action": "JUNK"}, None),
        ({"x_autogenerated": "Reply"}, Auto.AUTO_REPLY),
        ({"from": "MAILER-DAEMON <>", "subject": "Aviso"}, Auto.AUTO_REPLY),
        ({"precedence": "bulk"}, Auto.BULK),
        ({"list_unsubscribe": "<https://example.com/u>"}, Auto.BULK),
        ({"list_id": "Clientes <clientes.example.com>"}, Auto.BULK),
        ({"list_id": "Ventas <ventas.example.mx>", "precedence": "list"}, None),
        ({}, None),
    ],
)
def test_machines_are_told_from_people(headers: dict[str, str], auto: Auto | None) -> None:
    """Automatic replies and bulk say so; what comes over a list of ours is a person's."""
    assert recorded(read(mail(**headers))).auto is auto


def test_bulk_is_ignored_where_the_connection_says_so() -> None:
    """It is recorded else: better an entry too many than one lost."""
    raw = mail(precedence="bulk")
    assert read(raw, options={"bulk": "ignore"}).outcome == Ignored("bulk")


# ------------------------------------------------------------------------- what is none


def test_what_is_no_mail_is_told() -> None:
    """Nothing is empty; bytes without a header of a mail wait for a person."""
    assert read(b" \r\n").outcome == Ignored("empty")
    assert isinstance(read(b"\x00\x01\x02").outcome, Unreadable)


def test_a_large_mail_leaves_its_head_and_its_hash() -> None:
    """Up to 64 KiB the event holds the mail; of a larger one the head, the size and the hash."""
    small, large = mail("x" * 1_000), mail("x" * 100_000)
    assert recorded(read(small)).original == small
    kept = recorded(read(large)).original or b""
    assert len(kept) < 64 * 1_024
    assert hashlib.sha256(large).hexdigest().encode() in kept
    assert recorded(read(large)).text == "x" * 100_000


def test_a_date_is_kept_where_it_was_not_taken() -> None:
    """What the sender wrote as a date stays readable."""
    assert details(read(mail(date="ayer")))["date"] == "ayer"
    assert "date" not in details(read(mail(date=DATE)))
