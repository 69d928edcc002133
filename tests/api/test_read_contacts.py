"""The directory over HTTP: objects, lists, finding, making, describing."""

from __future__ import annotations

import pytest

from tests.api.station import Station
from tests.api.test_read_interactions import hide

CONTACT_FIELDS = [
    "id", "name", "label", "company", "owner", "language", "addresses", "merged", "first_at",
    "last_at", "interactions", "by_channel", "first_source", "access", "muted", "holds",
    "erased_at", "created", "version",
]  # fmt: skip


def test_a_contact_has_every_field_of_the_contract(each_station: Station) -> None:
    """A contact that nobody made is there with its first message, named as that called them."""
    made = each_station.append(contact_name="Ana Núñez")
    each_station.append(channel="call", occurred_at="2026-11-22T05:20:00-06:00")
    answer = each_station.get(f"/v1/contacts/{made['contact']}")
    body = answer.json()
    assert list(body) == CONTACT_FIELDS
    assert answer.headers["etag"] == '"0"'
    assert "content-location" not in answer.headers
    assert (body["name"], body["label"], body["created"]) == ("Ana Núñez", "Ana Núñez", "observed")
    assert (body["interactions"], body["by_channel"]) == (2, {"whatsapp": 1, "call": 1})
    assert body["access"] == {"mode": "open", "users": [], "teams": [], "undecided": False}
    [address] = body["addresses"]
    assert list(address) == [
        "subject", "address", "label", "channels", "since", "linked_by", "current",
    ]  # fmt: skip
    assert (address["label"], address["linked_by"]) == ("+52 55 1234 5678", "first")


def test_a_contact_without_a_name_has_a_label(station: Station) -> None:
    """The label is always something to show: here the address."""
    made = station.append()
    body = station.ask(f"/v1/contacts/{made['contact']}")
    assert (body["name"], body["label"]) == (None, "+52 55 1234 5678")


def test_a_contact_is_made_by_hand(each_station: Station) -> None:
    """201 with the object, its place and its version; its addresses belong to it from now on."""
    rosa = each_station.user("Rosa")
    each_station.ask("/v1/me")
    answer = each_station.post(
        "/v1/contacts",
        json={
            "name": "  Beto   Ruiz ",
            "company": "Transportes",
            "owner": "rosa@example.mx",
            "language": "es-MX",
            "addresses": ["tel:55 1111 1111", "mailto:Beto@Example.com"],
        },
    )
    body = answer.json()
    assert answer.status_code == 201, answer.text
    assert list(body) == CONTACT_FIELDS
    assert answer.headers["location"] == f"/v1/contacts/{body['id']}"
    assert (body["name"], body["company"]) == ("Beto Ruiz", "Transportes")
    assert body["owner"] == {"id": str(rosa), "name": "Rosa", "user": True}
    assert (body["language"], body["created"]) == ("es-MX", "user")
    assert [one["address"] for one in body["addresses"]] == [
        "tel:+525511111111",
        "mailto:Beto@example.com",
    ]
    assert answer.headers["etag"] == f'"{body["version"]}"'
    made = each_station.append(resource="tel:+525511111111")
    assert made["contact"] == body["id"]


def test_a_linked_address_leads_to_its_contact(each_station: Station) -> None:
    """Under the id of a linked subject comes the contact, and `Content-Location` says whose."""
    body = each_station.post(
        "/v1/contacts", json={"addresses": ["tel:+525511111111", "mailto:b@example.com"]}
    ).json()
    linked = body["addresses"][1]["subject"]
    for path in ("/v1/contacts/{}", "/v1/contacts/{}/addresses", "/v1/contacts/{}/timeline"):
        answer = each_station.get(path.format(linked))
        assert answer.status_code == 200
        assert answer.headers["content-location"] == path.format(body["id"])
    assert each_station.ask(f"/v1/contacts/{linked}")["id"] == body["id"]
    listed = each_station.ask(f"/v1/contacts/{linked}/addresses")
    assert listed == {"items": body["addresses"], "next": None, "prev": None}


def test_an_address_of_somebody_is_taken(each_station: Station) -> None:
    """409 with the contact that has it, and nothing is written."""
    made = each_station.append()
    each_station.ask("/v1/activity")
    before = each_station.head
    answer = each_station.post("/v1/contacts", json={"addresses": ["tel:+525512345678"]})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:hilo:problem:address-taken"
    assert answer.json()["contact"] == made["contact"]
    assert each_station.head == before


