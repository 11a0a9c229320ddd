"""RingCentral's words in ours."""

from ingest.normalise.model import Kind

PLATFORM = "ringcentral"

CONNECTED = frozenset({"answered", "hold"})
"""A line that is put on hold was answered before, even if that was never told."""
GONE = frozenset({"disconnected", "gone"})
WAITING = frozenset({"setup", "proceeding"})
MEDIA = {"voicemail": "voicemail", "voicemailscreening": "voicemail", "vmscreening": "voicemail", "faxreceive": "fax"}
GOES_ON = frozenset({
    "agentanswered", "attendedtransfer", "blindtransfer", "callerinputredirect", "callflip", "callpark", "callredirected", "callswitch",
    "dtmftransfer", "parklocation", "pickup", "rcctransfer", "takeover",
})  # fmt: skip
"""Why a party leaves a call that goes on with another one."""
FAULTS = frozenset({
    "destinationblocked", "internalerror", "internationaldisabled", "invalidnumber", "nosuchuser", "notenoughfunds"
})  # fmt: skip
LISTENS_IN = "supervising"
"""A supervisor's line into somebody else's call: neither did that one handle it, nor does it end with it."""
NO_CONTACT = frozenset({"greetingsrecording", "testcall", "verificationcall"})
"""Sessions that are no call of a customer's, by what they began with."""
WE_CALL = frozenset({"ringme", "ringout"})
"""Sessions in which the platform rings our own line first and then the customer's."""


def kind_of(status: str, reason: str, *, ours: bool, queued: bool) -> Kind:
    """`ours`: the party is an extension. A status that is new to us holds the call open like any other until the party is gone."""
    if status in GONE:
        return Kind.TRANSFERRED if reason in GOES_ON else Kind.ENDED
    if status in CONNECTED and ours and reason != LISTENS_IN:
        return Kind.CONNECTED
    return Kind.QUEUED if queued and status in WAITING else Kind.STARTED
