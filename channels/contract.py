"""What a channel is: a module that proves who sent a request, and says what its atoms mean.

A request passes three functions, all of them pure (no clock, no chance, no input or output):

    handshake   a provider asks whether a URL is ours, before it sends anything
    verify      over the raw bytes as they came: was it the provider who sent this?
    parse       the bytes → atoms, in their order; each becomes commands, or is ignored for a
                named reason, or cannot be read

One request may hold many atoms and a poisoned one never harms its siblings, so whatever goes
wrong with a single atom is that atom's outcome: `parse` raises nothing. Whether an atom is new,
known or in conflict is not decided here, but by channels/delivery.py over the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from channels.media import MediaSource
from domain.commands import Fact, RecordInteraction
from domain.values import Deriver

WEBHOOK_BODY_MAX_BYTES: Final = 4 * 1024 * 1024
"""A webhook's body (contract 2.10): Meta sends at most 3 MB, the others less."""

PARSED_HERE_MAX_BYTES: Final = 64 * 1024
"""A larger body is parsed in a thread: others are answered meanwhile."""

IGNORED: Final = frozenset(
    {
        "presence",  # somebody types, opens a chat, comes online
        "receipt_of_unknown",  # a receipt that names nothing
        "own_echo_without_content",  # our own message came back without what it said
        "account_event",  # about our account: templates, limits, bans, its errors
        "internal",  # our own data that the provider shares with us, such as an address book
        "empty",  # nothing is in it
        "bulk",  # sent to many by a machine, and meant for nobody in particular
        "test",  # the provider tries the URL
        "erased",  # its content was erased, and it came again
        "discarded",  # a person took it out of quarantine
    }
)
"""Why an atom is not recorded: the whole list, as the contract has it."""

UNPARSABLE: Final = "unparsable"
UNKNOWN_KIND: Final = "unknown_kind"

Secrets = Mapping[str, Sequence[bytes]]
"""The secrets of a connection by name, the newest first; during a rotation there are two."""


class Incoming(Struct, frozen=True, kw_only=True):
    """A request as it came. Names of headers are in small letters; `url` is the public one.

    `received_at` is when (µs): a signature may be good for minutes only. `certificate` is what
    the channel asked for to verify it, where it could be had.
    """

    body: bytes = b""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    url: str = ""
    received_at: int = 0
    certificate: bytes = b""


class Reading(Struct, frozen=True):
    """How a ledger reads what people type: the country of phones, and append requests.

    `append(body, source, key)` gives the command of an append request (contract 2.2) for a
    caller of that source, with a key for a body that has none. Raises HiloError.
    """

    country: str | None = None
    append: Callable[[bytes, str, str], RecordInteraction] | None = None


class Arrival(Struct, frozen=True, kw_only=True):
    """Where and when something arrived (µs), and what belongs to all that comes through there.

    `connection` is the key of the connection, such as `whatsapp/meta-main`; `department` the
    name of the department that its interactions belong to; `own_domains` are our mail domains.
    """

    connection: str
    received_at: int
    derive: Deriver
    department: str | None = None
    options: Mapping[str, str] = {}
    own_domains: frozenset[str] = frozenset()
    reading: Reading = Reading()


# ---------------------------------------------------------------- outcomes


class Answer(Struct, frozen=True):
    """The provider is let in: a text that is sent back as it is."""

    text: str


class Reply(Struct, frozen=True):
    """What a delivery is answered with: nothing, or what the sender waits for."""

    body: bytes = b""
    media_type: str | None = None
    status: int = 200
    headers: Mapping[str, str] = {}


class Refused(Struct, frozen=True):
    """The handshake did not know the secret."""


class Verified(Struct, frozen=True):
    """The provider sent it.

    Where a signature does not cover the body, `token` is what it covers and `says` the digest of
    what it came with: a token is good for that alone.
    """

    token: str = ""
    says: bytes = b""


class Rejected(Struct, frozen=True):
    """It may have been anybody: `bad_signature` or `no_signature`."""

    reason: str


class Enclosed(Struct, frozen=True):
    """A file that an atom brought along: the id of its attachment, and its bytes, in parts.

    `content` makes them anew each time, so that none of many files is in memory whole.
    """

    id: UUID
    content: Callable[[], Iterable[bytes]]


