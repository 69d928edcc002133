"""Webhooks beside the plain append: each channel's deliveries, signed, parsed and settled.

All in one run on one server for each database, followers apart, 64 connections, one message a
delivery, 90 % of them from known people. Rounds are interleaved, and every delivery is checked as
its provider's: the load signs it, the server verifies it.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import uvloop

from benchmarks.append import introduce, places
from benchmarks.load import KNOWN_PHONES, NEW_EVERY, append_bodies, put_on, requests
from benchmarks.results import Row
from benchmarks.servers import Place, cpu_ms, new_token, serving
from channels.contract import Incoming
from channels.registry import CHANNELS
from channels.twilio_signature import signed

ROUNDS = 3
SECONDS = 4.0
PORT = 8908

APPEND = "append"
"""The reference: the same message by the append endpoint."""

SECRET = b"secret of a benchmark"
NAME = "bench"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
NUMBER = "106540352242922"
TEXT = "Hola, ¿sigue disponible la camioneta del anuncio?"

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

Made = Callable[[int, str, str], bytes]
"""The body of a delivery: its number, the person's digits, the run."""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _now_s() -> int:
    return int((datetime.now(UTC) - timedelta(minutes=1)).timestamp())


def _whatsapp(number: int, digits: str, run: str) -> bytes:
    message = {
        "from": digits,
        "id": f"wamid.{run}.{number}",
        "timestamp": str(_now_s()),
        "type": "text",
        "text": {"body": f"{TEXT} {number}"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "525598765432", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Ana Núñez"}, "wa_id": digits}],
        "messages": [message],
    }
    entry = {"id": "8856996819413533", "changes": [{"field": "messages", "value": value}]}
    return _json({"object": "whatsapp_business_account", "entry": [entry]})


def _messenger(number: int, digits: str, run: str) -> bytes:
    item = {
        "sender": {"id": digits},
        "recipient": {"id": "102290129340398"},
        "timestamp": _now_s() * 1_000,
        "message": {"mid": f"m_{run}_{number}", "text": f"{TEXT} {number}"},
    }
    entry = {"id": "102290129340398", "time": _now_s() * 1_000, "messaging": [item]}
    return _json({"object": "page", "entry": [entry]})


def _telegram(number: int, digits: str, run: str) -> bytes:
    person = {"id": int(digits), "first_name": "Ana", "is_bot": False}
    message = {
        "message_id": zlib.crc32(run.encode()) % 1_000 * 10_000_000 + number,
        "from": person,
        "chat": {"id": int(digits), "type": "private", "first_name": "Ana"},
        "date": _now_s(),
        "text": f"{TEXT} {number}",
    }
    return _json({"update_id": number, "message": message})


def _twilio(number: int, digits: str, run: str) -> bytes:
    plain = {
        "MessageSid": f"SM{run}{number}",
        "AccountSid": ACCOUNT,
        "From": f"+{digits}",
        "To": "+525598765432",
        "Body": f"{TEXT} {number}",
        "NumMedia": "0",
    }
    return urlencode(plain).encode()


def _form(number: int, digits: str, run: str) -> bytes:
    fields = {
        "nombre": "Ana Núñez",
        "telefono": f"+{digits}",
        "mensaje": f"{TEXT} {number}",
        "submission_id": f"{run}-{number}",
        "utm_campaign": "venta-suv-2025",
    }
    return urlencode(fields).encode()


def _event(number: int, digits: str, run: str) -> bytes:
    data = {
        "channel": "sms",
        "direction": "inbound",
        "resource": f"tel:+{digits}",
        "destination": "tel:+525598765432",
        "text": f"{TEXT} {number}",
    }
    at = datetime.fromtimestamp(_now_s(), UTC).isoformat()
    about = {"specversion": "1.0", "type": "hilo.interaction", "source": "/bench", "time": at}
    return _json({**about, "id": f"{run}-{number}", "data": data})


def _mail(number: int, digits: str, run: str) -> bytes:
    raw = (
        f"From: Ana <ana{digits}@example.com>\r\nTo: ventas@example.mx\r\nSubject: Cita\r\n"
        f"Date: {datetime.fromtimestamp(_now_s(), UTC):%a, %d %b %Y %H:%M:%S +0000}\r\n"
        f"Message-ID: <{run}.{number}@example.com>\r\n\r\n{TEXT} {number}\r\n"
    )
    return _json({"RawEmail": raw})


@dataclass(frozen=True)
class Kind:
    """A channel as the load sends it: what a delivery is made of, and what its URL needs."""

    make: Made
    secrets: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON_TYPE


KINDS: Mapping[str, Kind] = {
    "whatsapp": Kind(_whatsapp, ("app_secret", "verify_token")),
    "messenger": Kind(_messenger, ("app_secret", "verify_token")),
    "telegram": Kind(_telegram, ("secret_token",), {"bot_id": "7100200300"}),
    "twilio_sms": Kind(_twilio, ("auth_token",), {"account_sid": ACCOUNT}, FORM_TYPE),
    "form": Kind(_form, ("secret",), media_type=FORM_TYPE),
    "cloudevents": Kind(_event, ("token",)),
    "postmark": Kind(_mail, ("username", "password")),
}


def connect(place: Place) -> None:
    """Make a connection of each kind in the ledger there."""
    for channel, kind in KINDS.items():
        command = [sys.executable, "-m", "app", "channel", "add", channel, NAME]
        for name in kind.secrets:
            command += ["--secret", f"{name}={SECRET.decode()}"]
        for name, value in kind.options.items():
            command += ["--option", f"{name}={value}"]
        subprocess.run(command, env=place.environment, check=True, capture_output=True)


def deliveries(channel: str, port: int, run: str) -> Callable[[], bytes]:
    """What makes the next delivery of a channel, signed as its provider signs."""
    kind, module = KINDS[channel], CHANNELS[channel]
    path = f"/channels/{channel}/{NAME}"
    secrets = {name: [SECRET] for name in kind.secrets}
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind.media_type}\r\n"
    numbers = itertools.count(1)

    def make() -> bytes:
        number = next(numbers)
        known = number % NEW_EVERY
        digits = f"52555{number % KNOWN_PHONES:07d}" if known else f"52556{number:07d}"
        body = kind.make(number, digits, run)
        if channel.startswith("twilio"):
            at = Incoming(body=body, url=f"http://127.0.0.1:{port}{path}")
            headers = signed(at, SECRET)
        else:
            headers = module.sign(body, secrets)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{head}{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return make


# ------------------------------------------------------------------------- measuring


@dataclass
class Measured:
    """By channel, one a round: deliveries a second, and processor time in ms a delivery."""

    per_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)


