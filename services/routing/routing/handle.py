"""Which topic makes routing do what.

feedback.scored     an answer opens a case, joins the customer's open one, raises or annotates it; every answer is counted for its team
customers.changed   the newest snapshot; two ids that are one person leave one open case
consents.changed    a refusal of calls sends the case to review
callbacks.outcomes  a dialer's call moves the case as a guide's would
customers.erased    the person is forgotten, the counts stay, and what was done is reported
"""

from routing.cases.answer.handle import feedback_scored
from routing.cases.customer.erasure.handle import customer_erased
from routing.cases.customer.handle import consents_changed, customers_changed
from routing.cases.work.receive import callback_attempted
from routing.deps import Deps
from shared.runtime.handling import Handler
from shared.schemas import CallbackAttempted, ConsentChanged, CustomerChanged, CustomerErased, FeedbackScored

HANDLERS: dict[str, Handler[Deps]] = {
    "feedback.scored": Handler(FeedbackScored, feedback_scored),
    "customers.changed": Handler(CustomerChanged, customers_changed),
    "consents.changed": Handler(ConsentChanged, consents_changed, inbox=True),
    "customers.erased": Handler(CustomerErased, customer_erased, inbox=True, identity=lambda said: str(said.request_id)),
    "callbacks.outcomes": Handler(
        CallbackAttempted, callback_attempted, inbox=True, identity=lambda said: f"{said.case_id}/{said.attempt_id}"
    ),
}
