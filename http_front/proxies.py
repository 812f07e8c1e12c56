"""Which peers are proxies of ours, and what they say of a client: its address, and the address that it asked."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from event_model.addresses import Address, parse_address
from http1.request_head import RequestHead

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX = "unix"
"""Stands in the list for peers on a Unix socket."""
_HOPS = 32  # addresses of one header that are looked at
_ADDRESS = 64  # characters of an address with its brackets and its port
_MAPPED = "::ffff:"  # how the kernel writes a client of IPv4 on a socket of IPv6
_FORWARDED = b"forwarded"
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[^:]*):\d+")
"""How some proxies write an address: in brackets, or with a port."""
_PAIR = re.compile(
    r"""\s*+(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]++)\s*+=\s*+("[^"\\]*+"|[^\s",;\\]++)\s*+)?+(?:;|\Z)""",
)
"""A parameter of Forwarded with its value, or none, as far as the next one."""
HOST = r"(?:[A-Za-z0-9.\-_]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
"""A pattern of a host name or an address, with a port or without."""
_HOST = re.compile(HOST)


class PublicAddress(NamedTuple):
    """The address that a client asked."""

    protocol: str
    """http or https."""
    host: str
    """With its port; empty where it is not known."""


class Proxies:
    """The proxies whose words are believed. A peer that is none of them is the client itself."""

    def __init__(self, trusted: str, header: str) -> None:
        """`trusted` is a list of networks; `header` is the one that has the client's address."""
        self._networks = networks(trusted)
        self._unix = UNIX in _names(trusted)
        self._exist = bool(self._networks) or self._unix
        self._header = header.lower().encode()
        self._look_up = lru_cache(4096)(self._read)

    def client_address(self, head: RequestHead, peer: str) -> str:
        """The rightmost address outside the networks; the peer's own where a proxy names none.

        `peer` is the address of the connection. Empty where the address is not known.
        """
        if not self._exist:
            return _plain(peer) if peer.startswith(_MAPPED) else peer
        address, is_proxy = self._peer(peer)
        if not is_proxy:
            return address
        for text in reversed(head.header(self._header).rsplit(",", _HOPS)[-_HOPS:]):
            if text := text.strip():
                named = _forwarded_for(text) if self._header == _FORWARDED else text
                address, is_proxy = self._look_up(named) if len(named) <= _ADDRESS else ("", False)
                if not is_proxy:
                    break
        return address

    def public_address(self, head: RequestHead, peer: str) -> PublicAddress:
        """By X-Forwarded-Host and X-Forwarded-Proto of a proxy, as the outermost one wrote them; else by Host."""
        protocol, host = "http", head.header(b"host")
        if self._peer(peer)[1]:
            said = _outermost(head, b"x-forwarded-proto").lower()
            protocol = said if said in ("http", "https") else protocol
            said = _outermost(head, b"x-forwarded-host")
            host = said if _HOST.fullmatch(said) else host
        return PublicAddress(protocol, host if _HOST.fullmatch(host) else "")

    def _peer(self, peer: str) -> tuple[str, bool]:
        return self._look_up(peer) if peer else ("", self._unix)

    def _read(self, text: str) -> tuple[str, bool]:
        """An address without port and zone, and whether it is a proxy's."""
        try:
            address = _parse(text)
        except ValueError:
            return "", False
        return str(address), any(address in network for network in self._networks)


def networks(text: str) -> list[Network]:
    """The networks of a list, which may have UNIX too. Raises ValueError."""
    return [_network(name) for name in _names(text) if name != UNIX]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _network(text: str) -> Network:
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and (mapped := network.network_address.ipv4_mapped):
        return ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")
    return network


def _parse(text: str) -> Address:
    """An address in brackets or with a port, or alone. Raises ValueError."""
    if match := _WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    return parse_address(text)


def _plain(peer: str) -> str:
    return str(parse_address(peer))


def _forwarded_for(element: str) -> str:
    """The client in an element of Forwarded (RFC 7239); empty where it has none, or is not wholly well formed.

    A comma in quotes ends an element too, and leaves halves that are not. Else a client whose Host a proxy quotes
    could choose its address.
    """
    named, end = list[str](), 0
    while end < len(element):
        pair = _PAIR.match(element, end)
        if not pair:
            return ""
        if pair[1] and pair[1].lower() == "for":
            named.append(pair[2].strip('"').strip())
        end = pair.end()
    return named[0] if len(named) == 1 else ""


def _outermost(head: RequestHead, name: bytes) -> str:
    return head.header(name).partition(",")[0].strip()
