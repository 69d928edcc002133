"""What the fields of forms are about, told by their names: people name them as they like.

A name is taken apart into words without accents: `your-email`, `correo_electronico` and
`form[emailAddress]` are one thing. What no word tells is an answer like any other.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache
from typing import Final


class About(Enum):
    """What a field is about."""

    ANSWER = "answer"
    MAIL = "mail"
    PHONE = "phone"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    MESSAGE = "message"
    SUBJECT = "subject"
    CONSENT = "consent"
    UTM = "utm"
    CLICK = "click"
    PAGE = "page"
    FORM = "form"
    SUBMISSION = "submission"
    ELAPSED = "elapsed"
    MACHINERY = "machinery"


CLICK_IDS: Final = frozenset(
    {
        "gclid",
        "gbraid",
        "wbraid",
        "dclid",
        "fbclid",
        "ttclid",
        "msclkid",
        "li_fat_id",
        "twclid",
        "epik",
        "rdt_cid",
        "sccid",
        "yclid",
        "igshid",
    }
)
"""What advertising networks put into the address of a page that was reached by a click."""

_PAGES: Final = frozenset(
    {
        "referrer",
        "referer",
        "page",
        "page_url",
        "page_title",
        "url",
        "landing",
        "landing_page",
        "landing_url",
        "source_url",
        "_wp_http_referer",
    }
)

_MACHINERY: Final = frozenset(
    {
        "_charset_",
        "g-recaptcha-response",
        "h-captcha-response",
        "cf-turnstile-response",
        "_token",
        "csrf_token",
        "csrfmiddlewaretoken",
        "authenticity_token",
        "_csrf",
        "_wpnonce",
        "action",
        "submit",
        "_redirect",
        "_next",
    }
)
"""What forms say to their own machinery: it is in the original and says nothing to people."""

_CONSENT: Final = frozenset(
    {
        "consent",
        "consentimiento",
        "acepto",
        "accept",
        "accepted",
        "aceptar",
        "agree",
        "agreed",
        "privacy",
        "privacidad",
        "gdpr",
        "lgpd",
        "terms",
        "terminos",
        "newsletter",
        "marketing",
        "optin",
        "suscribir",
        "suscribirme",
        "subscribe",
        "autorizo",
    }
)
_MAIL: Final = frozenset(["email", "mail", "correo", "emailaddress"])
_PHONE: Final = frozenset(
    {
        "phone",
        "tel",
        "telefono",
        "telephone",
        "telefone",
        "mobile",
        "movil",
        "celular",
        "cel",
        "cell",
        "whatsapp",
        "fon",
        "phonenumber",
    }
)
_MESSAGE: Final = frozenset(
    {
        "message",
        "mensaje",
        "mensagem",
        "comment",
        "comments",
        "comentario",
        "comentarios",
        "consulta",
        "enquiry",
        "inquiry",
        "question",
        "pregunta",
        "nachricht",
    }
)
_MESSAGE_ALONE: Final = frozenset({"text", "texto", "body", "descripcion", "description"})
_SUBJECT: Final = frozenset({"subject", "asunto", "assunto", "betreff"})
_NAMED: Final = frozenset({"name", "nombre", "nome", "nombres", "fullname", "nombrecompleto"})
_NAMED_WITH: Final = frozenset(
    {
        "your",
        "tu",
        "su",
        "contact",
        "contacto",
        "client",
        "cliente",
        "customer",
        "user",
        "full",
        "completo",
        "lead",
        "visitor",
        "visitante",
        "y",
        "and",
        "e",
        "apellido",
        "apellidos",
    }
)
_FIRST: Final = frozenset({"first", "given", "primer", "fname", "firstname"})
_LAST: Final = frozenset(
    {"last", "family", "surname", "lname", "lastname", "apellido", "apellidos", "sobrenome"}
)

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD: Final = re.compile(r"[a-z0-9]+")
_NAMES_KEPT: Final = 4_096
"""Names whose meaning is kept ready: those of some hundred forms."""


@lru_cache(maxsize=_NAMES_KEPT)
def about(name: str) -> About:
    """What a field of that name is about."""
    plain = name.strip().lower().replace(".", "_")
    found = _exactly(plain)
    if found is not None:
        return found
    words = _words(name)
    if words & _CONSENT or {"opt", "in"} <= words:
        return About.CONSENT
    if words & _MAIL or {"e", "mail"} <= words:
        return About.MAIL
    if words & _PHONE:
        return About.PHONE
    return _name(words) or _words_said(words)


def _exactly(plain: str) -> About | None:
    if plain.startswith("utm_"):
        return About.UTM
    if plain in CLICK_IDS:
        return About.CLICK
    if plain in _PAGES:
        return About.PAGE
    if plain in {"form_id", "formid", "_form", "form-name"}:
        return About.FORM
    if plain in {"submission_id", "submissionid", "_submission_id"}:
        return About.SUBMISSION
    if plain in {"elapsed_ms", "_elapsed_ms"}:
        return About.ELAPSED
    return About.MACHINERY if plain in _MACHINERY or plain.startswith("_wpcf7") else None


def _name(words: frozenset[str]) -> About | None:
    if words & _FIRST and words <= _FIRST | _NAMED | _NAMED_WITH:
        return About.FIRST_NAME
    if words & _LAST and not words & _NAMED - {"name"} and words <= _LAST | _NAMED | _NAMED_WITH:
        return About.LAST_NAME
    is_name = bool(words & _NAMED) and words <= _NAMED | _NAMED_WITH
    return About.NAME if is_name else None


def _words_said(words: frozenset[str]) -> About:
    if words & _SUBJECT:
        return About.SUBJECT
    if words & _MESSAGE or (len(words) == 1 and words <= _MESSAGE_ALONE):
        return About.MESSAGE
    return About.ANSWER


def _words(name: str) -> frozenset[str]:
    folded = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name)).lower()
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return frozenset(_WORD.findall(plain))
