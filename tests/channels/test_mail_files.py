"""The files of mails: kept before the mail is recorded, shown safely, gone with nobody's help."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from email.message import EmailMessage
from uuid import UUID

import msgspec
import pytest

from channels.connections import Draft
from channels.contract import Incoming
from channels.mail import ORIGINAL_MAX_BYTES
from channels.mail_compose import Piece, Pieces, composed
from channels.mail_content import content_of, enclosures_of
from channels.mail_mime import read_mail
from channels.mail_safe import NESTED_MAX, safe_html
from domain.errors import StoreUnavailable
from tests.api.station import Station, open_station
from tests.backends import Backend
from tests.channels.mails import mail
from tests.channels.shop import DERIVE

LOGO = bytes(range(256))
PDF = b"%PDF-1.7" + bytes(100_000)


@pytest.fixture
def station(backend: Backend) -> Iterator[Station]:
    """A ledger that mails are delivered to, on each database."""
    with open_station(backend) as opened:
        secrets = {"username": [b"u"], "password": [b"p"]}
        draft = Draft(channel="postmark", name="main", secrets=secrets)
        opened.composition.channels.connections.add(draft)
        yield opened


def deliver(station: Station, raw: bytes) -> str:
    """A mail comes in; how it ended."""
    channels = station.composition.channels
    opened = channels.connections.open("postmark", "main")
    body = msgspec.json.encode({"RawEmail": raw.decode(), "From": "x"})
    (placed,) = station.run(channels.receiver.take(opened, Incoming(body=body)))
    return str(placed.kind)


def written() -> bytes:
    """A mail with a picture in its body, and a document."""
    message = EmailMessage()
    message["From"], message["To"] = "Ana <ana@example.com>", "ventas@example.mx"
    message["Subject"], message["Message-ID"] = "Factura", "<f1@example.com>"
    message["Date"] = "Sun, 22 Nov 2026 05:59:00 -0600"
    message.set_content("Aquí va.")
    html = '<p onclick="x()">Aquí <b>va</b><script>x()</script><img src="cid:logo@x" alt="logo">'
    message.add_alternative(html, subtype="html")
    body = message.get_payload()[1]  # type: ignore[index]  # of a message of parts, a list
    body.add_related(LOGO, "image", "png", cid="<logo@x>", filename="logo.png")  # type: ignore[union-attr]  # as above
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="factura.pdf")
    return message.as_bytes()


def erase(station: Station, subject: UUID) -> None:
    """As an erasure does it: the address is nobody's any more, and the key is destroyed."""
    keys = station.composition.keys
    subjects = keys.store.tables.subjects
    with keys.store.write() as connection:
        here = subjects.c.subject == subject.bytes
        connection.execute(subjects.update().where(here).values(address_mac=None))
    keys.ring.destroy(list(keys.ring.key_ids([subject]).values()), 1, station.now[0])
    keys.forget()


