"""One request body, many events: JSON lines are taken apart, everything else is read whole."""

from collections.abc import Mapping

LINES = ("application/x-ndjson", "application/jsonl", "application/json-lines", "application/x-jsonlines")


def bodies(body: bytes, headers: Mapping[str, str]) -> list[bytes]:
    """The lines of JSON lines, said so or seen to be; else the body itself. Blank lines are no events."""
    lines = [line for line in body.splitlines() if line.strip()]
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in LINES or (not kind.startswith("application/cloudevents") and _looks_like_lines(lines)):
        return lines
    return [body]


def _looks_like_lines(lines: list[bytes]) -> bool:
    """Several lines, each an object of its own: a pretty-printed document opens with a line that does not close."""
    return len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines[:2])
