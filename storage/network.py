"""How long a connection to PostgreSQL may be silent: for every connection that Hilo makes."""

from __future__ import annotations

from typing import Any, Final

CONNECT_S_MAX: Final = 5
"""A server that does not answer by then is as good as gone; the caller may repeat."""

SILENCE_MS_MAX: Final = 10_000
"""A peer that acknowledges nothing for so long has vanished without closing."""

NETWORK: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_S_MAX,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENCE_MS_MAX,
}
"""Parameters of libpq: without them a peer that vanished is waited for a quarter of an hour."""
