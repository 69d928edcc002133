"""The source tree as tests see it: files, modules, functions, and what a name really means."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ROOMS = ("domain", "storage", "projections", "channels", "audit", "api", "app")
"""The packages that are installed: the product."""

OURS = (*ROOMS, "tests", "benchmarks", "deploy")
"""Every folder with Python of ours."""

NOT_OURS = {".git", ".venv", "__pycache__", "node_modules", "build", "dist", "data"}
"""Folders that are made, not written; only asked where there is no git."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function or method, and the file that it stands in."""

    path: Path
    name: str
    node: FunctionNode
    is_method: bool

    @property
    def lines(self) -> int:
        """Its length, from `def` to its last line."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def place(self) -> str:
        """Where a person finds it."""
        return f"{relative(self.path)}:{self.node.lineno} {self.name}"


def relative(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def committed_files() -> tuple[Path, ...]:
    """Every file that is or would be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no git
        every = (path for path in ROOT.rglob("*") if not NOT_OURS & set(path.parts))
        return tuple(sorted(path for path in every if path.is_file()))
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*folders: str) -> tuple[Path, ...]:
    """The Python files of some folders of ours."""
    return tuple(
        path
        for path in committed_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    )


def modules(room: str) -> tuple[str, ...]:
    """The import names of a room's modules."""
    names = []
    for path in python_files(room):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return tuple(sorted(names))


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, with those inside classes and other functions."""

    def inside(node: ast.AST, prefix: str, *, in_class: bool) -> Iterator[Function]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FunctionNode):
                yield Function(path, prefix + child.name, child, is_method=in_class)
                yield from inside(child, f"{prefix}{child.name}.", in_class=False)
            elif isinstance(child, ast.ClassDef):
                yield from inside(child, f"{prefix}{child.name}.", in_class=True)
            else:
                yield from inside(child, prefix, in_class=in_class)

    return inside(tree_of(path), "", in_class=False)


def origins(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `dt` → `datetime.datetime`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".", maxsplit=1)[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def real_name(node: ast.expr, known: dict[str, str]) -> str | None:
    """The full name behind an expression, as in `datetime.datetime.now`; None if not imported."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        base = real_name(node.value, known)
        return f"{base}.{node.attr}" if base else None
    return None
