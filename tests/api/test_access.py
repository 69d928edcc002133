"""Who may see what: every surface × every reader × open, restricted and merged contacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final
from uuid import UUID

import pytest

from tests.api.walls import (
    CLOSED,
    MERGED,
    OPEN,
    PART,
    TEAM_S,
    House,
    Houses,
    furnished,
    restrict,
)
from tests.backends import KINDS, Backend, Kind, postgresql_backend, sqlite_backend
from tests.postgres import Server

PRIVATE: Final = {"request-id", "date", "content-length"}
"""Headers of an answer that differ from one request to the next."""


@pytest.fixture
def house(backend: Backend) -> Iterator[House]:
    """A house of the test's own, on SQLite and then on PostgreSQL."""
    with furnished(backend) as made:
        yield made


@pytest.fixture(scope="module")
def houses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Houses]:
    """A house on each kind of database, made once for the tests that change nothing in it."""
    made: dict[Kind, House] = {}
    with ExitStack() as ending:

        def of(kind: Kind) -> House:
            if kind not in made:
                folder = tmp_path_factory.mktemp("house")
                backend = sqlite_backend(folder)
                if kind == "postgresql":
                    server: Server = request.getfixturevalue("postgres_server")
                    backend = postgresql_backend(folder, ending.enter_context(server.lent()))
                made[kind] = ending.enter_context(furnished(backend))
            return made[kind]

        yield of


@pytest.fixture(params=KINDS)
def still_house(request: pytest.FixtureRequest, houses: Houses) -> House:
    """A house in which nothing is changed, on SQLite, then on PostgreSQL."""
    return houses(request.param)


Listed = Callable[[House, dict[str, str]], set[str]]


def _texts(items: list[dict[str, Any]]) -> set[str]:
    return {str(item["text"]).removeprefix("hola ") for item in items}


def _activity(house: House, headers: dict[str, str]) -> set[str]:
    items = house.station.get("/v1/activity", headers=headers).json()["items"]
    asked = house.station.get("/v1/activity?figure=asked", headers=headers).json()["items"]
    assert {row["contact"]["id"] for row in asked} == {row["contact"]["id"] for row in items}
    assert _texts(asked) <= _texts(items)
    return _texts(items)


def _recorded(house: House, headers: dict[str, str]) -> set[str]:
    answer = house.station.get("/v1/activity?sort=recorded", headers=headers)
    return _texts(answer.json()["items"])


def _of_contacts(house: House, headers: dict[str, str]) -> set[str]:
    """Activity of named contacts: hidden ones add nothing."""
    params = [("contact", contact) for contact in set(house.contacts.values())]
    head = [("min_position", str(house.station.head))]
    found = house.station.get("/v1/activity", fresh=False, params=params + head, headers=headers)
    return _texts(found.json()["items"])


def _inbox(house: House, headers: dict[str, str]) -> set[str]:
    found = house.station.get("/v1/conversations?status=all", headers=headers).json()["items"]
    counts = house.station.get("/v1/conversations/counts", headers=headers).json()
    assert counts["all"] == counts["open"] == counts["waiting"] == len(found)
    return {address for address, id in house.contacts.items() if id in {c["id"] for c in found}}


def _directory(house: House, headers: dict[str, str]) -> set[str]:
    """The directory, and its page."""
    found = house.station.get("/v1/contacts", headers=headers).json()["items"]
    page = house.station.get("/contacts", headers=headers).text
    assert {c["id"] for c in found} == set(re.findall(r'href="/contacts/([0-9a-f-]{36})"', page))
    return {address for address, id in house.contacts.items() if id in {c["id"] for c in found}}


def _search(house: House, headers: dict[str, str]) -> set[str]:
    found = set()
    for address in house.contacts:
        answer = house.station.get("/v1/contacts", params={"q": address[-9:]}, headers=headers)
        found |= {address for one in answer.json()["items"] if one}
    return found


