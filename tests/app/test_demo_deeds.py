"""What the demo company did beside talking, and the files of its messages."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from app.demo.company import Arrival, arrivals, contacts
from app.demo.files import content_of
from app.demo.group import STAFF
from app.demo.hours import micros

SEED = 7
NOON = micros(datetime(2026, 11, 24, 18, 0, tzinfo=UTC))


@cache
def _all() -> tuple[Arrival, ...]:
    return tuple(arrivals(NOON, SEED))


def test_the_house_has_worked_on_its_conversations() -> None:
    """People of the house assign, settle, put off and note; messages are met, changed, deleted."""
    names, staff = {str(one["name"]) for one in contacts()}, {one.name for one in STAFF}
    done = [one for one in _all() if one.kind not in {"interaction", "status"}]
    assert {one.kind for one in done} == {"assign", "resolve", "snooze", "note", "change"}
    for one in done:
        assert one.at_us <= NOON
        if one.kind != "change":
            assert one.body["contact"] in names
            assert one.body["by"] in staff
        if one.kind == "snooze":
            assert int(str(one.body["until"])) > NOON
    bodies = [one.body for one in _all() if one.kind == "interaction"]
    said = {(body["source"], body["external_id"]) for body in bodies}
    changes = [one.body for one in done if one.kind == "change"]
    assert {one["kind"] for one in changes} == {"reaction", "edit", "revoke"}
    assert {(one["source"], one["external_id"]) for one in changes} <= said


def test_the_files_can_be_opened() -> None:
    """Pictures, papers and sounds are made by their names alone; others cannot be had."""
    for kind, head in {"jpg": b"\x89PNG", "pdf": b"%PDF-", "ogg": b"RIFF"}.items():
        made, again = content_of(f"foto-12.{kind}"), content_of(f"foto-12.{kind}")
        assert made is not None
        assert made == again
        assert made[2].startswith(head)
    assert content_of("tabla.xlsx") is None
