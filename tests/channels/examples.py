"""One request of each kind that WhatsApp sends, and what becomes of it.

The table in docs/channels/whatsapp.md is made of this list:

    python -m tests.channels.examples
"""

from __future__ import annotations

from typing import Final

from tests.channels.shop import SENT_S, change, messages, parsed, request, text
from tests.channels.told import told
from tests.source_tree import ROOT

DOCUMENT: Final = ROOT / "docs" / "channels" / "whatsapp.md"
BEGIN: Final = "<!-- the table is made by: python -m tests.channels.examples -->"
END: Final = "<!-- end of the table -->"


def _message(kind: str, content: object, **more: object) -> dict[str, object]:
    plain = {name: inner for name, inner in text("wamid.A").items() if name != "text"}
    return {**plain, **more, "type": kind, kind: content}


def _media(kind: str, media_type: str, **more: object) -> dict[str, object]:
    return _message(kind, {"id": "9876", "mime_type": media_type, **more})


def _status(word: str, **more: object) -> dict[str, object]:
    status = {"id": "wamid.B", "status": word, "timestamp": str(SENT_S)}
    return request(change(statuses=[{**status, "recipient_id": "525512345678", **more}]))


def _call(event: str, **more: object) -> dict[str, object]:
    call = {
        "id": "wacid.A",
        "from": "525512345678",
        "to": "525598765432",
        "event": event,
        "timestamp": str(SENT_S),
        "direction": "USER_INITIATED",
    }
    return request(change("calls", calls=[{**call, **more}]))


def _echo(**more: object) -> dict[str, object]:
    echo = {**text("wamid.C", "Va en camino"), "from": "525598765432", "to": "525512345678"}
    return request(change("smb_message_echoes", message_echoes=[{**echo, **more}]))


def _history(item: dict[str, object]) -> dict[str, object]:
    thread = {"id": "525512345678", "messages": [item]}
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [thread]}
    return request(change("history", history=[chunk]))


_CARD = {"name": {"formatted_name": "Luis Paz"}, "phones": [{"phone": "+52 55 8765 4321"}]}
_ORDER = {
    "catalog_id": "1",
    "text": "para el sábado",
    "product_items": [
        {
            "product_retailer_id": "LLANTA-17",
            "quantity": "4",
            "item_price": "1899.00",
            "currency": "MXN",
        }
    ],
}
_AD = {
    "source_type": "ad",
    "source_id": "120211",
    "headline": "Venta SUV 2025",
    "ctwa_clid": "Aff-x",
}
_FLOW = {"response_json": '{"flow_token":"t","placas":"ABC123","citas":2}', "name": "flow"}
_ERROR = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Old app"}}
_OURS = {"from": "525598765432"}
_THEIRS = "525512345678"
_NEW_ID = {
    "id": "wamid.S",
    "timestamp": str(SENT_S),
    "type": "system",
    "system": {"body": "Ana cambió", "user_id": "MX.2", "previous_user_id": "MX.1"},
}
_READ = {"history_context": {"status": "READ"}}
_STATUS = {"id": "wacid.B", "type": "call", "recipient_id": "525512345678"}
_WISH = {"wa_id": "525512345678", "category": "marketing_messages", "value": "stop"}

