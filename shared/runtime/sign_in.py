"""`/sign-in` and `/sign-out`: on a laptop a login link printed in the terminal becomes the session cookie of the three services."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from shared.runtime.access import COOKIE, Access, open_to_all
from shared.runtime.settings import ServiceSettings
from shared.runtime.web import page

router = APIRouter(dependencies=[Depends(open_to_all)], include_in_schema=False)


def own_path(path: str | None) -> str:
    """Where to go after signing in: only a path of ours, never another site's address."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else "/"


@router.get("/sign-in")
async def sign_in(request: Request, link: str | None = None, back: Annotated[str | None, Query(alias="next")] = None) -> Response:
    """The page; with a good link the session."""
    access: Access = request.app.state.access
    person = access.read(link, audience="login") if link else None
    if person is None:
        signed_in = await access.principal(request)
        values = {"stale": link is not None, "name": signed_in.name if signed_in else None, "service": access.settings.SERVICE}
        return page(request.app.state.templates, "sign_in.html", status=401 if link else 200, **values)
    response = RedirectResponse(own_path(back), 303)
    response.set_cookie(COOKIE, access.session(person), max_age=int(access.settings.session_s), **_shape(access.settings))
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the session in this browser."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE, **_shape(request.app.state.access.settings))
    return response


def _shape(settings: ServiceSettings) -> dict[str, Any]:
    return {"httponly": True, "samesite": "lax", "secure": settings.production, "domain": settings.cookie_domain or None}
