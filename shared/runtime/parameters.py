"""What a reading request may ask by its query: a filter nobody knows would be left out, and the answer taken for the filtered one."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from shared.runtime.problems import Problem

_NAME = re.compile(r"[A-Za-z][\w.-]{0,40}", re.ASCII)


def refuse_unknown(request: Request) -> None:
    """422 with every parameter of a GET of the API that its route does not declare, and the ones it does. Pages take any."""
    if request.method != "GET" or not request.url.path.startswith("/v1/") or not request.query_params:
        return
    known = sorted(set(_declared(request.scope["route"].dependant)))
    if unknown := sorted(set(request.query_params) - set(known)):
        told = f"This takes {', '.join(known)}" if known else "This takes no parameters"
        errors = [{"path": name if _NAME.fullmatch(name) else "…", "reason": "unknown_parameter"} for name in unknown]
        raise Problem(422, "unknown_parameter", f"There is a parameter that is not known here. {told}", errors=errors)


def _declared(dependant: Any) -> Iterator[str]:
    for each in dependant.query_params:
        kind = each.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (field.alias or name for name, field in kind.model_fields.items())
        else:
            yield each.alias
    for below in dependant.dependencies:
        yield from _declared(below)
