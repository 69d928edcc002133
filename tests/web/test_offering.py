"""What forms offer is called in the reader's language, and understood by its name."""

from __future__ import annotations

from api.web.offering import Offer, city, tongue, tongue_code, tongues, zones


def test_a_language_is_chosen_by_its_name() -> None:
    """In either language of ours, whatever its case; what is none is left as it was typed."""
    assert Offer("en", "inglés") in tongues("es")
    assert [tongue_code(text) for text in (" Inglés", "ENGLISH", "klingon")] == [
        "en",
        "en",
        "klingon",
    ]
    assert [tongue("es", code) for code in ("en", "tlh", None)] == ["inglés", "tlh", None]


def test_a_zone_is_called_by_its_city() -> None:
    """Each by its IANA name and what people there call it; UTC is among them."""
    offered = zones("es")
    assert Offer("America/Mexico_City", "Ciudad de México") in offered
    assert Offer("America/Argentina/Ushuaia", "Ushuaia") in offered
    assert [city("es", one) for one in ("America/Mexico_City", "UTC")] == [
        "Ciudad de México",
        "UTC",
    ]
    assert offered[-1].code == "UTC"
    assert len({one.code for one in offered}) == len(offered)
