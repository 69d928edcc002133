"""Who is at the two ends of a Telegram message, and what makes it unique.

A message is `chat:message_id`, for a message's number is unique within its chat only; in the
chats of a business account, whose numbers are its owner's, the connection stands before it. A
private chat has the number of its person, so whoever writes in a group and to the bot is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from channels.lenient import Json, Unfit, object_in, text_in
from channels.pieces import ID_MAX_CHARS, address_or_none, one_line, short
from domain.commands import Alias
from domain.values import Auto, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "telegram"


class Place(Struct, frozen=True):
    """The bot that an update was sent to, and the update's own number."""

    arrival: Arrival
    bot: str
    source: str
    our_address: str
    update: str


class Who(Struct, frozen=True):
    """Whoever is at the other end, and which way a message went.

    `staff` is our own person, where one of them wrote it.
    """

    address: str
    name: str | None = None
    outbound: bool = False
    staff: str | None = None
    auto: Auto | None = None
    said: Mapping[str, str] = {}


def place_of(arrival: Arrival, update: str | None) -> Place:
    """The bot is the connection's: an update does not say it."""
    given = arrival.options.get("bot_id", "").partition(":")[0]
    plain = "".join(given.split()).replace("/", "_")
    bot = plain if plain and is_source(f"{CHANNEL}:{plain}") else arrival.connection
    bot = bot.rpartition("/")[2] or "unknown"
    source = f"{CHANNEL}:{bot}"
    return Place(arrival, bot, source, f"{CHANNEL}:{bot}/{bot}", update or "")


def key_of(item: Json, number: str | None = None) -> str:
    """`chat:message_id`; in a business chat the connection before it. Raises Unfit."""
    chat = text_in(item, "chat", "id")
    number = number or text_in(item, "message_id")
    if chat is None or number is None:
        raise Unfit("the message names no chat" if chat is None else "the message has no number")
    business = text_in(item, "business_connection_id")
    key = ":".join(part for part in (business, chat, number) if part)
    if len(key) > ID_MAX_CHARS:
        raise Unfit("the message's id is too long")
    return key


def group_of(item: Json) -> str | None:
    """The group that a message was written in; a private chat is none."""
    chat = object_in(item, "chat")
    if text_in(chat, "type") in {None, "private"} and not _is_group_id(text_in(chat, "id")):
        return None
    return short(text_in(chat, "id"))


def _is_group_id(id_: str | None) -> bool:
    return id_ is not None and id_.startswith("-")


def who_of(place: Place, item: Json) -> Who:
    """Who is at the other end of a message. Raises Unfit where nobody is.

    In a private chat it is the chat, in a group whoever wrote. A channel's posts, and what it
    sends on into its group by itself, go to many: they are the channel's.
    """
    chat, sender = object_in(item, "chat"), object_in(item, "from")
    chat_id, sender_id = text_in(chat, "id"), text_in(sender, "id")
    if chat_id is None:
        raise Unfit("the message names no chat")
    group = group_of(item)
    if text_in(item, "business_connection_id") and group is None:
        return _of_business(place, item)
    is_private = group is None and text_in(chat, "type") == "private"
    # In a private chat that is not with a bot, the bot that writes is ours, whatever its number.
    is_bot = is_private and sender.get("is_bot") is True and sender_id != chat_id
    if sender_id == place.bot or is_bot:
        return Who(address_in(place, chat_id), name_of(chat), outbound=True)
    as_chat = object_in(item, "sender_chat")
    if as_chat or text_in(chat, "type") == "channel":
        speaker = as_chat or chat
        to_many = text_in(speaker, "type") == "channel"
        address = address_in(place, text_in(speaker, "id") or chat_id)
        auto = Auto.BULK if to_many else None
        return Who(address, name_of(speaker), auto=auto, said=said_of(speaker))
    if group is not None and sender_id is None:
        return Who(address_in(place, chat_id), name_of(chat), said=said_of(chat))
    person = sender or chat
    address = address_in(place, chat_id if group is None else sender_id or chat_id)
    return Who(address, name_of(person) or name_of(chat), said=said_of(person))


def _of_business(place: Place, item: Json) -> Who:
    """A chat of a business account: the chat is the contact, and whoever else writes is us."""
    chat, sender = object_in(item, "chat"), object_in(item, "from")
    address = address_in(place, text_in(chat, "id") or "")
    if not sender or text_in(sender, "id") == text_in(chat, "id"):
        return Who(address, name_of(sender or chat), said=said_of(sender or chat))
    by_bot = bool(object_in(item, "sender_business_bot")) or item.get("is_from_offline") is True
    auto = Auto.AUTO_REPLY if by_bot else None
    staff = None if by_bot else name_of(sender)
    return Who(address, name_of(chat), outbound=True, staff=staff, auto=auto)


def address_in(place: Place, id_: str) -> str:
    """The address of a chat; a private chat has its person's number. Raises Unfit."""
    found = address_or_none(f"{CHANNEL}:{place.bot}/{''.join(id_.split())}")
    if found is None:
        raise Unfit("nobody is at the other end")
    return found


def name_of(who: Json) -> str | None:
    """How somebody calls themselves, or what a group is called."""
    parts = [text_in(who, name) for name in ("first_name", "last_name")]
    named = " ".join(part for part in parts if part)
    return one_line(named or text_in(who, "title") or text_in(who, "username"))


def said_of(who: Json) -> dict[str, str]:
    """What else is said of somebody: how to find them, and in which language."""
    names = ("username", "language_code")
    found = {name: text for name in names if (text := text_in(who, name))}
    return {**found, "is_bot": "true"} if who.get("is_bot") is True else found


def own_card(item: Json, who: Who) -> tuple[Alias, ...]:
    """Somebody's own phone: Telegram asserts it where the card is the sender's own."""
    card = object_in(item, "contact")
    owner, sender = text_in(card, "user_id"), text_in(item, "from", "id")
    number = text_in(card, "phone_number")
    forwarded = "forward_origin" in item or "forward_date" in item
    if who.outbound or forwarded or owner is None or owner != sender or number is None:
        return ()
    address = address_or_none(f"tel:+{number.lstrip('+')}")
    return (Alias(address, asserted=True),) if address else ()
