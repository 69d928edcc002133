"""Google Forms: a script of the form's owner (Apps Script) tells of each response.

Google signs nothing; a secret comes along. The script in docs/channels/google_forms.md sends
`answers` as a list of title, type and response. What the Forms API gives (`answers` by question),
what a spreadsheet's trigger gives (`namedValues`) and what people's own scripts send (a list
under another name, or plain fields) is read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channels.contract import (
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Outcome,
    Rejected,
    Secrets,
    Unreadable,
    Verified,
)
from channels.form_record import Answer, Submission, recorded, source_of
from channels.form_secret import header_of, no_handshake, verify_shared
from channels.form_words import About, about
from channels.lenient import Json, Unfit, items_in, loads, moment_of, object_in, text_in
from channels.option_checks import country, each
from domain.errors import HiloError

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "google_forms"

_TOLD: Final = frozenset(
    {About.MAIL, About.PHONE, About.NAME, About.FIRST_NAME, About.LAST_NAME, About.CONSENT}
)
"""What a question may tell of its answer; anything else is an answer with its question."""


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """The secret that came with the request."""
    return verify_shared(incoming, secrets, "secret")


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that the script would send."""
    return header_of(secrets, "secret")


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
    try:
        found = _unwrapped(found)
        answers = _answers(found)
        if not any(one.value.strip() for one in answers):
            return Ignored("empty")
        return Commands((recorded(_submission(found, answers, arrival), arrival),))
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _unwrapped(sent: Json) -> Json:
    """A response that its script put into an object of its own, with what stands around it."""
    for name in _WRAPS:
        inner = object_in(sent, name)
        if inner and not inner.keys().isdisjoint({"responseId", *_LISTS}):
            return {**{key: value for key, value in sent.items() if key != name}, **inner}
    return sent


def _submission(sent: Json, answers: list[Answer], arrival: Arrival) -> Submission:
    times = ("timestamp", "lastSubmittedTime", "createTime")
    told_at = next((text for name in times if (text := text_in(sent, name))), None)
    at, time_source = moment_of(told_at, arrival.received_at)
    return Submission(
        form=text_in(sent, "formId"),
        id=text_in(sent, "responseId"),
        answers=answers,
        original=sent,
        at=at,
        time_source=time_source,
        title=text_in(sent, "formTitle") or text_in(sent, "title"),
    )


def _answers(sent: Json) -> list[Answer]:
    """The answers in whatever shape a script sends them, and the respondent whom Google knows.

    Where it sends none under a name of their own, the fields themselves are the answers.
    """
    mail = text_in(sent, "respondentEmail") or text_in(sent, "email")
    pairs = [pair for name in _LISTS for pair in _pairs(sent.get(name))]
    if not pairs:
        pairs = _pairs({name: said for name, said in sent.items() if name not in _AROUND})
    if not pairs:  # a row of a spreadsheet, whose questions stand elsewhere
        pairs = [(f"{place}", [said]) for place, said in enumerate(items_in(sent, "values"), 1)]
    answers = [Answer(title, _text(said), _about(title)) for title, said in pairs]
    return [*([Answer("email", mail, About.MAIL)] if mail else []), *answers]


def _pairs(held: object) -> list[tuple[str, list[object]]]:
    """Questions and what was answered: by question, or a list of both."""
    if isinstance(held, dict):
        found = [(_first(one, _TITLES) or str(title), one) for title, one in held.items()]
    else:
        listed = items_in({"it": held}, "it")
        found = [(_first(one, _TITLES) or "?", one) for one in listed if isinstance(one, dict)]
    return [(title, _said(one)) for title, one in found]


def _said(one: object) -> list[object]:
    """What was answered to one question: a text, several, or an object that holds them."""
    if not isinstance(one, dict):
        return items_in({"it": one}, "it")
    for kind, value in (("textAnswers", "value"), ("fileUploadAnswers", "fileName")):
        inner = items_in(object_in(one, kind), "answers")
        if inner:
            return [text_in(said, value) for said in inner]
    return next((found for name in _VALUES if (found := items_in(one, name))), [])


def _first(one: object, names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := text_in(one, name))), None)


_LISTS: Final = ("answers", "namedValues", "responses", "itemResponses", "items", "fields")
"""What the answers stand under: with the Forms API, a spreadsheet's trigger, people's scripts."""

_WRAPS: Final = ("response", "formResponse", "data", "payload", "event", "body")
"""What a response may stand in."""

_TITLES: Final = ("title", "question", "questionTitle", "label", "name", "questionId")
_VALUES: Final = ("response", "answer", "value", "answers", "values", "text")
"""What people's scripts call a question, and what was answered to it."""

_AROUND: Final = frozenset(
    {
        *_LISTS,
        *("responseId", "formId", "formTitle", "formName", "title", "email", "respondentEmail"),
        *("timestamp", "lastSubmittedTime", "createTime", "totalScore", "secret"),
        *("authMode", "range", "source", "triggerUid", "values", "response"),
    }
)
"""What stands around the answers: names of a response, and of a trigger's event."""


def _about(title: str) -> About:
    told = about(title)
    return told if told in _TOLD else About.ANSWER


def _text(said: list[object]) -> str:
    """The answers to one question; rows of a grid are lists within."""
    texts = [
        ", ".join(map(str, one)) if isinstance(one, list) else str(one)
        for one in said
        if one not in (None, "", [])
    ]
    return ", ".join(texts)


GOOGLE_FORMS: Final = ChannelModule(
    channel=CHANNEL,
    title="Google Forms",
    secrets=("secret",),
    optional_options=("form_id", "country"),
    check=each(country=country),
    signs_body=False,
    handshake=no_handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
