"""Twilio's callbacks where a bridge left them as they were posted: the fields of a form, in one text."""

from urllib.parse import parse_qsl

from ingest.normalise.decode import Document

LONGEST = 65_536
MOST_FIELDS = 1_000
_MARK = b"AccountSid="
"""Every callback of Twilio's has it."""


def form_in(body: bytes) -> Document | None:
    """Its fields, of a repeated one the first; None for what is no such form."""
    if _MARK not in body or len(body) > LONGEST or not body[:1].isalpha():
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    fields: Document = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return None if any("\x00" in text for pair in pairs for text in pair) else fields
