"""The map of an import: which column of a file is which field of an append request.

A map is TOML. Each field has a rule: a column, a constant, or a template of columns; and what is
made of its text: another word, a time, a number. A field whose columns are empty is left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from api.shapes import AppendRequest
from domain.errors import FieldError, InvalidInput, NotFound
from domain.times import TimeError, zone_of
from domain.values import echo

MAP_MAX_BYTES: Final = 1 << 20
"""Size of a map: a long one has some pages."""

THEIRS: Final = "theirs"
OURS: Final = "ours"
"""Addresses by side: the direction says which is the resource and which the destination."""

FIELDS: Final = frozenset({one.name for one in structs.fields(AppendRequest)} | {THEIRS, OURS})
_TOP: Final = frozenset({"fields", "tz", "delimiter", "encoding", "format"})
_RULE: Final = frozenset({"column", "const", "template", "values", "default", "format", "tz"})
_FROM: Final = frozenset({"column", "const", "template"})
_TIMES: Final = frozenset({"occurred_at"})
_NUMBERS: Final = frozenset({"seconds", "ring_seconds", "bytes"})
_NESTED: Final = frozenset({"call", "details", "participants", "attachments"})
"""Fields that hold fields."""

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_CLOCK: Final = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-5]?[0-9])")
_MS: Final = 1_000

Row = Mapping[str, str]


class Unmapped(ValueError):
    """A row that the map cannot read: the column, and what is wrong with it."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.error = FieldError(field, code, message)


class Rule(Struct, frozen=True, kw_only=True):
    """How one field comes about."""

    field: str
    column: str | None = None
    const: Any = None
    template: str | None = None
    values: Mapping[str, object] | None = None
    default: Any = None
    formats: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        if self.column is not None:
            return (self.column,)
        return tuple(_PLACE.findall(self.template or ""))

    def value(self, row: Row) -> object:
        """The value in a row; None where there is none. Raises Unmapped."""
        if self.const is not None:
            return self.const
        text = self._text(row)
        if text is None:
            return self.default
        if self.values is not None:
            return self._word(text)
        last = self.field.rpartition(".")[2]
        if self.field in _TIMES or self.formats:
            return self._time(text)
        return self._number(text) if last in _NUMBERS else text

    def _text(self, row: Row) -> str | None:
        if self.column is not None:
            return row.get(self.column, "").strip() or None
        found = {name: row.get(name, "").strip() for name in self.columns}
        if not all(found.values()):
            return None
        return _PLACE.sub(lambda place: found[place[1]], self.template or "")

    def _word(self, text: str) -> object:
        values = self.values or {}
        if text in values:
            return values[text]
        folded = {key.casefold(): value for key, value in values.items()}
        if text.casefold() in folded:
            return folded[text.casefold()]
        if self.default is not None:
            return self.default
        known = echo(", ".join(values))
        raise self._wrong("unknown_value", f"{echo(text)} is not among its values ({known})")

    def _time(self, text: str) -> str:
        zone = self.zone or ZoneInfo("UTC")
        for form in self.formats or ("iso",):
            try:
                found = _moment(text, form)
            except (ValueError, OverflowError, OSError):
                continue
            return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()
        forms = " or ".join(self.formats or ("iso",))
        raise self._wrong("bad_time", f"{echo(text)} is not a time written as {forms}")

    def _number(self, text: str) -> int:
        clock = _CLOCK.fullmatch(text)
        if clock is not None:
            hours, minutes, seconds = (int(part or 0) for part in clock.groups())
            return hours * 3_600 + minutes * 60 + seconds
        try:
            return round(float(text.replace(",", ".")))
        except (ValueError, OverflowError):
            message = f"{echo(text)} is neither a number nor written as h:mm:ss"
            raise self._wrong("bad_number", message) from None

    def _wrong(self, code: str, message: str) -> Unmapped:
        where = " and ".join(f"column {echo(name)}" for name in self.columns)
        return Unmapped(self.field, code, f"{where}: {message}")


def _moment(text: str, form: str) -> datetime:
    if form == "iso":
        return datetime.fromisoformat(text)
    if form in {"unix", "unix_ms"}:
        seconds = float(text) / (_MS if form == "unix_ms" else 1)
        return datetime.fromtimestamp(seconds, UTC)
    return datetime.strptime(text, form)  # noqa: DTZ007 - the rule has the zone


class Map(Struct, frozen=True):
    """A map, read: the rules of the fields, and how the file is written where it says so."""

    fields: Mapping[str, object]
    delimiter: str | None = None
    encoding: str | None = None
    format: str | None = None

    @property
    def columns(self) -> list[str]:
        """Every column that is read, once."""
        return list(dict.fromkeys(c for rule in _rules(self.fields) for c in rule.columns))

    def request(self, row: Row) -> dict[str, object]:
        """The append request of a row. Raises Unmapped."""
        made = _made(self.fields, row)
        found = made if isinstance(made, dict) else {}
        theirs, ours = found.pop(THEIRS, None), found.pop(OURS, None)
        is_inbound = found.get("direction") == "inbound"
        sides = (theirs, ours) if is_inbound else (ours, theirs)
        for name, address in zip(("resource", "destination"), sides, strict=True):
            if address is not None:
                found.setdefault(name, address)
        return found


