"""SMS replies and delivery receipts, as a Twilio-compatible provider posts them: signed forms, answered with TwiML."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, Path, Request, Response

from scoring.ask import store as surveys
from scoring.ask.model import Survey
from scoring.listen import store
from scoring.listen.consents import of_reply
from scoring.listen.door.handle import Arrival, accept_answers
from scoring.listen.frame.pages import Asking, deps_of
from scoring.listen.handle import address_ref, remember_consents
from scoring.listen.model import Said
from scoring.listen.reply import Reading, Wish, read
from scoring.listen.words.choice import choose
from shared.runtime.access import open_to_all
from shared.runtime.database import Unit
from shared.runtime.inbox import Seen, claim
from shared.runtime.problems import Problem
from shared.twilio import is_signed

MOST_FIELDS = 100
SMS = "sms"

router = APIRouter(dependencies=[Depends(open_to_all)])


async def signed_form(request: Request) -> dict[str, str]:
    """The form's fields, if the provider signed them; 401 without a word of what was wrong."""
    settings = deps_of(request).settings
    body = (await request.body()).decode(errors="replace")
    try:
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem(422, "too_many_fields", f"Send at most {MOST_FIELDS} fields") from None
    url = f"{settings.sms_url or settings.public_url}{request.url.path}"
    secrets = [secret.strip() for secret in settings.sms_secret.split(",")]
    if not is_signed(request.headers.getlist("x-twilio-signature"), url, fields, secrets=secrets):
        raise Problem(401, "not_signed", "The request is not signed as it should be")
    return dict(fields)


Form = Annotated[dict[str, str], Depends(signed_form)]


@router.post("/v1/replies/sms", response_class=Response, responses={200: {"content": {"text/xml": {}}}})
async def sms_reply(request: Request, form: Form) -> Response:
    """A reply to a question, or a stop. It answers the survey last sent to that number; an unclear one gets one question back."""
    message_id, sender, text = form.get("MessageSid", ""), form.get("From", ""), form.get("Body", "")
    if not message_id or not sender:
        raise Problem(422, "missing", errors=[{"path": name, "reason": "missing"} for name in ("MessageSid", "From") if not form.get(name)])
    deps = deps_of(request)
    ref = address_ref(sender, deps)
    async with deps.database.transaction() as unit:
        (seen,) = await claim(unit.tx, [(("/replies/sms", message_id), f"{sender}\n{text}".encode(errors="replace"))])
        if seen is not Seen.NEW or ref is None:
            return _twiml()
        return _twiml(await _take(unit, deps, ref=ref, text=text))


async def _take(unit: Unit, deps: Asking, *, ref: str, text: str) -> str | None:
    """What to reply, if anything."""
    reading = read(text)
    survey = await surveys.latest_survey_to_address(unit.tx, ref)
    consent = of_reply(reading.wish, channel=SMS, address_ref=ref, customer_id=None, at=unit.now)
    if consent is not None:
        await remember_consents(unit, [consent])
    asked_before = bool(survey and (await store.partial_answers(unit.tx, [survey.id], deps.sealer)).get(survey.id))
    if survey is not None and (reading.score is not None or reading.unclear):
        said = Said(SMS, unit.now, reading.score, reading.comment, language=survey.language)
        (accepted,) = await accept_answers(unit, deps, [Arrival.of(survey, said)])
        asked_before = asked_before or accepted.standing is not None
    return _reply(deps, reading, survey, asked_before=asked_before)


def _reply(deps: Asking, reading: Reading, survey: Survey | None, *, asked_before: bool) -> str | None:
    words = choose(survey.language if survey else None)
    brand, contact = deps.settings.brand, deps.settings.contact_url
    told = {Wish.STOP: words.sms_stopped, Wish.START: words.sms_started, Wish.HELP: words.sms_help}
    if reading.wish in told:
        return told[reading.wish].format(brand=brand, contact=contact).strip()
    if reading.unclear and survey is not None and not asked_before:
        return words.sms_again.format(brand=brand)
    return None


def _twiml(message: str | None = None) -> Response:
    inner = f"<Message>{escape(message)}</Message>" if message else ""
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', media_type="text/xml")


@router.post("/v1/receipts/{gateway}", status_code=204)
async def receipt(request: Request, gateway: Annotated[str, Path(max_length=40)], form: Form) -> None:
    """What became of an invitation: `delivered` is kept with the survey, the first time it is said. Other states change nothing."""
    message_id, state = form.get("MessageSid", ""), form.get("MessageStatus", "")
    if not message_id or not state:
        missing: Sequence[str] = [name for name in ("MessageSid", "MessageStatus") if not form.get(name)]
        raise Problem(422, "missing", errors=[{"path": name, "reason": "missing"} for name in missing])
    if state != "delivered":
        return
    async with deps_of(request).database.transaction() as unit:
        survey_id = await store.survey_sent_as(unit.tx, gateway=gateway, ref=message_id)
        if survey_id is not None:
            await surveys.mark_delivered(unit.tx, survey_id, at=unit.now)