class Commands(Struct, frozen=True):
    """What an atom asks of the ledger, at least one command.

    The last command is what the atom reports, and makes it unique. Those before it are what it
    presupposes (the call that a hang-up is about): they are left out where they stand already.
    `copy`: it is told after the event and may say less, so that of what is known already it is
    a duplicate, whatever it says. `files` are the bytes of the last command's attachments.
    """

    commands: tuple[Fact, ...]
    copy: bool = False
    files: tuple[Enclosed, ...] = ()


class Ignored(Struct, frozen=True):
    """Not recorded, for a reason out of IGNORED."""

    reason: str


class Unreadable(Struct, frozen=True):
    """It goes into quarantine: `unparsable` or `unknown_kind`. `error` repeats no content."""

    error: str
    reason: str = UNPARSABLE


Outcome = Commands | Ignored | Unreadable


class Atom(Struct, frozen=True, kw_only=True):
    """The smallest thing that a provider tells: a message, a status, a change of the account.

    `source` is the account that it is about, empty where it was not said. `raw` gives the body
    of a request that holds this atom alone, and parses to it again. `our_address` is our side,
    where the atom says it.
    """

    number: int
    source: str
    outcome: Outcome
    raw: Callable[[], bytes]
    our_address: str | None = None


# ---------------------------------------------------------------- the module


class ChannelModule(Struct, frozen=True, kw_only=True):
    """A channel as data and functions. `sign` makes the headers that the provider would send.

    `kept_headers` go into quarantine with an atom; none of them may hold a secret. `gets`: it
    delivers by GET as well, and asks for no handshake. `signs_body`: a changed byte shows; else
    a shared secret tells only who sent it. `secret_choices`: a connection has all secrets of at
    least one of these groups. `is_hooked`: something is delivered over HTTP; else Hilo listens or
    fetches by itself, and `place` says where, from the options. `is_open`: without a secret it
    takes from anybody, so that posts are counted per sender. `answer` and `preflight` (OPTIONS)
    make what a sender is told from the request and the connection's options, never from what
    became of it; `refusal_headers` make the headers that a refusal goes with. `check` says what to
    write instead of options that are wrong, by their names. `certificate` names the
    URL of what `verify` needs beside the request, and `confirms` one that is fetched once it is
    verified; both are limited to the provider's own hosts. `tries` tries a connection that has
    no URL of ours: each check, and whether it went well. `media` says how files are fetched that
    the provider only points to, by the kind of the source (what stands before its colon).
    """

    channel: str
    title: str
    secrets: tuple[str, ...]
    optional_secrets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    optional_options: tuple[str, ...] = ()
    body_max_bytes: int = WEBHOOK_BODY_MAX_BYTES
    parsed_here_max_bytes: int = PARSED_HERE_MAX_BYTES
    kept_headers: tuple[str, ...] = ("content-type", "user-agent")
    reply: Reply = Reply()
    gets: bool = False
    signs_body: bool = True
    secret_choices: tuple[tuple[str, ...], ...] = ()
    is_hooked: bool = True
    place: Callable[[Mapping[str, str]], str] | None = None
    is_open: bool = False
    answer: Callable[[Incoming, Mapping[str, str]], Reply] | None = None
    preflight: Callable[[Incoming, Mapping[str, str]], Reply] | None = None
    refusal_headers: Callable[[Incoming, Mapping[str, str]], Mapping[str, str]] | None = None
    check: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None
    certificate: Callable[[Incoming, Mapping[str, str]], str | None] | None = None
    confirms: Callable[[Incoming], str | None] | None = None
    tries: Callable[[Mapping[str, str], Secrets], Mapping[str, bool]] | None = None
    media: Mapping[str, MediaSource] = {}
    handshake: Callable[[Incoming, Secrets], Answer | Refused]
    verify: Callable[[Incoming, Secrets], Verified | Rejected]
    parse: Callable[[Incoming, Arrival], list[Atom]]
    sign: Callable[[bytes, Secrets], dict[str, str]]

    @property
    def all_secrets(self) -> tuple[str, ...]:
        """The names of secrets that a connection may have."""
        return self.secrets + self.optional_secrets

    @property
    def all_options(self) -> tuple[str, ...]:
        """The names of options that a connection may have."""
        return self.options + self.optional_options
