"""Lead ads: forms under advertisements on Facebook and Instagram.

What requests hold is read in channels/meta_requests.py; what a lead comes to, and how its
answers complete it, stands in channels/lead_ads_forms.py.
"""

from __future__ import annotations

from typing import Final

from channels import meta
from channels.contract import ChannelModule
from channels.lead_ads_media import PAGE_MEDIA
from channels.meta_requests import parse

LEAD_ADS: Final = ChannelModule(
    channel="lead_ads",
    title="Lead ads",
    secrets=meta.SECRETS,
    optional_secrets=meta.OPTIONAL_SECRETS,
    handshake=meta.handshake,
    verify=meta.verify,
    parse=parse,
    sign=meta.sign,
    media=PAGE_MEDIA,
)
