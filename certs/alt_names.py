"""Names beside the subject: e-mail addresses, hosts and network addresses (subjectAltName, RFC 5280 4.2.1.6).

    names = AltNames(emails=("anna@example.com",))
    names.extension(critical=False)
    read_alt_names(extension.value)          # AltNames; kinds we do not use are passed over

Everything is checked when it is made, so a name that is none gets into no certificate.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from certs import ber, der, oids
from certs.errors import MalformedInput
from certs.extension_values import Extension
from certs.names import decode_text

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
MAX_NAMES = 100

EMAIL, DNS, IP = "email", "dns", "ip"
KINDS = (EMAIL, DNS, IP)


def check_host(name: str) -> str:
    """Return `name` in lower case; MalformedInput unless it is a host of letters, digits and hyphens (RFC 1034 3.5).

    Names in other scripts are given in their "xn--" form; wildcards are refused.
    """
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise MalformedInput(
            f"{name!r} is no host name", hint="write names in other scripts as xn--…; wildcards are not certified"
        )
    return name.lower()


def check_email(address: str) -> str:
    """Return `address`; MalformedInput unless it is an RFC 5321 mailbox in ASCII (RFC 5280 4.2.1.6)."""
    local, at, host = address.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise MalformedInput(f"{address!r} is no e-mail address")
    check_host(host)
    return address


@dataclass(frozen=True)
class AltNames:
    """What a certificate says beside the subject; every member is checked."""

    emails: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "emails", tuple(dict.fromkeys(map(check_email, self.emails))))
        object.__setattr__(self, "dns", tuple(dict.fromkeys(map(check_host, self.dns))))
        try:
            addresses = tuple(str(ipaddress.ip_address(address)) for address in self.ips)
        except ValueError as error:
            raise MalformedInput(f"no network address: {error}") from error
        object.__setattr__(self, "ips", tuple(dict.fromkeys(addresses)))
        if len(self.emails) + len(self.dns) + len(self.ips) > MAX_NAMES:
            raise MalformedInput(f"more than {MAX_NAMES} names for one certificate")

    def __bool__(self) -> bool:
        return bool(self.emails or self.dns or self.ips)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that occur, of KINDS."""
        return tuple(kind for kind, values in zip(KINDS, (self.emails, self.dns, self.ips), strict=True) if values)

    def only(self, kinds: tuple[str, ...]) -> AltNames:
        """Return the names of `kinds`, without the others."""
        return AltNames(
            self.emails if EMAIL in kinds else (), self.dns if DNS in kinds else (), self.ips if IP in kinds else ()
        )

    def with_email(self, address: str | None) -> AltNames:
        """Return these names and `address` first, unless it is None or there already."""
        return AltNames((address, *self.emails), self.dns, self.ips) if address else self

    def extension(self, *, critical: bool = False) -> Extension:
        """Return subjectAltName; there must be a name in it."""
        names = [
            *(der.tlv(0x81, address.encode()) for address in self.emails),
            *(der.tlv(0x82, host.encode()) for host in self.dns),
            *(der.tlv(0x87, ipaddress.ip_address(address).packed) for address in self.ips),
        ]
        return Extension(oids.SUBJECT_ALT_NAME, critical, der.sequence(*names))


def read_alt_names(value: bytes) -> AltNames:
    """Return the names in the contents of a subjectAltName. Raises MalformedInput for one that is not what it says."""
    emails: list[str] = []
    hosts: list[str] = []
    addresses: list[str] = []
    for number, name in enumerate(ber.load(value).expect(ber.SEQUENCE)):
        if number >= MAX_NAMES:
            raise MalformedInput(f"more than {MAX_NAMES} alternative names")
        if name.tag == 0x81:
            emails.append(decode_text(0x16, name.content()))
        elif name.tag == 0x82:
            hosts.append(decode_text(0x16, name.content()))
        elif name.tag == 0x87:
            if len(name.content()) not in (4, 16):
                raise MalformedInput("a network address of a wrong length")
            addresses.append(str(ipaddress.ip_address(name.content())))
    return AltNames(tuple(emails), tuple(hosts), tuple(addresses))
