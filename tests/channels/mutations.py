"""What may be done to a request on its way: keys that go missing, other types, more than expected.

Everything here is told by a seed, so that what fails once fails again.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from channels.registry import CHANNELS
from tests.channels.corpus import names, real
from tests.channels.examples import EXAMPLES as WHATSAPP
from tests.channels.form_examples import FORMS, TYPEFORMS
from tests.channels.meta_examples import ALL as META
from tests.channels.telegram_examples import TABLE as TELEGRAM
from tests.channels.test_cloudevents import EVENT, RESPONSE, STATUS
from tests.channels.twilio_examples import TABLE as TWILIO

Path = tuple[str | int, ...]

WRONG: Final[tuple[object, ...]] = (
    *(None, "", " ", 0, -1, True, [], {}, [[]], [None], "x", "\x00", "null"),
    *(10**30, -(2**63), 1e308, "1" * 5_000, "ñ" * 600, {"a": {"b": []}}, ["a", 1, {}]),
)
"""What stands where something else was expected."""

EXTRA: Final = "added_by_the_provider"


def samples() -> list[tuple[str, dict[str, Any]]]:
    """Requests of every channel as objects: our own examples, and the real ones that are there."""
    found: list[tuple[str, object]] = [("whatsapp", body) for _, body, _ in WHATSAPP]
    found += [(channel, body) for channel, _, body, _ in META]
    for examples in (TWILIO.examples, TELEGRAM.examples, FORMS, TYPEFORMS):
        found += [(channel, body) for _, channel, body, _ in examples]
    found += [("google_forms", RESPONSE), ("cloudevents", EVENT), ("cloudevents", STATUS)]
    for one in map(real, names()):
        is_json = one.incoming.headers.get("content-type") == "application/json"
        if one.channel in CHANNELS and is_json:
            found.append((one.channel, json.loads(one.incoming.body)))
    read = [(channel, _object(body)) for channel, body in found]
    return [(channel, body) for channel, body in read if isinstance(body, dict) and body]


def _object(body: object) -> object:
    """A request as an object, also where an example has its bytes."""
    if not isinstance(body, bytes):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


def paths(value: object, above: Path = ()) -> Iterator[Path]:
    """The way to everything in an object, from the outside in."""
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for name, one in inner:
        yield (*above, name)
        yield from paths(one, (*above, name))


def at(value: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """What stands at the end of a way."""
    for name in path:
        value = value[name]
    return value


def put(value: dict[str, Any], path: Path, new: object) -> dict[str, Any]:
    """The same object with something else at the end of a way."""
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def without(value: dict[str, Any], path: Path) -> dict[str, Any]:
    """The same object with nothing there."""
    changed = copy.deepcopy(value)
    del at(changed, path[:-1])[path[-1]]
    return changed


def mutated(dice: random.Random, value: dict[str, Any]) -> dict[str, Any]:
    """The object with one to four things done to it."""
    for _ in range(dice.randint(1, 4)):
        ways = list(paths(value))
        if not ways:
            return value
        way = dice.choice(ways)
        match dice.randrange(5):
            case 0:
                value = without(value, way)
            case 1 | 2:
                value = put(value, way, copy.deepcopy(dice.choice(WRONG)))
            case 3:
                value = put(value, way, [at(value, way), at(value, way)])
            case _:
                value = _renamed(value, way)
    return value


def _renamed(value: dict[str, Any], way: Path) -> dict[str, Any]:
    """A key in capitals; an item of a list twice."""
    if isinstance(way[-1], int):
        changed = copy.deepcopy(value)
        holder = at(changed, way[:-1])
        holder.append(holder[way[-1]])
        return changed
    return put(without(value, way), (*way[:-1], way[-1].upper()), at(value, way))


def damaged(dice: random.Random, raw: bytes) -> bytes:
    """Bytes with a piece cut out, put in, or written in another way."""
    where = dice.randrange(len(raw) + 1)
    match dice.randrange(6):
        case 0:
            return raw[:where]
        case 1:
            return raw[:where] + dice.randbytes(4) + raw[where:]
        case 2:
            return raw[:where] + raw[where + dice.randrange(40) :]
        case 3:
            return b"\xef\xbb\xbf" + raw
        case 4:
            return raw.decode("utf-8", "replace").encode("utf-16")
        case _:
            return raw * 2


def is_form(channel: str) -> bool:
    """Whether a channel's requests are forms rather than JSON."""
    return channel == "form" or channel.startswith("twilio")


def encoded(channel: str, value: dict[str, Any]) -> bytes:
    """The body of a request: a form, or JSON, also of numbers that no 64 bits hold."""
    if is_form(channel):
        return urlencode({k: v for k, v in value.items() if v is not None}, doseq=True).encode()
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return json.dumps(value).encode()
