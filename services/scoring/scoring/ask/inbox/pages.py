"""`/inbox`: the development inbox as a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse

from scoring.ask.inbox.api import READ_INBOX, read_inbox
from scoring.ask.inbox.links import pieces
from shared.runtime.access import Principal, allow
from shared.runtime.web import page

router = APIRouter(include_in_schema=False)

PAGE = 50


@router.get("/inbox")
async def inbox(request: Request, principal: Annotated[Principal, Depends(allow(READ_INBOX))], before: UUID | None = None) -> HTMLResponse:
    deps = request.app.state.deps
    found = await read_inbox(deps, before=before, limit=PAGE)
    messages = [(each, pieces(each.body, base=deps.settings.public_url)) for each in found.messages]
    return page(request.app.state.templates, "inbox.html", messages=messages, next=found.next, name=principal.name)
