"""What people do with conversations over HTTP: assign, resolve, snooze, leave unread, mute."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.commands import By
from domain.events import Actor, DepartmentSet
from domain.staff import department_stream
from domain.times import format_utc
from tests.api.station import NOON, Station

NOBODY = "00000000-0000-4000-8000-000000000000"
HOUR = 3_600_000_000


def do(station: Station, contact: str, what: str, **body: object) -> Any:  # noqa: ANN401 - JSON
    """The conversation after a command that must succeed."""
    answer = station.post(f"/v1/conversations/{contact}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(
    station: Station, path: str, body: object, headers: dict[str, str] | None = None
) -> tuple[int, str, list[str]]:
    """Status, problem and fields of a refusal."""
    answer = station.post(path, json=body, headers=headers or station.headers)
    problem = answer.json()
    fields = [one["field"] for one in problem.get("errors", [])]
    return answer.status_code, problem["type"].rpartition(":")[2], fields


def test_a_conversation_is_assigned_and_given_back(each_station: Station) -> None:
    """The answer shows person and department; what is not named stays, null takes it away."""
    rosa = each_station.user("Rosa")
    contact = each_station.append(department="Ventas")["contact"]
    each_station.append(department="Taller", resource="tel:+525577778888")
    row = do(each_station, contact, "assign", assignee=str(rosa), reason="turno")
    assert row["assignee"] == {"id": str(rosa), "name": "Rosa", "user": True}
    assert (row["team"], row["version"]) == (None, 1)
    row = do(each_station, contact, "assign", department="Taller")
    assert row["assignee"]["id"] == str(rosa)
    assert row["department"] == {"key": "taller", "name": "Taller"}
    mine = each_station.ask("/v1/conversations", assignee=str(rosa))
    assert [one["id"] for one in mine["items"]] == [contact]
    counts = each_station.ask("/v1/conversations/counts", assignee="none")
    assert (counts["open"], counts["unassigned"]) == (1, 1)
    row = do(each_station, contact, "assign", assignee=None, department=None)
    assert (row["assignee"], row["department"]["key"]) == (None, "ventas")


def test_an_assignee_must_be_somebody_who_can_sign_in(station: Station) -> None:
    """Unknown people, teams and departments are named; so is a person who was only mentioned."""
    contact = station.append(attended_by="Memo")["contact"]
    memo = station.ask(f"/v1/conversations/{contact}")["last"]["attended_by"]["id"]
    path = f"/v1/conversations/{contact}/assign"
    invalid = (422, "invalid-input")
    assert refused(station, path, {"assignee": memo}) == (*invalid, ["assignee"])
    assert refused(station, path, {"assignee": "Rosa"}) == (*invalid, ["assignee"])
    both = {"assignee": NOBODY, "team": NOBODY, "department": "nada"}
    assert refused(station, path, both) == (*invalid, ["assignee", "team", "department"])
    assert refused(station, path, {}) == (*invalid, ["assignee"])
    assert refused(station, path, {"reason": "x"}) == (*invalid, ["assignee"])
    assert station.get(path.removesuffix("/assign")).headers["etag"] == '"0"'


def test_a_team_can_have_it_and_a_suspended_user_cannot(each_station: Station) -> None:
    """Teams are known by their id and shown by their name; who may not sign in is refused."""
    team = each_station.post("/v1/teams", json={"name": "Taller Norte"}).json()["id"]
    rosa = each_station.user("Rosa")
    contact = each_station.append()["contact"]
    row = do(each_station, contact, "assign", team=team)
    assert row["team"] == {"id": team, "name": "Taller Norte"}
    listed = each_station.ask("/v1/conversations", team=team)["items"]
    assert [one["id"] for one in listed] == [contact]
    assert each_station.ask("/v1/conversations", team="none")["items"] == []
    do(each_station, contact, "assign", assignee=str(rosa))
    assert each_station.post(f"/v1/users/{rosa}/suspend").status_code == 200
    path = f"/v1/conversations/{contact}/assign"
    again = {"assignee": str(rosa), "team": None}
    assert refused(each_station, path, again) == (422, "invalid-input", ["assignee"])


def test_the_conversation_of_merged_contacts(each_station: Station) -> None:
    """Commands to either id are for the one that is left; undone, each has its own again."""
    rosa = each_station.user("Rosa")
    ana = each_station.append(contact_name="Ana")["contact"]
    eva = each_station.append(contact_name="Eva", resource="tel:+525577778888")["contact"]
    do(each_station, eva, "assign", assignee=str(rosa))
    do(each_station, ana, "resolve")
    note = each_station.post(f"/v1/conversations/{eva}/notes", json={"text": "de Eva"}).json()
    merge = each_station.post(
        f"/v1/contacts/{ana}/merge", json={"other": eva, "reason": "la misma"}
    ).json()["merge"]
    answer = each_station.get(f"/v1/conversations/{eva}")
    assert answer.headers["content-location"] == f"/v1/conversations/{ana}"
    row = answer.json()
    assert (row["id"], row["status"], row["assignee"]["name"]) == (ana, "open", "Rosa")
    notes = each_station.ask(f"/v1/contacts/{ana}/timeline", kind="note")["items"]
    assert [(one["id"], one["contact"]["id"]) for one in notes] == [(note["id"], ana)]
    assert do(each_station, eva, "assign", assignee=None)["assignee"] is None
    assert do(each_station, eva, "resolve")["status"] == "resolved"
    on_both = each_station.post(f"/v1/conversations/{eva}/notes", json={"text": "de las dos"})
    undo = each_station.post(f"/v1/contacts/{ana}/merges/{merge}/undo", json={"reason": "no"})
    assert undo.status_code == 200, undo.text
    row = each_station.ask(f"/v1/conversations/{eva}")
    assert (row["id"], row["status"], row["assignee"]["name"]) == (eva, "open", "Rosa")
    row = each_station.ask(f"/v1/conversations/{ana}")
    assert (row["status"], row["assignee"]) == ("resolved", None)
    for contact, held in ((eva, note["id"]), (ana, on_both.json()["id"])):
        notes = each_station.ask(f"/v1/contacts/{contact}/timeline", kind="note")["items"]
        assert [one["id"] for one in notes] == [held]


def test_resolving_and_reopening(each_station: Station) -> None:
    """Each changes the tabs at once; an inbound message reopens what was resolved."""
    contact = each_station.append()["contact"]
    row = do(each_station, contact, "resolve")
    assert (row["status"], row["waiting_since"], row["version"]) == ("resolved", None, 1)
    counts = each_station.ask("/v1/conversations/counts")
    assert (counts["open"], counts["resolved"]) == (0, 1)
    assert do(each_station, contact, "reopen")["status"] == "open"
    do(each_station, contact, "resolve")
    each_station.append(text="Otra cosa")
    row = each_station.ask(f"/v1/conversations/{contact}")
    assert (row["status"], row["version"]) == ("open", 3)
    assert do(each_station, contact, "resolve")["version"] == 4


def test_what_changes_nothing_leaves_no_trace(each_station: Station) -> None:
    """A second resolution, the same assignment, the same snooze: the log does not grow."""
    rosa = each_station.user("Rosa")
    contact = each_station.append()["contact"]
    until = format_utc(NOON + HOUR)
    for what, body in (
        ("assign", {"assignee": str(rosa)}),
        ("snooze", {"until": until}),
        ("resolve", {}),
        ("reopen", {}),
    ):
        do(each_station, contact, what, **body)
        before = each_station.head
        do(each_station, contact, what, **body)
        assert each_station.head == before, what
    empty = each_station.post(f"/v1/conversations/{contact}/reopen", content=b"")
    assert empty.status_code == 200


def test_a_snooze_has_its_time(each_station: Station) -> None:
    """Snoozed until a time to come; a message ends it before; the past is refused."""
    contact = each_station.append()["contact"]
    row = do(each_station, contact, "snooze", until="2026-11-22T08:00:00-06:00")
    assert (row["status"], row["snoozed_until"]) == ("snoozed", "2026-11-22T14:00:00.000000Z")
    assert row["waiting_since"] is not None
    listed = each_station.ask("/v1/conversations", status="snoozed")["items"]
    assert [one["id"] for one in listed] == [contact]
    each_station.append(text="¿Y?")
    row = each_station.ask(f"/v1/conversations/{contact}")
    assert (row["status"], row["snoozed_until"]) == ("open", None)
    path = f"/v1/conversations/{contact}/snooze"
    for until in (format_utc(NOON), "mañana", "2026-11-23"):
        assert refused(each_station, path, {"until": until})[1:] == ("invalid-input", ["until"])
    assert refused(each_station, path, {})[2] == ["until"]


def test_two_agents_at_once_both_hear_the_truth(each_station: Station) -> None:
    """With If-Match one of them is told, with the conversation as it is; without, the last wins."""
    rosa, ivan = each_station.user("Rosa"), each_station.user("Ivan")
    hers = each_station.bearer("manage", user=rosa)
    his = each_station.bearer("manage", user=ivan)
    contact = each_station.append()["contact"]
    each_station.ask(f"/v1/conversations/{contact}")
    path = f"/v1/conversations/{contact}/assign"

    async def both(*more: dict[str, str]) -> list[Any]:
        calls = [
            each_station.client.request(
                "POST", path, json={"assignee": str(who)}, headers={**headers, **match}
            )
            for who, headers, match in zip((rosa, ivan), (hers, his), more, strict=True)
        ]
        return list(await asyncio.gather(*calls))

    first = {"If-Match": '"0"'}
    answers = each_station.run(both(first, first))
    assert sorted(one.status_code for one in answers) == [200, 412]
    won = next(one for one in answers if one.status_code == 200)
    lost = next(one for one in answers if one.status_code == 412)
    assert won.headers["etag"] == '"1"'
    assert lost.json()["type"] == "urn:hilo:problem:changed-meanwhile"
    assert lost.json()["current"]["assignee"] == won.json()["assignee"]

    answers = each_station.run(both({}, {}))
    assert [one.status_code for one in answers] == [200, 200]
    now = each_station.ask(f"/v1/conversations/{contact}")
    last = max(answers, key=lambda one: int(one.json()["version"]))
    assert last.json()["assignee"] == now["assignee"]


def test_the_version_is_that_of_the_decisions(station: Station) -> None:
    """Messages, notes and looks do not raise it; each decision does, and answers with it."""
    rosa = station.user("Rosa")
    hers = station.bearer("manage", user=rosa)
    made = station.append()
    contact = made["contact"]
    do(station, contact, "resolve")
    station.append(text="Otra")
    station.post(f"/v1/conversations/{contact}/notes", json={"text": "nota"})
    station.post(f"/v1/conversations/{contact}/seen", json={"through": 1}, headers=hers)
    answer = station.get(f"/v1/conversations/{contact}")
    assert (answer.headers["etag"], answer.json()["version"]) == ('"1"', 1)
    late = {**station.headers, "If-Match": '"0"'}
    path = f"/v1/conversations/{contact}/resolve"
    assert refused(station, path, {}, late)[:2] == (412, "changed-meanwhile")
    good = station.post(path, json={}, headers={**station.headers, "If-Match": '"1"'})
    assert (good.status_code, good.headers["etag"]) == (200, '"2"')


def test_a_command_may_come_again(each_station: Station) -> None:
    """The same key is a duplicate, with the object as it is now; another body is refused."""
    contact = each_station.append()["contact"]
    each_station.ask(f"/v1/conversations/{contact}")
    keyed = {**each_station.headers, "Idempotency-Key": "r-1"}
    path = f"/v1/conversations/{contact}/resolve"
    assert each_station.post(path, json={}, headers=keyed).json()["status"] == "resolved"
    do(each_station, contact, "reopen")
    again = each_station.post(path, json={}, headers=keyed)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    assert again.json()["status"] == "open"
    other = f"/v1/conversations/{contact}/reopen"
    assert refused(each_station, other, {}, keyed)[:2] == (409, "key-reused")


def test_marked_unread_and_seen_again(each_station: Station) -> None:
    """Unread moves a person's mark back, for them alone; both ways, as often as they like."""
    rosa, ivan = each_station.user("Rosa"), each_station.user("Ivan")
    hers = each_station.bearer("manage", user=rosa)
    his = each_station.bearer("manage", user=ivan)
    first, last = each_station.append(), each_station.append(text="Otra")
    path = f"/v1/conversations/{first['contact']}"
    each_station.ask(path)

    def said(what: str, body: dict[str, int]) -> tuple[int, int]:
        row = each_station.post(f"{path}/{what}", json=body, headers=hers).json()
        return row["unread"], row["seen_through"]

    for _ in range(2):
        assert said("seen", {"through": last["id"]}) == (0, last["id"])
        assert said("unread", {"from": last["id"]}) == (1, last["id"] - 1)
        before = each_station.head
        assert said("unread", {"from": last["id"]}) == (1, last["id"] - 1)
        assert each_station.head == before
    assert said("unread", {"from": first["id"]}) == (2, first["id"] - 1)
    assert each_station.get(path, headers=his).json()["unread"] == 2
    listed = each_station.get("/v1/conversations?unread=true", headers=hers).json()
    assert [one["id"] for one in listed["items"]] == [first["contact"]]


