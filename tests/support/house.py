"""The house's rules that no linter knows, as functions from a source tree to the sentences of what is wrong in it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

IMPURE_ROOMS = frozenset("tables store handle timers clients api pages live receive settings metrics app __main__".split())
"""The closed list of style: every other module takes values and returns values."""

WIRING = frozenset({"deps", "metadata"})
"""At a service's top only: what the impure rooms are given, and all its tables together. They name things and do nothing."""

SQL_ROOMS = frozenset({"store", "tables"})
EMPTY_NAMES = frozenset("utils util helpers helper manager base common data info misc".split())
LONGEST_FILE = 250

OUTSIDE = frozenset(
    "aiokafka aiosmtplib alembic asyncio fastapi httpx logging os pathlib prometheus_client psycopg random secrets smtplib socket "
    "sqlalchemy starlette subprocess tempfile threading time urllib.request uvicorn".split()
)
"""What a pure module cannot import: the world, the clock, chance, the log. What a package ships (importlib.resources) is code."""

PLAIN_RUNTIME = frozenset({"shared.runtime.errors", "shared.runtime.webhooks"})
IMPURE_CALLS = frozenset("now utcnow today uuid1 uuid4 uuid7".split())
IMPURE_BUILTINS = frozenset({"open", "print", "input"})
SQL = re.compile(
    r"\s*(select\s+\S|insert\s+into\s|update\s+\S+\s+(\w+\s+)?set\s|delete\s+from\s|with\s+(recursive\s+)?\w+\s+as\s+(not\s+|materialized\s*)*\(|"
    r"(create|alter|drop|truncate|lock)\s+(table|index|schema)\s|merge\s+into\s|copy\s+\w+\s+(from|to)\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Module:
    """One file of a package: `name` is dotted, from the package's root."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def room(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def pure(self) -> bool:
        wiring = self.room in WIRING and self.name.count(".") == 1
        return self.room not in IMPURE_ROOMS and not wiring and not self.name.startswith(("shared.runtime", "shared.web"))


def modules(package: Path) -> Iterator[Module]:
    """Every module below a package's folder, whose name is the package's."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        yield Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path)


def impure(module: Module) -> Iterator[str]:
    """What a module outside the impure rooms does to, or wants from, the world."""
    if not module.pure:
        return
    for node in ast.walk(module.tree):
        for name in imported_by(node):
            if _reaches_out(name):
                yield f"{module.name}:{_line(node)} is no impure room and imports {name}"
        if isinstance(node, ast.Call) and (called := _impure_call(node)):
            yield f"{module.name}:{node.lineno} is no impure room and calls {called}()"


def sql_outside_store(module: Module) -> Iterator[str]:
    """SQL stands in store.py, the tables and the runtime, nowhere else."""
    if module.room in SQL_ROOMS or module.name.startswith("shared.runtime"):
        return
    told = {id(node) for node in _docstrings(module.tree)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told and SQL.match(node.value):
            yield f"{module.name}:{node.lineno} holds SQL: {node.value.split(chr(10))[0].strip()[:60]!r}"


def named_for_nothing(module: Module) -> Iterator[str]:
    if module.room in EMPTY_NAMES:
        yield f"{module.name}: a module is named for its subject, not {module.room!r}"


def too_long(module: Module) -> Iterator[str]:
    lines = module.path.read_text(encoding="utf-8").count("\n")
    if lines > LONGEST_FILE:
        yield f"{module.name} has {lines} lines; a file is read in one sitting ({LONGEST_FILE})"


RULES = (impure, sql_outside_store, named_for_nothing, too_long)


def imported_by(node: ast.AST) -> list[str]:
    """The dotted names an import statement brings in; none for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _reaches_out(name: str) -> bool:
    if any(name == known or name.startswith(f"{known}.") for known in PLAIN_RUNTIME):
        return False
    if any(name == known or name.startswith(f"{known}.") for known in OUTSIDE):
        return True
    ours = name.split(".", maxsplit=1)[0] in ("shared", "ingest", "scoring", "routing")
    return ours and (name.startswith("shared.runtime") or any(part in IMPURE_ROOMS for part in name.split(".")[1:]))


def _impure_call(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr if node.func.attr in IMPURE_CALLS else None
    name = node.func.id if isinstance(node.func, ast.Name) else None
    return name if name in IMPURE_CALLS | IMPURE_BUILTINS else None


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)
