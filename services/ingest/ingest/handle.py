"""Which topic makes ingest do what.

interactions.phone|web|chat  whatever platforms emit: `intake.handle.Door`, one statement per batch, outside this table
customers.profiles           the member directory speaks; provisional people become known
consents.changed             a consent of a person or an address, ours come back too; snapshots carry it
"""

from ingest.deps import Deps
from ingest.people import receive
from shared.runtime.handling import Batch, Handler
from shared.schemas import ConsentChanged, ProfileGiven


async def profiles_given(batch: Batch[ProfileGiven], deps: Deps) -> None:
    await receive.profiles_given(batch, deps.desk)


async def consents_changed(batch: Batch[ConsentChanged], deps: Deps) -> None:
    await receive.consents_changed(batch, deps.desk)


HANDLERS: dict[str, Handler[Deps]] = {
    "customers.profiles": Handler(ProfileGiven, profiles_given, inbox=True, identity=lambda profile: profile.profile_id),
    "consents.changed": Handler(ConsentChanged, consents_changed, inbox=True),
}
