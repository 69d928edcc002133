"""Words that answers hold and pages translate: channels, outcomes, states, and what went wrong.

A template says `{{ word("channel", row.channel) }}`. A word that nobody listed is shown as it is,
since enums of the contract may gain values.
"""

from __future__ import annotations

from typing import Final

from api.web.channel_words import CHANNEL_WORDS
from api.web.languages import N_

WORDS: Final[dict[str, dict[str, str]]] = {
    **CHANNEL_WORDS,
    "channel": {
        "call": N_("Call"),
        "sms": N_("SMS"),
        "whatsapp": N_("WhatsApp"),
        "messenger": N_("Messenger"),
        "instagram": N_("Instagram"),
        "telegram": N_("Telegram"),
        "email": N_("E-mail"),
        "form": N_("Form"),
        "webchat": N_("Web chat"),
        "walk_in": N_("Visit"),
        "other": N_("Other"),
    },
    "direction": {"inbound": N_("inbound"), "outbound": N_("outbound")},
    "origin": {
        "automatic": N_("automatic"),
        "manual": N_("manual"),
        "imported": N_("imported"),
    },
    "outcome": {
        "answered": N_("answered"),
        "missed": N_("missed"),
        "busy": N_("busy"),
        "no_answer": N_("no answer"),
        "voicemail": N_("voicemail"),
        "failed": N_("failed"),
        "canceled": N_("canceled"),
    },
    "delivery": {
        "queued": N_("Queued"),
        "sent": N_("Sent"),
        "delivered": N_("Delivered"),
        "read": N_("Read"),
        "played": N_("Played"),
        "failed": N_("not delivered"),
    },
    "status": {
        "open": N_("open"),
        "snoozed": N_("snoozed"),
        "resolved": N_("resolved"),
    },
    "time_source": {
        "provider": N_("said by the provider"),
        "received": N_("when it arrived"),
        "typed": N_("typed by hand"),
        "import": N_("from an import"),
    },
    "by": {
        "user": N_("person"),
        "token": N_("program"),
        "channel": N_("channel"),
        "import": N_("import"),
        "system": N_("Hilo"),
    },
    "event": {
        "interaction.recorded": N_("Recorded"),
        "interaction.edited": N_("Edited by its sender"),
        "interaction.revoked": N_("Deleted by its sender"),
        "interaction.corrected": N_("Corrected"),
        "interaction.retracted": N_("Declared void"),
        "delivery.reported": N_("Delivery"),
        "reaction.set": N_("Reaction"),
        "attachment.stored": N_("File kept"),
        "attachment.failed": N_("File not fetched"),
        "twin.linked": N_("Linked with its twin"),
        "twin.unlinked": N_("Twin unlinked"),
        "content.dropped": N_("Content dropped"),
        "watermark.advanced": N_("Read or delivered"),
    },
    "field": {
        "occurred_at": N_("Happened"),
        "department": N_("Department"),
        "campaign": N_("Campaign"),
        "attended_by": N_("Attended by"),
        "direction": N_("Direction"),
        "channel": N_("Type"),
        "text": N_("Text"),
        "call.seconds": N_("Duration"),
        "status": N_("Delivery"),
        "reaction": N_("Reaction"),
        "attachment": N_("File"),
        "twin": N_("Twin"),
        "twin.role": N_("In lists"),
    },
    "role": {"shown": N_("shown"), "hidden": N_("hidden")},
    "file": {
        "stored": N_("kept"),
        "pending": N_("on its way"),
        "failed": N_("could not be fetched"),
    },
    "not_fetched": {
        "too_large": N_("it is too large"),
        "connection_removed": N_("its connection was removed"),
        "unreadable": N_("the provider's answer cannot be read"),
        "too_slow": N_("the provider took too long"),
        "no_secret": N_("the connection lacks the key that opens it"),
        "not_allowed": N_("the provider does not give it out"),
        "nothing_to_fetch": N_("the provider names no file"),
        "unreachable": N_("the provider does not answer"),
        "provider_error": N_("the provider answers with an error"),
        "refused": N_("the provider refuses it"),
        "gone": N_("the provider has it no more"),
        "redirects": N_("the provider sends on and on"),
    },
    "run": {
        "running": N_("under way"),
        "done": N_("no difference"),
        "bad": N_("differs"),
        "failed": N_("not carried out"),
        "lost": N_("cut off"),
    },
    "place": {
        "signer": N_("Signer"),
        "tree": N_("Tree"),
        "witness": N_("Witness"),
        "folder": N_("Folder"),
    },
    "place_fails": {
        "signer": N_("It does not sign."),
        "tree": N_("It does not grow."),
        "witness": N_("It does not answer, or does not agree."),
        "folder": N_("It cannot be written to."),
    },
    "bad": {
        "missing": N_("Events are missing from here on."),
        "order": N_("It stands out of order."),
        "time": N_("It says a time before that of the event in front of it."),
        "topic": N_("Its kind is none that Hilo knows."),
        "changed": N_("It was changed after it was recorded."),
        "tree": N_("The tree over it is not whole."),
        "checkpoint": N_("Something up to here was changed after it was signed."),
        "note": N_("A signed checkpoint cannot be read, or the signature is not by the right key."),
        "unreadable": N_("What is stored there cannot be read."),
    },
    "erasure": {
        "differs": N_("Type the name exactly as it stands in the plan."),
        "too_short": N_("Say why in a few words."),
        "too_long": N_("At most 500 characters."),
    },
    "say": {
        "wrong": N_("The e-mail address or the password is not right."),
        "too-many": N_("Too many tries. Try again in %(minutes)s min."),
        "later": N_("Too many tries. Try again later."),
        "csrf": N_("The page was old. Try again."),
        "wait": N_("Hilo is busy. Try again in a few seconds."),
        "unread": N_("The form could not be read."),
        "fields": N_("Something in the form needs attention."),
        "taken": N_("This e-mail address is somebody else's already."),
        "last-administrator": N_("One administrator must remain who may come in."),
        "no-link": N_("A link is for a user who is not suspended and has an e-mail address."),
        "word-taken": N_("There is one of this name already."),
        "name-taken": N_("There is a token of this name already."),
        "current.wrong": N_("This is not your password."),
        "name.too_short": N_("Write your name."),
        "email.bad_address": N_("Write an e-mail address such as ana@example.com."),
        "password.too_short": N_("The password is too short."),
        "password.too_long": N_("The password is too long."),
        "password.too_weak": N_("This password is guessed at once; choose another one."),
        "again.differs": N_("The two passwords are not the same."),
    },
    "log": {
        "future": N_("This lies in the future."),
        "occurred_at": N_("Choose a day and an hour."),
        "who": N_("Write a phone number, an e-mail address, or a name that is known."),
        "which": N_("Choose who is meant, or write a phone number or e-mail address."),
        "missing": N_("Write what happened."),
        "too_long": N_("This is too long."),
        "unknown": N_("This is not to be had any more; choose another one."),
        "unread": N_("This cannot be read."),
    },
    "fault": {
        "missing": N_("This is needed."),
        "too_short": N_("This is needed."),
        "too_long": N_("This is too long."),
        "bad_enum": N_("Choose one of those offered."),
        "bad_time": N_("Choose a day."),
        "past": N_("This lies in the past."),
        "bad_zone": N_("Write a time zone such as America/Mexico_City."),
        "bad_address": N_("Write an address such as tel:+525598765432."),
        "unknown_scheme": N_("Write an address such as tel:+525598765432."),
        "needs_country": N_("Write the number with its country, such as tel:+525598765432."),
        "bad_source": N_("Write a source such as manual, api:crm or sms:shop."),
        "unknown": N_("This is not to be had any more; choose another one."),
        "unread": N_("This cannot be read."),
    },
    "done": {
        "saved": N_("Saved."),
        "password": N_("The password is changed."),
        "signed-out": N_("Signed out everywhere else."),
        "revoked": N_("Revoked: it opens nothing any more."),
        "suspended": N_("Suspended."),
        "restored": N_("Let in again."),
    },
    "user_role": {
        "admin": N_("administrator"),
        "manager": N_("manager"),
        "agent": N_("agent"),
        "auditor": N_("auditor"),
    },
    "role_text": {
        "admin": N_("sees and changes everything"),
        "manager": N_("leads teams, departments and campaigns; reads the log"),
        "agent": N_("records, answers, and works with contacts"),
        "auditor": N_("reads the log and its proofs, no content"),
    },
    "user_state": {
        "invited": N_("invited"),
        "active": N_("active"),
        "suspended": N_("suspended"),
        "person": N_("named in records"),
    },
    "scope": {
        "append": N_("record interactions and their statuses"),
        "read": N_("read whatever its person may see"),
        "manage": N_("read, and change contacts and conversations"),
        "audit": N_("read the log and its proofs, no content"),
        "admin": N_("everything"),
    },
    "title": {
        "link": N_("This link does not work any more"),
        "not-found": N_("There is nothing here"),
        "not-allowed": N_("You are not allowed"),
        "wait": N_("One moment"),
        "wrong": N_("The request is not understood"),
    },
    "text": {
        "link": N_("It works once, and not for long. Ask whoever administers Hilo for a new one."),
        "not-found": N_("The address does not exist, or you may not see what is there."),
        "not-allowed": N_("Ask whoever administers Hilo for access."),
        "wait": N_("The views are being made ready. Load the page again in a few seconds."),
        "wrong": N_("Begin again from the first page."),
    },
    "contact": {
        "unread": N_("This is not understood."),
        "too_long": N_("This is too long."),
        "name.nothing": N_("Write a name, a number or an e-mail address."),
        "name.known": N_(
            "Somebody is called so already. Look first whether it is the same person."
        ),
        "phone.bad_address": N_("Write a phone number such as +52 55 1234 5678."),
        "phone.needs_country": N_("Write the number with its country: +52 55 1234 5678."),
        "email.bad_address": N_("Write an e-mail address such as ana@example.com."),
        "address.nothing": N_("Write a number or an e-mail address."),
        "address.needs_country": N_("Write the number with its country: +52 55 1234 5678."),
        "address.unknown_scheme": N_(
            "Write a number, an e-mail address, or an address such as telegram:bot/123456."
        ),
        "bad_address": N_("Write a number such as +52 55 1234 5678, or an e-mail address."),
        "language.bad_format": N_("Write the short name of a language, such as es or pt-BR."),
        "owner.unknown": N_("This person is not there any more. Choose another one."),
        "from.bad_time": N_("Choose a day and an hour."),
        "from.future": N_("This time has not come yet."),
        "from.too_early": N_("It was still in use after that time. Choose a later one."),
        "text.too_short": N_("Write a few words."),
        "reason.too_short": N_("Say why, in a few words."),
        "users.missing": N_("Tick at least one team or person who goes on seeing it."),
        "users.unknown": N_("Somebody who is ticked cannot sign in any more."),
        "teams.unknown": N_("A team that is ticked is not there any more."),
        "anyway.blind": N_(
            "You are not among them: you would not see it yourself any more. Tick yourself or one"
            " of your teams, or tick below that you want it so."
        ),
        "other.unknown": N_(
            "There is no such contact, or you may not see it. Only somebody who sees both can"
            " merge them: ask whoever administers Hilo."
        ),
        "merge.unknown": N_(
            "There is no such merge here, or one of both contacts is out of your sight."
            " Ask somebody who sees both, or whoever administers Hilo."
        ),
        "self": N_("It is the contact itself. Choose another one."),
        "one_already": N_("They are one contact already. Below is the merge, with its undoing."),
        "full": N_("Together they have more than 64 addresses. Take some off first."),
        "named_after": N_(
            "The contact is kept under this address. Take its other addresses off instead, or say"
            " from when on this one is somebody else's."
        ),
        "hangs": N_(
            "Something was merged or linked by this address. Undo that merge first; then it can be"
            " taken off."
        ),
        "nobody": N_("Withheld numbers are nobody in particular: they belong to nobody."),
        "erased": N_("One of the contacts was erased: nothing can be joined to it any more."),
        "changed": N_(
            "Somebody changed it while you were here. This is how it is now; send it again if it"
            " still holds."
        ),
        "sent": N_("This was sent already. Send it again if you want it a second time."),
        "busy": N_("Hilo is busy. Nothing was changed; try again in a few seconds."),
        "state": N_("It cannot be done in its present state."),
        "taken": N_("The address belongs to another contact."),
        "taken_hidden": N_(
            "The address belongs to a contact that you may not see. Ask whoever administers Hilo."
        ),
        "saved": N_("Saved."),
        "linked": N_("The address was added."),
        "moved": N_("The address is this contact's now."),
        "given": N_("From then on the number is somebody else's. What was said before stays here."),
        "unlinked": N_("The address was taken off. It is a contact of its own again."),
        "noted": N_("Noted."),
        "twin": N_("Linked: both stay, and they count as one."),
        "untwin": N_("Both are shown and counted by themselves again."),
        "dismissed": N_("It is not suggested any more."),
        "restored": N_("It is suggested again."),
        "merged": N_("They are one contact now."),
        "undone": N_("They are two contacts again, each with what was its own."),
    },
    "alike": {
        "conflict": N_("A channel said that they are one person, and something speaks against it."),
        "alias": N_("Somebody wrote down an address of the one for the other."),
        "name": N_("They are called the same, and their addresses are similar."),
    },
    "linked_by": {
        "first": N_("since the beginning"),
        "observed": N_("joined by a channel"),
        "user": N_("added by hand"),
        "import": N_("by an import"),
    },
    "problem": {
        "internal": N_("Something went wrong on our side."),
        "malformed": N_("The request could not be read."),
        "bad-cursor": N_("This page of the list is too old. Begin again."),
        "not-signed-in": N_("You were signed out. Sign in again."),
        "not-allowed": N_("You are not allowed to do this."),
        "source-not-yours": N_("This source is not yours."),
        "csrf": N_("The page was old. Try again."),
        "not-found": N_("It is not there any more."),
        "method-not-allowed": N_("This cannot be done here."),
        "state": N_("It cannot be done in its present state."),
        "conflict": N_("It was recorded already, with other content."),
        "key-reused": N_("It was sent already, with other content."),
        "probable-twins": N_("It was probably recorded already."),
        "address-taken": N_("The address belongs to another contact."),
        "held": N_("A legal hold forbids it."),
        "not-yet-signed": N_("No signed checkpoint covers it yet."),
        "erased": N_("Its content was erased."),
        "changed-meanwhile": N_("Somebody changed it meanwhile."),
        "too-large": N_("It is too large."),
        "media-type": N_("This kind of file is not read here."),
        "invalid-input": N_("Something in the form needs attention."),
        "too-many": N_("Too many tries. Try again later."),
        "busy": N_("Hilo is busy. Try again in a few seconds."),
        "not-yet": N_("The views are not that far yet. Try again in a few seconds."),
        "store-unavailable": N_("A database does not answer. Try again in a few seconds."),
    },
}
"""Vocabulary → word → message."""


def message_of(kind: str, word: str) -> str:
    """The message that stands for a word; the word itself where nobody listed it."""
    return WORDS[kind].get(word, word)
