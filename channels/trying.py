"""Trying a connection as its provider would: a signed sample, a forged one, and one unsigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Answer, Incoming, Rejected, Verified
from storage.connections import PAUSED

if TYPE_CHECKING:
    from channels.connections import Opened


def tried(opened: Opened) -> dict[str, bool]:
    """What a provider meets: each check, and whether it went as it should. Nothing is recorded.

    Where Hilo listens or fetches by itself this speaks with the other side, so it takes a while.
    """
    return {"state": opened.connection.state != PAUSED, **_checks(opened)}


def _checks(opened: Opened) -> dict[str, bool]:
    """What a provider meets: each check, and whether it went as it should."""
    module, secrets = opened.module, opened.secrets
    checks = {f"secret {name}": bool(secrets.get(name)) for name in module.secrets}
    if module.secret_choices:
        checks["secrets"] = any(all(map(secrets.get, one)) for one in module.secret_choices)
    if not all(checks.values()):
        return checks
    if module.tries is not None:
        return {**checks, **module.tries(opened.connection.options, secrets)}
    body = b"{}"
    if module.is_open and not any(secrets.values()):
        taken = isinstance(module.verify(Incoming(body=body), secrets), Verified)
        return {"a post without a secret is taken": taken}
    signed = Incoming(body=body, headers=module.sign(body, secrets))
    if signed.headers:  # of some keys we have only the half that cannot sign
        checks["signed request is taken"] = isinstance(module.verify(signed, secrets), Verified)
    forged = Incoming(body=body + b" ", headers=signed.headers)
    if module.signs_body:
        checks["forged request is refused"] = isinstance(module.verify(forged, secrets), Rejected)
    unsigned = module.verify(Incoming(body=body), secrets)
    checks["unsigned request is refused"] = isinstance(unsigned, Rejected)
    token = next(iter(secrets.get("verify_token", ())), None)
    if token is not None:
        asked = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": token.decode()}
        answer = module.handshake(Incoming(query=asked), secrets)
        checks["handshake is answered"] = isinstance(answer, Answer)
    return checks
