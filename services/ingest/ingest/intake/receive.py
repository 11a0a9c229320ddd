"""`POST /v1/webhooks/{platform}`: what platforms post, believed by their own signatures, through the same door as the topics.

Accepted means stored: 202 after the commit. What is not believed hears 401 and nothing else. A body that was believed and cannot be
read is answered 422 with the field at fault; but 202, with the fault named in it, where the platform would stop sending for that,
and then it is kept as a dead letter, because it will not come again.
Whether a source sends too much is asked once it is believed, so that nobody can use up another's rate.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from ingest.intake import signatures
from ingest.intake.api import SEND_EVENTS, Taken, taken
from ingest.intake.clients import AmazonAway, AmazonSns
from ingest.intake.handle import NOT_YOURS, Door, take_profile
from ingest.intake.signatures import ringcentral, sns
from ingest.intake.signatures.posted import Posted, Untrusted
from ingest.intake.signatures.source import Source
from ingest.intake.sorting import CONFLICT
from ingest.intake.sources import Sources
from ingest.metrics import Metrics
from ingest.normalise.fields import LONGEST_ID
from ingest.normalise.model import Raw
from ingest.people.handle import Desk
from ingest.people.receive import ERASED
from ingest.people.receive import Taken as Answer
from shared.runtime.access import Access, open_to_all
from shared.runtime.keys import Budget
from shared.runtime.problems import RETRY_AFTER_S, Problem

STOP_WHEN_REFUSED = frozenset({"ringcentral", "zendesk", "intercom", "slack"})
"""RingCentral blacklists an address that refuses, the others pause or disable theirs: one odd body must not cost all that follow."""
DELIVERY = {"twilio": "i-twilio-idempotency-token", "chatwoot": "x-chatwoot-delivery", "standard": "webhook-id"}
"""By check, the header with the platform's own id of a delivery, the same in all its retries."""

router = APIRouter(dependencies=[Depends(open_to_all)])


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Whom to believe and where to put it. `clock` is that of signed times; `rate` is in requests a second of one source."""

    sources: Sources
    door: Door
    desk: Desk
    amazon: AmazonSns
    metrics: Metrics
    rate: float
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    budgets: dict[str, Budget] = field(default_factory=dict)

    def allows(self, source: Source) -> bool:
        budget = self.budgets.setdefault(source.name, Budget(source.rate or self.rate))
        return budget.take(source.name, at=time.monotonic())


@dataclass(frozen=True, slots=True)
class Believed:
    """`reading` is what may be read of it: only what the signature covers."""

    source: Source
    reading: Raw
    may_send_for: Callable[[str, str], bool]
    notice: sns.Notice | None = None


def described(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/problem+json": {}}}


BODY = {
    "requestBody": {
        "required": True,
        "description": "as the platform sends it; no content type is asked for",
        "content": {
            "application/json": {"schema": {}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "a handshake answered, or a subscription confirmed"},
    202: {"model": Taken},
    401: described("not believed; why is counted, and not told"),
    413: described("larger than `AFTERCALL_BODY_LIMIT`"),
    429: described("over the source's rate; with Retry-After"),
    503: described("the database, or Amazon SNS, does not answer; with Retry-After"),
}


@router.head("/v1/webhooks/{platform}", include_in_schema=False)
@router.head("/v1/webhooks/{platform}/{source}", include_in_schema=False)
async def look() -> Response:
    """Is anybody there? Intercom asks so before it believes an address. Says nothing of which sources there are."""
    return Response()


@router.post("/v1/webhooks/{platform}", status_code=202, responses=ANSWERS, openapi_extra=BODY)
async def webhook(request: Request, platform: str) -> Response:
    """What a platform posts, believed by its own signature. Where several sources share this address, any of them may have sent it."""
    return await _received(request, platform, None)


@router.post("/v1/webhooks/{platform}/{source}", status_code=202, responses=ANSWERS, openapi_extra=BODY)
async def webhook_of_source(request: Request, platform: str, source: str) -> Response:
    """The same for one source, by its name or, where it has one, by the path nobody guesses."""
    return await _received(request, platform, source)


async def _received(request: Request, platform: str, part: str | None) -> Response:
    hooks: Webhooks = request.app.state.deps.webhooks
    sources, posted = hooks.sources.at(platform, part), await _posted(request)
    try:
        if (token := _handshake(posted, sources)) is not None:
            return JSONResponse({}, headers={"Validation-Token": token})
        believed = await _believed(request, hooks, posted, sources=sources)
        if not hooks.allows(believed.source):
            hooks.metrics.distrusted(platform, "rate")
            raise Problem(429, "too_many_requests", "Over the rate of this source: wait a second", headers={"Retry-After": "1"})
        if believed.notice and believed.notice.kind != sns.NOTIFICATION:
            return await _subscription(hooks, believed.notice)
    except Untrusted as why:
        hooks.metrics.distrusted(platform if hooks.sources.has(platform) else "unknown", why.reason)
        raise Problem(401, "not_believed", "The request is not signed as it should be") from None
    except AmazonAway:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        raise Problem(503, "unavailable", "Not possible right now: send it again", headers=headers) from None
    if believed.source.profiles and (answer := await take_profile(believed.reading, hooks.door.database, hooks.desk)):
        return _told(answer)
    return await _stored(hooks, believed)


async def _posted(request: Request) -> Posted:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    raw_path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path, query = (part.decode("latin-1") for part in (raw_path.partition(b"?")[0], request.scope["query_string"]))
    return Posted(await request.body(), headers, path, query)


def _handshake(posted: Posted, sources: list[Source]) -> str | None:
    """RingCentral's token, which it wants back before anything else, also where the body is empty."""
    if posted.has(ringcentral.HANDSHAKE) and any(source.checked_by == "ringcentral" for source in sources):
        return posted.header(ringcentral.HANDSHAKE)
    return None


