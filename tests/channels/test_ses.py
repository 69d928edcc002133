"""Amazon SES by SNS: who is believed, what mail and events become, and what is fetched."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from channels.connections import Draft
from channels.fetching import FETCHED_MAX_BYTES, fetched
from channels.ses import SES
from channels.sns import signed_text
from domain.errors import InvalidInput, Unavailable
from tests.backends import Backend
from tests.channels.mails import ANA, Post, mail, open_post
from tests.channels.test_contract import atoms_of
from tests.channels.told import told

TOPIC: Final = "arn:aws:sns:us-west-2:123456789012:mail"
CERTIFICATE_URL: Final = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem"
CONFIRM_URL: Final = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=t"
MESSAGE_ID: Final = "0100017-aaaa-000000"


class Amazon(Post):
    """A post with a connection to SES, and what stands for Amazon."""

    key: rsa.RSAPrivateKey
    certificate: bytes
    fetched: list[str]
    fails: bool

    async def fetch(self, url: str) -> bytes:
        """What lies at a URL of Amazon's."""
        self.fetched.append(url)
        if self.fails:
            raise Unavailable("no")
        return self.certificate

    def post(self, message: object, **changes: object) -> httpx.Response:
        """A message of SNS with these fields, signed; a signature that is given stands."""
        text = message if isinstance(message, str) else json.dumps(message)
        plain: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": "5f",
            "TopicArn": TOPIC,
            "Message": text,
            "Timestamp": "2026-11-22T11:59:00.000Z",
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
            **changes,
        }
        kind = SHA1() if plain["SignatureVersion"] == "1" else SHA256()  # noqa: S303 - as SNS has it
        made = self.key.sign(signed_text(plain), padding.PKCS1v15(), kind)
        signed = {"Signature": b64encode(made).decode(), **plain}
        return self.deliver("ses", json.dumps(signed).encode())


def certified(key: rsa.RSAPrivateKey) -> bytes:
    """A certificate of a key, in PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day.replace(year=2027))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """The key that Amazon signs with here."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@pytest.fixture
def amazon(backend: Backend, key: rsa.RSAPrivateKey) -> Iterator[Amazon]:
    """Amazon on SQLite, then on PostgreSQL."""
    with open_post(backend) as post:
        made = Amazon(post.house)
        made.key, made.certificate, made.fetched, made.fails = key, certified(key), [], False
        channels = post.house.composition.channels
        channels.receiver.fetch = made.fetch
        channels.connections.add(Draft(channel="ses", name="main", options={"topic_arn": TOPIC}))
        yield made


def received(raw: bytes, **action: str) -> dict[str, object]:
    """A note about a mail that came in."""
    is_coded = action.get("encoding") == "BASE64"
    content = b64encode(raw).decode() if is_coded else raw.decode("utf-8", "replace")
    return {
        "notificationType": "Received",
        "mail": {"source": "ana@example.com", "messageId": "s1"},
        "receipt": {"recipients": ["ventas@example.mx"], "action": {"type": "SNS", **action}},
        "content": content,
    }


def event(
    kind: str, about: Mapping[str, object], name: str = "notificationType"
) -> dict[str, object]:
    """An event of a mail that went out."""
    arn = "arn:aws:ses:us-west-2:123456789012:identity/example.mx"
    mail_ = {"messageId": MESSAGE_ID, "sourceArn": arn, "destination": ["ana@example.com"]}
    return {name: kind, kind[0].lower() + kind[1:]: about, "mail": mail_}


def test_mail_arrives_and_what_becomes_of_ours(amazon: Amazon) -> None:
    """Mail comes in as it is or in base64, once; a bounce stays with the mail that went out."""
    raw = mail("Mañana a las 5\r\n")
    assert amazon.post(received(raw)).status_code == 200
    assert amazon.post(received(raw, encoding="BASE64"), SignatureVersion="1").status_code == 200
    row = amazon.row()
    assert (row["text"], row["direction"]) == ("Mañana a las 5", "inbound")
    assert row["resource"]["address"] == ANA
    ours = mail(
        "Va",
        **{"from": "rosa@example.mx"},
        to="ana@example.com, luis@example.com",
        message_id=f"<{MESSAGE_ID}@us-west-2.amazonses.com>",
    )
    assert amazon.postmark(ours).status_code == 200
    bounced = {"emailAddress": "ana@example.com", "status": "5.1.1", "diagnosticCode": "smtp; no"}
    bounce = {
        "bounceType": "Permanent",
        "feedbackId": "f1",
        "timestamp": "2026-11-22T11:59:30.000Z",
        "bouncedRecipients": [bounced, bounced, {**bounced, "emailAddress": "luis@example.com"}],
    }
    delivery = {"timestamp": "2026-11-22T11:59:31.000Z", "recipients": ["luis@example.com"]}
    for told_ in (
        event("Bounce", bounce),
        event("Bounce", bounce),
        event("Delivery", delivery, "eventType"),
        event("Open", {"timestamp": "2026-11-22T11:59:32.000Z"}, "eventType"),
    ):
        assert amazon.post(told_).status_code == 200
    status = amazon.rows()[0]["status"]
    assert (status["state"], status["failure"]["code"]) == ("delivered", "5.1.1")
    topics = [entry.topic for entry in amazon.entries()]
    assert topics.count("delivery.reported") == 4
    balance = amazon.balance("ses")
    assert (balance["received"], balance["recorded"], balance["duplicate"]) == (6, 4, 2)
    assert amazon.fetched == [CERTIFICATE_URL]