def load(port: int, token: str, kind: str, run: str) -> dict[str, Any]:
    """One load from a process of its own; raises where an answer was not a success."""
    asked = {"port": port, "token": token, "kind": kind, "run": run, "seconds": SECONDS}
    command = [sys.executable, "-m", "benchmarks.channels", json.dumps(asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    outcome: dict[str, Any] = json.loads(done.stdout)
    if set(outcome["statuses"]) - {"200", "201"}:
        message = f"not every answer of {kind} was a success: {outcome['statuses']}"
        raise RuntimeError(message)
    return outcome


def measure(place: Place) -> Measured:
    """All rounds on one database."""
    measured = Measured()
    token = new_token(place, "append")
    connect(place)
    with serving("hilo", place, PORT, "--no-follow") as process:
        introduce(PORT, token, run="known")
        for number in range(ROUNDS):
            for kind in (APPEND, *KINDS):
                before = sum(cpu_ms(process).values())
                outcome = load(PORT, token, kind, f"r{number}")
                spent = sum(cpu_ms(process).values()) - before
                measured.per_s.setdefault(kind, []).append(outcome["per_s"])
                measured.cpu_ms.setdefault(kind, []).append(spent / outcome["requests"])
    return measured


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    with places() as found:
        for database, place in found.items():
            measured = measure(place)
            plain = statistics.median(measured.per_s[APPEND])
            cpu = {kind: statistics.median(spent) for kind, spent in measured.cpu_ms.items()}
            for kind in KINDS:
                pairs = zip(measured.per_s[kind], measured.per_s[APPEND], strict=True)
                ratio = statistics.median(one / other for one, other in pairs)
                yield Row(
                    f"webhook {kind}, {database}",
                    f"{statistics.median(measured.per_s[kind]):.0f}/s",
                    f"{ratio:.2f} of the plain append ({plain:.0f}/s); {cpu[kind]:.2f} ms of "
                    f"processor time a delivery, beside {cpu[APPEND]:.2f}",
                    "none set",
                )


def main() -> None:
    """The load, as a process of its own: settings as JSON in, the outcome on stdout."""
    asked = json.loads(sys.argv[1])
    kind, port, run = asked["kind"], asked["port"], asked["run"]
    if kind == APPEND:
        at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
        make = requests("/v1/interactions", asked["token"], append_bodies(run, at))
    else:
        make = deliveries(kind, port, run)
    print(json.dumps(asdict(uvloop.run(put_on(port, make, asked["seconds"])))))


if __name__ == "__main__":
    main()
