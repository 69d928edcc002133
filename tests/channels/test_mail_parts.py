"""The pieces of reading a mail: words, addresses, dates, parts, HTML, quotes."""

from __future__ import annotations

from base64 import b64encode

import pytest

from channels.mail_addresses import mailboxes
from channels.mail_compose import Piece, Pieces, composed, mailbox
from channels.mail_content import content_of
from channels.mail_dates import written
from channels.mail_html import text_of_html
from channels.mail_mime import DEPTH_MAX, PARTS_MAX, read_mail
from channels.mail_reply import quote_start
from channels.mail_reports import message_ids
from channels.mail_words import clean, decoded, header_text, parameters

# ------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("Núñez".encode(), "utf-8", "Núñez"),
        ("Núñez".encode("latin-1"), "iso-8859-1", "Núñez"),
        ("“sí”".encode("cp1252"), "iso-8859-1", "“sí”"),
        ("Núñez".encode("latin-1"), "x-unknown-99", "Núñez"),
        ("Mañana a las 5 en la sucursal".encode("latin-1"), "us-ascii", None),
        ("Núñez".encode("latin-1"), None, "Núñez"),
        ("Núñez".encode(), "base64", "Núñez"),
        ("Núñez".encode(), "a\0b", "Núñez"),
        ("Ж".encode("koi8-r"), "KOI8-R", "Ж"),
        ("안녕".encode("cp949"), "ks_c_5601-1987", "안녕"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("見積もりをお願いします。".encode("euc-jp"), "iso-2022-jp", "見積もりをお願いします。"),
        (b"a\\u0301 \\d", "unicode_escape", "a\\u0301 \\d"),
        (b"a\x00b\r\nc\rd", "utf-8", "ab\nc\nd"),
    ],
)
def test_bytes_become_text_whatever_they_claim(raw: bytes, charset: str, text: str | None) -> None:
    """The charset that is named where that can be, else what the bytes look like."""
    assert decoded(raw, charset) == (text if text is not None else raw.decode("latin-1"))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?q?Cita_ma=C3=B1ana?=", "Cita mañana"),
        (b"=?UTF-8?B?TsO6w7E=?= =?utf-8?b?ZXo=?=", "Núñez"),
        (b"=?utf-8?q?N=C3?= =?utf-8?q?=BA?=", "Nú"),
        (b"=?iso-8859-1?q?=F1?= x =?utf-8?q?y?=", "ñ x y"),
        (b"=?utf-8?q?=0A?=Ana", "Ana"),
        (b"=?x-none?B?VEVTVA=?=", "TEST"),
        (b"=?utf-8*es?q?s=C3=AD?=", "sí"),
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        ("Núñez\r\n\tAna".encode("latin-1"), "Núñez Ana"),
        (b"", ""),
    ],
)
def test_a_header_becomes_a_line(raw: bytes, text: str) -> None:
    """Encoded words are decoded, joined where they were cut, and everything is one line."""
    assert header_text(raw) == text


def test_no_text_holds_what_no_store_keeps() -> None:
    """NUL goes, half of a surrogate pair becomes a sign that something was there."""
    assert clean("a\x00\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'attachment; filename="a;b \\"c\\".pdf"', 'a;b "c".pdf'),
        (b"attachment; filename=a b.pdf; size=3", "a b.pdf"),
        (b"attachment; filename*=iso-8859-1'es'P%F3liza.pdf", "Póliza.pdf"),
        (b"attachment; filename*1=iza.pdf; filename*0=Pol", "Poliza.pdf"),
        (b"attachment; filename*0*=utf-8''P%C3; filename*1*=%B3liza.pdf", "Póliza.pdf"),
        (b'attachment; filename="=?utf-8?q?P=C3=B3liza.pdf?="', "Póliza.pdf"),
    ],
)
def test_a_parameter_is_put_together(raw: bytes, name: str) -> None:
    """Quotes, pieces in any order, percent signs, encoded words."""
    assert parameters(raw) == ("attachment", {**parameters(raw)[1], "filename": name})


