"""What providers point to is fetched: over real sockets, from a server that stands for them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi import FastAPI, Request, Response

from api.signals import Teller, Wanted
from app.filing import Filing
from app.web import ProvidersWeb
from channels.connections import Change, Draft
from channels.contract import Incoming
from channels.keeping import SETTLE_US, Errand
from channels.media import META_HOSTS, TWILIO_HOSTS, allowed
from channels.media_fetching import AGAIN_S, TRIES_MAX
from projections.access import Reader
from storage.blobs import UNNAMED_KEPT_US
from tests.api.serving import serving
from tests.api.station import NOON, Station, open_station
from tests.backends import Backend, sqlite_backend
from tests.channels import meta_shop, shop, vendors
from tests.patience import PATIENCE_S

PHOTO = bytes(range(256)) * 2_000
GRAPH = "graph.facebook.com/v23.0"
CDN = "lookaside.fbsbx.com"
TWILIO = f"api.twilio.com/2010-04-01/Accounts/{vendors.ACCOUNT}"
BOT_TOKEN = "7100200300:bot-token"


class Providers:
    """All providers: what lies where, who may have it, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.files: dict[str, Callable[[], Response]] = {}
        self.application = FastAPI()

        @self.application.get("/{path:path}")
        async def answer(request: Request, path: str) -> Response:
            shown = request.headers.get("authorization", "")
            self.asked.append((path, shown))
            made = self.files.get(path)
            return made() if made else Response(status_code=404)

    def file(self, path: str, content: bytes = PHOTO) -> None:
        """A file lies somewhere."""
        self.files[path] = lambda: Response(content, media_type="application/octet-stream")

    def says(self, path: str, told: object) -> None:
        """A question has an answer."""
        self.files[path] = lambda: Response(msgspec.json.encode(told))

    def sends_on(self, path: str, url: str) -> None:
        """Whoever asks is sent on."""
        self.files[path] = lambda: Response(status_code=307, headers={"Location": url})


class World:
    """A ledger with a connection of each kind, and the job that fetches."""

    def __init__(self, station: Station, providers: Providers, port: int) -> None:
        self.station = station
        self.providers = providers
        web = ProvidersWeb(f"http://127.0.0.1:{port}")
        self.web = web
        self.filing = Filing(station.services, web)
        connections = station.composition.channels.connections
        meta = {"app_secret": [b"s"], "verify_token": [b"v"]}
        self.meta = meta
        for channel in ("messenger", "lead_ads"):
            secrets = {**meta, "access_token": [b"graph-token"]}
            connections.add(Draft(channel=channel, name="main", secrets=secrets))
        connections.add(Draft(channel="whatsapp", name="main", secrets=meta))
        for channel in ("twilio_sms", "twilio_voice"):
            options = {"account_sid": vendors.ACCOUNT}
            secrets = {"auth_token": [b"auth"]}
            connections.add(Draft(channel=channel, name="main", secrets=secrets, options=options))
        secrets = {"secret_token": [b"x"], "bot_token": [BOT_TOKEN.encode()]}
        options = {"bot_id": vendors.BOT}
        connections.add(Draft(channel="telegram", name="main", secrets=secrets, options=options))

    def deliver(self, channel: str, body: object) -> None:
        """A delivery of a provider's."""
        channels = self.station.composition.channels
        opened = channels.connections.open(channel, "main")
        is_form = channel.startswith("twilio")
        raw = vendors.body_of(body) if is_form else msgspec.json.encode(body)
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        incoming = Incoming(body=raw, headers={"content-type": kind})
        placed = self.station.run(channels.receiver.take(opened, incoming))
        assert {one.kind for one in placed} <= {"recorded", "duplicate"}, placed

    def turn(self, later_s: float = SETTLE_US / 1_000_000) -> int:
        """Let the job look, some seconds later."""
        self.station.now[0] += int(later_s * 1_000_000)
        return self.station.run(self.filing.fetch())

    def rows(self) -> list[dict[str, Any]]:
        """Everything that was recorded, the latest first."""
        return list(self.station.ask("/v1/activity")["items"])

    def had(self, view: dict[str, Any]) -> bytes:
        """The bytes of a file."""
        answer = self.station.get(view["url"], fresh=False)
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture
def world(backend: Backend) -> Iterator[World]:
    """The world on SQLite, then on PostgreSQL."""
    yield from opened_world(backend)


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    """The world on SQLite; enough where the database is not the matter."""
    (tmp_path / "world").mkdir()
    yield from opened_world(sqlite_backend(tmp_path / "world"))


