"""JSON bodies into Structs: fast where all is well, and thorough where it is not.

What decodes is taken at once. What does not is read a second time, field by field, so that one
answer names everything that needs attention, with paths like `attachments[0].sha256`.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec import inspect as kinds

from api.problems import ERRORS_MAX
from domain.errors import FieldError, InvalidInput, Malformed
from domain.values import echo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

StructT = TypeVar("StructT", bound=Struct)

ESCAPED_NUL: Final = b"\\u0000"
"""How a NUL comes in JSON; a body with one is read field by field. PostgreSQL cannot keep it."""

_NOT_JSON: Final = "The body is not JSON."
_NOT_UTF8: Final = "The body is not UTF-8."
_TOO_DEEP: Final = "The body is nested too deeply."


class Faults:
    """What is wrong with a body so far: field errors, and the top-level fields that they are in."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []
        self.broken: set[str] = set()

    def add(self, field: str, code: str, message: str) -> None:
        """A field needs attention; nothing more is said of a field that could not be read."""
        if not self.is_full:
            self.found.append(FieldError(field, code, message))

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that looking further helps nobody."""
        return len(self.found) >= ERRORS_MAX

    def settle(self) -> None:
        """From now on, say nothing more about the fields that are broken already."""
        self.broken = {top_of(one.field) for one in self.found}

    def is_broken(self, field: str) -> bool:
        """Whether a top-level field could not be read at all."""
        return field in self.broken

    def finish(self) -> None:
        """Raise InvalidInput where anything was wrong."""
        if self.found:
            raise InvalidInput(self.found)


class Shape(Generic[StructT]):
    """One kind of body. `read` gives the Struct, or everything that is wrong with it."""

    def __init__(self, struct: type[StructT]) -> None:
        self.struct = struct
        self.decode = msgspec.json.Decoder(struct).decode
        self._kind = cast("kinds.StructType", kinds.type_info(struct))
        self._hints = get_type_hints(struct, include_extras=True)

    def read(self, raw: bytes) -> StructT:
        """The body as a Struct. Raises Malformed, InvalidInput."""
        found = self.quickly(raw)
        if found is not None:
            return found
        faults = Faults()
        value = self.examine(raw, faults)
        faults.finish()
        return self.partly(value, faults, {})

    def quickly(self, raw: bytes) -> StructT | None:
        """The body as a Struct, or None where it needs a second look."""
        if ESCAPED_NUL in raw:
            return None
        try:
            if not raw.isascii():
                raw.decode()  # what stays raw JSON in a Struct was not looked at
            return self.decode(raw)
        except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
            return None

    def examine(self, raw: bytes, faults: Faults) -> dict[str, Any]:
        """The body as plain values; what its fields do not allow is added to the faults."""
        value = plain(raw)
        check(value, self._kind, "", faults)
        faults.settle()
        if not isinstance(value, dict):
            faults.finish()
        return cast("dict[str, Any]", value)

    def partly(
        self, value: Mapping[str, Any], faults: Faults, stand_ins: Mapping[str, object]
    ) -> StructT:
        """The Struct from the fields that can be read; a stand-in for each that cannot."""
        fields: dict[str, Any] = dict(stand_ins)
        for name, given in value.items():
            hint = self._hints.get(name)
            if hint is None or faults.is_broken(name):
                continue
            if hint is msgspec.Raw:
                fields[name] = msgspec.Raw(msgspec.json.encode(given))
            else:
                fields[name] = msgspec.convert(given, hint)
        return self.struct(**fields)


def plain(raw: bytes) -> object:
    """JSON as plain values. Raises Malformed."""
    try:
        raw.decode()
        value: object = msgspec.json.decode(raw)
    except UnicodeDecodeError:
        raise Malformed(_NOT_UTF8) from None
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    except msgspec.DecodeError:
        raise Malformed(_NOT_JSON) from None
    return value


def top_of(field: str) -> str:
    """The top-level field of a path: `attachments` of `attachments[0].sha256`."""
    return re.split(r"[.\[]", field, maxsplit=1)[0]


# ------------------------------------------------------------------ field by field


def check(value: object, kind: kinds.Type, path: str, faults: Faults) -> None:
    """Add what a type does not allow; nothing is added exactly where msgspec would take it."""
    help_text = ""
    if isinstance(kind, kinds.Metadata):
        help_text = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    if isinstance(kind, kinds.StrType):
        _check_text(value, kind, path, faults, help_text)
        return
    checking = _CHECKS.get(type(kind))
    if checking is not None:
        checking(value, kind, path, faults)


def _check_uuid(value: object, _: kinds.UUIDType, path: str, faults: Faults) -> None:
    if not isinstance(value, str) or not _is_uuid(value):
        faults.add(path, "bad_format", "a UUID, such as 0e3c7a1e-5d0b-4b6e-9a53-3f0c2f6f1d21")


def _check_bool(value: object, _: kinds.BoolType, path: str, faults: Faults) -> None:
    if not isinstance(value, bool):
        faults.add(path, "bad_type", "true or false")


def _check_object(value: object, _: kinds.DictType, path: str, faults: Faults) -> None:
    if not isinstance(value, dict):
        faults.add(path, "bad_type", "an object")


def _check_union(value: object, kind: kinds.UnionType, path: str, faults: Faults) -> None:
    if value is None and kind.includes_none:
        return
    for one in kind.types:
        if not isinstance(one, kinds.NoneType):
            check(value, one, path, faults)
            return


def _check_struct(value: object, kind: kinds.StructType, path: str, faults: Faults) -> None:
    if not isinstance(value, dict):
        faults.add(path or "body", "bad_type", "an object")
        return
    prefix = f"{path}." if path else ""
    known = {field.encode_name: field for field in kind.fields}
    for name in [name for name in value if name not in known]:
        if faults.is_full:
            return
        shown = echo(name)
        close = difflib.get_close_matches(shown, known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        faults.add(f"{prefix}{shown}", "unknown_field", f"there is no field {shown}{meant}")
    for name, field in known.items():
        if name in value:
            check(value[name], field.type, f"{prefix}{name}", faults)
        elif field.required:
            faults.add(f"{prefix}{name}", "missing", "this field is required")


def _check_list(
    value: object, kind: kinds.VarTupleType | kinds.ListType, path: str, faults: Faults
) -> None:
    if not isinstance(value, list):
        faults.add(path, "bad_type", "a list")
        return
    if kind.max_length is not None and len(value) > kind.max_length:
        faults.add(path, "too_long", f"at most {kind.max_length} items; these are {len(value)}")
        return
    if kind.min_length is not None and len(value) < kind.min_length:
        faults.add(path, "too_short", f"at least {kind.min_length} items")
    for number, item in enumerate(value):
        check(item, kind.item_type, f"{path}[{number}]", faults)


def _check_text(
    value: object, kind: kinds.StrType, path: str, faults: Faults, help_text: str
) -> None:
    if not isinstance(value, str):
        faults.add(path, "bad_type", "text")
    elif "\x00" in value:
        faults.add(path, "bad_format", "text without NUL characters")
    elif kind.max_length is not None and len(value) > kind.max_length:
        message = f"at most {kind.max_length} characters; these are {len(value)}"
        faults.add(path, "too_long", message)
    elif kind.min_length is not None and len(value) < kind.min_length:
        faults.add(path, "too_short", f"at least {kind.min_length} characters")
    elif kind.pattern is not None and re.search(kind.pattern, value) is None:
        faults.add(path, "bad_format", help_text or "this is not its format")


def _check_number(value: object, kind: kinds.IntType, path: str, faults: Faults) -> None:
    low, high = kind.ge, kind.le
    if not isinstance(value, int) or isinstance(value, bool):
        faults.add(path, "bad_type", "a whole number")
    elif (low is not None and value < low) or (high is not None and value > high):
        faults.add(path, "out_of_range", f"a whole number from {low} to {high}")


def _check_choice(
    value: object, kind: kinds.EnumType | kinds.LiteralType, path: str, faults: Faults
) -> None:
    values = kind.values if isinstance(kind, kinds.LiteralType) else [one.value for one in kind.cls]
    if value in values:
        return
    names = ", ".join(str(one) for one in values)
    shown = echo(value) if isinstance(value, str) else "this"
    faults.add(path, "bad_enum", f"{shown} is none of {names}")


def _is_uuid(text: str) -> bool:
    try:
        msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        return False
    return True


_CHECKS: Final[Mapping[type[kinds.Type], Callable[[object, Any, str, Faults], None]]] = {
    kinds.UnionType: _check_union,
    kinds.StructType: _check_struct,
    kinds.VarTupleType: _check_list,
    kinds.ListType: _check_list,
    kinds.IntType: _check_number,
    kinds.EnumType: _check_choice,
    kinds.LiteralType: _check_choice,
    kinds.UUIDType: _check_uuid,
    kinds.BoolType: _check_bool,
    kinds.DictType: _check_object,
}
"""How a value of each type is checked; a type that is not here takes anything."""
