"""What the member directory, and the other services, say of people: profiles and consents."""

from dataclasses import dataclass

from ingest.people import store
from ingest.people.canonical import address, handles_of, member
from ingest.people.handle import Account, Desk, consented, settle
from ingest.people.model import Address
from ingest.people.profile import from_directory
from shared.addresses import Unusable
from shared.runtime.errors import Unprocessable
from shared.runtime.handling import Batch
from shared.schemas import ConsentChanged, ProfileGiven
from shared.zones import is_zone


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of a profile that cannot be used; the rest is."""

    path: str
    reason: str


def account_of(given: ProfileGiven, desk: Desk) -> tuple[Account, list[Refusal]]:
    """What a profile says, in canonical form, and the addresses that are none. Raises Unprocessable for a zone that does not exist."""
    if given.zone and not is_zone(given.zone):
        raise Unprocessable("unknown_zone", "zone")
    written = [address(each.kind, each.value, desk.naming) for each in given.addresses or ()]
    addresses = [each for each in written if isinstance(each, Address)]
    handles = (member(given.member_id, desk.naming), *handles_of(addresses))
    account = Account(handles, from_directory(given, addresses), directory=True, consents=given.consents or ())
    return account, [Refusal(f"addresses.{n}.value", each.reason) for n, each in enumerate(written) if isinstance(each, Unusable)]


async def profiles_given(batch: Batch[ProfileGiven], desk: Desk) -> None:
    """`customers.profiles`: the member directory speaks."""
    accounts = []
    for delivery in batch.items:
        try:
            accounts.append(account_of(delivery.message, desk)[0])
        except Unprocessable as fault:
            batch.refuse(delivery, fault.code, fault.path)
    if accounts:
        await settle(batch.unit, desk, accounts)


async def consents_changed(batch: Batch[ConsentChanged], desk: Desk) -> None:
    """`consents.changed`, also our own: whoever it concerns gets a new version, unless it was known."""
    known_ids = await store.heirs(
        batch.unit.tx, {each.message.consent.customer_id for each in batch.items if each.message.consent.customer_id}
    )
    taken = []
    for delivery in batch.items:
        consent = delivery.message.consent
        if consent.customer_id is None:
            taken.append(consent)
        elif consent.customer_id in known_ids:
            taken.append(consent.model_copy(update={"customer_id": known_ids[consent.customer_id]}))
        else:
            batch.refuse(delivery, "unknown_customer", "consent.customer_id")
    await consented(batch.unit, desk, taken)
