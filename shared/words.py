"""What people write (a comment, a note), made storable by one rule."""

import unicodedata

LONGEST = 2000
"""Characters kept; the form allows no more, and a longer message is cut here."""


def cleaned(text: str) -> str:
    """Without control characters and half characters (lone surrogates), which neither a database nor a page can hold; lines stay lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return kept.strip()[:LONGEST].rstrip()
