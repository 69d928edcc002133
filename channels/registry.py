"""Every channel that Hilo speaks; adding one is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from channels.contract import ChannelModule
from channels.whatsapp import WHATSAPP

CHANNELS: Final[Mapping[str, ChannelModule]] = {module.channel: module for module in (WHATSAPP,)}
"""The modules by the name that stands in URLs and commands."""
