"""What pages say, in Spanish and English; which of the two follows the browser's wish."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("es", "en")
"""The first is for whoever asks for neither."""

_BOTH: Final[dict[str, tuple[str, str]]] = {
    "conversations": ("Conversaciones", "Conversations"),
    "activity": ("Actividad", "Activity"),
    "skip": ("Ir al contenido", "Skip to content"),
    "main": ("Principal", "Main"),
    "status.open": ("Abiertas", "Open"),
    "status.snoozed": ("Pospuestas", "Snoozed"),
    "status.resolved": ("Resueltas", "Resolved"),
    "status.all": ("Todas", "All"),
    "call": ("Llamada", "Call"),
    "sms": ("SMS", "SMS"),
    "whatsapp": ("WhatsApp", "WhatsApp"),
    "messenger": ("Messenger", "Messenger"),
    "instagram": ("Instagram", "Instagram"),
    "telegram": ("Telegram", "Telegram"),
    "email": ("Correo", "E-mail"),
    "form": ("Formulario", "Form"),
    "webchat": ("Chat web", "Web chat"),
    "walk_in": ("Visita", "Visit"),
    "other": ("Otro", "Other"),
    "inbound": ("entrante", "inbound"),
    "outbound": ("saliente", "outbound"),
    "all": ("Todo", "All"),
    "inbounds": ("Entrantes", "Inbound"),
    "outbounds": ("Salientes", "Outbound"),
    "automatic": ("automático", "automatic"),
    "manual": ("manual", "manual"),
    "imported": ("importado", "imported"),
    "answered": ("contestada", "answered"),
    "missed": ("perdida", "missed"),
    "busy": ("ocupado", "busy"),
    "no_answer": ("sin respuesta", "no answer"),
    "voicemail": ("buzón de voz", "voicemail"),
    "failed": ("no entregado", "not delivered"),
    "call.failed": ("fallida", "failed"),
    "canceled": ("cancelada", "canceled"),
    "queued": ("En cola", "Queued"),
    "sent": ("Enviado", "Sent"),
    "delivered": ("Entregado", "Delivered"),
    "read": ("Leído", "Read"),
    "played": ("Reproducido", "Played"),
    "edited": ("editado", "edited"),
    "deleted": ("eliminado", "deleted"),
    "deleted.text": (
        "Eliminado por quien lo envió. Se conserva el original.",
        "Deleted by its sender. The original is kept.",
    ),
    "retracted": ("anulado", "void"),
    "corrected": ("corregido", "corrected"),
    "late": ("registrado después", "logged late"),
    "erased": ("Los datos personales se borraron.", "The personal data was erased."),
    "no_text": ("Sin texto", "No text"),
    "unread": ("sin leer", "unread"),
    "unassigned": ("sin asignar", "unassigned"),
    "interactions": ("interacciones", "interactions"),
    "first_contact": ("Primer contacto", "First contact"),
    "last_contact": ("Último", "Last"),
    "id": ("ID", "ID"),
    "campaign": ("Campaña", "Campaign"),
    "source": ("Fuente", "Source"),
    "resource": ("Recurso", "From"),
    "destination": ("Destino", "To"),
    "occurred": ("Ocurrió", "Happened"),
    "recorded": ("Registrado", "Recorded"),
    "attended_by": ("Atendido por", "Attended by"),
    "department": ("Departamento", "Department"),
    "origin": ("Origen", "Origin"),
    "status": ("Estado", "Status"),
    "reason": ("Motivo", "Reason"),
    "attachments": ("Adjuntos", "Attachments"),
    "participants": ("Participantes", "Participants"),
    "seconds": ("Duración", "Duration"),
    "hour": ("Hora", "Time"),
    "type": ("Tipo", "Type"),
    "contact": ("Contacto", "Contact"),
    "summary": ("Resumen", "Summary"),
    "timeline": ("Línea de tiempo", "Timeline"),
    "filters": ("Filtros", "Filters"),
    "newer": ("Más recientes", "Newer"),
    "older": ("Más antiguas", "Older"),
    "today": ("Hoy", "Today"),
    "yesterday": ("Ayer", "Yesterday"),
    "whole": ("Ver completo", "Show all"),
    "door.title": ("Entra con tu enlace", "Come in with your link"),
    "door.text": (
        "Abre el enlace que `hilo serve` imprimió al arrancar: sirve una vez, durante un día.",
        "Open the link that `hilo serve` printed at its start: it works once, within a day.",
    ),
    "empty.title": ("Aquí no hay nada todavía", "Nothing here yet"),
    "empty.text": ("Registra la primera interacción:", "Record the first interaction:"),
    "empty.demo": (
        "O abre la empresa de ejemplo, en una carpeta aparte:",
        "Or open the made-up company, in a folder of its own:",
    ),
    "none.title": ("Nada con este filtro", "Nothing under this filter"),
    "not-found.title": ("Aquí no hay nada", "There is nothing here"),
    "not-found.text": (
        "La dirección no existe, o no tienes acceso a lo que hay en ella.",
        "The address does not exist, or you may not see what is there.",
    ),
    "not-allowed.title": ("No tienes permiso", "You are not allowed"),
    "not-allowed.text": (
        "Pide a quien administra Hilo que te dé acceso.",
        "Ask whoever administers Hilo for access.",
    ),
    "wait.title": ("Un momento", "One moment"),
    "wait.text": (
        "Las vistas se están preparando. Vuelve a cargar la página en unos segundos.",
        "The views are being made ready. Load the page again in a few seconds.",
    ),
    "wrong.title": ("La petición no se entiende", "The request is not understood"),
    "wrong.text": (
        "Empieza de nuevo por la primera página.",
        "Begin again from the first page.",
    ),
    "home": ("Ir a Conversaciones", "Go to Conversations"),
}

WORDS: Final[dict[str, dict[str, str]]] = {
    language: {key: both[place] for key, both in _BOTH.items()}
    for place, language in enumerate(LANGUAGES)
}

MONTHS: Final[dict[str, tuple[str, ...]]] = {
    "es": (
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}

WEEKDAYS: Final[dict[str, tuple[str, ...]]] = {
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def language_of(header: str | None) -> str:
    """The language that `Accept-Language` likes best of ours (RFC 9110, 12.5.4)."""
    best, liked = LANGUAGES[0], 0.0
    for part in (header or "").lower().split(",")[:20]:
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().partition("-")[0]
        weight = _weight(quality)
        if language in LANGUAGES and weight > liked:
            best, liked = language, weight
    return best


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