def test_unread_refuses_what_makes_no_sense(station: Station) -> None:
    """Nobody behind the token, an id from the future, none at all."""
    contact = station.append()["contact"]
    station.ask(f"/v1/conversations/{contact}")
    hers = station.bearer("manage", user=station.user("Rosa"))
    path = f"/v1/conversations/{contact}/unread"
    assert refused(station, path, {"from": 1})[:2] == (409, "state")
    assert refused(station, path, {"from": 9_999}, hers)[2] == ["from"]
    assert refused(station, path, {}, hers)[2] == ["from"]
    assert refused(station, path, {"first": 1}, hers)[2] == ["first", "from"]


@pytest.mark.parametrize(
    ("what", "body"),
    [("assign", {"assignee": None}), ("resolve", {}), ("reopen", {}), ("unread", {"from": 1})],
)
def test_commands_need_the_scope_and_a_conversation(
    station: Station, what: str, body: dict[str, object]
) -> None:
    """Reading is not enough; a contact without interactions has no conversation."""
    contact = station.append()["contact"]
    reader = station.bearer("read", user=station.user("Rosa"))
    path = f"/v1/conversations/{contact}/{what}"
    assert refused(station, path, body, reader)[:2] == (403, "not-allowed")
    hers = station.bearer("manage", user=station.user("Eva"))
    nobody = f"/v1/conversations/{NOBODY}/{what}"
    assert refused(station, nobody, body, hers)[:2] == (404, "not-found")
    assert refused(station, nobody.replace("-", ""), body, hers)[:2] == (404, "not-found")


