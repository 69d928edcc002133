"""The stream: every event once, in order, as soon as the pages show it, and not to everybody."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn

from api import hub, stream
from api.stream import Pace
from app.compose import open_ledger
from app.server import Server
from tests.api.listener import Listener
from tests.api.station import Station, open_station
from tests.api.test_read_conversations import CONVERSATION_FIELDS
from tests.api.test_read_interactions import ROW_FIELDS, hide
from tests.backends import Backend

EVA = "tel:+525577778888"
MESSAGE_FIELDS = [
    "position", "type", "contact", "interaction_id", "row", "conversation", "by",
]  # fmt: skip


def test_a_stream_begins_with_hello(station: Station) -> None:
    """Head, content type, and where the stream stands; nothing of before is told."""
    station.append()
    station.ask("/v1/activity")
    listener = Listener(station)
    hello = listener.open()
    assert (hello.name, hello.id) == ("hello", station.head)
    assert hello.data == {"position": station.head, "head": station.head, "server": "1.0.0"}
    assert listener.answer["status"] == 200
    assert listener.answer["content-type"] == "text/event-stream"
    assert listener.answer["cache-control"] == "no-store"
    assert listener.answer["x-accel-buffering"] == "no"
    made = station.append(contact_name="Ana")
    event = listener.next()
    assert (event.name, event.id) == ("interaction.recorded", made["id"])
    listener.close()


def test_an_interaction_comes_with_row_and_conversation(each_station: Station) -> None:
    """The row is the page's row, and the pages hold the position before the stream tells it."""
    rosa = each_station.user("Rosa")
    hers = each_station.bearer("read", user=rosa)
    listener = Listener(each_station, **hers)
    listener.open()
    made = each_station.append(contact_name="Ana")
    event = listener.next()
    position = each_station.get("/v1/activity", fresh=False).headers["hilo-position"]
    assert int(position) >= event.id
    assert list(event.data) == MESSAGE_FIELDS
    assert event.data["position"] == event.data["interaction_id"] == made["id"]
    assert (event.data["type"], event.data["contact"]) == (event.name, made["contact"])
    assert list(event.data["row"]) == ROW_FIELDS
    assert event.data["row"] == each_station.ask("/v1/activity")["items"][0]
    assert list(event.data["conversation"]) == CONVERSATION_FIELDS
    assert event.data["conversation"]["unread"] == 1
    assert event.data["by"]["kind"] == "token"
    listener.close()


def test_later_facts_come_with_the_row_as_it_is(each_station: Station) -> None:
    """Status, correction and retraction bring the row, and no conversation."""
    made = each_station.append(direction="outbound")
    each_station.ask("/v1/activity")
    listener = Listener(each_station)
    listener.open()
    path = f"/v1/interactions/{made['id']}"
    each_station.post(f"{path}/statuses", json={"status": "read", "at": "2026-11-22T11:59:00Z"})
    each_station.post(f"{path}/retraction", json={"reason": "duplicada"})
    first, second = listener.next(), listener.next()
    assert (first.name, second.name) == ("delivery.reported", "interaction.retracted")
    assert first.data["interaction_id"] == made["id"]
    assert first.data["row"]["status"]["state"] == "read"
    assert second.data["row"]["retracted"]["reason"] == "duplicada"
    assert (first.data["conversation"], second.data["conversation"]) == (None, None)
    listener.close()


def test_a_status_before_its_message_has_no_row_yet(station: Station) -> None:
    """The event is told, its row is null until the interaction itself is recorded."""
    listener = Listener(station)
    listener.open()
    station.post(
        "/v1/statuses",
        json={
            "source": "whatsapp:1065",
            "external_id": "wamid.later",
            "status": "sent",
            "at": "2026-11-22T11:59:00Z",
        },
    )
    event = listener.next()
    assert (event.name, event.data["row"]) == ("delivery.reported", None)
    assert event.data["interaction_id"] is None
    listener.close()


def test_a_note_comes_with_its_row(each_station: Station) -> None:
    """It is no interaction; the row is that of the timeline, also once it is void."""
    contact = each_station.append()["contact"]
    each_station.ask("/v1/activity")
    listener = Listener(each_station)
    listener.open()
    path = f"/v1/conversations/{contact}/notes"
    row = each_station.post(path, json={"text": "llamar mañana"}).json()
    void = each_station.post(f"{path}/{row['id']}/retraction", json={"reason": "ya"}).json()
    added, retracted = listener.next(), listener.next()
    assert (added.name, retracted.name) == ("note.added", "note.retracted")
    assert list(added.data) == MESSAGE_FIELDS
    assert (added.data["contact"], added.data["interaction_id"]) == (contact, None)
    assert (retracted.data["row"], added.data["conversation"]) == (void, None)
    assert added.data["row"]["text"] == "llamar mañana"
    listener.close()


