"""The HTTP application of one composition: the API, the webhooks, the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.application import build

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.compose import Composition


def application(composition: Composition) -> FastAPI:
    """The application, ready to be served."""
    return build(
        composition.services, hooks=(composition.tide.watching,), reads=composition.reads
    )