# -------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (
            b'"Nunez, Ana" <ana@example.com>, b@x.mx',
            [("ana@example.com", "Nunez, Ana"), ("b@x.mx", None)],
        ),
        (b"ana@Example.COM (Ana)", [("ana@example.com", "Ana")]),
        (
            b"=?utf-8?q?N=C3=BA=C3=B1ez=2C?= Ana <ana@example.com>",
            [("ana@example.com", "Núñez, Ana")],
        ),
        (b"=?utf-8?q?Ana_<ana=40example.com>?=", [("ana@example.com", "Ana")]),
        (b"Todos: a@x.mx, b@x.mx; c@x.mx", [("a@x.mx", None), ("b@x.mx", None), ("c@x.mx", None)]),
        (b"undisclosed-recipients:;", []),
        (b"<@relay.mx:ana@example.com>", [("ana@example.com", None)]),
        (b"'ana@example.com' <ana@example.com>", [("ana@example.com", None)]),
        (b"Ana <mailto:ana@example.com>", [("ana@example.com", "Ana")]),
        (b"Ana < ana@example. com >", [("ana@example.com", "Ana")]),
        (b"root, ana@@example.com, @, <>", []),
        (b'"a b"@example.com', [('"a b"@example.com', None)]),
        (b"ana@example.com; luis@x.mx", [("ana@example.com", None), ("luis@x.mx", None)]),
        (b"\xff\xfe <ana@example.com>", [("ana@example.com", "ÿþ")]),
    ],
)
def test_addresses_are_found_however_they_are_written(
    raw: bytes, found: list[tuple[str, str | None]]
) -> None:
    """Commas in names part nobody; groups, routes, comments and quotes are what they are."""
    shown = [(box.address.removeprefix("mailto:"), box.name) for box in mailboxes(raw)]
    assert shown == found


# ------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (b"Sun, 22 Nov 2026 05:59:00 -0600", (1_795_348_740_000_000, -360)),
        (b"22 Nov 2026 11:59:00 GMT", (1_795_348_740_000_000, 0)),
        (b"Sun, 22 Nov 2026 11:59:00 +0000 (hora local)", (1_795_348_740_000_000, 0)),
        (b"2026-11-22T11:59:00Z", (1_795_348_740_000_000, 0)),
        (b"Sun, 22 Nov 2026 11:59:00 +9999", (1_795_348_740_000_000, 0)),
        (b"Sun, 99 Nov 2026 11:59:00 +0000", None),
        (b"Sun, 22 Nov 99999999 11:59:00 +0000", None),
        (b"ayer", None),
        (b"", None),
        (b"\xff\xff", None),
    ],
)
def test_a_date_is_read_or_is_none(raw: bytes, moment: tuple[int, int] | None) -> None:
    """Time and offset, whatever stands in the header; nothing is raised."""
    assert written(raw) == moment


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        (b" <a@x>\r\n <b@x>", ["a@x", "b@x"]),
        (b"<[0ae3@exchange]@x>", ["[0ae3@exchange]@x"]),
        (b"a@x b@x", ["a@x", "b@x"]),
        (b"Your message of Friday <a@x>", ["a@x"]),
        (b"onlyid", ["onlyid"]),
        (b"", []),
        (None, []),
    ],
)
def test_message_ids_lose_their_brackets(raw: bytes | None, ids: list[str]) -> None:
    """Ids as they are, folded or bare."""
    assert message_ids(raw) == ids


# ------------------------------------------------------------------------------ parts


def _nested(levels: int) -> bytes:
    """Levels of parts, each in the one before."""
    heads = [
        f'Content-Type: multipart/mixed; boundary="b{number}"\n\n--b{number}\n'
        for number in range(levels)
    ]
    return b"From: a@x.mx\n" + "".join(heads).encode() + b"\nHola\n"


def test_deep_nesting_ends_somewhere() -> None:
    """Beyond twenty levels a part is a file; reading takes no longer for it."""
    mail = read_mail(_nested(5_000))
    assert sum(1 for _ in mail.walk()) <= DEPTH_MAX + 1
    inside = b"Content-Type: message/rfc822\n\n" * 5_000
    assert sum(1 for _ in read_mail(inside).walk()) <= DEPTH_MAX + 1


def test_a_crowd_of_parts_ends_somewhere() -> None:
    """Of 100,000 parts some hundred are read, and 50 are files of the interaction."""
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: a/b\n\nx\n" * 100_000
    )
    assert sum(1 for _ in read_mail(raw).walk()) <= PARTS_MAX + 1


def test_a_boundary_that_is_missing_is_found() -> None:
    """The one that the body has is taken for the one that the header lacks; else it is text."""
    body = b"--real\nContent-Type: text/plain\n\nHola\n--real--\n"
    for head in (b"multipart/mixed", b"multipart/mixed; boundary=other"):
        found = content_of(read_mail(b"Content-Type: " + head + b"\n\n" + body))
        assert found.text == "Hola"
    bare = content_of(read_mail(b"Content-Type: multipart/mixed; boundary=b\n\nHola"))
    assert bare.text == "Hola"


def test_encodings_are_undone_as_far_as_they_go() -> None:
    """base64 with what does not belong there, quoted-printable, uuencode, and names of none."""
    for encoding, body in (
        ("base64", b"SG9s\n!!YQ="),
        ("quoted-printable", b"Ho=6C=\na"),
        ("x-uuencode", b"begin 644 a\n$2&]L80\n`\nend\n"),
        ("8bit", b"Hola"),
        ("nonsense", b"Hola"),
    ):
        head = f"Content-Transfer-Encoding: {encoding}\n\n".encode()
        assert read_mail(head + body).content().rstrip() == b"Hola"
    for words in (b"El taller abre a las 9", "¿Mañana? Sí".encode()):
        assert read_mail(b"Content-Transfer-Encoding: base64\n\n" + words).content() == words


