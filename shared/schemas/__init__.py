"""Every message between the services, and the event a platform may send. One module per family."""

from shared.nps import Band
from shared.schemas.callbacks import CallbackAttempted, CallbackChanged, CallbackRequested, Reason, State
from shared.schemas.fields import (
    Answered,
    Attribute,
    By,
    Code,
    Count,
    Day,
    Detail,
    Id,
    Language,
    Name,
    PlatformRef,
    Rate,
    Revision,
    Score,
    Sealed,
    Verdict,
    When,
    Window,
    Words,
    YesNo,
    Zone,
)
from shared.schemas.interactions import Contact, InteractionCompleted, Leg
from shared.schemas.message import Message, Value
from shared.schemas.native import NativeAgent, NativeCustomer, NativeEvent
from shared.schemas.people import (
    Consent,
    ConsentChanged,
    ConsentStatement,
    Customer,
    CustomerChanged,
    CustomerErased,
    ErasureReported,
    GivenAddress,
    Point,
    ProfileGiven,
)
from shared.schemas.surveys import DecisionOutcome, DecisionStory, FeedbackScored, SurveyAnswered, SurveyDecided

MESSAGES: tuple[type[Message], ...] = (
    InteractionCompleted,
    CustomerChanged,
    ConsentChanged,
    ProfileGiven,
    CustomerErased,
    ErasureReported,
    SurveyDecided,
    SurveyAnswered,
    FeedbackScored,
    CallbackRequested,
    CallbackAttempted,
    CallbackChanged,
)
PUBLISHED: dict[str, type[Value]] = {**{message.short_name(): message for message in MESSAGES}, "native-event.v1": NativeEvent}
"""Every schema that outsiders build on, under the name of its committed file and its folder of examples."""

# fmt: off
__all__ = [
    "MESSAGES", "PUBLISHED", "Answered", "Attribute", "Band", "By", "CallbackAttempted", "CallbackChanged", "CallbackRequested",
    "Code", "Consent", "ConsentChanged", "ConsentStatement", "Contact", "Count", "Customer", "CustomerChanged", "CustomerErased",
    "Day", "DecisionOutcome", "DecisionStory", "Detail", "ErasureReported", "FeedbackScored", "GivenAddress", "Id",
    "InteractionCompleted", "Language", "Leg", "Message", "Name", "NativeAgent", "NativeCustomer", "NativeEvent", "PlatformRef",
    "Point", "ProfileGiven", "Rate", "Reason", "Revision", "Score", "Sealed", "State", "SurveyAnswered", "SurveyDecided",
    "Value", "Verdict", "When", "Window", "Words", "YesNo", "Zone",
]
