"""`python -m tests.support.documents` writes the documents that the code itself says; `make docs` runs it after the schemas.

With `--check` it writes nothing and fails where a committed document is not what the code says.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from shared import asyncapi
from shared.runtime.openapi import described
from shared.runtime.settings import COMMON_PREFIX, ServiceSettings
from shared.topics import SERVICES
from tests.support.built import Registered, built, registered, settings_of

ROOT = Path(__file__).resolve().parents[2]
INTERNAL = "docs/openapi-internal.json"
_WRITTEN = "Written by `make docs` from the code: change the code, not this file."
_SETTINGS = """\
Each is a variable of the environment. What every service has is set for all by `AFTERCALL_X`, or for one by `INGEST_X`, `SCORING_X` or
`ROUTING_X`, which wins. Durations are seconds."""
_METRICS = """\
Every service shows its own under `/metrics` on its internal port, beside the usual `process_…` of a Python process. No label holds an id
or anything of a person. Gauges that are counted in the database (`aftercall_cases…`, `aftercall_outbox_…`, `aftercall_sending_…`) are the
same in every replica: take the largest, not the sum."""


def generated() -> dict[str, str]:
    """The text of every document, by its path from the root."""
    services = {service: built(service) for service in SERVICES}
    return {
        "asyncapi.json": _json(asyncapi.document()),
        INTERNAL: _json(described(services["ingest"].internal)),
        **{f"services/{name}/openapi.json": _json(described(service.public)) for name, service in services.items()},
        "docs/settings.md": settings_page({name: settings_of(name) for name in SERVICES}),
        "docs/metrics.md": metrics_page({name: registered(service) for name, service in services.items()}),
    }


def settings_page(settings: dict[str, type[ServiceSettings]]) -> str:
    common = ServiceSettings.model_fields
    parts = [
        "# Settings",
        f"{_WRITTEN} `python -m <service> settings` prints the same of one service.",
        _SETTINGS,
        "## Every service",
        _settings_table(COMMON_PREFIX, common, root=ROOT),
    ]
    for name, own in settings.items():
        fields = {field: about for field, about in own.model_fields.items() if about is not common.get(field)}
        changed = {field: about for field, about in fields.items() if field not in common or _differs(about, common[field])}
        parts += [f"## {name.capitalize()}", _settings_table(f"{name.upper()}_", changed, root=ROOT / "services" / name)]
    return "\n\n".join(parts) + "\n"


def _differs(own: FieldInfo, common: FieldInfo) -> bool:
    return (own.default, own.description) != (common.default, common.description)


def _settings_table(prefix: str, fields: dict[str, FieldInfo], *, root: Path) -> str:
    rows = [(f"`{prefix}{name.upper()}`", _default(field, root), field.description or "") for name, field in fields.items()]
    return _table(("variable", "default", "meaning"), rows)


def _default(field: FieldInfo, root: Path) -> str:
    extra = field.json_schema_extra
    value = field.get_default(call_default_factory=True)
    if isinstance(extra, dict) and extra.get("secret"):
        return "for development only" if value else ""
    if isinstance(value, Path):
        value = value.relative_to(root)
    elif isinstance(value, dict | list | bool):
        value = json.dumps(value)
    return "" if value in {None, ""} else f"`{value}`"


def metrics_page(metrics: dict[str, Sequence[Registered]]) -> str:
    by_name: dict[str, tuple[Registered, list[str]]] = {}
    for service, found in metrics.items():
        for each in found:
            by_name.setdefault(each.name, (each, []))[1].append(service)
    rows = [
        (f"`{name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), _whose(services), each.words)
        for name, (each, services) in sorted(by_name.items())
    ]
    parts = [
        "# Metrics",
        _WRITTEN,
        _METRICS,
        _table(("metric", "type", "labels", "services", "meaning"), rows),
    ]
    return "\n\n".join(parts) + "\n"


def _whose(services: list[str]) -> str:
    return "all" if len(services) == len(SERVICES) else ", ".join(services)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def stale(root: Path, texts: dict[str, str]) -> list[str]:
    """The documents under `root` that are missing or are not what the code says."""
    return [path for path, text in texts.items() if not (root / path).is_file() or (root / path).read_text("utf-8") != text]


def write(root: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any difference")
    check, texts = parser.parse_args(arguments).check, generated()
    if not check:
        write(ROOT, texts)
        return 0
    found = stale(ROOT, texts)
    for path in found:
        print(f"{path}: not what the code says; run make docs.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
