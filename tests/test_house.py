"""The habits of the house that a machine can check, so that nobody has to remember them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source_tree import (
    OURS,
    ROOMS,
    ROOT,
    Function,
    committed_files,
    functions,
    modules,
    origins,
    python_files,
    real_name,
    relative,
    tree_of,
)

FUNCTION_LINES_MAX = 70
"""A function fits on a screen: what does not is two functions."""

FUNCTION_LINES_USUAL = 30
"""What most functions need at most."""

USUAL_SHARE_MIN = 0.9
"""Nine of ten functions are of the usual length."""

FILE_LINES_MAX = 400
"""A file is read in one sitting."""

FILE_LINES_EVER_MAX = 600
"""No reason carries a file beyond this."""

LONG_FILES: dict[str, str] = {}
"""Files between the two limits, each with its reason: path → reason."""

PARAMETERS_MAX = 5
"""More are a missing noun."""

LOOKED_AT_ONCE = {
    "all_inner_texts",
    "all_text_contents",
    "count",
    "get_attribute",
    "inner_html",
    "inner_text",
    "input_value",
    "is_checked",
    "is_hidden",
    "is_visible",
    "text_content",
}
"""What a browser says of the page that it shows at that moment, which may be the one before."""

COMPOSITION_ROOT = "app/compose.py"

REPLACEMENT = "take it as an argument: ports.Clock / ports.Entropy (the real ones: app/compose.py)"

CLOCKS_AND_DICE = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.getrandom",
    "os.urandom",
    "sqlalchemy.func.current_timestamp",
    "sqlalchemy.func.now",
    "sqlalchemy.func.random",
    "time.clock_gettime",
    "time.clock_gettime_ns",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid.uuid6",
    "uuid.uuid7",
}
"""Never outside the composition root. Deadlines use time.monotonic, which no history stores."""

DICE_MODULES = ("random", "secrets")

# Written in parts, since no file of ours may name them, this one included.
REGISTRY_HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "deb." + "debian.org",
    "crates" + ".io",
    "proxy." + "golang.org",
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:work|farm|root|home|Users)/[\w.]")

IGNORES = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)\b(.*)$")
RULE_CODES = re.compile(r"\b[A-Z]+\d+\b|\[[\w-]+(?:, ?[\w-]+)*\]")
REASON = re.compile(r"[a-z]{3,}", re.IGNORECASE)

PROBE = """
import importlib, os, sys, threading

effects = []

def watch(event, args):
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and args[0] != os.devnull:
            effects.append(f"opens {args[0]} to write")
    elif event in {"socket.bind", "socket.connect", "sqlite3.connect", "os.mkdir", "os.remove",
                   "os.system", "os.fork", "subprocess.Popen"}:
        effects.append(f"{event} {args}")

sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
if len(threading.enumerate()) > 1:
    effects.append(f"starts {threading.enumerate()}")
print("\\n".join(effects))
"""


def _is_test(function: Function) -> bool:
    return function.node.name.startswith("test_")


def _code() -> tuple[Path, ...]:
    return python_files(*OURS)


def _all_functions() -> list[Function]:
    return [function for path in _code() for function in functions(path)]


# ---------------------------------------------------------------------------- length


def test_no_function_is_longer_than_a_screen() -> None:
    """A function has at most 70 lines."""
    long = [f"{f.place}: {f.lines} lines" for f in _all_functions() if f.lines > FUNCTION_LINES_MAX]
    assert not long, "\n".join(["Split them:", *long])


def test_nine_of_ten_functions_are_short() -> None:
    """Of the product's functions, 90 % have at most 30 lines."""
    lengths = [f.lines for path in python_files(*ROOMS) for f in functions(path)]
    short = sum(lines <= FUNCTION_LINES_USUAL for lines in lengths)
    assert short >= USUAL_SHARE_MIN * len(lengths), f"{short} of {len(lengths)}"


def test_no_file_is_longer_than_a_sitting() -> None:
    """A file has at most 400 lines; one with a named reason at most 600."""
    too_long = []
    for path in _code():
        lines = len(path.read_text("utf-8").splitlines())
        limit = FILE_LINES_EVER_MAX if relative(path) in LONG_FILES else FILE_LINES_MAX
        if lines > limit:
            too_long.append(f"{relative(path)}: {lines} lines")
    assert not too_long, "\n".join(["Split them:", *too_long])


def test_a_long_file_on_the_list_is_still_long() -> None:
    """The list of long files names none that has become short, or is gone."""
    for name in LONG_FILES:
        assert len((ROOT / name).read_text("utf-8").splitlines()) > FILE_LINES_MAX, name


# ---------------------------------------------------------------------------- parameters


def _parameters(function: Function) -> int:
    arguments = function.node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len(names) - (function.is_method and names[:1] in (["self"], ["cls"]))


def _only_assigns(function: Function) -> bool:
    """Whether it is a constructor that keeps its arguments and does nothing else."""
    if function.node.name != "__init__":
        return False
    for statement in function.node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        text = ast.unparse(statement)
        if not (isinstance(statement, ast.Expr) and text.startswith(("super()", "'", '"'))):
            return False
    return True


