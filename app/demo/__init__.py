"""The believable company that `hilo demo` opens: content only, no storage and no clock."""

from app.demo.company import (
    CAMPAIGNS,
    DEPARTMENTS,
    SOURCES,
    STAFF,
    Arrival,
    arrivals,
    contacts,
    interactions,
    statuses,
)

__all__ = [
    "CAMPAIGNS",
    "DEPARTMENTS",
    "SOURCES",
    "STAFF",
    "Arrival",
    "arrivals",
    "contacts",
    "interactions",
    "statuses",
]
