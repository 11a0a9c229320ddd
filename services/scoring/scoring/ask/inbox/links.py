"""Which parts of a message are links of ours."""

import re


def pieces(text: str, *, base: str) -> list[tuple[str, bool]]:
    """The text in order, cut where a survey's address begins and ends; True marks an address."""
    parts = re.split(rf"({re.escape(base)}/s/[\w-]+)", text)
    return [(part, index % 2 == 1) for index, part in enumerate(parts) if part]
