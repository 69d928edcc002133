"""The recipe for a new channel is right: what stands in the document runs, as any channel does."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import pytest

from channels.connections import Draft
from channels.contract import ChannelModule
from channels.registry import CHANNELS
from tests.api.house import open_house
from tests.backends import Backend
from tests.channels import test_contract
from tests.channels.test_contract import atoms_of, secrets_of
from tests.channels.told import told
from tests.source_tree import ROOT

DOCUMENT = ROOT / "docs" / "channels" / "adding.md"
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAME = "channels.pigeon"

CLAIMS: tuple[Callable[..., None], ...] = (
    test_contract.test_what_the_provider_signed_is_taken,
    test_contract.test_what_anybody_may_have_sent_is_refused,
    test_contract.test_an_empty_secret_lets_nobody_in,
    test_contract.test_any_body_becomes_atoms,
    test_contract.test_names_of_secrets_and_options_are_told_apart,
)


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> tuple[ChannelModule, Any]:
    """The channel of the document, in the registry for a while, and its samples."""
    file, samples = CODE.findall(DOCUMENT.read_text("utf-8"))
    module = ModuleType(NAME)
    monkeypatch.setitem(sys.modules, NAME, module)
    for number, code in enumerate((file, samples)):
        exec(compile(code, f"{DOCUMENT}:{number}", "exec"), module.__dict__)  # noqa: S102 - our own
    registry = cast("dict[str, ChannelModule]", CHANNELS)
    monkeypatch.setitem(registry, module.CHANNEL, module.PIGEON)
    return module.PIGEON, module.SAMPLES


def test_the_recipe_passes_the_suite_of_every_channel(recipe: tuple[ChannelModule, Any]) -> None:
    """The channel of the document holds what every channel promises."""
    module, samples = recipe
    for claim in CLAIMS:
        claim(module)
    for name, body, expected in samples:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        assert told(atoms_of(module, raw)) == expected, name


def test_the_recipe_delivers_to_a_ledger(
    recipe: tuple[ChannelModule, Any], backend: Backend
) -> None:
    """Its samples arrive at a URL of their own, twice, and stand once; the balance adds up."""
    module, samples = recipe
    secrets = secrets_of(module)
    with open_house(backend) as house:
        draft = Draft(channel=module.channel, name="main", secrets=secrets)
        house.composition.channels.connections.add(draft)
        for body in [body for _, body, _ in samples] * 2:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = module.sign(raw, secrets)
            answer = house.client.post("/channels/pigeon/main", content=raw, headers=headers)
            assert answer.status_code == 200, answer.text
        shown = house.client.get("/v1/channels/pigeon/main", headers=house.bearer("admin")).json()
        balance = shown["balance"]
        assert (balance["received"], balance["recorded"], balance["quarantined"]) == (14, 3, 3)
        assert balance["duplicate"] == 6
        assert balance["ignored"] == {"empty": 2}
