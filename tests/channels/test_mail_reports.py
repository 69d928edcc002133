"""Reports of machines about our mails: bounces, receipts, complaints."""

from __future__ import annotations

import pytest

from domain.values import Auto, DeliveryState
from tests.channels.mails import ANA, about, mail, multipart, read, recorded, reported

OURS = "Message-ID: <ours@example.mx>\r\nSubject: Oferta\r\n\r\nHola"
WORDS = ("Content-Type: text/plain", "No se pudo entregar.")
BACK = ("Content-Type: message/rfc822", OURS)
HEADERS_BACK = ("Content-Type: text/rfc822-headers", OURS)
DAEMON = "MAILER-DAEMON@mx.example.net"


def _fields(*blocks: str) -> tuple[str, str]:
    return "Content-Type: message/delivery-status", "Reporting-MTA: dns; mx\r\n\r\n" + "\r\n".join(
        f"{block}\r\n" for block in blocks
    )


def _failed(address: str, action: str = "failed", status: str = "5.1.1") -> str:
    return (
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no such\r\n user"
    )


@pytest.mark.parametrize("back", [BACK, HEADERS_BACK])
def test_a_bounce_fails_the_mail_that_came_back(back: tuple[str, str]) -> None:
    """The status is about the Message-ID of what came back, of the recipient, with its code."""
    raw = multipart(
        "multipart/report", WORDS, _fields(_failed("ana@example.com")), back, **{"from": DAEMON}
    )
    (report,) = reported(read(raw))
    assert report.about == about("ours@example.mx")
    assert (report.word, report.recipient, report.code) == ("failed", ANA, "5.1.1")
    assert report.message == "550 5.1.1 no such user"


def test_a_report_tells_of_each_recipient() -> None:
    """Those who were not reached come first; a delay and a delivery keep their meaning."""
    raw = multipart(
        "multipart/report",
        _fields(
            _failed("a@x.mx", "delayed", "4.2.2"),
            _failed("b@x.mx", "delivered", "2.0.0"),
            _failed("c@x.mx"),
        ),
        BACK,
        **{"from": DAEMON},
    )
    found = [(one.word, one.state, one.recipient) for one in reported(read(raw))]
    assert found == [
        ("failed", None, "mailto:c@x.mx"),
        ("delayed", DeliveryState.QUEUED, "mailto:a@x.mx"),
        ("delivered", None, "mailto:b@x.mx"),
    ]


def test_a_bounce_in_words_alone_is_one() -> None:
    """Without fields: from a machine, about whom it names, by the Message-ID in its text."""
    raw = mail(
        "Failed: 550 5.1.1\r\n--- original ---\r\nMessage-ID: <ours@example.mx>\r\n",
        subject="Undelivered Mail Returned to Sender",
        x_failed_recipients="ana@example.com",
        return_path="<>",
        **{"from": DAEMON},
    )
    (report,) = reported(read(raw))
    assert (report.about, report.recipient) == (about("ours@example.mx"), ANA)
    assert (report.word, report.code) == ("failed", "5.1.1")


def test_a_server_without_a_domain_is_one() -> None:
    """Small mail programs sign as MAILER-DAEMON alone, and put the old headers into the text."""
    words = "550 5.7.26 refused\r\nMessage headers follow.\r\nMessage-Id: <ours@example.mx>\r\n"
    raw = mail(words, subject="Mail delivery failed", **{"from": "MAILER-DAEMON <>"})
    (report,) = reported(read(raw))
    assert (report.about, report.word, report.code) == (
        about("ours@example.mx"),
        "failed",
        "5.7.26",
    )


def test_a_report_that_lost_its_fields_is_one() -> None:
    """`multipart/report` says enough, whoever signs it; one of another type is a machine's mail."""
    raw = multipart("multipart/report", WORDS, BACK, **{"from": "avisos@example.net"})
    (report,) = reported(read(raw))
    assert (report.about, report.word) == (about("ours@example.mx"), "failed")
    other = multipart("multipart/report; report-type=tlsrpt", WORDS)
    assert recorded(read(other)).auto is Auto.AUTO_REPLY


def test_a_bounce_of_no_known_mail_is_a_mail() -> None:
    """It is recorded as written by a machine; of our own server's, it belongs to the recipient."""
    raw = multipart(
        "multipart/report", WORDS, _fields(_failed("ana@example.com")), **{"from": DAEMON}
    )
    command = recorded(read(raw))
    assert (command.auto, command.resource) == (Auto.BOUNCE, f"mailto:{DAEMON}")
    ours = raw.replace(b"mx.example.net", b"mx1.example.mx").replace(b"@mx1.", b"@")
    assert recorded(read(ours)).resource == ANA


def test_a_receipt_says_that_it_was_read() -> None:
    """`displayed` is read; what else a receipt says is kept as its word."""
    for disposition, state in (("displayed", DeliveryState.READ), ("deleted", None)):
        fields = (
            "Final-Recipient: rfc822; ana@example.com\r\n"
            "Original-Message-ID: <ours@example.mx>\r\n"
            f"Disposition: manual-action/MDN-sent-manually; {disposition}\r\n"
        )
        told = ("Content-Type: message/disposition-notification", fields)
        (report,) = reported(read(multipart("multipart/report", WORDS, told)))
        assert (report.about, report.word) == (about("ours@example.mx"), disposition)
        assert (report.state, report.recipient) == (state, ANA)


def test_a_complaint_is_told_of_the_mail() -> None:
    """Who marked it as spam is told as `complained`."""
    told = (
        "Content-Type: message/feedback-report",
        "Feedback-Type: abuse\r\nOriginal-Rcpt-To: <ana@example.com>\r\n",
    )
    (report,) = reported(read(multipart("multipart/report", WORDS, told, BACK)))
    assert (report.about, report.word) == (about("ours@example.mx"), "complained")
    assert report.recipient == ANA
    marked = (BACK[0], f"X-HmXmrOriginalRecipient: <ana@example.com>\r\n{OURS}")
    raw = multipart("multipart/mixed", marked, **{"from": "staff@hotmail.com"})
    (report,) = reported(read(raw))
    assert (report.about, report.word) == (about("ours@example.mx"), "complained")
    assert report.recipient == ANA
    forwarded = multipart("multipart/mixed", WORDS, marked)
    assert recorded(read(forwarded)).auto is None


def test_a_forwarded_bounce_is_a_persons_mail() -> None:
    """Somebody who sends us their bounce writes to us; no status of ours comes of it."""
    bounce = multipart("multipart/report", WORDS, _fields(_failed("x@example.net")), BACK)
    raw = multipart("multipart/mixed", WORDS, ("Content-Type: message/rfc822", bounce))
    assert recorded(read(raw)).resource == ANA
