"""Typeform: a form that somebody filled in there, signed by Typeform.

Each answer has its question in the form's definition, which comes along. What an answer is about
is its type; Typeform's own fields for people (`contact_info`) come as answers of these types.

Source: Typeform, "Webhooks" (secure your webhooks, example payload).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import TYPE_CHECKING, Final

import msgspec

from channels.contract import (
    UNKNOWN_KIND,
    Atom,
    ChannelModule,
    Commands,
    Incoming,
    Outcome,
    Rejected,
    Secrets,
    Unreadable,
    Verified,
)
from channels.form_record import Answer, File, Submission, recorded, source_of
from channels.form_secret import no_handshake
from channels.form_words import About, about
from channels.lenient import (
    Json,
    Unfit,
    body_in,
    items_in,
    loads,
    moment_of,
    object_in,
    objects_in,
    text_in,
)
from channels.media import TYPEFORM_MEDIA
from channels.option_checks import country, each
from domain.errors import HiloError

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "typeform"

SIGNATURE_HEADER: Final = "typeform-signature"
ALGORITHM: Final = "sha256="

GROUPS_DEEP_MAX: Final = 4
"""How deep groups of questions are looked into; Typeform has two levels."""

_WHOLE: Final = "form_response"
_PARTIAL: Final = "form_response_partial"

_TYPES: Final = {"email": About.MAIL, "phone_number": About.PHONE}

_FROM_QUESTIONS: Final = frozenset(
    {About.NAME, About.FIRST_NAME, About.LAST_NAME, About.CONSENT, About.PHONE, About.MAIL}
)
"""What a question may tell of its answer; anything else is an answer with its question."""

_FROM_HIDDEN: Final = _FROM_QUESTIONS | {About.UTM, About.CLICK, About.PAGE}
"""What a hidden field may be about: whoever made the link put it there."""


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """The HMAC over the raw body, compared in constant time with that of each secret."""
    shown = incoming.headers.get(SIGNATURE_HEADER, "").strip()
    if not shown:
        return Rejected("no_signature")
    given = shown.encode("utf-8", "surrogatepass")
    known = [
        hmac.compare_digest(given, _signature(incoming.body, secret))
        for secret in secrets.get("signing_secret", ())
        if secret
    ]
    return Verified() if any(known) else Rejected("bad_signature")


def sign(body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that Typeform would send."""
    return {SIGNATURE_HEADER: _signature(body, secrets["signing_secret"][0]).decode()}


