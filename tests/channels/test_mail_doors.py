"""Mail by webhook: who is let in, what is answered, and that one mail is one whatever its way."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels import basic_auth
from channels.connections import Change, Draft
from channels.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER
from domain.errors import InvalidInput
from tests.api.house import NOON
from tests.backends import Backend, sqlite_backend
from tests.channels.mails import (
    ANA,
    BASIC,
    FORM,
    SHOP,
    Post,
    mail,
    mailgun,
    multipart,
    open_post,
    postmark,
    sendgrid,
)

NOW_S = NOON // 1_000_000


@pytest.fixture
def post(backend: Backend) -> Iterator[Post]:
    """A post on SQLite, then on PostgreSQL."""
    with open_post(backend) as opened:
        yield opened


@pytest.fixture
def small_post(tmp_path: Path) -> Iterator[Post]:
    """A post on SQLite; enough where the database is not the matter."""
    (tmp_path / "post").mkdir()
    with open_post(sqlite_backend(tmp_path / "post")) as opened:
        yield opened


# ------------------------------------------------------------------- one mail is one


def test_one_mail_by_every_way_is_one_interaction(post: Post) -> None:
    """By three providers and twice by each, in two mailboxes: recorded once, five duplicates."""
    raw = mail("¿A las 5?\r\n", to="ventas@example.mx, taller@example.mx")
    for _ in range(2):
        assert post.postmark(raw, OriginalRecipient="ventas@example.mx").status_code == 200
        assert post.mailgun(raw, recipient="taller@example.mx").status_code == 200
        assert post.sendgrid(raw, envelope='{"to":["taller@example.mx"]}').status_code == 200
    row = post.row()
    assert (row["channel"], row["direction"], row["text"]) == ("email", "inbound", "¿A las 5?")
    assert (row["resource"]["address"], row["destination"]["address"]) == (ANA, SHOP)
    assert row["occurred_at"] == "2026-11-22T11:59:00.000000Z"
    assert [one["role"] for one in row["participants"]] == ["from", "to", "to"]
    ends = [post.balance(channel) for channel in ("postmark", "mailgun", "sendgrid")]
    assert [(one["recorded"], one["duplicate"]) for one in ends] == [(1, 1), (0, 2), (0, 2)]


def test_two_mails_with_one_message_id_are_two(small_post: Post) -> None:
    """Another text under the same Message-ID is recorded beside it, and conflicts with nothing."""
    for text in ("Uno", "Dos"):
        small_post.postmark(mail(text))
    assert [row["text"] for row in small_post.rows()] == ["Dos", "Uno"]


def test_a_bounce_fails_the_mail_that_went_out(post: Post) -> None:
    """The bounce may come first; the mail shows as failed, with code and words."""
    fields = "Final-Recipient: rfc822; ana@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    bounce = multipart(
        "multipart/report",
        ("Content-Type: message/delivery-status", f"Reporting-MTA: dns; x\r\n\r\n{fields}"),
        ("Content-Type: message/rfc822", "Message-ID: <ours@example.mx>\r\n\r\nHola"),
        **{"from": "MAILER-DAEMON@example.net"},
    )
    ours = mail(**{"from": "rosa@example.mx"}, to="ana@example.com", message_id="<ours@example.mx>")
    for raw in (bounce, ours, bounce):
        assert post.postmark(raw).status_code == 200
    row = post.row()
    assert row["direction"] == "outbound"
    assert row["status"]["state"] == "failed"
    assert row["status"]["failure"]["code"] == "5.1.1"
    assert post.balance("postmark")["duplicate"] == 1


def test_a_status_finds_a_mail_that_a_program_recorded(small_post: Post) -> None:
    """A program may write the Message-ID with or without its brackets."""
    body = {
        "channel": "email",
        "direction": "outbound",
        "source": "api:crm",
        "external_id": "<ours@example.mx>",
        "resource": SHOP,
        "destination": ANA,
        "occurred_at": "2026-11-22T11:00:00Z",
        "text": "Hola",
    }
    assert small_post.house.client.post(
        "/v1/interactions", json=body, headers=small_post.admin
    ).is_success
    event = {"event": "delivered", "timestamp": NOW_S, "recipient": "ana@example.com"}
    headers = {"message-id": "ours@example.mx"}
    signed = json.loads(_signed_event({**event, "message": {"headers": headers}}))
    answer = small_post.deliver("mailgun", json.dumps(signed).encode(), JSON)
    assert answer.status_code == 200
    assert small_post.row()["status"]["state"] == "delivered"


JSON = {"content-type": "application/json"}


def _signed_event(event: object) -> bytes:
    form = mailgun(b"", at_s=NOW_S, token="e" * 50).decode()
    signature = dict(pair.split("=") for pair in form.split("&"))
    for name in ("body-mime", "recipient"):
        signature.pop(name)
    return json.dumps({"signature": signature, "event-data": event}).encode()


# ---------------------------------------------------------------------------- doors


def test_postmark_is_never_told_to_stop(small_post: Post) -> None:
    """A wrong password, another scheme and none at all are 401, never 403; nothing is kept."""
    body = postmark(mail())
    for headers in (
        {},
        basic_auth.sign(b"", {"username": [b"hilo"], "password": [b"guess"]}),
        {"authorization": "Bearer x"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic"},
    ):
        assert small_post.deliver("postmark", body, headers).status_code == 401
    assert small_post.balance("postmark")["rejected"]["bad_signature"] == 4
    assert small_post.entries() == []


@pytest.mark.parametrize(
    "body",
    [
        mailgun(mail(), at_s=NOW_S, token="t", key=b"guess"),
        mailgun(mail(), at_s=NOW_S - 301, token="t"),
        mailgun(mail(), at_s=NOW_S + 301, token="t"),
        b"timestamp=x&token=t&signature=" + b"0" * 64,
        b"body-mime=x",
        b"",
    ],
)
def test_mailgun_is_refused_what_it_did_not_sign_now(small_post: Post, body: bytes) -> None:
    """Another key, a time more than five minutes off, and no signature are 401, never 406."""
    assert small_post.deliver("mailgun", body, {"content-type": FORM}).status_code == 401
    assert small_post.balance("mailgun")["received"] == 0


def test_a_token_of_mailguns_is_good_for_one_mail(small_post: Post) -> None:
    """The same mail may come again under its token; another one under it is refused."""
    assert small_post.mailgun(mail("Uno"), token="a").status_code == 200
    assert small_post.mailgun(mail("Uno"), token="a").status_code == 200
    assert small_post.mailgun(mail("Forged"), token="a").status_code == 401
    assert small_post.mailgun(mail("Dos"), token="b").status_code == 200
    assert [row["text"] for row in small_post.rows()] == ["Dos", "Uno"]


def test_sendgrid_is_known_by_its_key(small_post: Post) -> None:
    """A signature over time and body lets in; a changed byte, time or key does not."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    connections = small_post.house.composition.channels.connections
    connections.change(
        connections.book.get("sendgrid", "main"),
        Change(secrets={"public_key": [b64encode(public)]}),
    )
    body, content_type = sendgrid(mail())
    signature = key.sign(b"1600000000" + body, ec.ECDSA(SHA256()))
    good = {
        "content-type": content_type,
        TIMESTAMP_HEADER: "1600000000",
        SIGNATURE_HEADER: b64encode(signature).decode(),
    }
    assert small_post.deliver("sendgrid", body, good).status_code == 200
    for sent, headers in (
        (body + b" ", good),
        (body, {**good, TIMESTAMP_HEADER: "1600000001"}),
        (body, {**good, SIGNATURE_HEADER: b64encode(signature[::-1]).decode()}),
        (body, {**good, SIGNATURE_HEADER: "no base64!"}),
        (body, {"content-type": content_type}),
    ):
        assert small_post.deliver("sendgrid", sent, headers).status_code == 401
    assert small_post.balance("sendgrid")["recorded"] == 1


