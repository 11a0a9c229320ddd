"""What a PromQL expression names, compared with what the services register."""

import re
from collections.abc import Iterable, Mapping

from tests.support.built import Registered

TARGET = frozenset({"job", "instance"})
"""What Prometheus puts on every series it reads."""

_SELECTOR = re.compile(r"\b((?:aftercall|process)_\w+)\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def faults(expression: str, known: Mapping[str, Registered], *, shown: Iterable[str] = ()) -> list[str]:
    """`shown` are texts beside the expression, whose {{label}} must be what it groups by."""
    named = _SELECTOR.findall(expression)
    grouped = {label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",")}
    had = TARGET.union(*(labels_of(name, known) for name, _ in named))
    return [
        *([] if named else [f"no metric of ours in {expression!r}"]),
        *(f"no service registers {name}" for name, _ in named if name not in known),
        *(
            f"{name} has no label {label}"
            for name, matchers in named
            for label in _MATCHER.findall(matchers)
            if label not in TARGET | labels_of(name, known)
        ),
        *(f"nothing here has the label {label}" for label in sorted(grouped - had)),
        *(f"{label} is shown and not grouped by" for text in shown for label in _SHOWN.findall(text) if label not in grouped),
    ]


def labels_of(series: str, known: Mapping[str, Registered]) -> frozenset[str]:
    found = known.get(series)
    return frozenset(found.labels if found else ()) | (frozenset({"le"}) if series.endswith("_bucket") else frozenset())