EXAMPLES: Final[tuple[tuple[str, object, tuple[str, ...]], ...]] = (
    ("text", messages(text("wamid.A")), ("interaction inbound: “Hola”",)),
    (
        "text that answers, forwarded",
        messages(text("wamid.A", context={"id": "wamid.0", "forwarded": True})),
        ("interaction inbound: “Hola”",),
    ),
    (
        "text after an advertisement",
        messages(text("wamid.A", referral=_AD)),
        ("interaction inbound: “Hola”",),
    ),
    (
        "text in a group",
        messages(text("wamid.A", group_id="Y2FwaV9n")),
        ("interaction inbound: “Hola”",),
    ),
    (
        "image with a caption",
        messages(_media("image", "image/jpeg", caption="El golpe")),
        ("interaction inbound: “El golpe” + image.jpg",),
    ),
    (
        "image",
        messages(_media("image", "image/png")),
        ("interaction inbound + image.png",),
    ),
    (
        "video",
        messages(_media("video", "video/mp4")),
        ("interaction inbound + video.mp4",),
    ),
    (
        "audio",
        messages(_media("audio", "audio/mpeg")),
        ("interaction inbound + audio.mp3",),
    ),
    (
        "voice note",
        messages(_media("audio", "audio/ogg; codecs=opus", voice=True)),
        ("interaction inbound + voice.ogg",),
    ),
    (
        "voice note, as it was sent in former years",
        messages(_media("voice", "audio/ogg")),
        ("interaction inbound + voice.ogg",),
    ),
    (
        "document",
        messages(_media("document", "application/pdf", filename="Póliza.pdf")),
        ("interaction inbound + Póliza.pdf",),
    ),
    (
        "sticker",
        messages(_media("sticker", "image/webp", animated=True)),
        ("interaction inbound: “[sticker]” + sticker.webp",),
    ),
    (
        "location",
        messages(
            _message("location", {"latitude": 19.43, "longitude": -99.13, "name": "Sucursal Sur"})
        ),
        ("interaction inbound: “📍 Sucursal Sur 19.43,-99.13”",),
    ),
    (
        "contacts",
        messages(_message("contacts", [_CARD])),
        ("interaction inbound: “👤 Luis Paz: +52 55 8765 4321”",),
    ),
    (
        "order",
        messages(_message("order", _ORDER)),
        ("interaction inbound: “para el sábado ⏎ 🛒 4 × LLANTA-17 · 1899.00 MXN”",),
    ),
    (
        "button of a template",
        messages(_message("button", {"text": "Sí, confirmo", "payload": "YES"})),
        ("interaction inbound: “Sí, confirmo”",),
    ),
    (
        "reply button",
        messages(
            _message(
                "interactive",
                {"type": "button_reply", "button_reply": {"id": "1", "title": "Ventas"}},
            )
        ),
        ("interaction inbound: “Ventas”",),
    ),
    (
        "row of a list",
        messages(
            _message(
                "interactive",
                {
                    "type": "list_reply",
                    "list_reply": {"id": "1", "title": "Martes", "description": "10 a 12"},
                },
            )
        ),
        ("interaction inbound: “Martes ⏎ 10 a 12”",),
    ),
    (
        "form (Flow)",
        messages(_message("interactive", {"type": "nfm_reply", "nfm_reply": _FLOW})),
        ("interaction inbound: “placas: ABC123 ⏎ citas: 2”",),
    ),
    (
        "permission to call",
        messages(
            _message(
                "interactive",
                {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            )
        ),
        ("interaction inbound: “[call permission: accept]”",),
    ),
    (
        "unsupported",
        messages(_message("unsupported", {"type": "poll"}, errors=[{"code": 131051}])),
        ("interaction inbound: “[unsupported: poll]”",),
    ),
    (
        "a kind that nobody knows yet",
        messages(_message("hologram", {"body": "hola"})),
        ("interaction inbound: “hola”",),
    ),
    (
        "system: a number was changed",
        messages(
            _message(
                "system",
                {
                    "type": "user_changed_number",
                    "body": "Ana cambió de número",
                    "wa_id": "525500001111",
                },
            )
        ),
        ("interaction inbound by a machine: “Ana cambió de número”",),
    ),
    (
        "system: a user id was changed, the number is hidden",
        request(change(contacts=[], messages=[_NEW_ID])),
        ("interaction inbound by a machine: “Ana cambió”",),
    ),
    ("a chat was opened", messages(_message("request_welcome", {})), ("ignored: presence",)),
    (
        "reaction",
        messages(_message("reaction", {"message_id": "wamid.B", "emoji": "👍"})),
        ("reaction of contact: 👍",),
    ),
    (
        "reaction, taken away",
        messages(_message("reaction", {"message_id": "wamid.B", "emoji": ""})),
        ("reaction of contact: taken away",),
    ),
    (
        "edit",
        messages(
            _message(
                "edit",
                {
                    "original_message_id": "wamid.0",
                    "message": {"type": "text", "text": {"body": "A las 5"}},
                },
            )
        ),
        ("edit: “A las 5”",),
    ),
    (
        "revocation",
        messages(_message("revoke", {"original_message_id": "wamid.0"})),
        ("revoke",),
    ),
    ("status", _status("delivered"), ("status: delivered",)),
    ("status: failed", _status("failed", errors=[_ERROR]), ("status: failed (131026)",)),
    ("status with an unknown word", _status("in_orbit"), ("status: in_orbit",)),
    (
        "status of a member of a group",
        _status("read", recipient_type="group", recipient_participant_id="525511112222"),
        ("status: read",),
    ),
    ("sent from the Business app", _echo(), ("interaction outbound: “Va en camino”",)),
    (
        "sent by Meta's agent, while we stand by",
        request(change("standby", message_echoes=[{**text("wamid.C"), **_OURS, "to": _THEIRS}])),
        ("interaction outbound: “Hola”",),
    ),
    (
        "taken back in the Business app",
        _echo(type="revoke", revoke={"original_message_id": "wamid.0"}),
        ("revoke",),
    ),
    (
        "reaction in the Business app",
        _echo(type="reaction", reaction={"message_id": "wamid.A", "emoji": "❤"}),
        ("reaction of staff: ❤",),
    ),
    ("call rings", _call("connect"), ("call inbound", "status: connect")),
    (
        "call was answered",
        _call("terminate", status="COMPLETED", duration=42),
        ("call inbound", "status: completed → answered, 42 s"),
    ),
    (
        "call was missed",
        _call("terminate", status="COMPLETED"),
        ("call inbound", "status: completed → missed"),
    ),
    (
        "call of ours was declined",
        request(change("calls", statuses=[{**_STATUS, "status": "REJECTED"}])),
        ("call outbound", "status: rejected → busy"),
    ),
    (
        "history: theirs",
        _history(text("wamid.D")),
        ("interaction inbound imported: “Hola”",),
    ),
    (
        "history: ours",
        _history({**text("wamid.E"), **_OURS, **_READ}),
        ("interaction outbound imported: “Hola”", "status: read"),
    ),
    (
        "history: a file that comes later",
        _history(_message("media_placeholder", {})),
        ("interaction inbound imported: “[media_placeholder]”",),
    ),
    (
        "history: the file",
        request(change("history", messages=[_media("image", "image/jpeg")])),
        ("interaction inbound imported + image.jpg", "edit: nothing + image.jpg"),
    ),
    (
        "history was refused",
        request(change("history", history=[{"errors": [{"code": 2593109}]}])),
        ("ignored: account_event",),
    ),
    (
        "no more offers, please",
        request(change("user_preferences", user_preferences=[_WISH])),
        ("interaction inbound by a machine: “[marketing_messages stop]”",),
    ),
    (
        "our address book",
        request(change("smb_app_state_sync", state_sync=[{"type": "contact"}])),
        ("ignored: internal",),
    ),
    (
        "errors of the account",
        request(change(errors=[{"code": 130429}])),
        ("ignored: account_event",),
    ),
    (
        "a template was approved",
        request({"field": "message_template_status_update", "value": {"event": "APPROVED"}}),
        ("ignored: account_event",),
    ),
    ("nothing", request(change()), ("ignored: empty",)),
    (
        "a field that nobody knows yet",
        request({"field": "brand_new", "value": {"x": 1}}),
        ("quarantine: unknown_kind (the field is unknown)",),
    ),
    (
        "a list that nobody knows yet",
        request(change(polls=[{"id": "1"}])),
        ("quarantine: unknown_kind (the change holds something unknown)",),
    ),
    (
        "another product's request",
        {"object": "page", "entry": []},
        ("quarantine: unknown_kind (the body is about another kind of object)",),
    ),
    (
        "a message from nobody",
        request({"field": "messages", "value": {"messages": [{"id": "wamid.F", "type": "text"}]}}),
        ("quarantine: unparsable (nobody is at the other end)",),
    ),
    ("no JSON", b"<html>", ("quarantine: unparsable (the body is not JSON)",)),
)
"""(what arrives, the request, what it comes to)."""


def table() -> str:
    """The table of the document, made from what the parser says."""
    rows = [(name, " · ".join(told(parsed(body)))) for name, body, _ in EXAMPLES]
    lines = ["| what arrives | what becomes of it |", "|---|---|"]
    lines += [f"| {name} | {outcome} |" for name, outcome in rows]
    return "\n".join((BEGIN, *lines, END))


def renewed(document: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), "utf-8")
