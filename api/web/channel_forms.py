"""The forms of connections, made from what each channel's module declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.registry import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.web.acting import Sent
    from channels.contract import ChannelModule
    from domain.errors import InvalidInput

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "messages": (
        *("whatsapp", "messenger", "instagram", "telegram"),
        *("twilio_sms", "twilio_whatsapp"),
    ),
    "calls": ("twilio_voice",),
    "mail": ("imap", "smtp", "lmtp", "postmark", "mailgun", "sendgrid", "ses"),
    "forms": ("form", "typeform", "google_forms", "lead_ads"),
    "programs": ("cloudevents",),
}
"""The kinds of connections as people look for them; a kind that stands in none is a program's."""

ICONS: Final[Mapping[str, str]] = {
    **{kind: kind for kind in ("whatsapp", "messenger", "instagram", "telegram")},
    "twilio_sms": "sms",
    "twilio_whatsapp": "whatsapp",
    "twilio_voice": "call",
    **dict.fromkeys(GROUPS["mail"], "email"),
    **dict.fromkeys(GROUPS["forms"], "form"),
}
"""The icon of a kind; that of the globe for all others."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "tls": ("yes", "starttls", "no"),
    "past": ("import", "skip"),
    "bulk": ("", "ignore"),
}
"""Options that say one of a few words, the usual one first."""


class Field(Struct, frozen=True):
    """A setting as a form asks for it: `name` is what is sent, such as `options.host`."""

    name: str
    setting: str
    is_secret: bool
    is_needed: bool
    choices: tuple[str, ...] = ()


def groups() -> dict[str, list[str]]:
    """The kinds of connections by group."""
    named = {kind for kinds in GROUPS.values() for kind in kinds}
    found = {group: [kind for kind in kinds if kind in CHANNELS] for group, kinds in GROUPS.items()}
    found["programs"] += [kind for kind in CHANNELS if kind not in named]
    return found


def icon_of(channel: str) -> str:
    """The icon of a kind of connections."""
    return ICONS.get(channel, "globe")


def options_of(module: ChannelModule) -> list[Field]:
    """The options of a kind, those that are needed first."""
    return [
        Field(
            f"options.{name}",
            name,
            is_secret=False,
            is_needed=name in module.options,
            choices=CHOICES.get(name, ()),
        )
        for name in module.all_options
    ]


def secrets_of(module: ChannelModule) -> list[Field]:
    """The secrets of a kind, those that are needed first."""
    return [
        Field(f"secrets.{name}", name, is_secret=True, is_needed=name in module.secrets)
        for name in module.all_secrets
    ]


def sent_options(sent: Sent, module: ChannelModule) -> dict[str, str]:
    """The options that a form brought."""
    return {
        one.setting: sent.one(one.name).strip()
        for one in options_of(module)
        if one.name in sent.fields
    }


def sent_secrets(sent: Sent, module: ChannelModule) -> dict[str, list[bytes]]:
    """The secrets that a form brought; an empty field leaves its secret."""
    given = {one.setting: sent.one(one.name).strip() for one in secrets_of(module)}
    return {name: [text.encode()] for name, text in given.items() if text}


def words_of(error: InvalidInput) -> dict[str, str]:
    """What is wrong by field: codes, which the page says in words."""
    return {one.field: one.code for one in error.errors}
