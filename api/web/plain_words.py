"""Technical sentences of ours, said in the reader's language; words of others are quoted.

What a connection or an atom in quarantine keeps as its error is a sentence that Hilo wrote in
English, often around a detail that it did not write: the kind of an error, the words of a
library or of a server. Here stand the sentences; the text itself is their code, so that what was
kept by an earlier version is said as well. In a sentence `%(detail)s` may be one of them again,
else it is quoted as English; any other place holds a number, a name, or a person's own words.

A template says `{{ error|explained }}`. A room whose errors stand elsewhere adds its sentences
here; a test reads the channels' code, and is red for a sentence that is not listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

from api.web.languages import N_

SENTENCES: Final = (
    # a request that cannot be read
    N_("the body is not JSON"),
    N_("the body is not an object"),
    N_("the body is not an object of JSON"),
    N_("the body is no CloudEvent"),
    N_("the body is about another kind of object"),
    N_("the body has no entries"),
    N_("nested too deeply"),
    N_("an entry is not an object"),
    N_("an item is not an object"),
    N_("a change is not an object"),
    N_("an event is not an object"),
    N_("it is not an object"),
    N_("it cannot be read: %(detail)s"),
    N_("it holds nothing any more"),
    N_("nothing is said"),
    # of a kind that is new
    N_("the entry is of another product"),
    N_("the entry holds something new"),
    N_("the field is unknown"),
    N_("the change holds something unknown"),
    N_("the item holds something new"),
    N_("the event is of an unknown kind"),
    N_("the event is of an unknown type"),
    N_("it is an event of an unknown kind"),
    N_("the update is of an unknown kind"),
    N_("it is about a conversation of Twilio's"),
    N_("it is about neither a message nor a call"),
    N_("it is neither a mail nor an event"),
    N_("it is no mail"),
    # mail
    N_("the mail cannot be read: %(detail)s"),
    N_("it has no header of a mail"),
    N_("it tells nothing of a mail"),
    N_("the mail lies in S3; let the rule's action be SNS, with its content"),
    N_("the note came without its mail"),
    # an atom that lacks what it needs
    N_("nobody is at the other end"),
    N_("the message's id is too long"),
    N_("the message has no kind and no content"),
    N_("the message names no chat"),
    N_("the message has no number"),
    N_("it names no message"),
    N_("the edit names no message"),
    N_("the revoke names no message"),
    N_("the reaction names no message"),
    N_("the %(kind)s names no message"),
    N_("the status names no message"),
    N_("the status says nothing"),
    N_("the deletion names no message"),
    N_("the reaction is nobody's"),
    N_("the preference is nobody's"),
    N_("the call has no id"),
    N_("the call's id is too long"),
    N_("the call's event has no name"),
    N_("the change does not say which number it is about"),
    N_("the item does not say which account it is about"),
    N_("the comment does not say which account it is about"),
    N_("the comment has no id"),
    N_("the lead has no id"),
    N_("the lead's id cannot be kept"),
    N_("the lead does not say which page it is about"),
    N_("the response has no token"),
    N_("the form's id cannot be kept"),
    N_("the event lacks its id, source or type"),
    N_("the event's source and id are too long"),
    N_("its data is no JSON object"),
    N_("its data is not valid: %(detail)s"),
    N_("append requests are not read here"),
    N_("the status lacks its external_id or status"),
    N_("the status has a source that is none"),
    # what the ledger said
    N_("interaction %(number)s has this key and other content"),
    N_("discarded: %(words)s"),
    # mailboxes, and where mail is listened for
    N_("imap: %(detail)s"),
    N_("the server cannot be reached (%(detail)s)"),
    N_("the server cannot be reached"),
    N_("the server does not answer (%(detail)s)"),
    N_("the server numbers no mails (UIDVALIDITY)"),
    N_("not signed in (%(detail)s)"),
    N_("the folder '%(name)s' cannot be opened (%(detail)s)"),
    N_("the folder '%(name)s' cannot be opened"),
    N_("the mails cannot be listed (%(detail)s)"),
    N_("the mails cannot be fetched (%(detail)s)"),
    N_("the mails cannot be fetched"),
    N_("the line was lost (%(detail)s)"),
    N_("it cannot be listened there: %(detail)s"),
    # what a library or a system says often
    N_("Connection refused"),
    N_("Connection reset by peer"),
    N_("Network is unreachable"),
    N_("No route to host"),
    N_("Address already in use"),
    N_("Permission denied"),
    N_("Name or service not known"),
    N_("Temporary failure in name resolution"),
    N_("its certificate cannot be read"),
    N_("its name is none"),
)
"""The sentences, as they are kept."""

DEPTH_MAX: Final = 3
"""How often a detail may be a sentence again: a mailbox's trouble, its reason, and one more."""

KEPT_MAX: Final = 1_000
"""Sentences that are kept as HTML in a language: a page of the quarantine many times over."""

DETAIL: Final = "detail"

_PLACE: Final = re.compile(r"%\((\w+)\)s")


class Told(Struct, frozen=True):
    """A sentence taken apart: its message, and what stands in its places."""

    message: str
    places: dict[str, str] = {}


def told(text: str) -> Told | None:
    """A sentence of ours, taken apart; None for words of others."""
    if text in _whole():
        return Told(text)
    for message, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return Told(message, found.groupdict())
    return None


@cache
def _whole() -> frozenset[str]:
    return frozenset(one for one in SENTENCES if not _PLACE.search(one))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The sentences with places, the longest first, so that the nearest one is taken."""
    messages = sorted((one for one in SENTENCES if _PLACE.search(one)), key=len, reverse=True)
    return tuple((message, re.compile(_pattern(message), re.DOTALL)) for message in messages)


def _pattern(message: str) -> str:
    parts = _PLACE.split(message)  # text, name, text, name, … text
    return "".join(
        f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


def explaining(translated: Callable[[str], str]) -> Callable[[str], Markup]:
    """What templates call `explained`: the HTML of a sentence, in the language of `translated`."""

    def said(text: str, depth: int) -> Markup:
        found = told(text) if depth else None
        if found is None:
            return Markup('<code lang="en">{}</code>').format(text)
        values = {
            name: said(value, depth - 1) if name == DETAIL else escape(value)
            for name, value in found.places.items()
        }
        message = escape(translated(found.message))
        return message % values if values else message

    return lru_cache(KEPT_MAX)(lambda text: said(text, DEPTH_MAX))
