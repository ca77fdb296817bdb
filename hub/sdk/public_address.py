"""Where a stranger's host name leads: addresses of this machine and its network are refused unless they are allowed.

A subscriber names any host. Without this, it could name the hub's own database, or the metadata service of a cloud.
The address that was looked at is the address that is connected to: a name cannot answer twice.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater

Resolve = Callable[[str, int], Awaitable[str]]
"""(host, port) -> address to connect to. Raises `Interrupted`."""

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is anybody's on the internet, also in the disguises that IPv6 has for IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


async def any_address(host: str, port: int) -> str:
    """The first address of a host, whatever it is. Raises `Interrupted`."""
    return (await _addresses(host, port))[0]


async def public_address(host: str, port: int) -> str:
    """The first address of a host, if all of them are public. Raises `Interrupted`."""
    found = await _addresses(host, port)
    if not all(is_public(address) for address in found):
        reason = f"{host} is in a private network"
        step = "Name a public host, or set allow_private_subscribers in the hub's settings."
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))
    return found[0]


async def _addresses(host: str, port: int) -> list[str]:
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Interrupted(RetryLater(reason=f"no address of {host} is known")) from error
    return [str(row[4][0]) for row in rows]
