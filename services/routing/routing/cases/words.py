"""Critical words: harm, grievance, legal threat, access to care. Lists per language, looked for in every language."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_APOSTROPHES = str.maketrans("", "", "'’`´")
_NOT_WORDS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class CriticalWords:
    """Phrases by what they mean, of all languages; a customer need not write in the language we think."""

    version: int
    phrases: Mapping[str, tuple[str, ...]]

    def found(self, comment: str | None) -> tuple[str, ...]:
        """The codes of what a comment mentions, sorted; never the words."""
        if not comment:
            return ()
        text = f" {plain(comment)} "
        return tuple(sorted(code for code, phrases in self.phrases.items() if any(f" {phrase} " in text for phrase in phrases)))


def plain(text: str) -> str:
    """Lower-case words without accents, apostrophes or punctuation, one space between them."""
    folded = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return _NOT_WORDS.sub(" ", bare).strip()


def of_lists(lists: Mapping[str, Mapping[str, Sequence[str]]], *, version: int) -> CriticalWords:
    """From language → code → phrases."""
    codes = sorted({code for of_language in lists.values() for code in of_language})
    return CriticalWords(
        version, {code: tuple(plain(p) for of_language in lists.values() for p in of_language.get(code, ())) for code in codes}
    )
