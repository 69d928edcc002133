"""Every channel that Hilo speaks; adding one is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from channels.cloudevents import CLOUDEVENTS
from channels.contract import ChannelModule
from channels.form import FORM
from channels.google_forms import GOOGLE_FORMS
from channels.imap import IMAP
from channels.instagram import INSTAGRAM
from channels.lead_ads import LEAD_ADS
from channels.mailgun import MAILGUN
from channels.messenger import MESSENGER
from channels.postmark import POSTMARK
from channels.sendgrid import SENDGRID
from channels.ses import SES
from channels.smtp import LMTP, SMTP
from channels.telegram import TELEGRAM
from channels.twilio import TWILIO_SMS, TWILIO_VOICE, TWILIO_WHATSAPP
from channels.typeform import TYPEFORM
from channels.whatsapp import WHATSAPP

CHANNELS: Final[Mapping[str, ChannelModule]] = {
    module.channel: module
    for module in (
        WHATSAPP,
        MESSENGER,
        INSTAGRAM,
        LEAD_ADS,
        TWILIO_SMS,
        TWILIO_WHATSAPP,
        TWILIO_VOICE,
        TELEGRAM,
        POSTMARK,
        MAILGUN,
        SENDGRID,
        SES,
        SMTP,
        LMTP,
        IMAP,
        FORM,
        TYPEFORM,
        GOOGLE_FORMS,
        CLOUDEVENTS,
    )
}
"""The modules by the name that stands in URLs and commands."""
