"""The locks: exact, hashed, without addresses, one inside the other, and free to use."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from tests.source_tree import ROOT

LOCKS = ("run.txt", "dev.txt")

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")

COPYLEFT = re.compile(r"\bA?GPL|Affero|(?<!Lesser )General Public License", re.IGNORECASE)
"""Licences that would bind whoever runs Hilo; the Lesser GPL does not (docs/decisions/0004)."""


def _text(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text("utf-8")


def _requirements(lock: str) -> list[str]:
    """Each requirement with its marker and hashes, on one line."""
    joined = _text(lock).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and line.strip()[0] != "#"]


def _pins(lock: str) -> dict[str, str]:
    pins = (PIN.match(line) for line in _requirements(lock))
    return {pin["name"]: pin["version"] for pin in pins if pin}


def _licence(name: str) -> str | None:
    """What an installed package says of its licence; None if it is for another system."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    said = [*about.get_all("License-Expression", []), *about.get_all("License", [])]
    said = [words[:80] for words in said]  # some packages put the whole text there
    said += [kind for kind in about.get_all("Classifier", []) if "License" in kind]
    return " / ".join(said)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    """Where packages come from is the machine's business: no URL, host or index option."""
    for word in ("://", "http:", "https:", "index-url", "find-links", "trusted-host", " @ "):
        assert word not in _text(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_hashed(lock: str) -> None:
    """Each requirement is one exact version, with the hashes of its wheels."""
    requirements = _requirements(lock)
    assert len(_pins(lock)) == len(requirements) > 0
    assert [line for line in requirements if "--hash=sha256:" not in line] == []


def test_the_tools_lock_holds_the_run_time_lock() -> None:
    """What is tested is what runs: the same versions, and the tools beside them."""
    assert _pins("run.txt").items() <= _pins("dev.txt").items()


def test_run_time_packages_are_free_to_use() -> None:
    """No run-time package is under the GPL or AGPL, and each says what it is under."""
    licences = {name: _licence(name) for name in _pins("run.txt")}
    bound = {
        name: licence
        for name, licence in licences.items()
        if licence is not None
        and (not licence or COPYLEFT.search(licence.replace("LGPL", "Lesser")))
    }
    assert not bound, bound
