"""Where an item of Messenger or Instagram belongs: our page or account, and who is there.

Ids mean something within one page or account only, so the page is part of the address:
`messenger:<page>/<psid>`, `instagram:<account>/<igsid>`. Our own side is the page in itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from channels.lenient import Json, Unfit, text_in
from channels.meta_parts import account_token, moment, token
from channels.pieces import address_or_none
from domain.values import Channel, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival
    from domain.values import TimeSource


class Place(Struct, frozen=True):
    """Our account; `id` as it was written, `told_at` the time of the entry around an item."""

    arrival: Arrival
    channel: Channel
    id: str
    told_at: str | None = None
    standby: bool = False

    @property
    def source(self) -> str:
        """The source of all that is recorded there; empty where the id cannot be one."""
        source = f"{self.channel}:{account_token(self.id)}"
        return source if self.id and is_source(source) else ""

    @property
    def our_address(self) -> str | None:
        """Our side."""
        return self.address(self.id)

    def address(self, id: str) -> str | None:
        """The address of somebody by the id that this account knows them by."""
        account = account_token(self.id)
        return address_or_none(f"{self.channel}:{account}/{token(id)}")

    def moment(self, written: str | None) -> tuple[int, TimeSource]:
        """When an item happened; the entry's time where it has none of its own."""
        return moment(written or self.told_at, self.arrival.received_at)


class Ends(Struct, frozen=True):
    """Who is at the other end of an item, by id and address, and whether we are its sender."""

    them: str
    address: str
    outbound: bool

    @property
    def by(self) -> str:
        """Whose doing it is, in the words of a change."""
        return "staff" if self.outbound else "contact"


def side(item: Json, name: str) -> str | None:
    """The id of the sender or the recipient: a user's, or a plug-in's reference to one."""
    return text_in(item, name, "id") or text_in(item, name, "user_ref") or text_in(item, name)


def account_of(entry: str | None, item: Json) -> str:
    """Whose item it is: the entry's account; where that says none, whoever it came to.

    Meta's dashboard sends tests with the id 0.
    """
    if entry and entry != "0":
        return entry
    ours = "sender" if is_echo(item) else "recipient"
    return side(item, ours) or ""


def is_echo(item: Json) -> bool:
    """Whether it is a copy of what we sent ourselves."""
    message = item.get("message")
    return isinstance(message, dict) and message.get("is_echo") in (True, "true", 1)


def is_to_oneself(place: Place, item: Json) -> bool:
    """Whether both ends are our account: somebody of ours tries it on itself."""
    return side(item, "sender") == side(item, "recipient") == place.id


def ends_of(place: Place, item: Json) -> Ends:
    """The other end of an item. Raises Unfit where nobody is there.

    An echo goes from the page to the person. Some relays write it the wrong way round, so
    whichever end is not our account is the other one.
    """
    sender, recipient = side(item, "sender"), side(item, "recipient")
    # Who ticks a box on a web site has no id yet, but a reference to one.
    sender = sender or text_in(item, "optin", "user_ref")
    echo = is_echo(item)
    if echo:
        them = sender if recipient == place.id else recipient
    else:
        them = recipient if sender == place.id else sender
    if not place.source:
        raise Unfit("the item does not say which account it is about")
    address = place.address(them) if them else None
    if them is None or address is None:
        raise Unfit("nobody is at the other end")
    return Ends(them, address, outbound=echo or sender == place.id)