def _said(house: House, headers: dict[str, str]) -> set[str]:
    """Messages by a word that all of them have, newest and weightiest first."""
    found = []
    for sort in ("newest", "relevance"):
        params = {"q": "hola", "kind": "message", "sort": sort}
        items = house.station.get("/v1/search", params=params, headers=headers).json()["items"]
        found.append(_texts([item["row"] for item in items]))
    assert found[0] == found[1]
    return found[0]


def _said_by_contacts(house: House, headers: dict[str, str]) -> set[str]:
    """The same of named contacts: hidden ones add nothing."""
    params = [("q", "hola"), *(("contact", contact) for contact in set(house.contacts.values()))]
    head = [("min_position", str(house.station.head))]
    answer = house.station.get("/v1/search", fresh=False, params=params + head, headers=headers)
    return _texts([item["row"] for item in answer.json()["items"]])


def _searched_contacts(house: House, headers: dict[str, str]) -> set[str]:
    """Contacts ahead of messages, by the number that all of them share a part of."""
    answer = house.station.get("/v1/search", params={"q": "+52 55 1111"}, headers=headers)
    ids = {item["contact"]["id"] for item in answer.json()["items"] if item["kind"] == "contact"}
    return {address for address, id in house.contacts.items() if id in ids}


def _search_by_number(house: House, headers: dict[str, str]) -> set[str]:
    """The contact of an interaction, and any word of a contact's."""
    found = set()
    for address, id in house.ids.items():
        answer = house.station.get("/v1/contacts", params={"q": f"#{id}"}, headers=headers)
        found |= {address for one in answer.json()["items"] if one}
    answer = house.station.get("/v1/contacts", params={"q": "5255"}, headers=headers)
    ids = {one["id"] for one in answer.json()["items"]}
    assert {address for address, id in house.contacts.items() if id in ids} == found
    return found


@pytest.mark.parametrize(
    "listed",
    [
        *(_search_by_number, _activity, _recorded, _of_contacts, _inbox, _directory, _search),
        *(_said, _said_by_contacts, _searched_contacts),
    ],
)
def test_lists_show_what_a_reader_may_see(still_house: House, listed: Listed) -> None:
    """Each list, and each count beside it, holds exactly the contacts within the reader's sight."""
    for name, headers in still_house.readers.items():
        assert listed(still_house, headers) == still_house.sees[name], (listed, name)


READS: Final = (
    "/v1/contacts/{contact}",
    "/v1/contacts/{contact}/addresses",
    "/v1/contacts/{contact}/timeline",
    "/v1/contacts/{contact}/access",
    "/v1/contacts/{contact}/merges",
    "/v1/contacts/{contact}/twins",
    "/v1/contacts/{contact}/suggestions",
    "/v1/conversations/{contact}",
    "/v1/interactions/{id}",
    "/v1/interactions/{id}/receipt",
    "/contacts/{contact}",
    "/interactions/{id}",
)


@pytest.mark.parametrize("path", READS)
def test_what_is_hidden_is_absent(still_house: House, path: str) -> None:
    """A hidden contact and one that never was give the same status, body and headers."""
    for name, headers in still_house.readers.items():
        for address in still_house.contacts:
            _compare(still_house, path, address, (name, headers))


MANAGED: Final = tuple(f"/contacts/{{contact}}/{part}" for part in ("edit", "merge", "access"))


def test_pages_that_change_what_is_hidden_are_absent(still_house: House) -> None:
    """The same of the pages about a contact, for all who may change contacts."""
    managing = {name: headers for name, headers in still_house.readers.items() if name != "aldo"}
    for path in MANAGED:
        for reader in managing.items():
            for address in still_house.contacts:
                _compare(still_house, path, address, reader)


PIECES: Final = ("head", "months", "rows", "rows/{id}", "rows/{id}/{id}", "?around={id}&place={id}")


def test_pieces_of_a_profile_that_is_hidden_are_absent(still_house: House) -> None:
    """The same of whatever the page of a contact fetches for itself."""
    for piece in PIECES:
        path = f"/contacts/{{contact}}{'' if piece[0] == '?' else '/'}{piece}"
        for reader in still_house.readers.items():
            for address in still_house.contacts:
                _compare(still_house, path, address, reader)


