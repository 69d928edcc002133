"""Mail that was made to be hard: read within named limits, each byte of it kept once."""

from __future__ import annotations

import hashlib
import tracemalloc
from base64 import b64encode

from channels import mail_mime
from channels.contract import Commands
from channels.mail import mail_key
from channels.mail_mime import DEPTH_MAX, PARTS_MAX, Part, read_mail
from tests.channels.mails import about, mail, multipart, read, recorded, reported

FILE = (bytes(range(256)) * 4_000)[: 1024 * 1024 - 1]


def lines_of(raw: bytes) -> bytes:
    """Bytes in base64, as mailers write it."""
    coded = b64encode(raw)
    return b"\r\n".join(coded[at : at + 76] for at in range(0, len(coded), 76))


def nested(levels: int, inner: bytes) -> bytes:
    """A mail of so many levels of parts, one in each, and a part in the innermost."""
    for level in range(levels):
        mark = b"level%d" % level
        head = b'Content-Type: multipart/mixed; boundary="' + mark + b'"\r\n\r\n--'
        inner = head + mark + b"\r\n" + inner + b"\r\n--" + mark + b"--\r\n"
    return b"From: ana@example.com\r\nTo: ventas@example.mx\r\nMessage-ID: <n@x>\r\n" + inner


def test_levels_are_no_copies() -> None:
    """A large file under many levels is read whole, and takes no memory for each level."""
    file = b"Content-Type: a/b; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = nested(DEPTH_MAX - 1, file + lines_of(FILE))
    tracemalloc.start()
    try:
        attachment, whole = recorded(read(raw)).attachments
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (attachment.size_bytes, attachment.name) == (len(FILE), "a.bin")
    assert whole.size_bytes == len(raw)
    assert attachment.sha256 == hashlib.sha256(FILE).hexdigest()
    assert peak < 6 * len(raw), "a chunk and what it is made of, at any depth"
    deeper = recorded(read(nested(40, file + lines_of(FILE))))
    assert [(one.size_bytes or 0) > len(FILE) for one in deeper.attachments] == [True, True]


def counted(part: Part) -> int:
    """How many parts there are."""
    return sum(1 for _ in part.walk())


def test_thousands_of_parts_stop_at_a_limit() -> None:
    """Parts, lines that look like boundaries, and header lines are counted over the whole mail."""
    parts = tuple(("Content-Type: text/plain", f"uno {n}") for n in range(5_000))
    raw = multipart("multipart/mixed", *parts)
    assert counted(read_mail(raw)) == PARTS_MAX + 1
    assert (recorded(read(raw)).text or "").startswith("uno 0\n\nuno 1")
    marks = mail(
        b"--b\r\n\r\nx\r\n" + b"--bx\r\n" * 200_000, content_type="multipart/mixed; boundary=b"
    )
    assert recorded(read(marks)).text
    heads = nested(1, b"X: y\r\n" * 100_000)
    assert sum(len(part.headers) for part in read_mail(heads).walk()) <= mail_mime.HEADERS_MAX + 4
    strays = multipart("multipart/mixed", *[("x\r\n y\r\n" * 500, "x") for _ in range(400)])
    assert isinstance(read(strays).outcome, Commands)


def test_markup_without_end_is_read_once() -> None:
    """Nested elements, tags that never close and endless numbers cost one look at each."""
    for html, text in (
        ("<div>" * 20_000 + "Hola" + "</div>" * 20_000, "Hola"),
        ("<b" * 200_000, "<b<b"),
        ("<!" * 200_000, "<!<!"),
        ("Hola <3 <- < b>ya &#" + "9" * 6_000 + "; &amp;", "Hola <3 <- < b>ya &#999"),
    ):
        found = recorded(read(mail(html, content_type="text/html"))).text or ""
        assert found.startswith(text)
        assert len(found) <= 100_000


def test_a_header_of_words_is_read_once() -> None:
    """A megabyte of words where ids belong names those that may be ids, and takes no longer."""
    raw = mail(references="a " * 400_000 + "b@x", to="a, " * 80_000 + "ventas@example.mx")
    assert recorded(read(raw)).thread == "b@x"


def test_long_lines_of_pieces_are_read_once() -> None:
    """Flowed text of a million lines, and a bounce of nothing but addresses, are read in one go."""
    flowed = mail("a \n" * 200_000 + "b", content_type="text/plain; format=flowed")
    assert (recorded(read(flowed)).text or "").startswith("a a a a")
    words = "a@" * 30_000 + "b:" * 10_000 + "message-id of " * 4_000
    bounce = mail(words, subject="Undelivered", **{"from": "mailer-daemon@x.mx"})
    assert isinstance(read(bounce).outcome, Commands)


def test_a_key_is_that_of_the_whole_body() -> None:
    """However long a body is and wherever its lines end, one kind of line break gives one key."""
    body = (b"x" * 77 + b"\r\n") * 30_000
    for raw in (mail(b"\r" * 8 + body), mail(body + b"\r\n \r\n" * 1_000), mail(b"")):
        part = read_mail(raw)
        whole = part.body.replace(b"\r\n", b"\n").rstrip()
        assert b"".join(part.span.lines()) == whole
        assert mail_key(part) == mail_key(read_mail(raw.replace(b"\r\n", b"\n")))


def test_a_bounce_that_names_somebody_twice_tells_it_once() -> None:
    """One status for each recipient, the failure where there are two words for one."""
    blocks = "".join(
        f"\r\nFinal-Recipient: rfc822; {who}\r\nAction: {word}\r\nStatus: {code}\r\n"
        for who, word, code in (
            ("ana@example.com", "delayed", "4.4.1"),
            ("Ana@Example.com", "failed", "5.1.1"),
            ("ana@example.com", "failed", "5.1.1"),
            ("luis@example.com", "failed", "5.2.2"),
        )
    )
    raw = multipart(
        "multipart/report",
        ("Content-Type: message/delivery-status", f"Reporting-MTA: dns; x\r\n{blocks}"),
        ("Content-Type: message/rfc822", "Message-ID: <ours@example.mx>\r\n\r\nHola"),
        **{"from": "MAILER-DAEMON@example.net"},
    )
    told = reported(read(raw))
    assert [(one.word, one.code, one.about) for one in told] == [
        ("failed", "5.1.1", about("ours@example.mx")),
        ("failed", "5.2.2", about("ours@example.mx")),
    ]
    assert len({one.key for one in told}) == 2
    failed = {"x_failed_recipients": "ana@example.com, ANA@example.com", "subject": "Returned mail"}
    words = mail("Message-ID: <ours@example.mx>\r\n", **failed, **{"from": "mailer-daemon@x.mx"})
    assert len(reported(read(words))) == 1
