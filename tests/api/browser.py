"""A browser of a test's own: it keeps its cookies, fills forms in, and sends their CSRF token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from tests.api.station import Station

PASSWORD = "caballo correcto"


class Browser:
    """One browser at the door of a station."""

    def __init__(self, station: Station, address: str = "192.0.2.1") -> None:
        self._station = station
        transport = httpx.ASGITransport(station.application, client=(address, 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """One request, with the cookies of those before."""
        return self._station.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """GET."""
        return self.request("GET", path, **more)

    def fill(self, path: str, page: str | None = None, **fields: str) -> httpx.Response:
        """Send the form of a page (else of the same address) with these fields."""
        form = self.get(page or path, headers={"Accept-Language": "en"}).text
        token = re.search(r'name="csrf" value="([^"]+)"', form)
        back = re.search(r'name="next" value="([^"]+)"', form)
        hidden = {"csrf": token[1] if token else "", **({"next": back[1]} if back else {})}
        return self.request("POST", path, data={**hidden, **fields})

    def sign_in(self, email: str, password: str = PASSWORD, page: str = "/sign-in") -> int:
        """Sign in; the status: 303 where that went well."""
        return self.fill("/sign-in", page, email=email, password=password).status_code

    def accept(self, invitation: str, name: str = "Rosa", password: str = PASSWORD) -> int:
        """Accept an invitation by its address; the status: 303 where that went well."""
        path = "/" + invitation.split("/", 3)[3]
        return self.fill(path, name=name, password=password, again=password).status_code

    def command(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A command over the interface, with the session's CSRF token."""
        token = self.get("/v1/me").json()["csrf"]
        more = {} if body is None else {"json": body}
        return self.request(method, path, headers={"X-CSRF-Token": token}, **more)

    def cookie(self, name: str = "hilo_session") -> str | None:
        """A cookie that it holds."""
        return self._client.cookies.get(name)


def invited(
    station: Station, email: str, role: str = "agent", name: str = "Rosa"
) -> dict[str, Any]:
    """Invite a user over the interface; the answer, with id and invitation."""
    body = {"email": email, "name": name, "role": role}
    answer = station.post("/v1/users", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def entered(station: Station, email: str, role: str = "agent") -> tuple[str, Browser]:
    """A user who was invited and has signed in: id and browser."""
    made = invited(station, email, role)
    browser = Browser(station)
    assert browser.accept(made["invitation"]) == 303
    return made["id"], browser


def patch(
    station: Station, path: str, body: Mapping[str, object], **headers: str
) -> httpx.Response:
    """PATCH, by the administrator's token."""
    return station.request("PATCH", path, json=body, headers={**station.headers, **headers})


def with_key(station: Station, key: str) -> dict[str, str]:
    """The administrator's headers with an Idempotency-Key."""
    return {**station.headers, "Idempotency-Key": key}
