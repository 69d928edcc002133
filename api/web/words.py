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
    "is.snoozed": ("pospuesta", "snoozed"),
    "is.resolved": ("resuelta", "resolved"),
    "note": ("Nota interna", "Internal note"),
    "void": ("anulada", "void"),
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
    "door.title": ("Entrar", "Sign in"),
    "door.text": (
        "¿Primera vez? Abre el enlace de tu invitación, o el que imprimió `hilo serve`.",
        "First time? Open the link of your invitation, or the one that `hilo serve` printed.",
    ),
    "email_address": ("Correo electrónico", "E-mail address"),
    "password": ("Contraseña", "Password"),
    "new_password": ("Contraseña nueva", "New password"),
    "current_password": ("Contraseña actual", "Current password"),
    "again": ("Otra vez la contraseña nueva", "The new password again"),
    "your_name": ("Tu nombre", "Your name"),
    "password.hint": ("Al menos % caracteres.", "At least % characters."),
    "password.optional": (
        "Déjala vacía para conservar la actual.",
        "Leave it empty to keep the one you have.",
    ),
    "save": ("Guardar", "Save"),
    "later": ("Más tarde", "Later"),
    "sign_out": ("Salir", "Sign out"),
    "sign_out.everywhere": ("Salir en todas partes", "Sign out everywhere"),
    "invitation.title": ("Te damos la bienvenida", "Welcome"),
    "invitation.text": ("Elige la contraseña con la que entrarás como", "Choose a password for"),
    "invitation.go": ("Guardar y entrar", "Save and come in"),
    "account": ("Mi cuenta", "My account"),
    "account.title": ("Mi cuenta", "My account"),
    "account.first": ("Ya estás dentro", "You are in"),
    "account.text": (
        "El enlace sirvió una vez. Con correo y contraseña podrás volver cuando quieras.",
        "The link worked once. With an e-mail address and a password you can always come back.",
    ),
    "say.wrong": (
        "El correo o la contraseña no son correctos.",
        "The e-mail address or the password is not right.",
    ),
    "say.too-many": (
        "Demasiados intentos. Vuelve a intentarlo en % min.",
        "Too many tries. Try again in % min.",
    ),
    "say.csrf": ("La página ya era antigua. Inténtalo otra vez.", "The page was old. Try again."),
    "say.wait": (
        "Hilo está ocupado. Inténtalo de nuevo en unos segundos.",
        "Hilo is busy. Try again in a few seconds.",
    ),
    "say.unread": ("No se pudo leer el formulario.", "The form could not be read."),
    "say.taken": (
        "Ese correo ya es de otra persona.",
        "This e-mail address is somebody else's already.",
    ),
    "say.name.too_short": ("Escribe tu nombre.", "Write your name."),
    "say.email.bad_address": (
        "Escribe un correo como ana@example.com.",
        "Write an e-mail address such as ana@example.com.",
    ),
    "say.password.too_short": ("La contraseña es muy corta.", "The password is too short."),
    "say.password.too_long": ("La contraseña es muy larga.", "The password is too long."),
    "say.password.too_weak": (
        "Esa contraseña se adivina enseguida; elige otra.",
        "This password is guessed at once; choose another one.",
    ),
    "say.again.differs": (
        "Las dos contraseñas no son iguales.",
        "The two passwords are not the same.",
    ),
    "link.title": ("Este enlace ya no sirve", "This link does not work any more"),
    "link.text": (
        "Sirve una sola vez y por poco tiempo. Pide uno nuevo a quien administra Hilo.",
        "It works once, and not for long. Ask whoever administers Hilo for a new one.",
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
