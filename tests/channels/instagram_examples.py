"""One request of each kind that Instagram and lead ads send, and what becomes of it."""

from __future__ import annotations

from typing import Final

from tests.channels.meta_shop import (
    ACCOUNT,
    CDN,
    IGSID,
    Example,
    direct,
    file,
    item,
    lead,
    posted,
    said,
    shared,
)
from tests.channels.shop import SENT_S

_FOLLOWER = {"id": IGSID, "username": "ana.nunez"}
_COMMENT = {"id": "178951", "from": _FOLLOWER, "media": {"id": "178900"}, "text": "¿Precio?"}

INSTAGRAM: Final[tuple[Example, ...]] = (
    (
        "text",
        direct(shared(message={"mid": "aWdf_A", "text": "Hola"})),
        ("interaction inbound: “Hola”",),
    ),
    (
        "answer to our story",
        direct(
            shared(
                message={
                    "mid": "aWdf_A",
                    "text": "¡Qué bonito!",
                    "reply_to": {"story": {"id": "1790", "url": CDN}},
                }
            )
        ),
        ("interaction inbound: “¡Qué bonito!”",),
    ),
    (
        "our name in their story",
        direct(shared(message={"mid": "aWdf_A", "attachments": [file("story_mention", url=CDN)]})),
        ("interaction inbound: “[story mention]” + story_mention",),
    ),
    (
        "a post that was shared with us",
        direct(shared(message={"mid": "aWdf_A", "attachments": [file("share", url=CDN)]})),
        ("interaction inbound: “[share]” + share",),
    ),
    (
        "reel",
        direct(
            shared(
                message={
                    "mid": "aWdf_A",
                    "attachments": [file("ig_reel", url=CDN, title="Ruta", reel_video_id="1")],
                }
            )
        ),
        ("interaction inbound: “[ig reel] Ruta” + ig_reel.mp4",),
    ),
    (
        "heart",
        direct(shared(message={"mid": "aWdf_A", "attachments": [{"type": "like_heart"}]})),
        ("interaction inbound: “❤️”",),
    ),
    (
        "picture that is seen once",
        direct(shared(message={"mid": "aWdf_A", "attachments": [{"type": "ephemeral"}]})),
        ("interaction inbound: “[ephemeral]”",),
    ),
    (
        "unsupported",
        direct(shared(message={"mid": "aWdf_A", "is_unsupported": True})),
        ("interaction inbound: “[unsupported]”",),
    ),
    (
        "sent by the account",
        direct(item(ACCOUNT, IGSID, message={"mid": "aWdf_B", "text": "Hola", "is_echo": True})),
        ("interaction outbound: “Hola”",),
    ),
    (
        "unsent",
        direct(shared(message={"mid": "aWdf_A", "is_deleted": True})),
        ("revoke",),
    ),
    ("seen", direct(shared(read={"mid": "aWdf_B"})), ("status: read",)),
    (
        "reaction",
        direct(shared(reaction={"mid": "aWdf_B", "action": "react", "emoji": "😮"})),
        ("reaction of contact: 😮",),
    ),
    (
        "edit",
        direct(shared(message_edit={"mid": "aWdf_A", "text": "A las 5", "num_edit": 1})),
        ("edit: “A las 5”",),
    ),
    (
        "icebreaker",
        direct(shared(postback={"mid": "aWdf_P", "title": "¿Dónde están?", "payload": "WHERE"})),
        ("interaction inbound: “¿Dónde están?”",),
    ),
    (
        "came by a link",
        direct(shared(referral={"ref": "bio", "source": "IGME", "type": "OPEN_THREAD"})),
        ("interaction inbound by a machine: “[referral: bio]”",),
    ),
    (
        "a message as a change, as the dashboard's test sends it",
        posted(
            "messages",
            {
                "sender": {"id": "12"},
                "recipient": {"id": "23"},
                "timestamp": str(SENT_S),
                "message": {"mid": "test", "text": "Prueba"},
            },
        ),
        ("interaction inbound: “Prueba”",),
    ),
    (
        "we wrote to ourselves",
        direct(item(ACCOUNT, ACCOUNT, message={"mid": "aWdf_S", "text": "Prueba"})),
        ("ignored: test",),
    ),
    ("comment under a post", posted("comments", _COMMENT), ("interaction inbound: “¿Precio?”",)),
    (
        "comment during a live video",
        posted("live_comments", {**_COMMENT, "text": "¡Saludos!"}),
        ("interaction inbound: “¡Saludos!”",),
    ),
    (
        "our own comment",
        posted("comments", {**_COMMENT, "from": {"id": ACCOUNT, "username": "taller"}}),
        ("ignored: bulk",),
    ),
    (
        "a post that names us",
        posted("mentions", {"media_id": "178901", "comment_id": "178952"}),
        ("ignored: bulk",),
    ),
    (
        "numbers of a story",
        posted("story_insights", {"media_id": "178903", "impressions": 7}),
        ("ignored: account_event",),
    ),
    (
        "a message from nobody",
        direct({"message": {"mid": "aWdf_X", "text": "Hola"}}),
        ("quarantine: unparsable (nobody is at the other end)",),
    ),
)

LEAD_ADS: Final[tuple[Example, ...]] = (
    ("lead", lead(), ("form inbound: “[lead]”",)),
    ("lead that no advertisement brought", lead(ad_id=None), ("form inbound: “[lead]”",)),
    (
        "lead with its answers, as some relays send it",
        lead(
            field_data=[
                {"name": "full_name", "values": ["Ana Núñez"]},
                {"name": "city", "values": ["Puebla"]},
            ]
        ),
        ("form inbound: “full_name: Ana Núñez ⏎ city: Puebla”",),
    ),
    (
        "lead without an id",
        lead(leadgen_id=None),
        ("quarantine: unparsable (the lead has no id)",),
    ),
    ("a message to the page", said(text="Hola"), ("interaction inbound: “Hola”",)),
)
