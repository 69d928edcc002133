"""All stories by name, read once from their texts."""

from functools import cache

from app.demo import (
    stories_care,
    stories_english,
    stories_fleet,
    stories_now,
    stories_sales,
    stories_workshop,
)
from app.demo.script import Story, parse

TEXTS = (
    stories_sales.TEXT,
    stories_workshop.TEXT,
    stories_care.TEXT,
    stories_fleet.TEXT,
    stories_english.TEXT,
    stories_now.TEXT,
)


@cache
def stories() -> dict[str, Story]:
    """Return each story by its name."""
    return {story.name: story for text in TEXTS for story in parse(text)}
