"""One request of each kind that web forms and Typeform send, and what becomes of it.

The tables in docs/channels/form.md and docs/channels/typeform.md are made of these lists:

    python -m tests.channels.form_examples
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec

from tests.channels.vendors import Example, Table
from tests.source_tree import ROOT

ANA: Final = {
    "nombre": "Ana Núñez",
    "correo": "ana@example.com",
    "telefono": "+52 55 1234 5678",
    "mensaje": "¿Sigue disponible?",
    "submission_id": "8f6f6d2e",
}

BOUNDARY: Final = "----WebKitFormBoundaryXYZ"


def multipart(fields: dict[str, str], *files: tuple[str, str, str, bytes]) -> bytes:
    """The body that a browser sends for a form with files (field, name, media type, bytes)."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n".encode()
        + content
        for field, name, media_type, content in files
    ]
    joined = b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts)
    return joined + f"--{BOUNDARY}--\r\n".encode()


def response(*answers: dict[str, object], **more: object) -> dict[str, object]:
    """What Typeform sends for a form with these answers."""
    fields = [
        {"id": "q1", "ref": "name", "type": "short_text", "title": "Nombre completo"},
        {"id": "q2", "ref": "mail", "type": "email", "title": "¿Tu correo?"},
        {"id": "q3", "ref": "tel", "type": "phone_number", "title": "¿Tu teléfono?"},
        {"id": "q4", "ref": "car", "type": "multiple_choice", "title": "¿Qué auto?"},
        {"id": "q5", "ref": "ok", "type": "legal", "title": "Acepto los términos"},
        {"id": "q6", "ref": "doc", "type": "file_upload", "title": "Tu licencia"},
    ]
    whole = {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "landed_at": "2025-10-22T15:10:00Z",
        "submitted_at": "2025-10-22T15:12:00Z",
        "hidden": {"utm_campaign": "venta-suv-2025", "gclid": "Cj0", "lead": "77"},
        "definition": {"id": "lT4Z3j", "title": "Prueba de manejo", "fields": fields},
        "answers": list(answers),
    }
    event = {"event_id": "01J", "event_type": "form_response", "form_response": whole}
    return {**event, **more}


def replied(number: int, type_: str, value: object) -> dict[str, object]:
    """An answer to the question with a number."""
    return {"type": type_, type_: value, "field": {"id": f"q{number}", "type": type_}}


WHOLE: Final = response(
    replied(1, "text", "Ana Núñez"),
    replied(2, "email", "ana@example.com"),
    replied(3, "phone_number", "+525512345678"),
    replied(4, "choices", {"labels": ["SUV", "Sedán"], "other": "Pickup"}),
    replied(5, "boolean", True),  # noqa: FBT003 - what Typeform sends
    replied(6, "file_url", "https://api.typeform.com/forms/lT4Z3j/responses/files/abc-id.pdf"),
)

_F: Final = "form"
_T: Final = "typeform"


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


FORMS: Final[tuple[Example, ...]] = (
    ("a message", _F, ANA, ("form inbound: “¿Sigue disponible?”",)),
    (
        "a message and other answers",
        _F,
        {**ANA, "auto": "SUV", "utm_campaign": "venta-suv-2025"},
        ("form inbound: “¿Sigue disponible? ⏎  ⏎ auto: SUV”",),
    ),
    ("a field that is repeated", _F, b"email=a@b.mx&c=x&c=y", ("form inbound: “c: x, y”",)),
    (
        "an e-mail address alone",
        _F,
        {"email": "ana@example.com"},
        ("form inbound: “email: ana@example.com”",),
    ),
    (
        "an address that is none",
        _F,
        {"email": "ana@", "message": "Hola"},
        ("form inbound: “Hola ⏎  ⏎ email: ana@”",),
    ),
    ("nobody said who", _F, {"comentario": "Muy bien"}, ("form inbound: “Muy bien”",)),
    (
        "the hidden field was filled in",
        _F,
        {**ANA, "_hp_field": "http://spam"},
        ("form inbound by a machine: “¿Sigue disponible? ⏎  ⏎ nombre: Ana Núñez ⏎ cor…”",),
    ),
    (
        "faster than anybody types",
        _F,
        {"message": "Hi", "elapsed_ms": "12"},
        ("form inbound by a machine: “Hi”",),
    ),
    (
        "multipart, with a file",
        _F,
        multipart(ANA, ("foto", "golpe.jpg", "image/jpeg", b"\xff\xd8")),
        ("form inbound: “¿Sigue disponible?” + golpe.jpg",),
    ),
    ("JSON", _F, _json(ANA), ("form inbound: “¿Sigue disponible?”",)),
    (
        "JSON, objects in objects",
        _F,
        _json({"contact": {"email": "ana@example.com"}, "data": {"message": "Hola"}}),
        ("form inbound: “Hola”",),
    ),
    (
        "JSON, several forms",
        _F,
        _json([{"message": "Uno"}, {"message": "Dos"}, 3]),
        (
            "form inbound: “Uno”",
            "form inbound: “Dos”",
            "quarantine: unparsable (it is not an object)",
        ),
    ),
    ("nothing that a person filled in", _F, {"utm_source": "x", "email": ""}, ("ignored: empty",)),
    ("nothing", _F, b"", ("ignored: empty",)),
    (
        "broken JSON",
        _F,
        b"{",
        ("quarantine: unparsable (the body is neither a form nor JSON)",),
    ),
    (
        "a crowd of fields",
        _F,
        urlencode([("a", "b")] * 1_001).encode(),
        ("quarantine: unparsable (the form has too many fields)",),
    ),
)
"""(what arrives, the channel whose URL it comes to, the request, what it comes to)."""

TYPEFORMS: Final[tuple[Example, ...]] = (
    (
        "a response",
        _T,
        _json(WHOLE),
        ("form inbound: “¿Qué auto?: SUV, Sedán, Pickup ⏎ Tu licencia: h…” + abc-id.pdf",),
    ),
    (
        "a number, a date",
        _T,
        _json(response(replied(4, "number", 4), replied(1, "date", "2026-11-30"))),
        ("form inbound: “¿Qué auto?: 4 ⏎ Nombre completo: 2026-11-30”",),
    ),
    (
        "a payment",
        _T,
        _json(response(replied(4, "payment", {"amount": "$1", "last4": "1234", "name": "A"}))),
        ("form inbound: “¿Qué auto?: $1 A”",),
    ),
    (
        "a response that was left unfinished",
        _T,
        _json(response(replied(1, "text", "Ana"), event_type="form_response_partial")),
        ("form inbound: “Nombre completo: Ana”",),
    ),
    (
        "an event that nobody knows yet",
        _T,
        _json(response(event_type="form_archived")),
        ("quarantine: unknown_kind (the event is of an unknown kind)",),
    ),
    (
        "a response without a token",
        _T,
        _json({"event_type": "form_response", "form_response": {"answers": []}}),
        ("quarantine: unparsable (the response has no token)",),
    ),
    ("no JSON", _T, b"<html>", ("quarantine: unparsable (the body is not JSON)",)),
)

TABLES: Final = (
    Table(ROOT / "docs" / "channels" / "form.md", "form_examples", FORMS),
    Table(ROOT / "docs" / "channels" / "typeform.md", "form_examples", TYPEFORMS),
)

if __name__ == "__main__":
    for table in TABLES:
        table.write()