def test_whose_address_it_is_stays_hidden(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the caller may not see the contact that has it, its id is not told."""
    station.append()
    station.ask("/v1/activity")
    hide(monkeypatch)
    answer = station.post("/v1/contacts", json={"addresses": ["tel:+525512345678"]})
    assert (answer.status_code, answer.json()["contact"]) == (409, None)


def test_a_contact_is_described(each_station: Station) -> None:
    """PATCH sets what it names, clears what it names as null, and leaves the rest."""
    made = each_station.append()
    path = f"/v1/contacts/{made['contact']}"
    each_station.ask("/v1/activity")
    first = each_station.request("PATCH", path, json={"name": "Ana", "company": "ACME"})
    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    second = each_station.request("PATCH", path, json={"company": None})
    assert (second.json()["name"], second.json()["company"]) == ("Ana", None)
    before = each_station.head
    same = each_station.request("PATCH", path, json={"name": "Ana"})
    assert (same.status_code, each_station.head) == (200, before)
    more = each_station.request("PATCH", path, json={"addresses": ["mailto:ana@example.com"]})
    assert [one["linked_by"] for one in more.json()["addresses"]] == ["first", "user"]


def test_an_older_version_does_not_win(each_station: Station) -> None:
    """`If-Match` with another version: 412, the object as it is, and nothing written."""
    made = each_station.append()
    path = f"/v1/contacts/{made['contact']}"
    each_station.ask("/v1/activity")
    each_station.request("PATCH", path, json={"name": "Ana"})
    headers = {**each_station.headers, "If-Match": '"0"'}
    answer = each_station.request("PATCH", path, json={"name": "Eva"}, headers=headers)
    assert answer.status_code == 412
    assert answer.json()["type"] == "urn:hilo:problem:changed-meanwhile"
    assert answer.json()["current"]["name"] == "Ana"
    matching = {**each_station.headers, "If-Match": '"1"'}
    assert each_station.request("PATCH", path, json={"name": "Eva"}, headers=matching).is_success


def test_commands_about_contacts_are_repeatable(station: Station) -> None:
    """The same key again: 200, the object as it is now; with another body 409 key-reused."""
    headers = {**station.headers, "Idempotency-Key": "k-1"}
    first = station.post("/v1/contacts", json={"name": "Ana"}, headers=headers)
    again = station.post("/v1/contacts", json={"name": "Ana"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["hilo-duplicate"] == "true"
    assert again.json()["id"] == first.json()["id"]
    other = station.post("/v1/contacts", json={"name": "Eva"}, headers=headers)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"


def test_what_a_contact_gets_wrong_is_named(station: Station) -> None:
    """Each wrong field comes out, with its place, in one answer."""
    answer = station.post(
        "/v1/contacts",
        json={
            "language": "the one from here",
            "owner": "Nobody",
            "addresses": ["tel:abc", "place:main", "mailto:a@example.com"],
        },
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [
        "language",
        "owner",
        "addresses[0]",
        "addresses[1]",
    ]
    unknown = station.post("/v1/contacts", json={"nombre": "Ana"})
    assert unknown.json()["errors"][0]["code"] == "unknown_field"


def test_contacts_come_latest_first_and_are_found(each_station: Station) -> None:
    """The list goes by the latest interaction; `q` finds names without accents, numbers, mail."""
    ana = each_station.append(contact_name="Ana Núñez")["contact"]
    eva = each_station.append(
        resource="tel:+525577778888", contact_name="Eva", occurred_at="2026-11-22T05:30:00-06:00"
    )["contact"]
    path = f"/v1/contacts/{eva}"
    more = each_station.request("PATCH", path, json={"addresses": ["mailto:e@x.mx"]})
    assert more.status_code == 200, more.text

    def found(**query: object) -> list[str]:
        return [one["id"] for one in each_station.ask("/v1/contacts", **query)["items"]]

    assert found() == [eva, ana]
    assert found(q="nunez") == [ana]
    assert found(q="7777 88") == [eva]
    assert found(q="E@X.mx") == [eva]
    assert found(q="100%") == []
    first = each_station.ask("/v1/contacts", limit=1)
    assert [one["id"] for one in first["items"]] == [eva]
    assert found(limit=1, cursor=first["next"]) == [ana]
    other = each_station.get("/v1/contacts", params={"q": "a", "cursor": first["next"]})
    assert other.json()["type"] == "urn:hilo:problem:bad-cursor"


def test_describing_needs_its_scope(station: Station) -> None:
    """A token that only reads changes nothing; an unknown contact is 404."""
    made = station.append()
    reader = station.bearer("read")
    path = f"/v1/contacts/{made['contact']}"
    assert station.request("PATCH", path, json={}, headers=reader).status_code == 403
    assert station.post("/v1/contacts", json={}, headers=reader).status_code == 403
    nobody = "/v1/contacts/00000000-0000-4000-8000-000000000000"
    assert station.request("PATCH", nobody, json={"name": "x"}).status_code == 404
    assert station.get("/v1/contacts/nobody").status_code == 404