def opened_world(backend: Backend) -> Iterator[World]:
    """A world, and its end."""
    providers = Providers()
    with open_station(backend) as station, serving(providers.application) as port:
        found = World(station, providers, port)
        yield found
        station.run(found.web.close())


def photo(wamid: str = "wamid.1") -> object:
    """A picture over WhatsApp, which says no more than its id."""
    image = {"id": "MEDIA1", "mime_type": "image/jpeg", "caption": "Mira"}
    said = shop.text(wamid, type="image", image=image)
    return shop.messages(said)


def mms(number: int, url: str) -> dict[str, str]:
    """A picture over Twilio."""
    return {
        "MessageSid": f"MM{number}",
        "AccountSid": vendors.ACCOUNT,
        "From": "+525512345678",
        "To": "+525598765432",
        "NumMedia": "1",
        "MediaUrl0": url,
        "MediaContentType0": "image/png",
    }


def call(**more: str) -> dict[str, str]:
    """What Twilio tells of Ana's call."""
    return {"CallSid": "CA1", "AccountSid": vendors.ACCOUNT, **more}


RINGING = call(From="+525512345678", To="+525598765432", CallStatus="ringing", Direction="inbound")
RECORDING = call(
    RecordingSid="RE1",
    RecordingUrl=f"https://{TWILIO}/Recordings/RE1",
    RecordingStatus="completed",
    RecordingDuration="12",
)
DOCUMENT: dict[str, object] = {
    "message_id": 5,
    "date": NOON // 1_000_000 - 60,
    "from": {"id": 9, "is_bot": False, "first_name": "Ana"},
    "chat": {"id": 9, "type": "private", "first_name": "Ana"},
    "document": {"file_id": "F1", "file_name": "a.bin", "mime_type": "application/zip"},
}
LINK = "https://scontent.xx.fbcdn.net/v/foto.jpg?oh=1"


def lay_out(providers: Providers) -> None:
    """A file of each kind lies where its provider keeps it."""
    bot = f"api.telegram.org/bot{BOT_TOKEN}/getFile"
    answers = [{"name": "full_name", "values": ["Ana Núñez"]}]
    providers.says(f"{GRAPH}/MEDIA1", {"url": f"https://{CDN}/wa?mid=1", "mime_type": "image/jpeg"})
    providers.file(f"{CDN}/wa", PHOTO)
    providers.file("scontent.xx.fbcdn.net/v/foto.jpg", b"messenger")
    providers.sends_on(f"{TWILIO}/Messages/MM1/Media/ME1", "https://mms.twiliocdn.com/ME1?x=1")
    providers.file("mms.twiliocdn.com/ME1", b"mms")
    providers.file(f"{TWILIO}/Recordings/RE1.mp3", b"recording")
    providers.says(bot, {"result": {"file_path": "d/f 1"}})
    providers.file(f"api.telegram.org/file/bot{BOT_TOKEN}/d/f 1", b"telegram")
    providers.says(f"{GRAPH}/444444444444", {"id": "444444444444", "field_data": answers})


def deliver_all(world: World) -> None:
    """Something of each kind comes in."""
    connections = world.station.composition.channels.connections
    change = Change(secrets={"access_token": [b"wa-token"]})
    connections.change(connections.book.get("whatsapp", "main"), change)
    world.deliver("whatsapp", photo())
    world.deliver("messenger", meta_shop.said(attachments=[meta_shop.file("image", url=LINK)]))
    world.deliver("twilio_sms", mms(1, f"https://{TWILIO}/Messages/MM1/Media/ME1"))
    world.deliver("twilio_voice", RINGING)
    world.deliver("twilio_voice", RECORDING)
    world.deliver("twilio_voice", RECORDING)
    world.deliver("telegram", {"update_id": 1, "message": DOCUMENT})
    world.deliver("lead_ads", meta_shop.lead())


