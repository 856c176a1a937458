"""From which addresses a key may be used: networks in CIDR notation, IPv4 and IPv6.

    networks = parse(["192.0.2.0/24", "2001:db8::/32"])
    allowed(("192.0.2.0/24",), "192.0.2.7")         # True; so is ::ffff:192.0.2.7, the same host

The address is that of the peer of the connection. Behind a proxy that is the proxy: a header with another one could be
written by anybody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from api.errors import ValidationFailed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX: int = 50


def parse(texts: Iterable[str]) -> list[str]:
    """Return networks in their one spelling. Raises ValidationFailed for one that is none, or has host bits set."""
    found = []
    for text in texts:
        try:
            found.append(str(_network(text)))
        except ValueError:
            raise ValidationFailed(f"{text!r} is no network", hint="as in 192.0.2.0/24 or 2001:db8::/32") from None
    if len(found) > MAX:
        raise ValidationFailed(f"a key has at most {MAX} networks")
    return sorted(set(found))


def allowed(networks: Sequence[str] | None, address: str) -> bool:
    """Tell whether an address is in one of the networks; everything is where there are None."""
    if networks is None:
        return True
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a socket of this machine has no address
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in _network(text) for text in networks)


def within(networks: Sequence[str] | None, others: Sequence[str] | None) -> bool:
    """Tell whether every address of `networks` is one of `others`."""
    if others is None:
        return True
    if networks is None:
        return False
    outer = [_network(text) for text in others]
    return all(any(_inside(_network(text), each) for each in outer) for text in networks)


def bucket(address: str) -> str:
    """Return what failures are counted under: the address, or the /64 of IPv6, which one host has whole."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:45]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _network(text: str) -> Network:
    network = ipaddress.ip_network(text.strip())
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def _inside(network: Network, other: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and network.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and network.subnet_of(other)