def test_a_muted_contact_reopens_nothing(each_station: Station) -> None:
    """The contact says so, with its version; nobody waits, and heard again it counts again."""
    made = each_station.append()
    contact = made["contact"]
    do(each_station, contact, "resolve")
    path = f"/v1/contacts/{contact}/mute"
    answer = each_station.post(path, json={"muted": True, "reason": "spam"})
    assert (answer.status_code, answer.json()["muted"]) == (200, True)
    assert answer.headers["etag"] == '"1"'
    each_station.append(text="gana dinero")
    row = each_station.ask(f"/v1/conversations/{contact}")
    assert (row["status"], row["muted"], row["waiting_since"]) == ("resolved", True, None)
    before = each_station.head
    each_station.post(path, json={"muted": True})
    assert each_station.head == before
    late = {**each_station.headers, "If-Match": '"0"'}
    assert refused(each_station, path, {"muted": False}, late)[:2] == (412, "changed-meanwhile")
    assert each_station.post(path, json={"muted": False}).json()["muted"] is False
    each_station.append(text="perdón")
    assert each_station.ask(f"/v1/conversations/{contact}")["status"] == "open"
    assert refused(each_station, path, {"muted": "yes"})[2] == ["muted"]


def test_a_department_that_views_have_just_learned_of_will_do(station: Station) -> None:
    """What was named a moment ago is looked for again in newer views, not refused."""
    contact = station.append()["contact"]
    event = DepartmentSet(
        originator_id=department_stream(station.services.ledger.derive, "legal"),
        originator_version=1,
        actor=Actor("user", str(UUID(int=1))),
        key="legal",
        name="Legal",
    )
    station.run(station.services.ledger.state(event, By(event.actor)))
    row = do(station, contact, "assign", department="legal")
    assert row["department"] == {"key": "legal", "name": "Legal"}