def test_sendgrid_needs_one_way_of_knowing_it(small_post: Post) -> None:
    """A public key, or name and password: half of either is not enough."""
    connections = small_post.house.composition.channels.connections
    with pytest.raises(InvalidInput) as refused:
        connections.add(Draft(channel="sendgrid", name="half", secrets={"username": [b"u"]}))
    assert [error.code for error in refused.value.errors] == ["missing"]
    connections.add(Draft(channel="sendgrid", name="key", secrets={"public_key": [b"k"]}))


# ------------------------------------------------------------------------- contents


def test_a_mail_in_pieces_is_put_together(small_post: Post) -> None:
    """Providers that are not set to send the mail itself send its pieces: text, ends, files."""
    pieces = {
        "FromFull": {"Email": "ana@example.com", "Name": "Ana"},
        "ToFull": [{"Email": "ventas@example.mx", "Name": ""}],
        "Subject": "Cita",
        "Date": "Sun, 22 Nov 2026 05:59:00 -0600",
        "TextBody": "Hola",
        "Attachments": [{"Name": "a.txt", "Content": "SG9sYQ==", "ContentType": "text/plain"}],
    }
    body = json.dumps(pieces).encode()
    headers = basic_auth.sign(b"", BASIC)
    assert small_post.deliver("postmark", body, headers).status_code == 200
    row = small_post.row()
    assert (row["text"], row["subject"], row["contact"]["name"]) == ("Hola", "Cita", "Ana")
    (file,) = row["attachments"]
    assert (file["name"], file["sha256"]) == ("a.txt", hashlib.sha256(b"Hola").hexdigest())


def test_bytes_of_another_charset_survive_the_form(small_post: Post) -> None:
    """A mail in Latin-1, urlencoded or in parts, is the same mail."""
    raw = mail("Mañana".encode("latin-1"), content_type="text/plain; charset=iso-8859-1")
    assert small_post.mailgun(raw).status_code == 200
    assert small_post.sendgrid(raw).status_code == 200
    assert small_post.row()["text"] == "Mañana"


def test_a_mail_of_garbage_waits_for_a_person(small_post: Post) -> None:
    """What has no shape of a mail is in quarantine, whole; the provider is answered 200."""
    assert small_post.postmark(b"\x01\x02").status_code == 200
    assert small_post.balance("postmark")["quarantined"] == 1


def test_no_large_mail_holds_up_the_others(small_post: Post) -> None:
    """A mail of several megabytes is read in a thread, and recorded with its file."""
    big = b64encode(b"\x00" * 3_000_000)
    part = "Content-Type: a/b; name=big.bin\r\nContent-Transfer-Encoding: base64", big
    raw = multipart("multipart/mixed", ("Content-Type: text/plain", "Va"), part)
    assert small_post.sendgrid(raw).status_code == 200
    (file,) = small_post.row()["attachments"]
    assert (file["name"], file["bytes"]) == ("big.bin", 3_000_000)