def _signature(body: bytes, secret: bytes) -> bytes:
    return ALGORITHM.encode() + b64encode(hmac.new(secret, body, hashlib.sha256).digest())


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The one atom of a request."""
    outcome = _outcome(incoming.body, arrival)
    found = outcome.commands[-1] if isinstance(outcome, Commands) else None
    return [
        Atom(
            number=0,
            source=source_of(arrival),
            outcome=outcome,
            raw=lambda: incoming.body,
            our_address=getattr(found, "destination", None),
        )
    ]


def _outcome(body: bytes, arrival: Arrival) -> Outcome:
    """What a request comes to; whatever is wrong with it stays with it."""
    try:
        found = loads(body)
    except ValueError:
        return Unreadable("the body is not JSON")
    if not isinstance(found, dict):
        return Unreadable("the body is not an object")
    kind = text_in(found, "event_type") or _WHOLE
    if kind not in {_WHOLE, _PARTIAL}:
        return Unreadable("the event is of an unknown kind", UNKNOWN_KIND)
    try:
        sent = _submission(found, object_in(found, "form_response"), arrival)
        return Commands((recorded(sent, arrival),))
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _submission(event: Json, response: Json, arrival: Arrival) -> Submission:
    """The response of an event. Raises Unfit."""
    id_ = text_in(response, "token") or text_in(event, "event_id")
    if id_ is None:
        raise Unfit("the response has no token")
    is_partial = text_in(event, "event_type") == _PARTIAL
    at, time_source = moment_of(
        text_in(response, "submitted_at") or text_in(response, "landed_at"), arrival.received_at
    )
    answers, files = _answers(response)
    hidden = object_in(response, "hidden")
    page = text_in(response, "metadata", "referer")
    return Submission(
        form=text_in(response, "form_id"),
        # Who came back and finished sent the same form twice, and both are told.
        id=f"{id_}:partial" if is_partial else id_,
        answers=[*answers, *_hidden(hidden)],
        original=event,
        at=at,
        time_source=time_source,
        title=text_in(response, "definition", "title"),
        files=files,
        details={
            **({"partial": True} if is_partial else {}),
            **({"referer": page} if page else {}),
            "score": response.get("calculated"),
            "hidden": hidden,
        },
    )


def _hidden(hidden: Json) -> list[Answer]:
    """Hidden fields that say who it is or whence they came; the others are details."""
    found = [(str(name), text_in(hidden, str(name)), about(str(name))) for name in hidden]
    return [Answer(n, text, kind) for n, text, kind in found if text and kind in _FROM_HIDDEN]


def _answers(response: Json) -> tuple[list[Answer], list[File]]:
    fields = _fields(object_in(response, "definition"), GROUPS_DEEP_MAX)
    questions = {id_: _question(one) for one in fields for id_ in _ids(one)}
    answers: list[Answer] = []
    files: list[File] = []
    for one in objects_in(response, "answers"):
        kind = text_in(one, "type") or ""
        asked = object_in(one, "field")
        label = next((questions[id_] for id_ in _ids(asked) if id_ in questions), None)
        label = label or text_in(asked, "title") or text_in(asked, "ref") or kind or "?"
        if kind == "file_url":
            url = text_in(one, kind) or ""
            files += _file(url)
        answers.append(Answer(label, _said(one, kind) or "", _kind(kind, label)))
    return answers, files


def _fields(holder: Json, deep_max: int) -> list[Json]:
    """The questions of a form or of a group of them, with those of the groups within."""
    found = objects_in(holder, "fields")
    if deep_max == 0:
        return found
    inner = (_fields(object_in(one, "properties"), deep_max - 1) for one in found)
    return [*found, *(one for group in inner for one in group)]


def _ids(field: Json) -> list[str]:
    return [id_ for name in ("id", "ref") if (id_ := text_in(field, name))]


def _question(field: Json) -> str:
    title = text_in(field, "title") or text_in(field, "ref") or "?"
    return " ".join(title.split())


def _kind(type_: str, label: str) -> About:
    if type_ in _TYPES:
        return _TYPES[type_]
    told = about(label)
    return told if type_ in {"text", "boolean"} and told in _FROM_QUESTIONS else About.ANSWER


def _said(answer: Json, kind: str) -> str | None:
    """What was answered, as text; of a kind that nobody knows yet, its JSON.

    Where nothing stands under the kind's own name (a film, `video_url`), all that was said.
    """
    value = answer.get(kind)
    if value is None:
        rest = (body_in(answer, str(name)) for name in answer if name not in {"type", "field"})
        return ", ".join(text for text in rest if text) or None
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value if one not in (None, "", [], {})) or None
    if not isinstance(value, dict):
        return body_in(answer, kind)
    if kind in {"choice", "choices"}:
        chosen = [*items_in(value, "label"), *items_in(value, "labels"), *items_in(value, "other")]
        return ", ".join(one for one in chosen if isinstance(one, str) and one.strip()) or None
    if kind == "payment":
        parts = (text_in(value, name) for name in ("amount", "currency", "name"))
        return " ".join(part for part in parts if part) or None
    return msgspec.json.encode(value).decode()


def _file(url: str) -> list[File]:
    if not url.lower().startswith(("https://", "http://")) or not url.isprintable():
        return []
    return [File(name=url.partition("?")[0].rpartition("/")[2], url=url[:2_048])]


TYPEFORM: Final = ChannelModule(
    channel=CHANNEL,
    title="Typeform",
    secrets=("signing_secret",),
    optional_secrets=("access_token",),
    media={CHANNEL: TYPEFORM_MEDIA},
    optional_options=("country",),
    check=each(country=country),
    handshake=no_handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
