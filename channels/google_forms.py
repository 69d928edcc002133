"""Google Forms: a script of the form's owner (Apps Script) tells of each response.

Google signs nothing; a secret comes along. The script in docs/channels/google_forms.md sends
`answers` as a list of title, type and response. What the Forms API gives (`answers` by question)
and what a spreadsheet's trigger gives (`namedValues`) is read as well.
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
        answers = _answers(found)
        if not any(one.value.strip() for one in answers):
            return Ignored("empty")
        return Commands((recorded(_submission(found, answers, arrival), arrival),))
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


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
    """The answers in whichever of the three shapes, and the respondent whom Google knows."""
    mail = text_in(sent, "respondentEmail") or text_in(sent, "email")
    pairs: list[tuple[str, list[object]]] = []
    listed = sent.get("answers")
    if isinstance(listed, dict):
        for id_, one in listed.items():
            inner = items_in(object_in(one, "textAnswers"), "answers")
            title = text_in(one, "title") or text_in(one, "questionId") or str(id_)
            pairs.append((title, [text_in(said, "value") for said in inner]))
    else:
        for one in items_in(sent, "answers"):
            title = text_in(one, "title") or text_in(one, "question") or "?"
            pairs.append((title, items_in(one, "response") or items_in(one, "value")))
    named = object_in(sent, "namedValues")
    pairs += [(str(title), items_in(named, str(title))) for title in named]
    answers = [Answer(title, _text(said), _about(title)) for title, said in pairs]
    return [*([Answer("email", mail, About.MAIL)] if mail else []), *answers]


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
