"""`hilo user`, and that a process which serves hears of what another one decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from api.auth import SYSTEM
from api.inviting import shut_out
from api.tokens import NewToken, issue, revoke
from app.cli import run
from domain.commands import By
from domain.user import NewUser
from tests.app.ledgers import opened
from tests.app.ledgers import run as ending
from tests.app.processes import served
from tests.backends import Backend
from tests.patience import PATIENCE_S, until

Hilo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hilo:
    """Runs a command on a ledger of the test's own: exit code, stdout, stderr."""
    monkeypatch.setenv("HILO_DATA", str(tmp_path / "data"))

    def type_in(*words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return type_in


def test_users_are_made_and_listed(typed: Hilo) -> None:
    """`add` prints the link alone, once; `list` says who may enter, `suspend` and `restore` do."""
    words = ("user", "add", "Rosa@Example.MX", "--name", " Rosa  Díaz ", "--role", "admin")
    code, out, err = typed(*words)
    assert code == 0
    assert out.startswith("http://127.0.0.1:8000/invitation/")
    assert out.count("\n") == 1
    assert out.strip() not in err
    assert typed(*words)[0] == 4
    assert typed("user", "list")[1] == "Rosa@example.mx\tRosa Díaz\tadmin\n"
    assert typed("user", "suspend", "rosa@example.mx")[0] == 4
    code, out, _ = typed(
        "user", "add", "luis@example.mx", "--name", "Luis", "--role", "agent", "--json"
    )
    assert (code, set(json.loads(out))) == (0, {"email", "invitation", "expires_at"})
    code, out, _ = typed("user", "suspend", "luis@example.mx", "--json")
    assert (code, json.loads(out)) == (0, {"email": "luis@example.mx", "suspended": True})
    assert "luis@example.mx\tLuis\tsuspended" in typed("user", "list")[1]
    assert typed("user", "invite", "luis@example.mx")[0] == 4
    assert typed("user", "restore", "luis@example.mx")[0] == 0
    assert typed("user", "invite", "luis@example.mx")[1].count("/invitation/") == 1
    rows = [json.loads(line) for line in typed("user", "list", "--json")[1].splitlines()]
    assert [(row["name"], row["role"], row["suspended"]) for row in rows] == [
        ("Luis", "agent", False),
        ("Rosa Díaz", "admin", False),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "rosa", "--name", "Rosa", "--role", "agent"), 2),
        (("add", "rosa@example.mx", "--name", " ", "--role", "agent"), 2),
        (("add", "rosa@example.mx", "--name", "Rosa", "--role", "boss"), 2),
        (("suspend", "nobody@example.mx"), 3),
        (("invite", "nobody@example.mx"), 3),
    ],
)
def test_a_wrong_word_is_said(typed: Hilo, words: tuple[str, ...], code: int) -> None:
    """Usage is 2, and somebody whom nobody knows is 3; nothing stands on stdout."""
    found, out, err = typed("user", *words)
    assert (found, out) == (code, "")
    assert err


def test_another_process_hears_of_a_revocation(backend: Backend) -> None:
    """What this process decides about a token or its user ends it in the one that serves."""
    with opened(backend) as here:
        services, people, by = here.services, here.ledger.people, By(SYSTEM)
        rosa = ending(people.add(UUID(int=5), NewUser("r@example.mx", "Rosa", "agent"), by))[0]
        mine, token = ending(issue(services, NewToken("crm", ("read",)), by))
        hers, _ = ending(issue(services, NewToken("hers", ("read",), user=rosa), by))
        with (
            served(backend) as server,
            httpx.Client(base_url=server.address, timeout=PATIENCE_S) as client,
        ):

            def statuses() -> list[int]:
                bearers = [{"Authorization": f"Bearer {secret}"} for secret in (mine, hers)]
                return [client.get("/v1/activity", headers=one).status_code for one in bearers]

            until(lambda: statuses() == [200, 200])
            ending(revoke(services, token.token_id, by))
            until(lambda: statuses() == [401, 200])
            ending(shut_out(services, rosa, by))
            until(lambda: statuses() == [401, 401])


def test_a_token_finds_a_user_who_was_just_made(typed: Hilo) -> None:
    """`token create --user` right after `user add`, with nobody serving."""
    typed("user", "add", "rosa@example.mx", "--name", "Rosa", "--role", "agent")
    words = ("token", "create", "--name", "hers", "--scope", "read", "--user", "rosa@example.mx")
    assert typed(*words)[0] == 0
