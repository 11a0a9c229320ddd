"""Codes: the lower-case words of open sets."""

import re
from collections.abc import Container

OTHER = "other"
LONGEST = 64


def known(code: str, members: Container[str]) -> str:
    """The code itself if it is one of `members`, else `other`; whoever calls keeps the original."""
    return code if code in members else OTHER


def as_code(text: str | None) -> str | None:
    """What a platform wrote, as a code: "Billing / Refunds" is `billing_refunds`. None if no letter or digit is in it."""
    if text is None:
        return None
    return re.sub(r"[^\w.-]+", "_", text.strip().lower())[:LONGEST].strip("_.-") or None
