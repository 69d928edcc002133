"""`hilo serve`, `hilo follow`, `hilo demo`: what runs until it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from app.cli.companion import Companion, follow_beside
from app.cli.frame import OK, json_option, leave_soon, progress, say, settle_memory, show
from app.settings import Settings, read_settings
from domain.errors import WrongState

if TYPE_CHECKING:
    from app.compose import Composition
    from app.server import Server

log = logging.getLogger("hilo.follower")

LINK_LASTS_US: Final = 24 * 3_600 * 1_000_000
"""How long the printed sign-in link works: a day, once."""

SHUTDOWN_S: Final = 5
"""How long requests under way may take after the stop signal; streams end at once."""

BACKLOG: Final = 2_048
"""Connections that wait to be accepted: a burst of webhooks while one commit runs."""


@click.command()
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
@click.option("--host", help="Address to listen on (else HILO_HOST).")
@click.option("--port", help="Port to listen on (else HILO_PORT).")
@click.option("--no-follow", is_flag=True, help="Leave the views to `hilo follow`.")
@json_option
def serve(
    *, data: str | None, host: str | None, port: str | None, no_follow: bool, as_json: bool
) -> int:
    """Serve the API and the pages; prints the address and a sign-in link."""
    from app.replaying import opened_as_replay

    settings = read_settings(os.environ, data=data, host=host, port=port)
    settings = opened_as_replay(settings)
    follow = not no_follow and settings.replay is None
    return _serve(settings, follow=follow, as_json=as_json)


@click.command()
@click.option("--data", metavar="DIR", help="Folder of the demo ledger (else <HILO_DATA>-demo).")
@click.option("--port", help="Port to listen on (else HILO_PORT).")
@json_option
def demo(*, data: str | None, port: str | None, as_json: bool) -> int:
    """Open a made-up company's ledger, in a folder of its own."""
    from app.compose import system_clock
    from app.demo.filling import fill

    settings = read_settings(os.environ, port=port)
    folder = data or f"{settings.data}-demo"
    # Databases of the real ledger are never touched: the demo is always embedded.
    own = {"HILO_TZ": settings.zone if settings.zone != "UTC" else "America/Mexico_City"}
    settings = read_settings(own, data=folder, host=settings.host, port=port or str(settings.port))
    with progress("event") as told:
        fill(settings, system_clock(), told)
    return _serve(settings, follow=True, as_json=as_json)


@click.command()
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
@click.option("--beside", type=int, hidden=True, help="A server's socket: end with it.")
@json_option
def follow(*, data: str | None, beside: int | None, as_json: bool) -> int:
    """Keep the views current, for servers that run with --no-follow."""
    settings = read_settings(os.environ, data=data)
    if beside is not None:
        return follow_beside(settings, beside)
    from app.compose import open_ledger

    composition = open_ledger(settings)
    composition.proving.start()
    # A handler may run in the middle of anything: it takes no lock, as an event's would.
    told, telling = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(telling, b"."))
    folder = str(Path(composition.settings.data).resolve())
    if as_json:
        show({"following": folder})
    say(f"Following {folder}; stop with Ctrl-C.")
    os.read(told, 1)
    leave_soon()
    composition.close()
    return OK


def _serve(settings: Settings, *, follow: bool, as_json: bool) -> int:
    listening = _listen(settings)
    settings = settings.bound_to(listening.getsockname()[1])
    companion = _companion(settings) if follow else None
    try:
        return _serve_at(settings, listening, companion, _Wish(follow, as_json))
    finally:
        if companion is not None:
            companion.stop()
        listening.close()


class _Wish(NamedTuple):
    """What was asked of the command."""

    follow: bool
    as_json: bool


def _companion(settings: Settings) -> Companion | None:
    """The process that follows, begun before anything else here takes its time.

    None where the views are to be made in a thread of this process.
    """
    if settings.follower == "thread":
        return None
    companion = Companion(settings)
    try:
        companion.start()
    except OSError as error:
        log.warning("the views are made in a thread: no process (%s)", error.strerror)
        return None
    return companion


def _serve_at(
    settings: Settings, listening: socket.socket, companion: Companion | None, wish: _Wish
) -> int:
    from app.compose import open_ledger
    from app.launching import Launcher
    from app.served import told

    composition = open_ledger(settings, follow=wish.follow and companion is None)
    launcher = composition.proofs.launch = Launcher(settings)
    try:
        if companion is not None:
            composition.accompany(companion)
            companion.open()
        elif wish.follow:
            composition.proving.start()
        server = _server(composition)
        # The server raises a signal again that ended it; what is open is to be closed all the same.
        # One that comes before the server runs ends it as soon as it does.
        signal.signal(signal.SIGTERM, server.handle_exit)
        # Whoever follows the link at once is answered at once.
        _greet(composition, settings.public_url, as_json=wish.as_json)
        settle_memory()
        with told(settings.data, settings.public_url):
            server.run(sockets=[listening])
    finally:
        launcher.close()
        composition.close()
    return OK


def _greet(composition: Composition, address: str, *, as_json: bool) -> None:
    """Say where Hilo is, with a link that signs in."""
    from storage.credentials import Link

    if composition.keys.kek.made:
        say(f"Made the key-encryption key at {composition.keys.kek.where}: keep a copy.")
    link = Link("sign-in", None, composition.clock() + LINK_LASTS_US)
    secret = composition.keys.credentials.links.make(link)
    # On stdout: the link is a secret, and stderr ends up in logs.
    sign_in = f"{address}/welcome/{secret}"
    if as_json:
        show({"address": address, "sign_in": sign_in})
    else:
        click.echo(f"Hilo is at {address}\nSign in (once, within a day): {sign_in}")


def _server(composition: Composition) -> Server:
    """The server, ready to run."""
    import uvicorn

    from app.server import IDLE_S, Server, application

    config = uvicorn.Config(
        application(composition, filing=True),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        backlog=BACKLOG,
    )
    config.load()
    companion = composition.companion
    last = companion.kill if companion is not None else None
    return Server(config, on_exit=lambda: leave_soon(last))


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, bound before anything is opened. Raises WrongState: it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)  # whoever follows the link at once waits, and is not turned away
    except OSError as error:
        listening.close()
        message = (
            f"Port {settings.port} of {settings.host} cannot be used ({error.strerror}); "
            f"take another one: HILO_PORT={settings.port + 1} make run"
        )
        raise WrongState(message) from error
    listening.set_inheritable(True)
    return listening
