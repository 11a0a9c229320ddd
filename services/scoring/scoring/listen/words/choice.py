"""Which language to speak: the one asked for, else the invitation's, else the browser's, else English."""

import re
from collections.abc import Iterable

from scoring.listen.words.en import ENGLISH
from scoring.listen.words.es import SPANISH
from scoring.listen.words.model import Words

LANGUAGES = {words.tag: words for words in (ENGLISH, SPANISH)}


def choose(*wanted: str | None) -> Words:
    """The first of these tags that has words; a tag stands for its language (`es-MX` is `es`)."""
    for tag in wanted:
        words = LANGUAGES.get(re.split(r"[-_]", tag or "", maxsplit=1)[0].lower())
        if words is not None:
            return words
    return ENGLISH


def accepted(header: str | None) -> list[str]:
    """The tags of an `Accept-Language` header, best first (RFC 9110, 12.5.4); what cannot be read is left out."""
    weighed = [_weighed(part) for part in (header or "")[:1000].split(",")]
    return [tag for tag, weight in sorted(weighed, key=lambda pair: -pair[1]) if tag and weight > 0]


def others(words: Words) -> Iterable[Words]:
    return [each for each in LANGUAGES.values() if each.tag != words.tag]


def _weighed(part: str) -> tuple[str, float]:
    tag, _, weight = part.strip().partition(";")
    match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
    return tag.strip(), float(match.group(1)) if match else 0.0 if weight else 1.0
