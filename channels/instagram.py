"""Instagram: the messages of a professional account, and the comments under its posts.

What requests hold is read in channels/meta_requests.py; this is the channel as a whole.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from channels import meta
from channels.contract import ChannelModule
from channels.lead_ads_media import PAGE_MEDIA
from channels.meta_requests import parse

INSTAGRAM: Final = ChannelModule(
    channel="instagram",
    title="Instagram",
    secrets=meta.SECRETS,
    optional_secrets=meta.OPTIONAL_SECRETS,
    handshake=meta.handshake,
    verify=meta.verify,
    parse=partial(parse, default="instagram"),
    sign=meta.sign,
    media=PAGE_MEDIA,
)