# ------------------------------------------------------------------------------- HTML


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Uno<br>Dos</p><p>Tres</p>", "Uno\nDos\n\nTres"),
        ("<style>p{}</style><script>x<y</script><title>t</title>Hola", "Hola"),
        ("a &lt;b&gt; &amp; &ntilde;&#x1F600;", "a <b> & ñ😀"),
        ("<ul><li>uno<li>dos</ul>", "- uno\n- dos"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("Sí<blockquote>¿Cuándo?<br>Ana</blockquote>", "Sí\n\n> ¿Cuándo?\n> Ana"),
        ("<!-- no --><![CDATA[x]]>si<!-- open", "si"),
        ('<a title="x > y" href="#">enlace</a>', "enlace"),
        ("1 < 2 y 3<", "1 < 2 y 3<"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<img src="cid:1" alt="😀">', "😀"),
        ("<style>sin cerrar <p>Hola", "sin cerrar\n\nHola"),
        ("İ<STYLE>x</Style>y", "İy"),
        ("", ""),
    ],
)
def test_html_becomes_what_a_person_reads(html: str, text: str) -> None:
    """Blocks are lines, lists have dashes, quotes a mark; scripts and styles are not there."""
    assert text_of_html(html, 1_000) == text


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<blockquote>", "<!--", "<style>", "<a href='", '<a title="', "<", "&", "<pre>\n"],
)
def test_html_of_100_000_tags_is_read_in_one_pass(piece: str) -> None:
    """What is nested, unclosed or repeated without end gives a text, and no more than was asked."""
    assert len(text_of_html(piece * 100_000 + "fin", 1_000)) <= 1_000


# ----------------------------------------------------------------------------- quotes


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Sí\n\nEl lun, 3 nov 2025 a las 10:12, Ventas <v@x.mx> escribió:\n> Hola", "Sí"),
        ("Sí\n\nEl lun, 3 nov 2025 a las 10:12, Ventas\n<v@x.mx> escribió:\n\n> Hola", "Sí"),
        ("Yes\n\nOn Mon, Nov 3, 2025 at 10:12 AM Shop <v@x.mx> wrote:\n> Hi", "Yes"),
        (
            "Ja\n\nAm 03.11.2025 um 10:12 schrieb Laden:\n> Hallo",
            "Ja",
        ),
        ("Gracias\n\nDe: Ventas\nEnviado: lunes\nPara: Ana\nAsunto: RE: cita\n\nHola", "Gracias"),
        ("Gracias\n\n________________\nFrom: V\nSent: Monday\nTo: A\nSubject: x\n\nHi", "Gracias"),
        ("Ok\n\n-----Mensaje original-----\nHola", "Ok"),
        ("Ok\n> Hola\n> qué tal\n\n-- \nAna", "Ok"),
        ("> Hola\n\nA las 5", None),
        ("Sí\n\nOn 1/2/2025 V wrote:\n> ¿A las 5?\nSí, a las 5.\n> Gracias", None),
        ("De: la nada, esto no es una cita", None),
        ("Ana me escribió:\nque sí", None),
        ("Sin cita", None),
        ("", None),
    ],
)
def test_a_quote_begins_where_it_is_announced(text: str, own: str | None) -> None:
    """What stands above it is the sender's own; answers between its lines are left as they are."""
    start = quote_start(text)
    assert (text[:start].rstrip() if start is not None else None) == own


def test_looking_for_a_quote_is_quick_on_anything() -> None:
    """A text of what announcements are made of takes no longer than any other."""
    for piece in ("On ", "El 1 @", ">", "\n", "De: a\n", "wrote:\n", "-", "_\n", "escribió:\n1@\n"):
        quote_start(piece * 30_000)


# --------------------------------------------------------------------------- composing


def test_pieces_make_a_mail_that_reads_as_they_were() -> None:
    """Headers, both texts and files come back; what would break a line is folded into it."""
    raw = composed(
        Pieces(
            headers=[
                ("From", mailbox("ana@example.com", 'Ana "la" Núñez')),
                ("Subject", "Cita\r\nBcc: x@y.mx"),
                ("Content-Type", "text/x"),
            ],
            text="Hola\n--b\n",
            html="<p>Hola</p>",
            files=[Piece('a"b.pdf', "application/pdf", b"%PDF")],
        )
    )
    mail = read_mail(raw)
    assert [box.name for box in mailboxes(mail.raw("from"))] == ['Ana "la" Núñez']
    assert header_text(mail.raw("subject")) == "Cita Bcc: x@y.mx"
    found = content_of(mail)
    assert (found.text, [file.name for file in found.files]) == ("Hola\n--b", ['a"b.pdf'])
    assert found.files[0].content() == b"%PDF"
    assert b64encode(b"%PDF") in raw