def test_a_decision_comes_with_the_conversation(each_station: Station) -> None:
    """`conversation.*` brings the conversation as it is, and no row."""
    contact = each_station.append()["contact"]
    each_station.ask("/v1/activity")
    listener = Listener(each_station)
    listener.open()
    answer = each_station.post(f"/v1/conversations/{contact}/resolve", json={})
    event = listener.next()
    assert (event.name, event.data["row"]) == ("conversation.resolved", None)
    assert event.data["conversation"] == answer.json()
    assert event.data["conversation"]["status"] == "resolved"
    each_station.post(f"/v1/contacts/{contact}/mute", json={"muted": True})
    muted = listener.next()
    assert (muted.name, muted.data["conversation"]) == ("contact.muted", None)
    listener.close()


def test_seen_comes_with_the_conversation_of_who_reads(station: Station) -> None:
    """`conversation.seen` brings the conversation as each reader sees it."""
    rosa = station.user("Rosa")
    hers = station.bearer("manage", user=rosa)
    made = station.append()
    station.ask("/v1/activity")
    listeners = [Listener(station, **hers), Listener(station)]
    for listener in listeners:
        listener.open()
    path = f"/v1/conversations/{made['contact']}/seen"
    station.post(path, json={"through": made["id"]}, headers=hers)
    for listener, seen in zip(listeners, (made["id"], None), strict=True):
        event = listener.next()
        assert (event.name, event.data["row"]) == ("conversation.seen", None)
        assert event.data["conversation"]["seen_through"] == seen
        listener.close()


def test_resuming_misses_nothing_and_repeats_nothing(each_station: Station) -> None:
    """From any id a stream tells exactly what follows, whatever comes meanwhile."""
    ids = [each_station.append(text=str(n))["id"] for n in range(5)]
    each_station.ask("/v1/activity")
    listener = Listener(each_station, f"after={ids[1]}")
    assert listener.open().id == ids[1]
    more = [each_station.append(text=str(n))["id"] for n in range(5, 8)]
    assert [event.id for event in listener.until(more[-1])] == [*ids[2:], *more]
    listener.close()
    again = Listener(each_station, "after=0", **{"Last-Event-ID": str(more[0])})
    again.open()
    assert [event.id for event in again.until(more[-1])] == more[1:]
    again.close()