def read_map(path: str, zone: str) -> Map:
    """The map in a file; `zone` is that of times which have none. Raises NotFound, InvalidInput."""
    try:
        raw = Path(path).read_bytes()
    except OSError:
        message = f"There is no map {path}."
        raise NotFound(message) from None
    if len(raw) > MAP_MAX_BYTES:
        raise InvalidInput.one("map", "too_long", f"at most {MAP_MAX_BYTES} bytes")
    try:
        found = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput.one("map", "malformed", f"this is no TOML: {error}") from None
    return map_of(found, zone)


def map_of(found: Mapping[str, Any], zone: str) -> Map:
    """The map that a TOML document holds. Raises InvalidInput with all that is wrong."""
    errors = [_unknown(name, _TOP) for name in found if name not in _TOP]
    fields = found.get("fields")
    if not isinstance(fields, dict) or not fields:
        errors.append(FieldError("fields", "missing", "write [fields] and a rule for each field"))
        fields = {}
    errors += [_unknown(f"fields.{n}", FIELDS) for n in fields if n.partition(".")[0] not in FIELDS]
    reader = _Reader(str(found.get("tz", zone)), errors)
    tree = {name: reader.read(name, value) for name, value in fields.items()}
    said = {name: str(found[name]) for name in ("delimiter", "encoding", "format") if name in found}
    if errors:
        raise InvalidInput(errors)
    return Map(tree, **said)


def plain_map(columns: Sequence[str]) -> Map:
    """The map of a file whose columns are named as the fields are. Raises InvalidInput."""
    known = {name: Rule(field=name, column=name) for name in columns if name in FIELDS}
    if "channel" not in known:
        message = "name its columns as the fields of an interaction, or write a --map"
        raise InvalidInput.one("file", "no_map", message)
    return Map(known)


class _Reader:
    """Reads rules; what is wrong goes to `errors`."""

    def __init__(self, zone: str, errors: list[FieldError]) -> None:
        self._zone = zone
        self._errors = errors

    def read(self, field: str, value: object) -> object:
        """The rule of a field, or an object or list of rules."""
        if isinstance(value, str):
            return Rule(field=field, column=value)
        if isinstance(value, list):
            return [self.read(f"{field}[{n}]", one) for n, one in enumerate(value)]
        if isinstance(value, dict) and _FROM & value.keys():
            return self._rule(field, value)
        if isinstance(value, dict) and value and re.split(r"[.\[]", field)[0] in _NESTED:
            return {name: self.read(f"{field}.{name}", one) for name, one in value.items()}
        message = "a column's name, or a table with column, const or template"
        self._errors.append(FieldError(f"fields.{field}", "bad_rule", message))
        return None

    def _rule(self, field: str, value: Mapping[str, Any]) -> Rule:
        where = f"fields.{field}"
        self._errors += [_unknown(f"{where}.{name}", _RULE) for name in value if name not in _RULE]
        if len(_FROM & value.keys()) > 1:
            message = "only one of column, const, template"
            self._errors.append(FieldError(where, "bad_rule", message))
        if not isinstance(value.get("values", {}), dict):
            self._errors.append(FieldError(f"{where}.values", "bad_type", "a table of words"))
        formats = value.get("format", ())
        zone = None
        try:
            zone = zone_of(str(value.get("tz", self._zone)))
        except TimeError as error:
            self._errors.append(FieldError(f"{where}.tz", error.code, error.message))
        return Rule(
            field=field,
            column=_text(value.get("column")),
            const=value.get("const"),
            template=_text(value.get("template")),
            values=value.get("values"),
            default=value.get("default"),
            formats=(formats,) if isinstance(formats, str) else tuple(map(str, formats)),
            zone=zone,
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _unknown(name: str, known: frozenset[str]) -> FieldError:
    return FieldError(echo(name), "unknown_field", f"one of {', '.join(sorted(known))}")


def _rules(value: object) -> Iterator[Rule]:
    if isinstance(value, Rule):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _rules(one)
    elif isinstance(value, list):
        for one in value:
            yield from _rules(one)


def _made(value: object, row: Row) -> object:
    """The value of rules in a row; what is empty is left out."""
    if isinstance(value, Rule):
        return value.value(row)
    if isinstance(value, list):
        return [one for one in (_made(inner, row) for inner in value) if _is_whole(one)] or None
    if isinstance(value, Mapping):
        found = {name: _made(inner, row) for name, inner in value.items()}
        return {name: one for name, one in found.items() if one is not None} or None
    return None


def _is_whole(one: object) -> bool:
    """A participant without an address is none."""
    return one is not None and not (isinstance(one, dict) and one.keys() == {"role"})
