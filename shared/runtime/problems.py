"""Problem details (RFC 9457): the one shape of every refusal over HTTP. They name fields and never echo values."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.runtime.database import worlds_fault
from shared.runtime.errors import Unprocessable
from shared.runtime.logging import request_id

MACHINE_PATHS = ("/v1/", "/openapi.json", "/asyncapi.json", "/metrics", "/livez", "/readyz")
RETRY_AFTER_S = 2
_FIELD = re.compile(r"[A-Za-z_][\w-]{0,40}|\d{1,6}")


_TEXT, _TEXTS = {"type": "string"}, {"type": "object", "properties": {"path": {"type": "string"}, "reason": {"type": "string"}}}
_MEMBERS = {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "code": _TEXT, "detail": _TEXT, "request_id": _TEXT}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "A problem (RFC 9457): `code` says which, `errors` where",
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["status", "code"],
                    "properties": {**_MEMBERS, "errors": {"type": "array", "items": _TEXTS}},
                }
            }
        },
    }
    for status in (422, "default")
}
"""What the API's description says of every refusal."""


class Problem(HTTPException):
    """Raise it to answer: `errors` are `{"path": …, "reason": …}`, `more` are further members of the body."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(status, detail or HTTPStatus(status).phrase, dict(headers or {}))
        self.code = code
        self.errors = [dict(each) for each in errors]
        self.more = more


def wants_page(request: Request) -> bool:
    """Is a person with a browser asking for a page?"""
    accepts = request.headers.get("accept", "")
    return "authorization" not in request.headers and "text/html" in accepts and not request.url.path.startswith(MACHINE_PATHS)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as a response: a page for a person, problem details for a machine; a redirect has no body."""
    status, headers = problem.status_code, dict(problem.headers or {})
    if status < 400:
        return Response(status_code=status, headers=headers)
    if wants_page(request):
        words = request.app.state.templates.get_template("problem.html").render(title=problem.detail, request=request_id.get())
        return HTMLResponse(words, status, headers)
    told = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": request_id.get(),
    }
    errors = {"errors": problem.errors} if problem.errors else {}
    return JSONResponse({"type": "about:blank", **told, **problem.more, **errors}, status, headers, media_type="application/problem+json")


def not_found() -> Problem:
    """What is not there, and what this person may not see: the same words."""
    return Problem(404, "not_found", "There is no such page")


def of_http(error: HTTPException) -> Problem:
    """The framework's own refusals (404, 405, 400) as problems."""
    if isinstance(error, Problem):
        return error
    if error.status_code == 404:
        return not_found()
    code = re.sub(r"\W+", "_", HTTPStatus(error.status_code).phrase.lower())
    return Problem(error.status_code, code, headers=error.headers)


def of_validation(error: RequestValidationError) -> Problem:
    """422 naming each field and the validator's code for what is wrong with it."""
    return Problem(422, "invalid", "The request does not fit: errors names each field", errors=[_field(each) for each in error.errors()])


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    where = [str(part) if _FIELD.fullmatch(str(part)) else "…" for part in error["loc"]]
    cause = error.get("ctx", {}).get("error")
    return {"path": ".".join(where[1:] or where), "reason": cause.code if isinstance(cause, Unprocessable) else str(error["type"])}


def of_message(error: Unprocessable) -> Problem:
    """The refusal a message would get, over HTTP."""
    return Problem(422, error.code, errors=[{"path": error.path, "reason": error.code}] if error.path else [])


def of_failure(error: Exception) -> Problem:
    """503 where the world is at fault and the same request may pass later; 422 where PostgreSQL cannot hold a value that was sent, such as
    a text with a NUL; else 500, without a word of the error."""
    if worlds_fault(error):
        return Problem(503, "unavailable", "Not possible right now: send it again", headers={"Retry-After": str(RETRY_AFTER_S)})
    if isinstance(error, DataError):
        return Problem(422, "value_not_possible", "The request holds a value that cannot be stored or looked for")
    return Problem(500, "internal_error", "Our fault: the request id finds it in the log")