async def _believed(request: Request, hooks: Webhooks, posted: Posted, *, sources: list[Source]) -> Believed:
    """By the first source whose check it passes. Raises the first `Untrusted` where there is none."""
    why = Untrusted("unknown_source")
    for place, source in enumerate(sources):
        try:
            return await _checked(request, hooks, posted, source=source)
        except Untrusted as refused:
            why = refused if place == 0 else why
    raise why


async def _checked(request: Request, hooks: Webhooks, posted: Posted, *, source: Source) -> Believed:
    raw, at = _raw(hooks.door.raw, source), hooks.clock()
    if source.checked_by == "key":
        return await _by_key(request, raw, posted, source=source)
    if source.checked_by == "sns":
        notice = sns.notice_of(posted, source)
        sns.check(notice, await hooks.amazon.certificate(notice.certificate_url), at)
        body = json.dumps(notice.signed_fields, ensure_ascii=False).encode()
        return Believed(source, replace(raw, body=body, delivery=notice.id), source.may_send_for, notice)
    signatures.check(posted, source, at)
    return Believed(source, replace(raw, body=posted.body, delivery=_delivery(posted, source)), source.may_send_for)


async def _by_key(request: Request, raw: Raw, posted: Posted, *, source: Source) -> Believed:
    """A sender that shows a key of ours may be read with all its headers, those of a binary CloudEvent too."""
    access: Access = request.app.state.access
    principal = await access.principal(request)
    if principal is None or not principal.may(SEND_EVENTS):
        raise Untrusted("key")
    headers = {name: values[0] for name, values in posted.headers.items()}

    def may_send_for(platform: str, account: str) -> bool:
        return principal.may_send_for(platform, account) and source.may_send_for(platform, account)

    reading = replace(raw, body=posted.body, headers=headers, account=raw.account or principal.account)
    return Believed(source, reading, may_send_for)


def _raw(settings: Raw, source: Source) -> Raw:
    """What payloads do not say, from the source, or else from the settings of all."""
    return replace(
        settings,
        headers={},
        account=source.account or settings.account,
        zone=source.zone or settings.zone,
        default_channel=source.channel or settings.default_channel,
    )


def _delivery(posted: Posted, source: Source) -> str | None:
    values = posted.headers.get(DELIVERY.get(source.checked_by, ""), ())
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST_ID else None


async def _subscription(hooks: Webhooks, notice: sns.Notice) -> Response:
    if notice.kind == sns.UNSUBSCRIPTION:
        return JSONResponse({"subscription": "ended"})
    await hooks.amazon.confirm(notice.subscribe_url)
    return JSONResponse({"subscription": "confirmed"})


def _told(answer: Answer) -> Response:
    """Of a profile. Of the erased it is taken and left."""
    refused = answer.refused
    if refused and refused.reason != ERASED:
        errors = [{"path": refused.path or "", "reason": refused.reason}]
        raise Problem(422, "unreadable", "The profile cannot be taken: errors names the field", errors=errors)
    became = Taken(accepted=int(refused is None), duplicate=0, ignored=int(refused is not None), rejected=[])
    return JSONResponse(became.model_dump(mode="json"), 202)


async def _stored(hooks: Webhooks, believed: Believed) -> Response:
    """A repeat, or an event that we know otherwise, is no reason to refuse: sending it again would change nothing.

    What is taken although some of it cannot be read will not be sent again, so that part is kept as a dead letter.
    """
    sort_of, stored = await hooks.door.post([believed.reading], believed.may_send_for)
    became, faults = taken(sort_of, stored), [each for each in sort_of.faults if each.reason != CONFLICT]
    nothing_else = not (became.accepted or became.duplicate or became.ignored)
    if faults and nothing_else and believed.source.checked_by not in STOP_WHEN_REFUSED:
        errors = [{"path": each.path or "", "reason": each.reason} for each in faults]
        raise Problem(422, "unreadable", "Nothing in the body can be read: errors names each field", errors=errors)
    if unread := [each for each in faults if each.reason != NOT_YOURS]:
        await hooks.door.keep_unread(believed.reading, unread)
    return JSONResponse(became.model_dump(mode="json"), 202)
