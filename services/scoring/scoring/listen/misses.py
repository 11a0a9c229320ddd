"""How often one address may ask for surveys that are not there. Who asks for one that is there is never held up, also from that address.

Bounded: of so many addresses the one that missed longest ago is forgotten first. Each process counts for itself.
"""

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from scoring.errors import NotANetwork

_HOUSEHOLD = 64
"""Bits of an IPv6 address that one customer's line keeps; the rest it chooses itself."""


class Misses:
    """A budget for each address: `burst` misses at once, then one more every `every_s` seconds."""

    def __init__(self, *, burst: int, every_s: float, addresses: int = 10_000) -> None:
        self._burst, self._every_s, self._addresses = burst, every_s, addresses
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def miss(self, address: str, *, at: float) -> float:
        """Count one; 0 while the budget lasts, else the seconds until it does again. `at` in seconds of a steady clock."""
        full_at = max(self._full_at.get(address, at), at)
        wait = full_at - at - (self._burst - 1) * self._every_s
        if wait <= 0:
            self._full_at[address] = full_at + self._every_s
            self._full_at.move_to_end(address)
            if len(self._full_at) > self._addresses:
                self._full_at.popitem(last=False)
        return max(0.0, wait)

    def __len__(self) -> int:
        return len(self._full_at)


class Proxies:
    """Our own proxies: what they say of where a request came from is believed, what anybody else says is not."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [_network(each, place) for place, each in enumerate(networks, start=1)]

    def caller(self, peer: str | None, forwarded: Iterable[str]) -> str:
        """The nearest address that is not a proxy of ours, from `X-Forwarded-For` read backwards; of IPv6 the line's network."""
        address = _address(peer or "")
        for hop in reversed([part for line in forwarded for part in line.split(",")]):
            before = _address(hop)
            if address is None or before is None or not any(address in each for each in self._networks):
                break
            address = before
        return _line(address) if address else "unknown"


def _network(written: str, place: int) -> IPv4Network | IPv6Network:
    try:
        return ip_network(written, strict=False)
    except ValueError:
        raise NotANetwork(place) from None


def _address(written: str) -> IPv4Address | IPv6Address | None:
    """As proxies write it: bare, with a port, in brackets."""
    text = written.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _line(address: IPv4Address | IPv6Address) -> str:
    return str(IPv6Network((address, _HOUSEHOLD), strict=False)) if isinstance(address, IPv6Address) else str(address)
