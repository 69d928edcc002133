"""A file that was given up is fetched anew, once somebody has removed the cause."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from channels.connections import Change
from channels.media_fetching import AGAIN_S, TRIES_MAX
from domain.errors import NotFound
from tests.app.test_filing import CDN, GRAPH, World, opened_world, photo
from tests.backends import Backend


@pytest.fixture
def world(backend: Backend) -> Iterator[World]:
    """The world on SQLite, then on PostgreSQL."""
    yield from opened_world(backend)


def test_a_file_that_was_given_up_is_fetched_anew(world: World) -> None:
    """By its id, or all of them; it has as many tries as at first, and `stored` outweighs."""
    world.deliver("whatsapp", photo())
    for pause in (None, *AGAIN_S):
        assert (world.turn() if pause is None else world.turn(pause)) == 1
    channels = world.station.composition.channels
    fetching, connections = channels.fetching, channels.connections
    (given_up,) = fetching.given_up()
    assert (given_up.connection, given_up.error) == ("whatsapp/main", "no_secret")
    with pytest.raises(NotFound):
        fetching.retry(UUID(int=5))
    assert fetching.retry() == 1
    assert fetching.given_up() == []
    for pause in (0, *AGAIN_S):
        assert world.turn(pause) == 1
    (given_up,) = fetching.given_up()
    (job,) = world.station.composition.trade.jobs("failed")
    assert job.attempts == TRIES_MAX
    token = Change(secrets={"access_token": [b"wa-token"]})
    connections.change(connections.book.get("whatsapp", "main"), token)
    world.providers.says(f"{GRAPH}/MEDIA1", {"url": f"https://{CDN}/wa"})
    world.providers.file(f"{CDN}/wa")
    assert fetching.retry(given_up.attachment) == 1
    assert world.turn(1) == 1
    (view,) = world.rows()[0]["attachments"]
    assert (view["state"], view["error"]) == ("stored", None)
    assert (fetching.given_up(), fetching.retry()) == ([], 0)
