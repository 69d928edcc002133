"""Times: RFC 3339 in, microseconds inside, one form out, days of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.times import DAY_US, TimeError, format_utc, parse_filter_time, parse_rfc3339

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)
moments = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30))  # noqa: DTZ001 - its zone is drawn


def us(text: str) -> int:
    """Microseconds of a time, read by the standard library."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "utc", "offset_min"),
    [
        ("2026-11-22T09:15:02.123456-06:00", "2026-11-22T15:15:02.123456Z", -360),
        ("2026-11-22T15:15:02Z", "2026-11-22T15:15:02.000000Z", 0),
        ("2026-11-22t15:15:02z", "2026-11-22T15:15:02.000000Z", 0),
        ("2026-11-22T15:15:02-00:00", "2026-11-22T15:15:02.000000Z", 0),
        ("2026-11-22T20:45:02.5+05:30", "2026-11-22T15:15:02.500000Z", 330),
        ("2026-11-22T15:15:02.1234569Z", "2026-11-22T15:15:02.123456Z", 0),
        ("2026-11-22T15:15:02." + "9" * 40 + "Z", "2026-11-22T15:15:02.999999Z", 0),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000000Z", 0),
        ("2199-12-31T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z", 0),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", 0),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z", 0),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z", 0),
        ("2016-12-31T17:59:60.25-06:00", "2016-12-31T23:59:59.999999Z", -360),
    ],
)
def test_parse_rfc3339(text: str, utc: str, offset_min: int) -> None:
    """RFC 3339 with offset gives the moment, and the offset at which it was written."""
    time_us, offset = parse_rfc3339(text)
    assert (format_utc(time_us), offset) == (utc, offset_min)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hoy",
        "2026-11-22",
        "2026-11-22T09:15:02",
        "2026-11-22 09:15:02Z",
        "2026-11-22T09:15Z",
        "20261122T091502Z",
        "2026-W47-7T09:15:02Z",
        "2026-11-22T09:15:02,5Z",
        "2026-11-22T09:15:02.Z",
        "2026-11-22T09:15:02-0600",
        "2026-11-22T09:15:02-06",
        "2026-11-22T09:15:02-06:00:00",
        "2026-11-22T09:15:02+24:00",
        "2026-11-22T09:15:02+05:60",
        "2026-11-22T24:00:00Z",
        "2026-11-22T09:60:02Z",
        "2026-11-22T09:15:61Z",
        "2026-11-22T09:15:60Z",
        "2016-12-31T23:59:60-06:00",
        "2026-02-29T09:15:02Z",
        "2026-02-30T23:59:60Z",
        "2026-13-01T09:15:02Z",
        "1899-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        " 2026-11-22T09:15:02Z",
        "2026-11-22T09:15:02Z\n",
        "٢٠٢٦-11-22T09:15:02Z",
        "1795360502",
    ],
)
def test_bad_time(text: str) -> None:
    """Anything else is `bad_time`, and the message shows how to write one."""
    with pytest.raises(TimeError) as caught:
        parse_rfc3339(text)
    assert caught.value.code == "bad_time"
    assert caught.value.message.endswith("write 2026-11-22T09:15:02-06:00")


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text is a time or a TimeError with a short message."""
    for parse in (parse_rfc3339, lambda t: parse_filter_time(t, "UTC")):
        try:
            parse(text)
        except TimeError as error:
            assert len(error.message) <= 200  # noqa: PT017 - most texts raise, some do not


@given(moments, offsets)
def test_written_and_read(moment: datetime, offset_min: int) -> None:
    """What another library wrote is read to the microsecond, at any offset."""
    written = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    expected = (written - EPOCH) // timedelta(microseconds=1)
    assert parse_rfc3339(written.isoformat()) == (expected, offset_min)


@given(moments)
def test_formatted_and_read(moment: datetime) -> None:
    """format_utc writes what the standard library writes, and what parse_rfc3339 reads."""
    written = moment.replace(tzinfo=UTC)
    time_us = (written - EPOCH) // timedelta(microseconds=1)
    text = format_utc(time_us)
    assert text == written.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert parse_rfc3339(text) == (time_us, 0)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-22", "UTC", "2026-11-22T00:00:00Z"),
        ("2026-11-22", "America/Mexico_City", "2026-11-22T06:00:00Z"),
        ("2022-07-01", "America/Mexico_City", "2022-07-01T05:00:00Z"),
        ("2026-11-22", "Asia/Kolkata", "2026-11-21T18:30:00Z"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("2018-11-04", "America/Havana", "2018-11-04T04:00:00Z"),
        ("2026-11-22T09:15:02-06:00", "Asia/Kolkata", "2026-11-22T15:15:02Z"),
    ],
)
def test_filter_time(text: str, zone: str, utc: str) -> None:
    """A date is the first moment of that day in its zone, also where clocks change at midnight."""
    assert parse_filter_time(text, zone) == us(utc)


@pytest.mark.parametrize("text", ["2026-02-29", "1899-12-31", "2200-01-01", "2026-1-1", "ayer"])
def test_bad_filter_time(text: str) -> None:
    """A day that does not exist, or lies outside of 1900 to 2199, is `bad_time`."""
    with pytest.raises(TimeError) as caught:
        parse_filter_time(text, "America/Mexico_City")
    assert caught.value.code == "bad_time"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mexico",
        "America",
        "America/Atlantis",
        "../etc/passwd",
        "/etc/passwd",
        "\x00",
        "a" * 300,
    ],
)
def test_bad_zone(zone: str) -> None:
    """A zone that does not exist is `bad_zone`, whatever the file system makes of its name."""
    with pytest.raises(TimeError) as caught:
        parse_filter_time("2026-11-22", zone)
    assert caught.value.code == "bad_zone"
    assert "America/Mexico_City" in caught.value.message


def test_a_day_is_a_day() -> None:
    """Two midnights of UTC are DAY_US apart."""
    first, second = (parse_filter_time(day, "UTC") for day in ("2026-11-22", "2026-11-23"))
    assert second - first == DAY_US