def test_a_mails_files_are_kept(station: Station) -> None:
    """Stored at once, byte for byte; the body is safe and shows its picture; the mail is whole."""
    raw = written()
    assert len(raw) > ORIGINAL_MAX_BYTES
    assert deliver(station, raw) == "recorded"
    (row,) = station.ask("/v1/activity")["items"]
    logo, document = row["attachments"]
    assert (logo["name"], logo["content_id"], logo["state"]) == ("logo.png", "logo@x", "stored")
    assert (document["name"], document["state"], document["bytes"]) == (
        "factura.pdf",
        "stored",
        len(PDF),
    )
    assert document["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert station.get(logo["url"], fresh=False).content == LOGO
    assert station.get(document["url"], fresh=False).content == PDF

    card = station.ask(f"/v1/interactions/{row['id']}")
    page = station.get(f"/v1/attachments/{card['html']}", fresh=False)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<p>Aquí <b>va</b>" in page.text
    assert f'src="{logo["url"]}"' in page.text
    assert "script" not in page.text
    assert "onclick" not in page.text

    entry = station.services.log.entry(row["id"])
    assert entry is not None
    files = {file.part: file for file in entry.event.attachments}  # type: ignore[attr-defined]  # it is a record
    whole = station.get(f"/v1/attachments/{files['original'].id}", fresh=False)
    assert whole.content == raw
    assert whole.headers["content-disposition"].startswith("attachment")
    assert entry.event.attachment_count == 2  # type: ignore[attr-defined]  # it is a record


def test_a_repeat_keeps_nothing_again(station: Station) -> None:
    """The same mail again is a duplicate, its files stand once; erased, it makes nobody anew."""
    raw = written()
    assert [deliver(station, raw) for _ in range(2)] == ["recorded", "duplicate"]
    composition = station.composition
    folder = composition.settings.data / "blobs"
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert len(kept) == 4
    contact = UUID(station.ask("/v1/activity")["items"][0]["contact"]["id"])
    erase(station, contact)
    assert composition.blobs.delete_of([contact]) == 4
    assert deliver(station, raw) == "ignored"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_without_a_place_for_files_the_provider_comes_again(station: Station) -> None:
    """A mail whose files cannot be kept is not taken: 503, and nothing is recorded."""
    folder = station.composition.settings.data / "blobs"
    folder.write_text("in the way")
    with pytest.raises(StoreUnavailable):
        deliver(station, written())
    assert station.ask("/v1/activity")["items"] == []
    folder.unlink()
    assert deliver(station, written()) == "recorded"
    assert deliver(station, mail("Sin archivos")) == "recorded"


def test_a_file_that_the_provider_kept_is_not_an_empty_one() -> None:
    """Of what a provider tells by name alone nothing is kept, and no size or hash is claimed."""
    files = (Piece("a.pdf", "application/pdf", None), Piece("leer.txt", "text/plain", b""))
    raw = composed(Pieces(headers=[("From", "ana@example.com")], text="Hola", files=files))
    content = content_of(read_mail(raw))
    found = enclosures_of(content, DERIVE, "k")
    assert [(file.name, file.size_bytes) for file in found.attachments] == [
        ("a.pdf", None),
        ("leer.txt", 0),
    ]
    assert [file.id for file in found.files] == [found.attachments[1].id]


HOSTILE = (
    "<script>x()</script>",
    "<img src=x onerror=x()>",
    "<svg><script>x()</script></svg>",
    '<a href="javascript:x()">a</a>',
    '<a href="&#106;avascript:x()">a</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name=a><button>b</button></form>',
    '<p style="background:url(https://evil.example/x)">a</p>',
    '<p style="position:fixed;top:0;width:100%">a</p>',
    "<style>@import url(https://evil.example)</style>",
    '<link rel=stylesheet href="https://evil.example">',
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<img src="https://evil.example/pixel.gif">',
    '<img src="data:image/svg+xml;base64,AAAA">',
    '<img src="cid:unknown">',
    '<img srcset="https://evil.example/x 1x">',
    '<object data="https://evil.example"></object><embed src="https://evil.example">',
    "<math><mtext><table><mglyph><style><img src onerror=x()>",
    "<!--><img src=x onerror=x()>-->",
    '<td background="https://evil.example/x">a</td>',
)


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_in_a_body_runs_or_calls_home(html: str) -> None:
    """What could run, load, lay itself over the page or send something is not in the document."""
    document = safe_html([html], {})
    assert document is not None
    shown = document.decode().lower()
    for word in ("x()", "evil.example", "<script", "<form", "<style", "position", "src=", "base"):
        assert word not in shown, shown


def test_a_body_has_limits() -> None:
    """Elements in elements beyond people's mailers: read as text alone, and quickly refused."""
    deep = "<div>" * 20_000 + "x"
    assert safe_html([deep], {}) is None
    assert safe_html(["<div>" * NESTED_MAX + "x" + "</div>" * NESTED_MAX], {}) is not None
    assert safe_html(["<p>a<li>b<br>" * 5_000], {}) is not None
    assert safe_html(["  "], {}) is None
    link = safe_html(['<a href="https://a.mx/?q=1">a</a><img src="cid:a%40b">'], {"a@b": "/v1/x"})
    assert link is not None
    assert b'href="https://a.mx/?q=1"' in link
    assert b'src="/v1/x"' in link


def test_a_forms_files_are_kept(station: Station) -> None:
    """What somebody attaches to a web form is stored with it, byte for byte."""
    channels = station.composition.channels
    channels.connections.add(Draft(channel="form", name="web"))
    parts = (
        b'--xyz\r\nContent-Disposition: form-data; name="email"\r\n\r\nana@example.com\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="cv"; filename="cv.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + PDF + b"\r\n--xyz--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=xyz"}
    opened = channels.connections.open("form", "web")
    (placed,) = station.run(channels.receiver.take(opened, Incoming(body=parts, headers=headers)))
    assert str(placed.kind) == "recorded", placed
    (row,) = station.ask("/v1/activity")["items"]
    (file,) = row["attachments"]
    assert (file["name"], file["state"]) == ("cv.pdf", "stored")
    assert station.get(file["url"], fresh=False).content == PDF
