"""Which topic makes ingest do what.

interactions.phone|web|chat  whatever platforms emit: `intake.handle.Door`, one statement per batch, outside this table
customers.profiles           the member directory speaks, or Segment's `identify`; provisional people become known
customers.erased             what the services report of an erasure we asked for
consents.changed             a consent of a person or an address, ours come back too; snapshots carry it
"""

from functools import partial
from uuid import UUID, uuid5

from ingest.deps import Deps
from ingest.erasure import handle as erasure
from ingest.normalise.decode import decode
from ingest.normalise.detect import is_segment
from ingest.normalise.segment.people import identified
from ingest.normalise.unreadable import Unreadable
from ingest.people import receive
from shared.runtime.errors import Unprocessable
from shared.runtime.handling import Batch, Handler
from shared.schemas import ConsentChanged, ErasureReported, ProfileGiven

PROFILES = UUID("3d6c1a52-8b0f-5e77-9c41-6f2a0b9d4e35")


def profile_identity(profile: ProfileGiven) -> str:
    """As the inbox knows a profile: what a directory calls it may hold the member's id, which is not to rest in the open."""
    return str(uuid5(PROFILES, profile.profile_id))


def adopted(body: bytes, deps: Deps) -> bytes | None:
    """What Segment says of a member, as a profile; of anything else it says nothing is ours. What others wrote stays as it is."""
    try:
        document = decode(body)
        if not isinstance(document, dict) or not is_segment(document):
            return body
        given = identified(document, deps.door.raw.traits)
    except Unreadable as fault:
        raise Unprocessable(fault.code, fault.path) from None
    return given.encode() if given else None


async def profiles_given(batch: Batch[ProfileGiven], deps: Deps) -> None:
    erased = await receive.profiles_given(batch, deps.desk)
    batch.unit.when_committed(partial(deps.closing.metrics.profiles_of_erased.inc, erased))


async def consents_changed(batch: Batch[ConsentChanged], deps: Deps) -> None:
    await receive.consents_changed(batch, deps.desk)


async def erasure_reported(batch: Batch[ErasureReported], _: Deps) -> None:
    await erasure.reported(batch)


HANDLERS: dict[str, Handler[Deps]] = {
    "customers.profiles": Handler(ProfileGiven, profiles_given, inbox=True, identity=profile_identity, adopt=adopted),
    "consents.changed": Handler(ConsentChanged, consents_changed, inbox=True),
    "customers.erased": Handler(ErasureReported, erasure_reported, inbox=True),
}
