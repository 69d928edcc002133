"""Web forms: what a page on a site of ours sends, straight from the visitor's browser.

A browser has no secrets, so a form takes from anybody; a connection with a secret takes from a
server of ours alone. What a field is about is told by its name. Whoever fills in the field that
people do not see is suspected to be a machine, and told the same as everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import (
    Atom,
    ChannelModule,
    Commands,
    Enclosed,
    Ignored,
    Incoming,
    Outcome,
    Rejected,
    Reply,
    Secrets,
    Unreadable,
    Verified,
)
from channels.form_fields import BrokenForm, Form, form_in, forms_in_json, is_json
from channels.form_record import Answer, File, Submission, recorded, source_of
from channels.form_secret import HEADER, header_of, no_handshake, verify_shared
from channels.form_words import About, about
from channels.lenient import Unfit, number_in
from channels.option_checks import country, each, origins, page
from domain.commands import RecordInteraction
from domain.errors import HiloError
from domain.values import TimeSource

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "form"

HONEYPOTS: Final = frozenset(
    {"_hp_field", "hp_field", "_honeypot", "honeypot", "_gotcha", "bot-field"}
)
"""Names of fields that people do not see; the option `honeypot` adds others, with commas."""

TYPED_MS_MIN: Final = 800
"""How long a person takes at least from the page to the button (`elapsed_ms`)."""

PREFLIGHT_S: Final = 86_400
"""How long a browser may remember whom a form takes from."""

_SILENT: Final = frozenset(
    {About.UTM, About.CLICK, About.PAGE, About.FORM, About.SUBMISSION, About.ELAPSED}
    | {About.MACHINERY}
)
"""Fields that no person filled in: a form of these alone is empty."""

_THANKS: Final = {
    "es": ("Gracias", "Recibimos tu mensaje."),
    "en": ("Thank you", "We have received your message."),
}


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """Anybody, unless the connection has a secret."""
    if "secret" not in secrets:
        return Verified()
    return verify_shared(incoming, secrets, "secret")


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The forms of a body: one, or of a JSON list each; a body that is none is one atom."""
    return [
        Atom(
            number=number,
            source=source_of(arrival),
            outcome=outcome,
            raw=raw,
            our_address=_our_address(outcome),
        )
        for number, (outcome, raw) in enumerate(_forms(incoming, arrival))
    ]


def _our_address(outcome: Outcome) -> str | None:
    found = outcome.commands[-1] if isinstance(outcome, Commands) else None
    return getattr(found, "destination", None)


def _forms(incoming: Incoming, arrival: Arrival) -> list[tuple[Outcome, Callable[[], bytes]]]:
    try:
        if not is_json(incoming.body):
            form = form_in(incoming)
            outcome = _read(form, _original(form), incoming, arrival)
            return [(outcome, lambda: incoming.body)]
        found = forms_in_json(incoming.body)
    except BrokenForm as error:
        return [(Unreadable(str(error)), lambda: incoming.body)]
    return [
        (
            Unreadable("it is not an object")
            if form is None
            else _read(form, item, incoming, arrival),
            partial(msgspec.json.encode, [item]),
        )
        for item, form in found
    ]


def _original(form: Form) -> object:
    return {"fields": form.fields, **({"files": form.files} if form.files else {})}


def _read(form: Form, original: object, incoming: Incoming, arrival: Arrival) -> Outcome:
    """What one form comes to; whatever is wrong with it stays with it."""
    traps = HONEYPOTS | _option(arrival.options, "honeypot")
    answers = [
        Answer(name, value, about(_inmost(name)))
        for name, value in form.fields
        if name.lower() not in traps
    ]
    trapped = any(value.strip() for name, value in form.fields if name.lower() in traps)
    is_silent = all(one.about in _SILENT or not one.value.strip() for one in answers)
    if is_silent and not form.files and not trapped:
        return Ignored("empty")
    said = {one.about: one.value.strip() for one in reversed(answers)}
    typed_ms = number_in({"it": said.get(About.ELAPSED)}, "it")
    suspected = ["honeypot"] if trapped else []
    if typed_ms is not None and typed_ms < TYPED_MS_MIN:
        suspected.append("too_fast")
    sent = Submission(
        form=said.get(About.FORM) or None,
        id=said.get(About.SUBMISSION) or None,
        answers=answers,
        original=original,
        at=arrival.received_at,
        time_source=TimeSource.RECEIVED,
        files=[File(f.name, f.media_type, f.size_bytes, f.sha256) for f in form.files],
        details=_headers(incoming),
        suspected=suspected,
    )
    try:
        record = recorded(sent, arrival)
        return Commands((record,), files=_enclosed(record, form))
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _enclosed(record: RecordInteraction, form: Form) -> tuple[Enclosed, ...]:
    """The bytes of a form's files."""
    pairs = zip(record.attachments, form.contents, strict=True)
    return tuple(Enclosed(file.id, _Whole(content)) for file, content in pairs)