def _compare(house: House, path: str, address: str, reader: tuple[str, dict[str, str]]) -> None:
    name, headers = reader
    asked = path.format(contact=house.contacts[address], id=house.ids[address])
    absent = path.format(contact=UUID(int=7), id=house.ids[address] + 10_000)
    found = house.station.get(asked, headers=headers, follow_redirects=False)
    if address in house.sees[name]:
        assert found.status_code in {200, 302}, (name, asked, found.text)
        return
    nothing = house.station.get(absent, headers=headers)
    assert found.status_code == nothing.status_code == 404, (name, asked, found.text)
    assert _plain(found, asked) == _plain(nothing, absent)


def _plain(answer: Any, path: str) -> tuple[dict[str, str], str]:  # noqa: ANN401 - httpx's
    """Headers and body, without what differs from one request to the next."""
    body = answer.text
    if answer.headers["content-type"].startswith("application/problem"):
        body = body.replace(str(answer.json()["request_id"]), "")
    body = body.replace(path, "").replace(f"interaction {path.rpartition('/')[2]}.", "")
    kept = {name: value for name, value in answer.headers.items() if name not in PRIVATE}
    return kept, body


COMMANDS: Final[tuple[tuple[str, str, dict[str, object]], ...]] = (
    ("PATCH", "/v1/contacts/{contact}", {"name": "Ana"}),
    ("POST", "/v1/contacts/{contact}/access", {"mode": "open", "reason": "ya"}),
    ("POST", "/v1/contacts/{contact}/mute", {"muted": True, "reason": "ya"}),
    ("POST", "/v1/contacts/{contact}/addresses", {"address": "tel:+525500000009"}),
    ("POST", "/v1/contacts/{contact}/merge", {"other": "{open}", "reason": "ya"}),
    ("POST", "/v1/contacts/{open}/merge", {"other": "{contact}", "reason": "ya"}),
    ("POST", "/v1/contacts/{contact}/suggestions/dismiss", {"other": "{open}"}),
    ("POST", "/v1/contacts/{open}/suggestions/dismiss", {"other": "{contact}"}),
    ("POST", "/v1/contacts/{contact}/suggestions/restore", {"other": "{open}"}),
    ("POST", "/v1/conversations/{contact}/resolve", {}),
    ("POST", "/v1/conversations/{contact}/assign", {"assignee": None}),
    ("POST", "/v1/conversations/{contact}/notes", {"text": "una nota"}),
    ("POST", "/v1/interactions/{id}/corrections", {"changes": {"department": "x"}, "reason": "y"}),
    ("POST", "/v1/interactions/{id}/retraction", {"reason": "nunca"}),
    ("PUT", "/v1/interactions/{id}/twin", {"other": 1, "show": 1}),
    ("DELETE", "/v1/interactions/{id}/twin", {}),
)


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_nothing_is_done_to_what_is_hidden(
    still_house: House, method: str, path: str, body: dict[str, object]
) -> None:
    """A command about a hidden contact is answered as one about nobody, and nothing is written."""
    for address in (CLOSED, PART):
        known = {"contact": still_house.contacts[address], "id": still_house.ids[address]}
        nobody = {"contact": str(UUID(int=7)), "id": still_house.ids[address] + 10_000}
        head = still_house.station.head
        answers = []
        for words in (known, nobody):
            given = {"open": still_house.contacts[OPEN], **words}
            sent = {
                name: value.format(**given) if isinstance(value, str) else value
                for name, value in body.items()
            }
            answers.append(
                still_house.station.request(
                    method, path.format(**given), json=sent, headers=still_house.readers["marta"]
                )
            )
        found, nothing = answers
        assert found.status_code == nothing.status_code, found.text
        assert found.status_code in {404, 422}, found.text
        assert found.json()["type"] == nothing.json()["type"]
        assert still_house.station.head == head


def test_bulk_actions_answer_for_each(house: House) -> None:
    """In a bulk action a hidden conversation is one that is not there."""
    ids = [house.contacts[OPEN], house.contacts[CLOSED], str(UUID(int=7))]
    body = {"ids": ids, "action": "resolve"}
    headers = house.readers["marta"]
    answer = house.station.post("/v1/conversations/bulk", json=body, headers=headers)
    assert [one["status"] for one in answer.json()["items"]] == [200, 404, 404]


