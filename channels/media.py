"""How files are fetched that a provider only points to: data and pure functions, no network.

A recipe is a generator: it yields what to ask the provider for, is sent the JSON that came back,
and returns what to fetch in the end. Only the provider's own hosts are ever asked, over HTTPS,
also where one of them sends us on; a secret goes to the host that it is meant for alone.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from msgspec import Struct

from domain.commands import Fact, RecordInteraction, ReportChange
from domain.events import Event, InteractionEdited, InteractionRecorded
from domain.values import Deriver, FilePart

GRAPH: Final = "https://graph.facebook.com/v23.0/"
"""Meta's interface, in the version that these recipes were written for."""

TELEGRAM: Final = "https://api.telegram.org/"

META_HOSTS: Final = (
    "graph.facebook.com",
    ".fbcdn.net",
    ".fbsbx.com",
    ".cdninstagram.com",
    ".whatsapp.net",
)
"""Where Meta keeps files; one that begins with a point stands for all hosts below it."""

TWILIO_HOSTS: Final = (
    ".twilio.com",
    ".twiliocdn.com",
    "s3.amazonaws.com",
    "s3-external-1.amazonaws.com",
)
"""Where Twilio keeps files, and where it sends on whoever asks it for one."""

WITHOUT_PROOF: Final = "no_secret"
NOT_ALLOWED: Final = "not_allowed"
NOTHING: Final = "nothing_to_fetch"

Json = Mapping[str, Any]


class CannotFetch(Exception):
    """A file cannot be had now; `code` says why, and never repeats an address or a secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Get(Struct, frozen=True):
    """One request to a provider; `headers` go to the host of `url` alone."""

    url: str
    headers: Mapping[str, str] = {}


class Target(Struct, frozen=True):
    """What an event says of a file that is to be fetched."""

    url: str | None = None
    provider_id: str | None = None
    part: FilePart | None = None
    name: str | None = None
    media_type: str | None = None


class Access(Struct, frozen=True):
    """What a connection has to show: its secrets, the newest first, and its options."""

    secrets: Mapping[str, Sequence[bytes]]
    options: Mapping[str, str]

    def secret(self, name: str) -> str:
        """The newest secret of a name. Raises CannotFetch."""
        found = self.secrets.get(name, ())
        if not found:
            raise CannotFetch(WITHOUT_PROOF)
        return found[0].decode("utf-8", "replace").strip()


Recipe = Callable[[Target, Access], Generator[Get, Json, Get]]


def attached(fact: Fact, _derive: Deriver) -> Sequence[UUID]:
    """The files that a fact points to: attachments without bytes, with an address or an id."""
    if not isinstance(fact, RecordInteraction | ReportChange):
        return ()
    return [
        file.id for file in fact.attachments if not file.blob and (file.url or file.provider_id)
    ]


def target_of(event: Event, id: UUID) -> Target | None:
    """What an event says of one of its attachments; None where it names none with that id."""
    if not isinstance(event, InteractionRecorded | InteractionEdited):
        return None
    for file in event.attachments:
        if file.id == id:
            return Target(file.url, file.provider_id)
    return None


class MediaSource(Struct, frozen=True, kw_only=True):
    """How a channel's files are fetched.

    `pointed` gives the ids of what a fact points to, `target` what its event says of one of
    them. `completes`: what is fetched is no file but the rest of the interaction; it makes the
    fact that completes it from the ledger's deriver, the event, the JSON and the time (µs).
    """

    hosts: tuple[str, ...]
    recipe: Recipe
    pointed: Callable[[Fact, Deriver], Sequence[UUID]] = attached
    target: Callable[[Event, UUID], Target | None] = target_of
    completes: Callable[[Deriver, Event, Json, int], ReportChange] | None = None


def allowed(url: str, hosts: Sequence[str]) -> bool:
    """Whether an address is HTTPS, at its usual port, of one of these hosts."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".").lower()
    plain = parts.scheme == "https" and port in {None, 443} and "@" not in parts.netloc
    return plain and any(
        host.endswith(one) if one.startswith(".") else host == one for one in hosts
    )


# ------------------------------------------------------------------------ recipes


def meta_media(target: Target, access: Access) -> Generator[Get, Json, Get]:
    """WhatsApp: the id gives an address that is good for five minutes; both take the token."""
    bearer = {"Authorization": f"Bearer {access.secret('access_token')}"}
    url = target.url
    if target.provider_id:
        told = yield Get(f"{GRAPH}{quote(target.provider_id, safe='')}", bearer)
        url = told.get("url") if isinstance(told.get("url"), str) else None
    if url is None:
        raise CannotFetch(NOTHING)
    return Get(url, bearer)


def linked(target: Target, _access: Access) -> Generator[Get, Json, Get]:
    """Messenger and Instagram: the link itself opens the file, for some days."""
    yield from ()
    if target.url is None:
        raise CannotFetch(NOTHING)
    return Get(target.url)


def twilio_media(target: Target, access: Access) -> Generator[Get, Json, Get]:
    """Twilio: the link takes account and auth token, and leads on to where the file lies."""
    yield from ()
    account = access.options.get("account_sid", "")
    if target.url is None:
        raise CannotFetch(NOTHING)
    shown = b64encode(f"{account}:{access.secret('auth_token')}".encode()).decode()
    return Get(target.url, {"Authorization": f"Basic {shown}"})


def typeform_file(target: Target, access: Access) -> Generator[Get, Json, Get]:
    """Typeform: the link of an answer takes the account's token."""
    yield from ()
    if target.url is None:
        raise CannotFetch(NOTHING)
    return Get(target.url, {"Authorization": f"Bearer {access.secret('access_token')}"})


def telegram_file(target: Target, access: Access) -> Generator[Get, Json, Get]:
    """Telegram: `getFile` gives a path that is good for an hour; both take the bot's token."""
    token = quote(access.secret("bot_token"), safe=":")
    if target.provider_id is None:
        raise CannotFetch(NOTHING)
    asked = f"{TELEGRAM}bot{token}/getFile?file_id={quote(target.provider_id, safe='')}"
    told = yield Get(asked)
    result = told.get("result")
    path = result.get("file_path") if isinstance(result, dict) else None
    if not isinstance(path, str):
        raise CannotFetch(NOTHING)
    return Get(f"{TELEGRAM}file/bot{token}/{quote(path)}")


def lead_answers(target: Target, access: Access) -> Generator[Get, Json, Get]:
    """Lead ads: the lead's own object, with what was answered."""
    yield from ()
    if target.provider_id is None:
        raise CannotFetch(NOTHING)
    fields = "created_time,ad_id,form_id,campaign_name,field_data,platform"
    url = f"{GRAPH}{quote(target.provider_id, safe='')}?fields={fields}"
    return Get(url, {"Authorization": f"Bearer {access.secret('access_token')}"})


WHATSAPP_MEDIA: Final = MediaSource(hosts=META_HOSTS, recipe=meta_media)
LINKED_MEDIA: Final = MediaSource(hosts=META_HOSTS, recipe=linked)
TWILIO_MEDIA: Final = MediaSource(hosts=TWILIO_HOSTS, recipe=twilio_media)
TYPEFORM_MEDIA: Final = MediaSource(hosts=("api.typeform.com",), recipe=typeform_file)
TELEGRAM_MEDIA: Final = MediaSource(hosts=("api.telegram.org",), recipe=telegram_file)
