"""Templates compiled to fewer steps than Jinja's own code takes.

A page has hundreds of rows, thousands of values and a thousand calls. Jinja looks at each call
whether it asks for the context, at each attribute whether it may be a dictionary's entry, and
marks each piece of text as safe before it joins them: that was half of a page's time. Its own
hooks are used to leave it out: a generator of code, and what that code finds under its names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import partial
from keyword import iskeyword
from types import CodeType
from typing import Any, Final, cast

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro
from jinja2.utils import missing
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escaped_text  # type: ignore[attr-defined]  # of a text

OF_ROWS: Final = frozenset(
    {
        "activity_rows.html",
        "inbox_rows.html",
        "messages.html",
        "parts.html",
        "profile_rows.html",
        "rows.html",
    }
)
"""Templates that are filled again and again on one page. In these a dot leads to an attribute
alone; an entry of a dictionary stands in brackets."""

CONTEXTS: Final = "_contexts"
"""Where the contexts of a page are listed among its values: no template asks for that name."""

as_safe: Final = cast("Callable[[str], Markup]", partial(str.__new__, Markup))
"""Text as safe text, where it is known to be text: without the class's own questions."""


def escaped(value: object) -> str:
    """A value as it may stand in HTML.

    The text of a page need not be marked as safe piece by piece, as markupsafe's own would do.
    """
    if type(value) is str:
        return escaped_text(value)
    if type(value) is Markup:
        return value
    if type(value) is int:
        return str(value)  # digits
    return escape(value)


class Straight(CodeGenerator):
    """Writes calls as calls, and attributes of what rows hold as attributes."""

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - Jinja's
        """Call it as it stands: nothing of ours asks for the context."""
        named = [one.key for one in node.kwargs]
        if forward_caller or node.dyn_args or node.dyn_kwargs or any(map(iskeyword, named)):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for value in (*node.args, *node.kwargs):
            self.visit(value, frame)
            self.write(", ")
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's
        """Read it as it stands, in the templates of rows."""
        if self.name not in OF_ROWS or iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        self.visit(node.node, frame)
        self.write(f".{node.attr}")


def macro(
    environment: Environment,
    body: Callable[..., str],
    name: str,
    arguments: Sequence[str],
    *catching: bool | None,
) -> Callable[..., str]:
    """A macro as a function of its arguments; Jinja's own where it takes others, or a block."""
    if any(catching[:3]):
        return Macro(environment, body, name, list(arguments), *cast("Any", catching))

    def call(*given: object, **named: object) -> Markup:
        if len(given) < len(arguments):
            given += tuple(named.pop(one, missing) for one in arguments[len(given) :])
        return as_safe(body(*given, **named))

    return call


class Compiled(Template):
    """A template whose code finds our own functions under Jinja's names."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 - Jinja's name
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        """As Jinja's, of which this is the documented way in."""
        made = super().from_code(environment, code, globals, uptodate)
        made.root_render_func.__globals__.update(escape=escaped, Macro=macro)
        return made


class Plain(Context):
    """A context that can be taken apart.

    A context holds its macros, and they hold it, and so all rows of a page waited for the garbage
    collector, in pauses of its own length. So a page's contexts are listed.
    """

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
    ) -> None:
        super().__init__(environment, parent, name, blocks, globals)
        listed: list[Plain] | None = parent.get(CONTEXTS)
        if listed is not None:
            listed.append(self)

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.vars.clear()
        self.blocks.clear()
        self.parent = {}
