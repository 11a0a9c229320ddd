"""Reads the text of a reply. Pure, and never a guess: what is not plainly one score from 0 to 10 is unclear."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from scoring.listen import vocabulary


class Wish(StrEnum):
    """What the reply asks for beside (or instead of) giving a score."""

    NONE = "none"
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True)
class Reading:
    """A score needs no wish; a stop may keep one. No score and no wish: unclear."""

    score: int | None = None
    comment: str | None = None
    wish: Wish = Wish.NONE

    @property
    def unclear(self) -> bool:
        return self.score is None and self.wish is Wish.NONE


@dataclass(frozen=True)
class _Mention:
    """A number in the text; `value` is None where it is no whole number from 0 to 10."""

    value: int | None
    start: int
    end: int
    spelled: bool = False


def read(text: str) -> Reading:
    """Opt-out words win over everything and keep a clear score beside them; the comment is the rest of the customer's own words."""
    text = unicodedata.normalize("NFC", text).strip()
    shadow = _shadow(text)
    mention = _score(shadow)
    score = mention.value if mention else None
    comment = _comment(text, shadow, mention)
    if _says_stop(text, shadow):
        return Reading(score, comment, Wish.STOP)
    core = _core(shadow)
    if core in vocabulary.START_WORDS:
        return Reading(wish=Wish.START)
    if core in vocabulary.HELP_WORDS:
        return Reading(wish=Wish.HELP)
    return Reading(score, comment)


def _shadow(text: str) -> str:
    """The text character for character in plain form: digits of any script as 0 to 9, full width as narrow, no case, no accents."""
    return "".join(map(_plain, text))


@cache
def _plain(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char in "’‘ʼ`´":
        return "'"
    if char in "−–—‐‑‒":
        return "-"
    if unicodedata.category(char) == "Cf":
        return " "
    narrow = unicodedata.normalize("NFKD", char)
    bare = "".join(part for part in narrow if not unicodedata.combining(part)).casefold()
    return bare if len(bare) == 1 else char


# ---- stop -------------------------------------------------------------------------------------------------------------------------


def _says_stop(text: str, shadow: str) -> bool:
    if any(re.search(phrase, shadow) for phrase in vocabulary.STOP_PHRASES):
        return True
    shouted = re.search(r"\bSTOP\b", text) is not None and any(char.islower() for char in text)
    return shouted or any(_core(clause) in vocabulary.STOP_WORDS for clause in _clauses(shadow))


def _clauses(shadow: str) -> list[str]:
    return [shadow, *re.split(r"[.!?,;:\n()¡¿]+|\b(?:but|and|pero|y)\b|\s-+\s", shadow)]


def _core(clause: str) -> str:
    """The clause without politeness, digits and punctuation, run together: "please opt-out!" is "optout"."""
    words = re.findall(r"[^\W\d_]+", clause.replace("'", ""))
    return "".join(word for word in words if word not in vocabulary.POLITE)


# ---- score ------------------------------------------------------------------------------------------------------------------------

_NUMERAL = re.compile(r"[\w.,+\-/%٪°#$€£]*\d[\w.,+\-/%٪°$€£]*")
_OF_TEN = re.compile(r"\s*(?:/\s*|(?:out of|of|on|de|sobre)\s+)(?:10|ten|diez)(?![\w/]|[.,]\d)")
_SPELLED = re.compile(r"\b(?:" + "|".join([*vocabulary.NUMBERS, *sorted(vocabulary.OTHER_NUMBERS)]) + r")\b")
_LEAD_IN = re.compile(r"(?:\W*\b(?:" + "|".join(vocabulary.LEAD_INS) + r")(?!\w))*\W*")
_MINUS = re.compile(r"(?:\bminus|\bmenos|-)\s*$")


def _score(shadow: str) -> _Mention | None:
    """The mention that is plainly the score, or None. Every number of the text must be the same one, and stand where a score would."""
    mentions = _mentions(shadow)
    if not mentions or mentions[0].value is None or len({mention.value for mention in mentions}) > 1:
        return None
    return next((mention for mention in mentions if _stands_alone(shadow, mention)), None)


def _mentions(shadow: str) -> list[_Mention]:
    text = re.sub(vocabulary.IDIOMS, lambda idiom: " " * len(idiom.group()), shadow)
    found: list[_Mention] = []
    position = 0
    while (match := _next_number(text, position)) is not None:
        found.append(match)
        position = match.end
    return found


def _next_number(text: str, position: int) -> _Mention | None:
    numeral, spelled = _NUMERAL.search(text, position), _SPELLED.search(text, position)
    if numeral is not None and (spelled is None or numeral.start() <= spelled.start()):
        return _numeral(text, numeral)
    if spelled is None:
        return None
    of_ten = _OF_TEN.match(text, spelled.end())
    end = of_ten.end() if of_ten else spelled.end()
    return _Mention(_unless_negative(text, spelled.start(), vocabulary.NUMBERS.get(spelled.group())), spelled.start(), end, of_ten is None)


def _numeral(text: str, match: re.Match[str]) -> _Mention:
    """A whole number from 0 to 10, with "/10" or "out of 10" if it says so; anything else glued to the digits makes it no score."""
    plain = re.match(r"#?(10|\d)(?![\w%٪°$€£+]|[.,/\-]\w|\s*%|\s*/\s*(?!10(?![\w/]))\d|\+)", match.group())
    of_ten = re.match(r"(10|\d)" + _OF_TEN.pattern, text[match.start() :])
    chosen = of_ten or plain
    if chosen is None:
        return _Mention(None, match.start(), match.end())
    end = max(match.start() + chosen.end(), match.start() + 1)
    return _Mention(_unless_negative(text, match.start(), int(chosen.group(1))), match.start(), end)


def _unless_negative(text: str, start: int, value: int | None) -> int | None:
    return None if _MINUS.search(text[:start]) and not re.search(r"\w\s+-+\s*$", text[:start]) else value


def _stands_alone(shadow: str, mention: _Mention) -> bool:
    """Begins the reply (after "I'd say" and its like), or ends it after a pause; and counts nothing, names no alternative."""
    before, after = shadow[: mention.start], shadow[mention.end :]
    begins = _LEAD_IN.fullmatch(before) is not None
    ends = not re.search(r"\w", after) and re.search(r"[.!?,;:\n]\s*$|\s-+\s*$", before) is not None
    word = re.match(r"\s*([^\W\d_][\w']*|[/~%٪+])", after)
    following = word.group(1) if word else ""
    counts = following in vocabulary.UNITS or following in vocabulary.ALTERNATIVES
    loose = mention.spelled and following != "" and following not in vocabulary.CONNECTIVES
    return (begins or ends) and not counts and not loose


def _comment(text: str, shadow: str, mention: _Mention | None) -> str | None:
    """The customer's words without the score and what led in to it; None where nothing is left that says anything."""
    if mention is None:
        return text or None
    lead_in = _LEAD_IN.fullmatch(shadow[: mention.start])
    rest = text[mention.end :] if lead_in else text[: mention.start] + text[mention.end :]
    rest = rest.strip().lstrip(".,;:!-–—/ \ufe0f\u20e3").strip()
    return rest if any(unicodedata.category(char)[0] in "LS" for char in rest) else None