def test_every_provider_is_asked_its_own_way(world: World) -> None:
    """WhatsApp, Messenger, Twilio, recording, Telegram, lead: pending, then stored, bytes same."""
    lay_out(world.providers)
    deliver_all(world)
    before = world.rows()
    assert {view["state"] for row in before for view in row["attachments"]} == {"pending"}
    assert not world.providers.asked
    while world.turn():
        pass
    rows = {row["source"]["key"].partition(":")[0]: row for row in world.rows()}
    for kind, content in (
        ("whatsapp", PHOTO),
        ("messenger", b"messenger"),
        ("twilio_sms", b"mms"),
        ("telegram", b"telegram"),
    ):
        (view,) = rows[kind]["attachments"]
        assert (view["state"], view["error"], view["bytes"]) == ("stored", None, len(content))
        assert view["sha256"] == hashlib.sha256(content).hexdigest()
        assert world.had(view) == content
    heard = rows["twilio_voice"]["call"]["recording"]
    told = (heard["name"], heard["media_type"], heard["state"])
    assert told == ("recording.mp3", "audio/mpeg", "stored")
    assert world.had(heard) == b"recording"
    assert rows["lead_ads"]["text"] == "full_name: Ana Núñez"
    station = world.station
    history = station.ask(f"/v1/interactions/{rows['whatsapp']['id']}")["history"]
    assert [one["event"] for one in history] == ["interaction.recorded", "attachment.stored"]
    assert station.composition.trade.jobs("waiting") == []
    for pause in (0, UNNAMED_KEPT_US):  # what events name is never swept
        station.now[0] += pause
        assert world.filing.sweep() == 0
    assert world.had(heard) == b"recording"


def test_a_secret_stays_with_whom_it_is_for(small_world: World) -> None:
    """Each provider is shown its own; whom we are sent on to, and plain links, are shown none."""
    world = small_world
    lay_out(world.providers)
    deliver_all(world)
    while world.turn():
        pass
    shown = dict(world.providers.asked)
    assert shown[f"{GRAPH}/MEDIA1"] == shown[f"{CDN}/wa"] == "Bearer wa-token"
    assert shown[f"{GRAPH}/444444444444"] == "Bearer graph-token"
    assert shown[f"{TWILIO}/Messages/MM1/Media/ME1"].startswith("Basic ")
    assert shown["mms.twiliocdn.com/ME1"] == shown["scontent.xx.fbcdn.net/v/foto.jpg"] == ""
    times = Counter(path for path, _ in world.providers.asked)
    assert set(times.values()) == {1}, times


