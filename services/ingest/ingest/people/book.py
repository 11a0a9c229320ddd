"""The people of one batch: who holds which handle, kept up to date while the batch is read, and what has to be saved of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from uuid import UUID

from ingest.people.identify import admitted, identify
from ingest.people.model import Handle, Holder, Nobody, Person

YOUNGER_THAN_ANY = 2**62


@dataclass(slots=True)
class Book:
    """Two contacts of one new caller in one batch must meet one customer: each answer is entered before the next question.

    `mint` gives the id of a new customer; its number comes when it is saved, in the order of minting. `erased` are handles of people who
    were forgotten.
    """

    customers: dict[UUID, Holder]
    holding: dict[Handle, set[UUID]]
    mint: Callable[[], UUID]
    erased: Collection[Handle] = ()
    minted: list[UUID] = field(default_factory=list)
    attached: list[tuple[Handle, UUID, bool]] = field(default_factory=list)
    merged: dict[UUID, UUID] = field(default_factory=dict)

    def who(self, handles: Collection[Handle], *, directory: bool = False) -> Nobody | UUID:
        """The customer, minted if new; `directory`: the handles come from the member directory, which makes the customer known."""
        present = admitted(handles, self.erased, directory=directory) if self.erased else handles
        if isinstance(present, Nobody):
            return present
        asked = {handle: [self.customers[customer] for customer in self.holding.get(handle, ())] for handle in present}
        identity = identify(present, asked, directory=directory)
        return identity if isinstance(identity, Nobody) else self._enter(identity, directory=directory)

    def now(self, customer: UUID) -> UUID:
        """The customer this one has become; itself if it was not merged."""
        while customer in self.merged:
            customer = self.merged[customer]
        return customer

    def _enter(self, person: Person, *, directory: bool) -> UUID:
        holder = self.customers[person.customer] if person.customer else self._mint()
        gone = [self.customers[other] for other in person.absorb]
        strong = (handle for handle in person.attach if not handle.shared_by_a_household)
        own = holder.own.union(*(other.own for other in gone), strong)
        self.customers[holder.customer] = replace(holder, known=holder.known or directory, own=own)
        self.merged.update((other.customer, holder.customer) for other in gone)
        self._hand_over(gone, holder.customer)
        for handle in person.attach:
            self.holding.setdefault(handle, set()).add(holder.customer)
            self.attached.append((handle, holder.customer, directory))
        return holder.customer

    def _mint(self) -> Holder:
        customer = self.mint()
        self.minted.append(customer)
        return Holder(customer, YOUNGER_THAN_ANY + len(self.minted), known=False, own=frozenset())

    def _hand_over(self, gone: Collection[Holder], heir: UUID) -> None:
        ids = {holder.customer for holder in gone}
        for holders in self.holding.values() if ids else ():
            if ids & holders:
                holders.difference_update(ids)
                holders.add(heir)
