"""The documents are tested: whatever a person can meet has its heading in `docs/`.

And no heading speaks of what is gone.

A heading names a thing in code marks: ## `HILO_PORT`. One heading may name several.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import click
import pytest
from fastapi import APIRouter
from starlette.routing import Route

from api.problems import PROBLEMS
from app.cli import main
from app.settings import SETTINGS
from domain.topics import TOPICS
from tests.source_tree import ROOMS, ROOT, modules, origins, python_files, real_name, tree_of

DOCS = ROOT / "docs"

HEADING = re.compile(r"^#{2,4} +(.+?) *#*$", re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)")

PROBLEM_TYPES = {
    "malformed": 400,
    "bad-cursor": 400,
    "not-signed-in": 401,
    "not-allowed": 403,
    "source-not-yours": 403,
    "csrf": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "key-reused": 409,
    "probable-twins": 409,
    "address-taken": 409,
    "held": 409,
    "not-yet-signed": 409,
    "state": 409,
    "erased": 410,
    "changed-meanwhile": 412,
    "too-large": 413,
    "media-type": 415,
    "invalid-input": 422,
    "too-many": 429,
    "internal": 500,
    "busy": 503,
    "not-yet": 503,
    "store-unavailable": 503,
}
"""The problem types that clients rely on, with their statuses."""

METRIC_MAKERS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def headings(document: str) -> set[str]:
    """What the headings of a document name in code marks."""
    text = FENCE.sub("", (DOCS / document).read_text("utf-8"))
    return {span for heading in HEADING.findall(text) for span in CODE_SPAN.findall(heading)}


def _differences(document: str, things: set[str], shape: str) -> str:
    """Missing and outdated headings, a line each; `shape` tells a thing from other code."""
    named = {name for name in headings(document) if re.fullmatch(shape, name)}
    missing = [f"docs/{document} lacks a heading: ## `{name}`" for name in sorted(things - named)]
    outdated = [f"docs/{document} has `{name}`, which is gone" for name in sorted(named - things)]
    return "\n".join(missing + outdated)


# ---------------------------------------------------------------------------- what there is


def settings() -> set[str]:
    """The settings' names in the environment."""
    return {setting.name for setting in SETTINGS}


def commands() -> set[str]:
    """Every command, as people type it."""

    def below(group: click.Group, prefix: str) -> Iterator[str]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from below(command, f"{prefix} {name}")
            elif not command.hidden:
                yield f"{prefix} {name}"

    return set(below(main, "hilo"))


def endpoints() -> set[str]:
    """Every call that a router of api/ answers, as in `GET /v1/interactions/{id}`."""
    found = set()
    for name in modules("api"):
        for router in vars(importlib.import_module(name)).values():
            for route in router.routes if isinstance(router, APIRouter) else ():
                if isinstance(route, Route) and route.include_in_schema:
                    path = re.sub(r":[a-z]+}", "}", route.path)
                    found |= {f"{method} {path}" for method in set(route.methods or ()) - {"HEAD"}}
    return found


def metrics() -> set[str]:
    """The metrics that the code declares, by their names."""
    found = set()
    for path in python_files(*ROOMS):
        tree = tree_of(path)
        known = origins(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                maker, first = real_name(node.func, known) or "", node.args[0]
                is_metric = maker.startswith("prometheus_client") and (
                    maker.rsplit(".", maxsplit=1)[-1].removesuffix("MetricFamily") in METRIC_MAKERS
                )
                if is_metric and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


# ---------------------------------------------------------------------------- what is said


def test_every_setting_is_documented() -> None:
    """Each setting has its heading in docs/settings.md."""
    differences = _differences("settings.md", settings(), r"HILO_\w+")
    assert not differences, differences


def test_every_setting_helps() -> None:
    """Each setting says what it does and has a default, even if that is nothing."""
    for setting in SETTINGS:
        assert setting.help.strip(), setting.name
        assert hasattr(setting, "default"), setting.name


def test_every_command_is_documented() -> None:
    """Each command has its heading in docs/commands.md."""
    differences = _differences("commands.md", commands(), r"hilo [a-z -]+")
    assert not differences, differences


def test_every_endpoint_is_documented() -> None:
    """Each call of the HTTP interface has its heading in docs/api.md."""
    differences = _differences(
        "api.md", endpoints(), r"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S*"
    )
    assert not differences, differences


def test_every_problem_is_documented() -> None:
    """Each problem type that clients rely on has its heading in docs/errors.md."""
    differences = _differences("errors.md", set(PROBLEM_TYPES), r"[a-z]+(-[a-z]+)*")
    assert not differences, differences


def test_every_problem_is_one_of_the_contract() -> None:
    """The table of errors gives problem types and statuses that clients know."""
    given = {(problem.type, problem.status) for problem in PROBLEMS.values()}
    assert given <= set(PROBLEM_TYPES.items()), given - set(PROBLEM_TYPES.items())


def test_every_event_is_documented() -> None:
    """Each event's topic has its heading in docs/events.md."""
    differences = _differences("events.md", set(TOPICS), r"[a-z]+\.[a-z_]+")
    assert not differences, differences


def test_every_metric_is_documented() -> None:
    """Each metric has its heading in docs/metrics.md."""
    differences = _differences("metrics.md", metrics(), r"hilo_\w+")
    assert not differences, differences


@pytest.mark.parametrize(
    "document",
    sorted(p.relative_to(ROOT).as_posix() for p in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"))),
)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A relative link in a document leads to a file that is there."""
    path = ROOT / document
    text = FENCE.sub("", path.read_text("utf-8"))
    dead = [target for target in LINK.findall(text) if not (path.parent / target).exists()]
    assert not dead, dead