def test_a_file_that_cannot_be_had_fails_where_all_can_see(small_world: World) -> None:
    """Tried ten times over two days, then `failed` with why; a token that comes in time helps."""
    world = small_world
    station = world.station
    world.deliver("whatsapp", photo())
    for pause in (SETTLE_US // 1_000_000, *AGAIN_S):
        (view,) = world.rows()[0]["attachments"]
        assert view["state"] == "pending"
        assert world.turn(pause - 1) == 0
        assert world.turn(1) == 1
        assert world.turn(0) == 0
    (view,) = world.rows()[0]["attachments"]
    assert (view["state"], view["error"], view["url"]) == ("failed", "no_secret", None)
    (job,) = station.composition.trade.jobs("failed")
    assert (job.attempts, job.error) == (TRIES_MAX, "no_secret")
    happened = station.ask(f"/v1/interactions/{world.rows()[0]['id']}")["history"][-1]
    assert (happened["event"], happened["reason"]) == ("attachment.failed", "no_secret")
    assert not world.providers.asked
    assert 'hilo_fetches_total{outcome="failed"} 1.0' in station.get("/metrics").text


def test_only_the_providers_hosts_are_asked(small_world: World) -> None:
    """Other hosts, plain HTTP, other ports, names in front, redirects elsewhere: never asked."""
    world = small_world
    inside = f"https://api.twilio.com.evil.example/{TWILIO}"
    urls = (
        "http://api.twilio.com/x",
        "https://api.twilio.com:8443/x",
        "https://api.twilio.com@127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://evil.example/x",
        inside,
        f"https://{TWILIO}/sends-on",
    )
    world.providers.sends_on(f"{TWILIO}/sends-on", "https://169.254.169.254/latest")
    for number, url in enumerate(urls):
        world.deliver("twilio_sms", mms(number, url))
    while world.turn():
        pass
    states = [view for row in world.rows() for view in row["attachments"]]
    assert {(view["state"], view["error"]) for view in states} == {("failed", "not_allowed")}
    assert [path for path, _ in world.providers.asked] == [f"{TWILIO}/sends-on"]
    assert allowed("https://scontent-lax3-1.xx.fbcdn.net/v/x", META_HOSTS)
    assert not allowed("https://fbcdn.net.evil.example/", META_HOSTS)
    assert not allowed("https://[::1", TWILIO_HOSTS)


def test_a_provider_may_answer_anything(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too large, an error, garbage, a circle: said by a code; what was half there is gone."""
    world = small_world
    monkeypatch.setattr("channels.media_fetching.MEDIA_MAX_BYTES", 1_000)
    providers, url = world.providers, "https://scontent.xx.fbcdn.net/{}"
    providers.file("scontent.xx.fbcdn.net/large", bytes(300_000))
    providers.sends_on("scontent.xx.fbcdn.net/circle", url.format("circle"))
    for status in (403, 500):
        path = f"scontent.xx.fbcdn.net/{status}"
        providers.files[path] = lambda status=status: Response(status_code=status)  # type: ignore[misc]  # bound now
    names = ("large", "circle", "403", "500", "nothing")
    for number, name in enumerate(names):
        file = meta_shop.file("image", url=url.format(name))
        world.deliver("messenger", meta_shop.said(mid=f"m_{number}", attachments=[file]))
    providers.files[f"{GRAPH}/444444444444"] = lambda: Response(b"<html>")
    world.deliver("lead_ads", meta_shop.lead())
    while world.turn():
        pass
    trade = world.station.composition.trade
    errors = Counter(job.error for state in ("waiting", "failed") for job in trade.jobs(state))
    assert errors == {
        "too_large": 1,
        "redirects": 1,
        "refused": 1,
        "provider_error": 1,
        "gone": 1,
        "unreadable": 1,
    }
    assert [job.error for job in trade.jobs("failed")] == ["too_large"]
    parts = world.station.composition.settings.data / "blobs" / ".parts"
    assert list(parts.iterdir()) == []


def test_an_errand_without_its_event_is_dropped(small_world: World) -> None:
    """A delivery that was cut off leaves an errand: looked at four times, then let go."""
    world = small_world
    composition = world.station.composition
    job = composition.channels.keeping.job(Errand("whatsapp/main", UUID(int=1), UUID(int=2)))
    composition.trade.put(job)
    for pause in (SETTLE_US // 1_000_000, *AGAIN_S[:3]):
        assert world.turn(pause) == 1
    assert composition.trade.jobs("waiting") == composition.trade.jobs("failed") == []


def test_a_served_ledger_fetches_by_itself(small_world: World) -> None:
    """While the application lives nobody need ask; the stream and the metrics tell."""
    world = small_world
    station = world.station
    world.providers.file("scontent.xx.fbcdn.net/a.jpg", b"sola")
    file = meta_shop.file("image", url="https://scontent.xx.fbcdn.net/a.jpg")
    world.deliver("messenger", meta_shop.said(attachments=[file]))
    station.now[0] += SETTLE_US
    fetching = station.composition.channels.fetching
    counted = fetching.observer

    async def until_fetched() -> None:
        ended = asyncio.Event()

        def heard(outcome: str) -> None:
            counted(outcome)
            ended.set()

        fetching.observer = heard
        async with world.filing.running(station.application):
            await asyncio.wait_for(ended.wait(), PATIENCE_S)

    station.run(until_fetched())
    (view,) = world.rows()[0]["attachments"]
    assert view["state"] == "stored"
    assert 'hilo_fetches_total{outcome="fetched"} 1.0' in station.get("/metrics").text
    reader = Reader(None, everything=True)
    teller = Teller(station.services, station.composition.reads.renderer)
    last = station.services.log.entry(station.head)
    assert last is not None
    (frame,) = teller.tell([last], Wanted(frozenset({reader}), frozenset())).frames[reader]
    assert frame.topic == "attachment.stored"
    assert b'"state":"stored"' in frame.body