def test_who_joins_beside_others_catches_up_first(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late reader gets the missed ones in small stretches and then the same as the others."""
    monkeypatch.setattr(hub, "STRETCH_EVENTS", 2)
    first = Listener(station)
    first.open()
    ids = [station.append(text=str(n))["id"] for n in range(7)]
    assert [event.id for event in first.until(ids[-1])] == ids
    late = Listener(station, "after=0&types=interaction.recorded")
    late.open()
    ids.append(station.append(text="last")["id"])
    assert [event.id for event in late.until(ids[-1])] == ids
    assert first.next().id == ids[-1]
    first.close()
    late.close()


def test_contact_and_types_choose(each_station: Station) -> None:
    """Only the asked contact, under any of its ids, and only the asked topics are told."""
    made = each_station.post(
        "/v1/contacts", json={"addresses": [EVA, "mailto:eva@example.com"]}
    ).json()
    linked = made["addresses"][1]["subject"]
    listener = Listener(each_station, f"contact={linked}&types=interaction.*,contact.named")
    listener.open()
    each_station.append()
    mine = each_station.append(resource=EVA)
    each_station.post(
        f"/v1/interactions/{mine['id']}/statuses",
        json={"status": "read", "at": "2026-11-22T11:59:00Z"},
    )
    each_station.request("PATCH", f"/v1/contacts/{made['id']}", json={"name": "Eva"})
    assert [listener.next().name for _ in range(2)] == ["interaction.recorded", "contact.named"]
    listener.close()


def test_a_tick_moves_the_id(station: Station) -> None:
    """Where nothing was visible a tick carries the position that was passed."""
    station.application.state.pace = Pace(tick_s=0.02, check_s=1)
    listener = Listener(station, "types=note.added")
    listener.open()
    made = station.append()
    while True:
        tick = listener.next(ticks=True)
        assert tick.name == "tick"
        assert list(tick.data) == ["position", "head"]
        if tick.id >= made["id"]:
            break
    assert tick.data == {"position": station.head, "head": station.head}
    listener.close()


def test_who_is_too_far_behind_loads_anew(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit one `reset` with the head comes, and then what is new."""
    monkeypatch.setattr(stream, "BEHIND_MAX", 3)
    for number in range(6):
        station.append(text=str(number))
    station.ask("/v1/activity")
    listener = Listener(station, "after=1")
    assert listener.open().id == 1
    reset = listener.next()
    assert (reset.name, reset.id, reset.data) == ("reset", station.head, {"position": station.head})
    made = station.append()
    assert listener.next().id == made["id"]
    listener.close()


def test_an_id_above_the_head_begins_at_the_head(station: Station) -> None:
    """A client of another ledger's past gets what is new."""
    station.append()
    station.ask("/v1/activity")
    listener = Listener(station, "after=99999999")
    assert listener.open().id == station.head
    assert station.append()["id"] == listener.next().id
    listener.close()


@pytest.mark.parametrize(
    ("query", "header", "field"),
    [
        ("", "abc", "header.Last-Event-ID"),
        ("", "-1", "header.Last-Event-ID"),
        ("after=x", "", "query.after"),
        ("contact=x", "", "query.contact"),
        ("types=Everything", "", "query.types"),
        ("since=1", "", "query.since"),
    ],
)
def test_what_a_stream_cannot_begin_with(
    station: Station, query: str, header: str, field: str
) -> None:
    """A bad id or parameter is 422 and named."""
    headers = {"Last-Event-ID": header} if header else {}
    status, problem = Listener(station, query, **headers).refused()
    assert (status, [one["field"] for one in problem["errors"]]) == (422, [field])


def test_a_stream_needs_its_scope(station: Station) -> None:
    """A token that may only append gets no stream."""
    headers = station.bearer("append")
    status, problem = Listener(station, **headers).refused()
    assert (status, problem["type"]) == (403, "urn:hilo:problem:not-allowed")


def test_a_token_s_end_ends_its_streams(station: Station) -> None:
    """Soon after a token is revoked, or a session closed, its streams are closed."""
    station.application.state.pace = Pace(tick_s=15, check_s=0.05)
    user = station.user("Rosa")
    browser = Listener(station, **{**station.session(user), "Authorization": ""})
    browser._headers.pop("Authorization")
    browser.open()
    station.services.credentials.sessions.close_all_of(user, station.now[0])
    assert browser.ended()
    assert station.append()["id"] > 0


def test_a_reader_that_reads_nothing_is_closed(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more messages waiting than the limit a stream ends; others go on."""
    monkeypatch.setattr(hub, "QUEUED_MAX", 3)
    station.application.state.pace = Pace(tick_s=15, check_s=0.05)
    slow, quick = Listener(station), Listener(station)
    slow.open()
    quick.open()
    slow.reads.clear()
    ids = []
    for number in range(8):
        ids.append(station.append(text=str(number))["id"])
        assert quick.next().id == ids[-1]
    assert slow.ended()
    assert station.application.state.hub.streams == 1
    quick.close()
    assert station.application.state.hub.streams == 0


def test_out_of_access_is_not_told(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of contacts that a reader may not see no event comes; of none's (a department) it does."""
    hide(monkeypatch)
    listener = Listener(station)
    listener.open()
    station.append(department="Ventas")
    assert listener.next().name == "department.set"
    listener.close()


def test_a_stopping_server_ends_its_streams(station: Station) -> None:
    """`Hub.end` closes every stream at once."""

    async def end() -> None:
        station.application.state.hub.end()

    listener = Listener(station)
    listener.open()
    station.run(end())
    assert listener.ended()


def test_a_stopping_process_does_not_wait_for_its_streams(station: Station) -> None:
    """Over a real socket: the server is told to stop, the stream ends, the process goes."""
    config = uvicorn.Config(station.application, lifespan="off", log_level="warning")
    server = Server(config)

    async def read_to_the_end() -> list[bytes]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            port = listening.getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            lines = "".join(f"{name}: {text}\r\n" for name, text in station.headers.items())
            writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            head = await reader.readuntil(b"event: hello")
            server.should_exit = True
            rest = await reader.read()
            writer.close()
            await serving
            return [head, rest]

    head, rest = station.run(read_to_the_end())
    assert head.startswith(b"HTTP/1.1 200")
    assert rest.endswith(b"0\r\n\r\n")


def test_views_that_another_process_follows_feed_streams_too(backend: Backend) -> None:
    """Where this process does not follow, the stream sees the views' checkpoint rise."""
    with open_station(backend, follow=False) as station:
        other = open_ledger(station.composition.settings, clock=lambda: station.now[0])
        try:
            listener = Listener(station)
            listener.open()
            made = station.append()
            assert listener.until(made["id"])[-1].name == "interaction.recorded"
            assert station.composition.follower.state.phase == "idle"
            listener.close()
        finally:
            other.close()


def test_a_link_between_twins_is_told_with_both_rows(station: Station) -> None:
    """Linking tells each of the two records, with its row as it is now."""
    made = [
        station.append(source="manual", channel="call", text="llamó"),
        station.append(source="twilio:1", channel="call", text=None),
    ]
    station.ask("/v1/activity")
    listener = Listener(station)
    listener.open()
    shown, hidden = made[1]["id"], made[0]["id"]
    path = f"/v1/interactions/{hidden}/twin"
    station.request("PUT", path, json={"other": shown, "show": shown})
    told = [listener.next(), listener.next()]
    assert [one.name for one in told] == ["twin.linked"] * 2
    assert [one.data["interaction_id"] for one in told] == [shown, hidden]
    assert [one.data["row"]["twin"]["role"] for one in told] == ["shown", "hidden"]
    station.request("DELETE", path)
    assert listener.next().data["row"]["twin"] is None
    listener.close()
