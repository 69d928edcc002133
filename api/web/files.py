"""What pages load: style, scripts of ours, and the scripts of others that set-up fetched.

Every file's address holds a piece of its hash, so that browsers may keep it for a year, and get
a new one the moment that it changes.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response
from msgspec import Struct

from api.web.addresses import Pages
from domain.errors import NotFound

if TYPE_CHECKING:
    from api.web.making import PageMaker

router = Pages()

STATIC: Final = Path(__file__).parent / "static"

FILE_AGE_S: Final = 365 * 24 * 3_600
"""A file's address changes with its content, so browsers may keep it for a year."""

OTHERS: Final = ("htmx.js",)
"""The scripts that set-up fetches (assets.json); pages work without them."""

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class File(Struct, frozen=True):
    """A file in memory, also packed."""

    content: bytes
    packed: bytes
    media_type: str


class Files:
    """All files of the pages, by the names under which browsers ask for them."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._by_address: dict[str, File] = {}
        self._addresses: dict[str, str] = {}
        for path in sorted((*folder.glob("*.*"), *folder.glob("vendor/*.js"))):
            media_type = _TYPES.get(path.suffix)
            if media_type is None:
                continue
            content = path.read_bytes()
            mark = hashlib.sha256(content).hexdigest()[:12]
            name = f"{path.stem}.{mark}{path.suffix}"
            packed = gzip.compress(content, mtime=0)
            self._by_address[name] = File(content, packed, media_type)
            self._addresses[path.name] = f"/static/{name}"

    def address(self, name: str) -> str:
        """Where browsers find a file; empty where it was not fetched."""
        return self._addresses.get(name, "")

    def one(self, name: str) -> File:
        """A file by the name in its address. Raises NotFound."""
        found = self._by_address.get(name)
        if found is None:
            raise NotFound("There is no such file.")
        return found


@cache
def all_files() -> Files:
    """The files that belong to the program, read once a process."""
    return Files()


def missing() -> list[str]:
    """The scripts of others that set-up did not fetch."""
    return [name for name in OTHERS if not (STATIC / "vendor" / name).is_file()]


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """A file of the pages."""
    maker: PageMaker = request.app.state.page_maker
    file = maker.files.one(name)
    headers = {
        "Cache-Control": f"public, max-age={FILE_AGE_S}, immutable",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    content = file.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = file.packed
    return Response(content, headers=headers, media_type=file.media_type)