def test_nobody_else_is_believed(amazon: Amazon) -> None:
    """Another topic, host, key or signature is 401, and only what may be Amazon's is fetched."""
    note = received(mail())
    hosts = (
        "http://sns.us-west-2.amazonaws.com/a.pem",
        "https://sns.us-west-2.amazonaws.com.evil.example/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://evil.example/sns.us-west-2.amazonaws.com.pem",
        "https://u@sns.us-west-2.amazonaws.com/a.pem",
        "https://sns.us-west-2.amazonaws.com:8443/a.pem",
        "https://sns.us-west-2.amazonaws.com/a.txt",
        "https://[/a.pem",
    )
    for url in hosts:
        assert amazon.post(note, SigningCertURL=url).status_code == 401
    assert amazon.post(note, TopicArn=TOPIC + "2").status_code == 401
    assert amazon.fetched == []
    wrong = b64encode(bytes(256)).decode()
    for changes in (
        {"Signature": wrong},
        {"Signature": "é"},
        {"SignatureVersion": "3"},
        {"Type": "Other"},
        {"Signature": ""},
    ):
        assert amazon.post(note, **changes).status_code == 401
    amazon.certificate = b"no certificate"
    amazon.house.composition.channels.receiver._certificates.clear()
    assert amazon.post(note).status_code == 401
    rejected = amazon.balance("ses")["rejected"]
    assert (rejected["bad_signature"], rejected["no_signature"]) == (len(hosts) + 6, 1)
    assert amazon.entries() == []


def test_a_subscription_is_confirmed_at_amazon_alone(amazon: Amazon) -> None:
    """The URL of SNS is fetched, any other is not; what cannot be fetched comes again."""
    asks = {"Type": "SubscriptionConfirmation", "Token": "t"}
    amazon.fails = True
    assert amazon.post("You have chosen", **asks, SubscribeURL=CONFIRM_URL).status_code == 503
    amazon.fails = False
    for url in (CONFIRM_URL, "https://evil.example/?Action=ConfirmSubscription"):
        assert amazon.post("You have chosen", **asks, SubscribeURL=url).status_code == 200
    assert amazon.fetched == [CERTIFICATE_URL, CERTIFICATE_URL, CONFIRM_URL]
    tried = "Successfully validated SNS topic for Amazon SES event publishing."
    assert amazon.post(tried).status_code == 200
    assert amazon.balance("ses")["ignored"] == {"account_event": 2, "test": 1}


def test_what_lies_elsewhere_waits(amazon: Amazon) -> None:
    """A mail in S3, and whatever tells of no mail, wait in quarantine with a reason."""
    note = received(b"", type="S3", bucketName="b", objectKey="k")
    for message in ({**note, "content": None}, {"notificationType": "New"}, "[1]", received(b"")):
        assert amazon.post(message).status_code == 200
    assert amazon.balance("ses")["quarantined"] == 4
    waiting = amazon.house.client.get("/v1/quarantine", headers=amazon.admin).json()["items"]
    assert "S3" in " ".join(item["error"] for item in waiting)
    bad = Draft(channel="ses", name="bad", options={"topic_arn": "mail"})
    with pytest.raises(InvalidInput):
        amazon.house.composition.channels.connections.add(bad)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Complaint", "complained"),
        ("Send", "sent"),
        ("Reject", "rejected"),
        ("DeliveryDelay", "delayed"),
        ("Rendering Failure", "failed"),
        ("Click", "clicked"),
    ],
)
def test_each_event_has_its_word(kind: str, words: str) -> None:
    """Each of SES's events is a status with a word of its own."""
    body = json.dumps(event(kind, {}, "eventType")).encode()
    (line,) = told(atoms_of(SES, body))
    assert words in line


def test_what_is_fetched_is_small_and_from_there_alone() -> None:
    """A page of the right size is fetched; redirects, errors and endless answers are not."""
    answers = {
        "/good": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ncert",
        "/moved": b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n",
        "/gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "/large": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (FETCHED_MAX_BYTES + 1),
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(answers[asked])
        await writer.drain()
        writer.close()

    async def tried() -> list[object]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        urls = [place + path for path in answers]
        found = [(await asyncio.gather(fetched(url), return_exceptions=True))[0] for url in urls]
        server.close()
        await server.wait_closed()
        return [*found, (await asyncio.gather(fetched(urls[0]), return_exceptions=True))[0]]

    good, *refused = asyncio.run(tried())
    assert good == b"cert"
    assert [type(one) for one in refused] == [Unavailable] * 4
