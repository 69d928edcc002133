"""One request of each kind that Messenger sends, and what becomes of it."""

from __future__ import annotations

from typing import Final

from tests.channels.meta_shop import (
    CDN,
    PAGE,
    PSID,
    SENT_MS,
    Example,
    change,
    echo,
    file,
    inbox,
    item,
    lead,
    said,
)
from tests.channels.shop import SENT_S

_AD = {
    "source": "ADS",
    "type": "OPEN_THREAD",
    "ad_id": "120210000000000007",
    "ads_context_data": {"ad_title": "Venta SUV 2025", "post_id": "1_2"},
}
_LINK = {"ref": "volante-qr", "source": "SHORTLINK", "type": "OPEN_THREAD"}
_CARDS = {
    "template_type": "generic",
    "elements": [{"title": "SUV 2025", "subtitle": "Desde 499,900"}, {"title": "Sedán"}],
}
_RATED = {
    "feedback_screens": [
        {
            "screen_id": 0,
            "questions": {
                "q1": {
                    "type": "csat",
                    "payload": "5",
                    "follow_up": {"type": "free_form", "payload": "Muy amables"},
                }
            },
        }
    ]
}
_PERSON = {"id": PSID, "name": "Ana Núñez"}
_FEED = {"item": "comment", "comment_id": "9_31", "post_id": "9_30", "from": _PERSON}
MESSENGER: Final[tuple[Example, ...]] = (
    ("text", said(text="Hola"), ("interaction inbound: “Hola”",)),
    (
        "text, while another application answers",
        inbox(item(message={"mid": "m_A", "text": "Hola"}), name="standby"),
        ("interaction inbound: “Hola”",),
    ),
    (
        "text that answers",
        said(text="Sí", reply_to={"mid": "m_0"}),
        ("interaction inbound: “Sí”",),
    ),
    (
        "quick reply",
        said(text="Rojo", quick_reply={"payload": "RED"}),
        ("interaction inbound: “Rojo”",),
    ),
    (
        "text after an advertisement",
        said(text="Informes", referral=_AD),
        ("interaction inbound: “Informes”",),
    ),
    (
        "image",
        said(attachments=[file("image", url=f"{CDN}/1_n.png?oh=1")]),
        ("interaction inbound + image.png",),
    ),
    (
        "two images with words",
        said(text="Así quedó", attachments=[file("image", url=CDN), file("image", url=CDN)]),
        ("interaction inbound: “Así quedó” + image.jpg + image.jpg",),
    ),
    ("video", said(attachments=[file("video", url=CDN)]), ("interaction inbound + video.mp4",)),
    ("audio", said(attachments=[file("audio", url=CDN)]), ("interaction inbound + audio.m4a",)),
    (
        "file",
        said(attachments=[file("file", url=f"{CDN}/P%C3%B3liza.pdf?oh=1")]),
        ("interaction inbound + Póliza.pdf",),
    ),
    (
        "👍, which is a sticker",
        said(attachments=[file("image", url=f"{CDN}/t.png", sticker_id=369239263222822)]),
        ("interaction inbound: “👍” + sticker.png",),
    ),
    (
        "another sticker",
        said(attachments=[file("image", url=f"{CDN}/t.png", sticker_id=12345)]),
        ("interaction inbound: “[sticker]” + sticker.png",),
    ),
    (
        "location",
        said(
            attachments=[
                {
                    "title": "Sucursal Sur",
                    **file("location", coordinates={"lat": 19.43, "long": -99.13}),
                }
            ]
        ),
        ("interaction inbound: “📍 Sucursal Sur 19.43,-99.13”",),
    ),
    (
        "link",
        said(attachments=[{"title": "El auto", **file("fallback", url="fb://post/1")}]),
        ("interaction inbound: “El auto ⏎ fb://post/1”",),
    ),
    (
        "reel",
        said(attachments=[file("reel", url=CDN, title="Prueba de manejo")]),
        ("interaction inbound: “[reel] Prueba de manejo” + reel.mp4",),
    ),
    (
        "a kind of attachment that nobody knows yet",
        said(attachments=[file("hologram")]),
        ("interaction inbound: “[hologram]”",),
    ),
    ("unsupported", said(is_unsupported=True), ("interaction inbound: “[unsupported]”",)),
    (
        "button",
        inbox(item(postback={"mid": "m_P", "title": "Cotizar", "payload": "QUOTE"})),
        ("interaction inbound: “Cotizar”",),
    ),
    (
        "start button after a link",
        inbox(item(postback={"title": "Empezar", "payload": "START", "referral": _LINK})),
        ("interaction inbound: “Empezar”",),
    ),
    (
        "came by a link into a known conversation",
        inbox(item(referral=_LINK)),
        ("interaction inbound by a machine: “[referral: volante-qr]”",),
    ),
    (
        "opt-in by a plug-in, without an id",
        inbox(
            {**item(optin={"ref": "pedido-31", "user_ref": "u-7"}), "sender": {"user_ref": "u-7"}}
        ),
        ("interaction inbound by a machine: “[opt-in: pedido-31]”",),
    ),
    (
        "rating after a conversation",
        inbox(item(messaging_feedback=_RATED)),
        ("interaction inbound: “csat: 5 ⏎ free_form: Muy amables”",),
    ),
    (
        "thumb under an answer",
        inbox(item(response_feedback={"mid": "m_B", "feedback": "Bad response"})),
        ("reaction of contact: 👎",),
    ),
    ("sent by the page", echo(text="Con gusto"), ("interaction outbound: “Con gusto”",)),
    (
        "cards sent by the page",
        echo(attachments=[file("template", **_CARDS)]),
        ("interaction outbound: “SUV 2025 ⏎ Desde 499,900 ⏎ Sedán”",),
    ),
    ("sent by the page, without content", echo(), ("ignored: own_echo_without_content",)),
    (
        "reaction",
        inbox(item(reaction={"mid": "m_B", "action": "react", "emoji": "❤", "reaction": "love"})),
        ("reaction of contact: ❤",),
    ),
    (
        "reaction, as a word",
        inbox(item(reaction={"mid": "m_B", "action": "react", "reaction": "wow"})),
        ("reaction of contact: 😮",),
    ),
    (
        "reaction, taken away",
        inbox(item(reaction={"mid": "m_B", "action": "unreact"})),
        ("reaction of contact: taken away",),
    ),
    (
        "edit",
        inbox(item(message_edit={"mid": "m_A", "text": "A las 5", "num_edit": 2})),
        ("edit: “A las 5”",),
    ),
    ("deletion", said(is_deleted=True), ("revoke",)),
    (
        "delivered until a time",
        inbox(item(delivery={"mids": ["m_B"], "watermark": SENT_MS})),
        ("all until then: delivered",),
    ),
    (
        "delivered, without a time",
        inbox(item(delivery={"mids": ["m_B", "m_C"]})),
        ("status: delivered", "status: delivered"),
    ),
    (
        "read until a time",
        inbox(item(read={"watermark": str(SENT_MS)})),
        ("all until then: read",),
    ),
    ("read, of nothing", inbox(item(read={})), ("ignored: receipt_of_unknown",)),
    ("read by somebody of ours", inbox(item(PAGE, PSID, read={})), ("ignored: presence",)),
    (
        "the thread went to another application",
        inbox(item(pass_thread_control={"new_owner_app_id": 1})),
        ("ignored: account_event",),
    ),
    (
        "our page broke a rule",
        inbox({"recipient": {"id": PAGE}, "policy_enforcement": {"action": "block"}}),
        ("ignored: account_event",),
    ),
    (
        "an account was linked",
        inbox(item(account_linking={"status": "linked"})),
        ("ignored: account_event",),
    ),
    (
        "comment under a post",
        change("feed", {**_FEED, "verb": "add", "message": "¿Precio?", "created_time": SENT_S}),
        ("interaction inbound: “¿Precio?”",),
    ),
    (
        "comment, edited",
        change("feed", {**_FEED, "verb": "edited", "message": "¿Precio, por favor?"}),
        ("edit: “¿Precio, por favor?”",),
    ),
    ("comment, removed", change("feed", {**_FEED, "verb": "remove"}), ("revoke",)),
    (
        "our own comment",
        change("feed", {**_FEED, "verb": "add", "message": "Hola", "from": {"id": PAGE}}),
        ("ignored: bulk",),
    ),
    (
        "like under a post",
        change("feed", {"item": "reaction", "verb": "add", "from": _PERSON}),
        ("ignored: bulk",),
    ),
    ("lead", lead(), ("form inbound: “[lead]”",)),
    (
        "a setting of the page",
        change("hours", {"mon_1_open": "09:00"}),
        ("ignored: account_event",),
    ),
    ("nothing", {"object": "page", "entry": [{"id": PAGE, "time": 1}]}, ("ignored: empty",)),
    (
        "an item that nobody knows yet",
        inbox(item(brand_new={"x": 1})),
        ("quarantine: unknown_kind (the item holds something new)",),
    ),
    (
        "a field that nobody knows yet",
        change("brand_new", {"x": 1}),
        ("quarantine: unknown_kind (the field is unknown)",),
    ),
    (
        "another product's request",
        {"object": "whatsapp_business_account", "entry": []},
        ("quarantine: unknown_kind (the body is about another kind of object)",),
    ),
    (
        "a message from nobody",
        inbox({"recipient": {"id": PAGE}, "message": {"mid": "m_X", "text": "Hola"}}),
        ("quarantine: unparsable (nobody is at the other end)",),
    ),
    ("no JSON", b"<html>", ("quarantine: unparsable (the body is not JSON)",)),
)