class _Whole(Struct, frozen=True):
    """The bytes of a file, given when they are asked for; equal where these are."""

    content: bytes

    def __call__(self) -> tuple[bytes]:
        return (self.content,)


def _inmost(name: str) -> str:
    """`form[email]` and `fields[email][value]` are about an e-mail address."""
    inner = [part for part in name.replace("]", "").split("[")[1:] if part and not part.isdigit()]
    told = [part for part in inner if part != "value"]
    return told[-1] if told else name.partition("[")[0]


def _headers(incoming: Incoming) -> dict[str, object]:
    named = (("user_agent", "user-agent"), ("referer", "referer"))
    found = {name: incoming.headers.get(header, "").strip()[:500] for name, header in named}
    return {name: text for name, text in found.items() if text}


def _option(options: Mapping[str, str], name: str) -> frozenset[str]:
    """What an option lists, with commas between."""
    parts = (part.strip().lower() for part in options.get(name, "").split(","))
    return frozenset(part for part in parts if part)


# --------------------------------------------------------------------------- the answer


def answer(incoming: Incoming, options: Mapping[str, str]) -> Reply:
    """What the visitor is told: JSON for a script, else the page of thanks, theirs or ours."""
    headers = _shared_with(incoming, options)
    if _is_script(incoming):
        return Reply(b'{"ok":true}', "application/json", headers=headers)
    to = options.get("redirect", "")
    if to.lower().startswith(("https://", "http://")) and to.isprintable() and to.isascii():
        return Reply(status=303, headers={**headers, "Location": to})
    language = "es" if incoming.headers.get("accept-language", "").startswith("es") else "en"
    title, line = _THANKS[language]
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><h1>{title}</h1><p>{line}</p></html>"
    )
    return Reply(page.encode(), "text/html; charset=utf-8", headers=headers)


def preflight(incoming: Incoming, options: Mapping[str, str]) -> Reply:
    """Whom a browser may send to this form for (CORS)."""
    asked = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": f"content-type, authorization, {HEADER}",
        "Access-Control-Max-Age": str(PREFLIGHT_S),
    }
    shared = _shared_with(incoming, options)
    is_allowed = "Access-Control-Allow-Origin" in shared
    return Reply(status=204, headers={**shared, **(asked if is_allowed else {})})


def _is_script(incoming: Incoming) -> bool:
    sent = incoming.headers.get("content-type", "").lower()
    wanted = incoming.headers.get("accept", "").lower()
    is_fetch = incoming.headers.get("sec-fetch-mode", "") in {"cors", "same-origin"}
    return is_fetch or "json" in sent or "application/json" in wanted


def _shared_with(incoming: Incoming, options: Mapping[str, str]) -> dict[str, str]:
    """The origin whose scripts may read the answer: any, or those of the option `origins`."""
    allowed = _option(options, "origins")
    if not allowed or "*" in allowed:
        return {"Access-Control-Allow-Origin": "*"}
    origin = incoming.headers.get("origin", "").strip()
    if origin.lower() in allowed and origin.isprintable() and origin.isascii():
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    return {"Vary": "Origin"}


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that a server of ours would send."""
    return header_of(secrets, "secret")


FORM: Final = ChannelModule(
    channel=CHANNEL,
    title="Web form",
    secrets=(),
    optional_secrets=("secret",),
    optional_options=("form_id", "country", "honeypot", "origins", "redirect"),
    kept_headers=("content-type", "user-agent", "referer"),
    signs_body=False,
    is_open=True,
    answer=answer,
    preflight=preflight,
    refusal_headers=_shared_with,
    check=each(country=country, redirect=page, origins=origins),
    handshake=no_handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
