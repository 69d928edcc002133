"""Identity over HTTP: addresses come and go, contacts become one and two again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.station import Station
from tests.api.test_read_interactions import hide

BETO = "tel:+525587654321"
MAIL = "mailto:ana@example.com"
NOBODY = "00000000-0000-4000-8000-000000000000"
MERGED_FIELDS = ["id", "merge", "at", "by", "undone"]


def two(station: Station) -> tuple[str, str]:
    """Ana, who wrote first, and Beto: their contacts."""
    ana = station.append(contact_name="Ana", text="de Ana")
    beto = station.append(
        resource=BETO,
        contact_name="Beto",
        text="de Beto",
        occurred_at="2026-11-22T05:30:00-06:00",
    )
    return ana["contact"], beto["contact"]


def merge(
    station: Station, into: str, other: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A merge that must be done; its answer."""
    body = {"other": other, "reason": "la misma"}
    headers = headers or station.headers
    answer = station.post(f"/v1/contacts/{into}/merge", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_two_contacts_become_one(each_station: Station) -> None:
    """The answer names the merge and shows the survivor, with addresses, sums and who did it."""
    ana, beto = two(each_station)
    each_station.post(f"/v1/contacts/{beto}/addresses", json={"address": MAIL})
    rosa = each_station.user("Rosa")
    each_station.ask("/v1/me")
    headers = each_station.bearer("manage", user=rosa)
    made = merge(each_station, ana, beto, headers=headers)
    assert list(made) == ["merge", "contact"]
    contact = made["contact"]
    assert (contact["id"], contact["interactions"]) == (ana, 2)
    assert [(one["linked_by"], one["current"]) for one in contact["addresses"]] == [
        ("first", True),
        ("user", True),
        ("user", True),
    ]
    [merged] = contact["merged"]
    assert list(merged) == MERGED_FIELDS
    assert (merged["id"], merged["merge"], merged["undone"]) == (beto, made["merge"], False)
    assert merged["by"] == {"kind": "user", "id": str(rosa), "name": "Rosa"}
    assert (contact["first_at"][11:16], contact["last_at"][11:16]) == ("11:15", "11:30")


def test_the_other_id_leads_to_the_survivor(each_station: Station) -> None:
    """Object, timeline, conversation, page and links: under the merged id stands the survivor."""
    ana, beto = two(each_station)
    merge(each_station, ana, beto)
    for path in ("/v1/contacts/{}", "/v1/contacts/{}/timeline", "/v1/contacts/{}/merges"):
        answer = each_station.get(path.format(beto))
        assert answer.status_code == 200
        assert answer.headers["content-location"] == path.format(ana)
    texts = [row["text"] for row in each_station.ask(f"/v1/contacts/{beto}/timeline")["items"]]
    assert texts == ["de Beto", "de Ana"]
    [conversation] = each_station.ask("/v1/conversations")["items"]
    assert (conversation["id"], conversation["interactions"]) == (ana, 2)
    assert each_station.ask(f"/v1/conversations/{beto}")["id"] == ana
    page = each_station.get(f"/contacts/{beto}")
    assert (page.status_code, page.headers["location"]) == (302, f"/contacts/{ana}")
    link = each_station.get("/interactions/3")
    assert link.headers["location"] == f"/contacts/{ana}?around=3#i3"
    assert [one["id"] for one in each_station.ask("/v1/contacts")["items"]] == [ana]


def test_an_undone_merge_gives_both_back(each_station: Station) -> None:
    """200 with both contacts, as they were; again it is the same answer, and nothing is written."""
    ana, beto = two(each_station)
    before = [each_station.ask(f"/v1/contacts/{one}") for one in (ana, beto)]
    rows = [each_station.ask(f"/v1/contacts/{one}/timeline") for one in (ana, beto)]
    made = merge(each_station, ana, beto)
    path = f"/v1/contacts/{ana}/merges/{made['merge']}/undo"
    answer = each_station.post(path, json={"reason": "eran dos"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["merge", "contact", "other"]
    assert [body["contact"]["id"], body["other"]["id"]] == [ana, beto]
    assert body["contact"]["merged"][0]["undone"] is True
    for old, new in zip(before, (body["contact"], body["other"]), strict=True):
        masked = {"version": 0, "merged": []}
        assert {**new, **masked} == {**old, **masked}
    assert [each_station.ask(f"/v1/contacts/{one}/timeline") for one in (ana, beto)] == rows
    head = each_station.head
    again = each_station.post(path.replace(ana, beto))
    assert (again.status_code, again.json(), each_station.head) == (200, body, head)


def test_the_story_of_merges_is_listed(each_station: Station) -> None:
    """Latest first, by pages, from either side, undone ones with who and why."""
    ana, beto = two(each_station)
    first = merge(each_station, ana, beto)["merge"]
    each_station.post(f"/v1/contacts/{ana}/merges/{first}/undo", json={"reason": "eran dos"})
    second = merge(each_station, beto, ana)["merge"]
    listed = each_station.ask(f"/v1/contacts/{ana}/merges", limit=1)
    [last] = listed["items"]
    assert (last["merge"], last["into"], last["id"]) == (second, beto, ana)
    assert (last["reason"], last["undone"], last["undoing"]) == ("la misma", False, None)
    more = each_station.ask(f"/v1/contacts/{ana}/merges", limit=1, cursor=listed["next"])
    assert [one["merge"] for one in more["items"]] == [first]
    assert more["items"][0]["undoing"]["reason"] == "eran dos"
    assert more["next"] is None


def test_what_cannot_be_merged_is_said(each_station: Station) -> None:
    """Itself 422, one already 409, unknown 422, no merge of this contact 404; nothing written."""
    ana, beto = two(each_station)
    made = merge(each_station, ana, beto)
    head = each_station.head

    def refused(path: str, **body: object) -> tuple[int, str]:
        answer = each_station.post(path, json=body)
        named = answer.json().get("errors", [{}])[0].get("code", "")
        return answer.status_code, named or answer.json()["type"].rpartition(":")[2]

    path = f"/v1/contacts/{ana}/merge"
    assert refused(path, other=ana, reason="x") == (422, "self")
    assert refused(path, other=beto, reason="x") == (409, "state")
    assert refused(path.replace(ana, beto), other=ana, reason="x") == (409, "state")
    assert refused(path, other=NOBODY, reason="x") == (422, "unknown")
    assert refused(path, other="Beto", reason="x") == (422, "bad_format")
    assert refused(path, reason="x") == (422, "missing")
    assert refused(path, other=beto, reason="x" * 501) == (422, "too_long")
    assert refused(f"/v1/contacts/{NOBODY}/merge", other=beto) == (404, "not-found")
    assert refused(f"/v1/contacts/{ana}/merges/{NOBODY}/undo") == (404, "not-found")
    stranger = each_station.append(resource="tel:+525500000009")["contact"]
    undo = f"/v1/contacts/{stranger}/merges/{made['merge']}/undo"
    assert refused(undo) == (404, "not-found")
    assert each_station.head == head + 1


def test_merging_is_repeatable_and_guarded(station: Station) -> None:
    """The same key again: the same merge; another version: 412 with the contact as it is."""
    ana, beto = two(station)
    station.ask("/v1/activity")
    older = {**station.headers, "If-Match": '"5"'}
    answer = station.post(f"/v1/contacts/{ana}/merge", json={"other": beto}, headers=older)
    assert (answer.status_code, answer.json()["current"]["id"]) == (412, ana)
    headers = {**station.headers, "Idempotency-Key": "m-1"}
    body = {"other": beto, "reason": "x"}
    first = station.post(f"/v1/contacts/{ana}/merge", json=body, headers=headers)
    head = station.head
    again = station.post(f"/v1/contacts/{ana}/merge", json=body, headers=headers)
    assert again.status_code == 200
    assert again.headers["hilo-duplicate"] == "true"
    assert (again.json(), station.head) == (first.json(), head)
    other = station.post(f"/v1/contacts/{ana}/merge", json={"other": beto}, headers=headers)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"


def test_an_address_is_added(each_station: Station) -> None:
    """200 with the contact; what it has already changes nothing."""
    ana, _ = two(each_station)
    answer = each_station.post(f"/v1/contacts/{ana}/addresses", json={"address": MAIL})
    assert answer.status_code == 200, answer.text
    assert [(one["address"], one["linked_by"]) for one in answer.json()["addresses"]] == [
        ("tel:+525512345678", "first"),
        (MAIL, "user"),
    ]
    assert answer.headers["etag"] == '"1"'
    head = each_station.head
    each_station.post(f"/v1/contacts/{ana}/addresses", json={"address": MAIL})
    assert each_station.head == head
    wrote = each_station.append(channel="email", source="email:ventas", resource=MAIL)
    assert wrote["contact"] == ana


def test_an_address_of_somebody_is_moved_when_asked(
    each_station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with whose it is; with `move` it comes, and the other has it as a former one."""
    ana, beto = two(each_station)
    each_station.post(f"/v1/contacts/{beto}/addresses", json={"address": MAIL})
    path = f"/v1/contacts/{ana}/addresses"
    taken = each_station.post(path, json={"address": MAIL})
    assert (taken.status_code, taken.json()["contact"]) == (409, beto)
    moved = each_station.post(path, json={"address": MAIL, "move": True})
    assert [one["address"] for one in moved.json()["addresses"]] == ["tel:+525512345678", MAIL]
    left = each_station.ask(f"/v1/contacts/{beto}")
    assert [(one["address"], one["current"]) for one in left["addresses"]] == [
        (BETO, True),
        (MAIL, False),
    ]
    assert left["version"] == 2
    hide(monkeypatch)
    hidden = each_station.post(path, json={"address": MAIL})
    assert hidden.status_code == 404


def test_the_address_that_others_hang_on_is_not_moved(each_station: Station) -> None:
    """What a contact with linked addresses is named after stays: 409, and why."""
    ana, beto = two(each_station)
    each_station.post(f"/v1/contacts/{beto}/addresses", json={"address": MAIL})
    body = {"address": BETO, "move": True}
    answer = each_station.post(f"/v1/contacts/{ana}/addresses", json=body)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:hilo:problem:state")


def test_an_address_is_taken_off(each_station: Station) -> None:
    """204, once for a key; it is a contact of its own again, and listed as a former one."""
    ana, beto = two(each_station)
    each_station.post(f"/v1/contacts/{ana}/addresses", json={"address": BETO, "move": True})
    path = f"/v1/contacts/{ana}/addresses/{beto}"
    headers = {**each_station.headers, "Idempotency-Key": "d-1"}
    answer = each_station.request("DELETE", path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    again = each_station.request("DELETE", path, headers=headers)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (204, "true")
    assert each_station.request("DELETE", path).status_code == 404
    assert each_station.ask(f"/v1/contacts/{beto}")["id"] == beto
    former = each_station.ask(f"/v1/contacts/{ana}")["addresses"][1]
    assert (former["address"], former["current"], former["channels"]) == (BETO, False, [])
    own = each_station.request("DELETE", f"/v1/contacts/{ana}/addresses/{ana}")
    assert (own.status_code, own.json()["type"]) == (409, "urn:hilo:problem:state")


def test_a_number_is_given_to_somebody_else(each_station: Station) -> None:
    """With `from` the contact keeps its history, and later messages are of a new contact."""
    ana, beto = two(each_station)
    each_station.now[0] += 3_600_000_000
    path = f"/v1/contacts/{ana}/addresses/{ana}"
    early = each_station.request("DELETE", f"{path}?from=2026-11-22T11:00:00Z")
    assert early.json()["errors"][0]["code"] == "too_early"
    late = each_station.request("DELETE", f"{path}?from=2026-11-23T11:00:00Z")
    assert late.json()["errors"][0]["code"] == "future"
    answer = each_station.request("DELETE", f"{path}?from=2026-11-22T12:30:00Z")
    assert answer.status_code == 204, answer.text
    [kept] = each_station.ask(f"/v1/contacts/{ana}")["addresses"]
    assert (kept["linked_by"], kept["current"]) == ("first", False)
    new = each_station.append(occurred_at="2026-11-22T12:31:00Z")
    old = each_station.append(occurred_at="2026-11-22T12:29:00Z")
    assert old["contact"] == ana
    assert new["contact"] not in {ana, beto}
    body = {"address": BETO, "move": True, "from": "2026-11-22T12:40:00Z"}
    taken = each_station.post(f"/v1/contacts/{ana}/addresses", json=body)
    assert taken.status_code == 200, taken.text
    listed = [(one["address"], one["current"]) for one in taken.json()["addresses"]]
    assert listed == [("tel:+525512345678", False), (BETO, True)]
    found = each_station.append(resource=BETO, occurred_at="2026-11-22T12:41:00Z")["contact"]
    assert each_station.ask(f"/v1/contacts/{found}")["id"] == ana
    assert each_station.append(resource=BETO, occurred_at="2026-11-22T12:39:00Z")["contact"] == beto


def test_an_address_that_is_none_is_named(station: Station) -> None:
    """Each wrong field comes out in one answer; our own side is no address of a contact."""
    ana, _ = two(station)
    path = f"/v1/contacts/{ana}/addresses"
    answer = station.post(path, json={"address": "tel:abc", "from": "yesterday"})
    assert [one["field"] for one in answer.json()["errors"]] == ["address", "from"]
    for address in ("place:main", f"contact:{ana}", "anonymous:api:crm"):
        assert station.post(path, json={"address": address}).status_code == 422


def test_identity_needs_its_scope(station: Station) -> None:
    """A token that only reads changes nothing, and sees merges and suggestions."""
    ana, beto = two(station)
    reader = station.bearer("read")
    body = {"other": beto, "reason": "x"}
    assert station.post(f"/v1/contacts/{ana}/merge", json=body, headers=reader).status_code == 403
    delete = f"/v1/contacts/{ana}/addresses/{ana}"
    assert station.request("DELETE", delete, headers=reader).status_code == 403
    for path in (f"/v1/contacts/{ana}/merges", "/v1/contacts/suggestions"):
        assert station.get(path, headers=reader).status_code == 200


def test_contacts_that_may_be_one_are_suggested(each_station: Station) -> None:
    """Typed aliases, and one name with similar addresses; by pages; gone once they are one."""
    aliases = ["mailto:ana@example.com"]
    ana = each_station.append(contact_name="Ana Núñez", aliases=aliases, source="form:web")
    other = each_station.append(
        resource="tel:+15512345678", contact_name="ana nunez", occurred_at="2026-11-22T05:30:00Z"
    )
    each_station.append(resource="tel:+525587654321", contact_name="Otra")
    listed = each_station.ask("/v1/contacts/suggestions")
    assert list(listed["items"][0]) == ["contacts", "why", "addresses", "since"]
    assert [one["why"] for one in listed["items"]] == ["alias", "name"]
    alike = listed["items"][1]
    assert {one["id"] for one in alike["contacts"]} == {ana["contact"], other["contact"]}
    assert {one["label"] for one in alike["addresses"]} == {"+52 55 1234 5678", "+1 551-234-5678"}
    first = each_station.ask("/v1/contacts/suggestions", limit=1)
    rest = each_station.ask("/v1/contacts/suggestions", limit=1, cursor=first["next"])
    assert [first["items"], rest["items"]] == [[one] for one in listed["items"]]
    own = f"/v1/contacts/{other['contact']}/suggestions"
    assert each_station.ask(own)["items"] == [alike]
    merge(each_station, ana["contact"], other["contact"])
    assert [one["why"] for one in each_station.ask(own)["items"]] == ["alias"]


def test_a_suggestion_is_dismissed_until_something_new_speaks_for_it(
    each_station: Station,
) -> None:
    """All that spoke for it is suggested no more, for everybody; undone, or with news, it is."""
    station = each_station
    ana = station.append(contact_name="Ana Núñez", aliases=["tel:+15512345678"], source="form:w")
    other = station.append(resource="tel:+15512345678", contact_name="ana nunez")
    path = f"/v1/contacts/{ana['contact']}/suggestions"
    body = {"other": other["contact"], "reason": "son hermanas"}

    def spoken(**asked: object) -> list[str]:
        whole = station.ask("/v1/contacts/suggestions", **asked)["items"]
        assert station.ask(path, **asked)["items"] == whole
        return [one["why"] for one in whole]

    assert spoken() == ["alias", "name"]
    head = station.head
    key = {**station.headers, "Idempotency-Key": "hermanas"}
    answer = station.post(f"{path}/dismiss", json=body, headers=key)
    assert (answer.status_code, answer.json()["items"], spoken()) == (200, [], [])
    assert spoken(dismissed="true") == ["alias", "name"]
    [said] = station.ask("/v1/log", after=head)["items"]
    assert (said["topic"], len(said["clear"]["reasons"])) == ("suggestion.dismissed", 2)
    assert "hermanas" not in str(said)
    again = station.post(f"{path}/dismiss", json=body, headers=key)
    assert again.headers["hilo-duplicate"] == "true"
    back = f"/v1/contacts/{other['contact']}/suggestions/dismiss"
    assert station.post(back, json={"other": ana["contact"]}).status_code == 200
    assert station.head == head + 1
    own = f"/v1/contacts/{ana['contact']}/addresses"
    assert station.post(own, json={"address": "tel:+34612345678"}).status_code == 200
    assert spoken() == ["name"]
    restored = station.post(f"{path}/restore", json={"other": other["contact"]})
    assert [one["why"] for one in restored.json()["items"]] == ["alias", "name", "name"]
    for wrong in (ana["contact"], NOBODY):
        assert station.post(f"{path}/dismiss", json={"other": wrong}).status_code == 422