def test_an_open_contact_again(house: House) -> None:
    """Opened, a contact is everybody's; who could see it before is known for each day."""
    contact, head = house.contacts[CLOSED], house.station.head
    opened = house.station.post(
        f"/v1/contacts/{contact}/access", json={"mode": "open", "reason": "ya no hace falta"}
    )
    assert opened.json()["access"]["mode"] == "open"
    assert CLOSED in _activity(house, house.readers["marta"])
    then = house.station.ask(f"/v1/contacts/{contact}/access", as_of=head)
    assert (then["mode"], [one["name"] for one in then["walls"][0]["users"]]) == (
        "restricted",
        ["Rosa"],
    )
    now = house.station.ask(f"/v1/contacts/{contact}/access")
    assert (now["mode"], [one["mode"] for one in now["history"]]) == (
        "open",
        ["restricted", "open"],
    )


def test_members_of_a_team_on_a_day(house: House) -> None:
    """Who was in the teams that could see a contact is told for that day."""
    contact, head = house.contacts[TEAM_S], house.station.head
    team = house.station.ask(f"/v1/contacts/{contact}/access")["teams"][0]
    assert [one["name"] for one in team["members"]] == ["Luis"]
    gone = house.station.request(
        "DELETE", f"/v1/teams/{team['id']}/members/{team['members'][0]['id']}"
    )
    assert gone.status_code in {200, 204}, gone.text
    assert TEAM_S not in _activity(house, house.readers["luis"])
    now = house.station.ask(f"/v1/contacts/{contact}/access")["teams"][0]
    then = house.station.ask(f"/v1/contacts/{contact}/access", as_of=head)["teams"][0]
    assert (now["members"], [one["name"] for one in then["members"]]) == ([], ["Luis"])


def test_a_merge_is_as_closed_as_its_parts_until_somebody_decides(house: House) -> None:
    """A decision about the whole takes the place of its parts' own, and only while together."""
    whole = house.contacts[MERGED]
    shown = house.station.ask(f"/v1/contacts/{whole}")
    assert shown["access"]["mode"] == "restricted"
    opened = house.station.post(
        f"/v1/contacts/{whole}/access", json={"mode": "open", "reason": "decidido"}
    )
    assert opened.json()["access"]["mode"] == "open"
    assert {MERGED, PART} <= _activity(house, house.readers["marta"])
    merge = house.station.ask(f"/v1/contacts/{whole}/merges")["items"][0]["merge"]
    undone = house.station.post(f"/v1/contacts/{whole}/merges/{merge}/undo", json={"reason": "no"})
    assert undone.status_code == 200, undone.text
    seen = _activity(house, house.readers["marta"])
    assert MERGED in seen
    assert PART not in seen


def test_hidden_participants_are_masked(house: House) -> None:
    """Who may see one of several contacts sees the interaction, and nothing of the others."""
    mail = house.station.append(
        channel="email",
        source="email:ventas",
        resource="mailto:ana@example.com",
        destination="mailto:ventas@hilo.example",
        text="a dos",
        participants=[
            {"address": "mailto:ana@example.com", "role": "from", "name": "Ana"},
            {"address": "mailto:beto@example.com", "role": "cc", "name": "Beto"},
        ],
    )
    restrict(house.station, mail["contact"], users=["rosa@example.mx"])
    headers = house.readers["marta"]
    row = house.station.get(f"/v1/interactions/{mail['id']}", headers=headers).json()
    assert (row["text"], row["contact"]) == ("a dos", {"id": None, "name": None, "label": "•••"})
    assert row["resource"] == {"address": None, "label": "•••", "contact": None}
    assert [one["name"] for one in row["participants"]] == [None, "Beto"]
    assert "ana@example.com" not in str(row)
    assert "Ana" not in str(row)
    listed = house.station.get("/v1/activity", headers=headers).json()["items"]
    assert [one["id"] for one in listed if one["id"] == mail["id"]] == [mail["id"]]
