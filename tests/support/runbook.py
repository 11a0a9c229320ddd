"""What a runbook tells somebody to type, and whether it is there."""

import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from fastapi import FastAPI

from shared.runtime.access import declared
from shared.topics import SERVICES
from tests.support.built import Registered, built
from tests.support.promql import labels_of

ROOT = Path(__file__).resolve().parents[2]
_COMMAND = re.compile(r"python -m ([A-Za-z_.]+)((?:[ \t]+[^\s`)]+|[ \t]+'[^']*'|[ \t]+\"[^\"]*\")*)")
_CURL = re.compile(r"^\s*curl (.*)$", re.MULTILINE)
_SPOKEN = re.compile(r"`(GET|POST|PUT) (/[^`\s?]*)")
_BARE = re.compile(r"`(/[^`\s?]*)`")
_METRIC = re.compile(r"`(aftercall_\w+)`(?: by `(\w+)`(?: and `(\w+)`)?)?")
_FILE = re.compile(r"`(deploy/[^`]+)`|\]\(([^)]+)\)")


def apps() -> dict[int, FastAPI]:
    """The applications by the port they have on one machine."""
    services = [built(service) for service in SERVICES]
    return {
        port: app
        for each in services
        for port, app in ((each.settings.public_port, each.public), (each.settings.internal_port, each.internal))
    }


def unknown_metrics(text: str, known: Mapping[str, Registered]) -> Iterator[str]:
    names = set(known) | {each.name for each in known.values()}
    for name, *labels in _METRIC.findall(text):
        if name not in names:
            yield f"no service registers {name}"
        yield from (f"{name} has no label {label}" for label in labels if label and label not in labels_of(name, known))


def unknown_files(text: str, folder: Path) -> Iterator[str]:
    for ours, linked in _FILE.findall(text):
        if not (ROOT / ours if ours else folder / linked).exists():
            yield f"there is no file {ours or linked}"


def unknown_requests(text: str, apps: Mapping[int, FastAPI]) -> Iterator[str]:
    asked: list[tuple[str, int | None, str]] = [_of_curl(line) for line in _CURL.findall(text) if "http://" in line]
    asked += [(method, None, path) for method, path in _SPOKEN.findall(text)] + [("GET", None, path) for path in _BARE.findall(text)]
    for method, port, path in asked:
        if port is not None and port not in apps:
            yield f"nobody listens on port {port}"
        elif not any(_answers(app, method, path) for at, app in apps.items() if port in {None, at}):
            yield f"no route answers {method} {path}" + (f" on port {port}" if port else "")


def _of_curl(line: str) -> tuple[str, int | None, str]:
    url = re.search(r"http://localhost:(\d+)(/[^\s'\"?]*)", line)
    assert url, f"no address of this machine in: curl {line}"
    return "POST" if "--json" in line else "GET", int(url[1]), url[2]


def _answers(app: FastAPI, method: str, path: str) -> bool:
    return any(method == each and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", route), path) for each, route, _ in declared(app))


def unknown_commands(text: str) -> Iterator[str]:
    for module, rest in _COMMAND.findall(text):
        words = shlex.split(rest)
        for name in SERVICES if module == "SERVICE" else (module,):
            yield from _unknown_command(name, words)


def _unknown_command(module: str, words: list[str]) -> Iterator[str]:
    if module not in SERVICES:
        found = importlib.util.find_spec(module)
        source = Path(found.origin).read_text("utf-8") if found and found.origin else ""
        yield from (f"python -m {module} knows no {word}" for word in words if word not in source)
        return
    plain = [word for number, word in enumerate(words) if all(re.fullmatch(r"[a-z-]+", each) for each in words[: number + 1])]
    acts = [word for word in plain if not word.startswith("-")]
    code, told = _help(module, acts)
    if code:
        yield f"python -m {module} {' '.join(acts)} is no command"
    yield from (f"python -m {module} {' '.join(acts)} has no {word}" for word in words if word.startswith("--") and word not in told)


def _help(module: str, words: list[str]) -> tuple[object, str]:
    """What the command says of itself, by the entry it really has."""
    before, told = sys.argv, io.StringIO()
    sys.argv = [module, *words, "--help"]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            runpy.run_module(module, run_name="__main__")
    except SystemExit as ended:
        return ended.code, told.getvalue()
    finally:
        sys.argv = before
    return 1, told.getvalue()