def _is_command(function: Function) -> bool:
    """Whether click calls it, with a parameter for each option of the command line."""
    known = origins(tree_of(function.path))
    for decorator in function.node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = real_name(call, known) or ""
        if name in {"click.option", "click.argument", "click.command"}:
            return True
    return False


def test_no_function_takes_many_parameters() -> None:
    """A function takes at most 5 parameters; tests, commands and plain constructors may."""
    many = [
        f"{f.place}: {_parameters(f)} parameters"
        for f in _all_functions()
        if _parameters(f) > PARAMETERS_MAX
        and not (_is_test(f) or _only_assigns(f) or _is_command(f))
    ]
    assert not many, "\n".join(["Name the noun that they are:", *many])


# ---------------------------------------------------------------------------- time and chance


def _is_banned(name: str | None) -> bool:
    return name is not None and (
        name in CLOCKS_AND_DICE or name.split(".", maxsplit=1)[0] in DICE_MODULES
    )


def _banned_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, full name) of each clock and each die that a module reaches for."""
    known = origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = real_name(node, known)
            if name and _is_banned(name):
                yield node.lineno, name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if _is_banned(f"{node.module}.{alias.name}"):
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _is_banned(alias.name):
                    yield node.lineno, alias.name


def test_time_and_chance_come_in_as_arguments() -> None:
    """Only the composition root reads a clock or throws dice."""
    uses = {
        f"{relative(path)}:{line}: {name}"
        for path in python_files(*ROOMS)
        if relative(path) != COMPOSITION_ROOT
        for line, name in _banned_uses(tree_of(path))
    }
    assert not uses, "\n".join([REPLACEMENT, *sorted(uses)])


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import datetime as dt\nmake = dt.utcnow",
        "import datetime as d\nd.date.today()",
        "from time import time_ns",
        "import time as t\nt.time()",
        "import uuid\nfield(default_factory=uuid.uuid4)",
        "from uuid import uuid4 as new",
        "import random",
        "from secrets import token_hex",
        "import os\nos.urandom(16)",
        "import sqlalchemy as sa\nsa.func.now()",
    ],
)
def test_a_clock_is_found_under_any_name(code: str) -> None:
    """The ban sees through aliases, and sees a function that is handed on uncalled."""
    assert list(_banned_uses(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.monotonic(), time.perf_counter(), time.sleep(1)",
        "from datetime import datetime, UTC\ndatetime.fromtimestamp(1, UTC)",
        "import uuid\nuuid.UUID(bytes=entropy(16), version=4)",
        "def decide(clock, random):\n    return clock.now(), random.random()",
    ],
)
def test_deadlines_and_arguments_are_no_clocks(code: str) -> None:
    """What measures a wait, or came in as an argument, is allowed."""
    assert not list(_banned_uses(ast.parse(code)))


# ---------------------------------------------------------------------------- doors


@pytest.mark.parametrize("room", ROOMS)
def test_importing_does_nothing(room: str) -> None:
    """A fresh interpreter imports a room's modules: no file written, no socket, no thread."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, *modules(room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip(), done.stdout


def test_imports_go_down_only() -> None:
    """import-linter holds the floors of the house apart, as pyproject.toml draws them."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------------------- words


def test_every_module_says_what_it_is() -> None:
    """A module begins with its docstring."""
    silent = [relative(path) for path in _code() if not ast.get_docstring(tree_of(path))]
    assert not silent, silent


def test_every_test_states_its_claim() -> None:
    """A test's docstring is its claim."""
    tests = (f for path in python_files("tests") for f in functions(path) if _is_test(f))
    silent = [f.place for f in tests if not ast.get_docstring(f.node)]
    assert not silent, "\n".join(silent)


def test_what_a_page_shows_is_waited_for() -> None:
    """A test of pages asks with `expect`, which waits: a click may lead to a page still to come."""
    hasty = [
        f"{relative(path)}:{node.lineno}: {part.func.attr}()"
        for path in python_files("tests")
        if path.parent.name == "web"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assert)
        for part in ast.walk(node)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in LOOKED_AT_ONCE
        and not part.args
    ]
    assert not hasty, "\n".join(["Write expect(…).to_…:", *hasty])


def test_every_ignore_gives_its_reason() -> None:
    """Whoever silences a tool says why, after the rule's code on the same line."""
    bare = []
    for path in _code():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = IGNORES.search(line)
            if found and not REASON.search(RULE_CODES.sub("", found.group(2))):
                bare.append(f"{relative(path)}:{number}: {found.group(0)}")
    assert not bare, "\n".join(['Write it as "noqa: S608 - why it is right here":', *bare])


def test_no_file_names_a_registry_or_a_machine() -> None:
    """What is committed works anywhere: no package registry's host, no path of one machine."""
    found = []
    for path in committed_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures and fonts
        found += [f"{relative(path)}: {host}" for host in REGISTRY_HOSTS if host in text]
        found += [f"{relative(path)}: {hit.group(0)}" for hit in MACHINE_PATHS.finditer(text)]
    assert not found, "\n".join(found)
