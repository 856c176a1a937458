"""Name constraints along a chain (RFC 5280 4.2.1.10, 6.1.3 (b) and (c)).

    check_names(chain, limit=16_384)          # None, NameViolation, MalformedInput or BudgetExceeded

Directory names, e-mail addresses, DNS names, URIs and IP addresses are compared. A name of another type for which a
constraint is in force is not accepted: we cannot tell whether it is allowed. The certificate of the anchor counts:
whoever put it there meant what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from certs import ber, der, oids
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.names import TELETEX, Name
from certs.path_result import BudgetExceeded

OTHER, EMAIL, DNS, X400, DIRECTORY, EDI, URI, IP, REGISTERED = range(9)
KINDS = ("otherName", "e-mail address", "DNS name", "x400Address", "directory name", "ediPartyName", "URI",
         "IP address", "registered identifier")  # fmt: skip
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_LOCAL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,255}\Z")


class NameViolation(Exception):
    """A name of the chain is not allowed by an authority above it."""


@dataclass(frozen=True)
class GeneralName:
    """A name, or the base of a constraint."""

    kind: int
    value: ber.Value
    """The tagged value; a directory name is the Name inside it."""

    @property
    def text(self) -> str:
        """The name as text, for IA5String types. Raises MalformedInput."""
        try:
            return self.value.content().decode("ascii")
        except UnicodeDecodeError as error:
            raise MalformedInput(f"{KINDS[self.kind]} that is not ASCII") from error


@dataclass(frozen=True)
class Constraints:
    """The contents of one nameConstraints extension."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]

    def __len__(self) -> int:
        return len(self.permitted) + len(self.excluded)


def general_names(value: ber.Value) -> tuple[GeneralName, ...]:
    """Return GeneralNames. Raises MalformedInput for an unknown choice, or none at all."""
    out = tuple(general_name(item) for item in value.expect(ber.SEQUENCE))
    if not out:
        raise MalformedInput("GeneralNames without a name")
    return out


def general_name(value: ber.Value) -> GeneralName:
    """Return a GeneralName. Raises MalformedInput for an unknown choice."""
    kind = value.tag & 0x1F
    if value.tag & 0xC0 != 0x80 or kind > REGISTERED:
        raise MalformedInput("a name of an unknown type")
    if value.constructed != (kind in (OTHER, X400, DIRECTORY, EDI)):
        raise MalformedInput(f"{KINDS[kind]} of a wrong form")
    return GeneralName(kind, value.only() if kind == DIRECTORY else value)


def read_constraints(value: bytes) -> Constraints:
    """Return the contents of a nameConstraints extension. Raises MalformedInput, also for what can match nothing."""
    members = ber.load(value).members()
    permitted, excluded = members.optional(ber.context(0)), members.optional(ber.context(1))
    members.end()
    if permitted is None and excluded is None:
        raise MalformedInput("name constraints that constrain nothing")
    return Constraints(_subtrees(permitted), _subtrees(excluded))


def _subtrees(value: ber.Value | None) -> tuple[GeneralName, ...]:
    out: list[GeneralName] = []
    for item in value if value is not None else ():
        members = item.members()
        name = general_name(members.next())
        minimum = members.optional(0x80)
        members.end()  # maximum MUST be absent
        if minimum is not None and minimum.integer(0x80) != 0:
            raise MalformedInput("a name constraint with a minimum")
        _check_base(name)
        out.append(name)
    if value is not None and not out:
        raise MalformedInput("name constraints with an empty list")
    return tuple(out)


def _check_base(name: GeneralName) -> None:
    """Refuse a base that is of no form RFC 5280 4.2.1.10 knows."""
    if name.kind == IP:
        _network(name.value.content())
    elif name.kind == DNS:
        if name.text:
            _host(name.text)
    elif name.kind == EMAIL:
        local, at, host = name.text.rpartition("@")
        if at and not _LOCAL.match(local):
            raise MalformedInput("an e-mail constraint that cannot be read")
        _host(host[1:] if host.startswith(".") and not at else host)
    elif name.kind == URI:
        _host(name.text.removeprefix("."))
    elif name.kind == DIRECTORY:
        _ = Name(name.value.raw()).attributes


def check_names(chain: Sequence[Certificate], *, limit: int) -> None:
    """Check `chain` (leaf to anchor), from the anchor down; at most `limit` comparisons.

    Raises NameViolation, MalformedInput or BudgetExceeded.
    """
    in_force: list[tuple[Certificate, Constraints]] = []
    spent = 0
    for position in range(len(chain) - 1, -1, -1):
        certificate = chain[position]
        anchor = position == len(chain) - 1 and len(chain) > 1
        if in_force and (position == 0 or not certificate.self_issued):
            names = names_of(certificate)
            spent += len(names) * sum(len(constraints) for _, constraints in in_force)
            if spent > limit:
                raise BudgetExceeded(f"more than {limit} comparisons of names with constraints")
            for issuer, constraints in in_force:
                for name in names:
                    _check(name, constraints, certificate, issuer)
        extension = certificate.extension(oids.NAME_CONSTRAINTS)
        if extension is not None and (position > 0 or anchor):
            if len(extension.value) > 16 * limit:
                raise BudgetExceeded(f"name constraints of {certificate.subject} are enormous")
            constraints = read_constraints(extension.value)
            in_force.append((certificate, constraints))


def names_of(certificate: Certificate) -> tuple[GeneralName, ...]:
    """Return subject, alternative names, and e-mail addresses inside the subject. Raises MalformedInput."""
    subject = certificate.subject_name
    out: list[GeneralName] = []
    if subject.attributes:
        out.append(GeneralName(DIRECTORY, ber.load(subject.der)))
    out += (  # the legacy place of an address; shown to people like any other
        GeneralName(EMAIL, ber.load(der.tlv(0x81, attribute.content)))
        for attribute in subject.attributes
        if attribute.oid == oids.EMAIL_ADDRESS
    )
    extension = certificate.extension(oids.SUBJECT_ALT_NAME)
    if extension is not None:
        out += general_names(ber.load(extension.value))
    return tuple(out)


def _check(name: GeneralName, constraints: Constraints, certificate: Certificate, issuer: Certificate) -> None:
    label = f"{KINDS[name.kind]} of {certificate.subject}"
    for base in _of_kind(name, constraints.excluded):
        if matches(name, base, excluded=True):
            raise NameViolation(f"a {label} is excluded by {issuer.subject}")
    permitted = list(_of_kind(name, constraints.permitted))
    if permitted and not any(matches(name, base, excluded=False) for base in permitted):
        raise NameViolation(f"a {label} is not among those that {issuer.subject} permits")


def _of_kind(name: GeneralName, bases: Sequence[GeneralName]) -> Iterator[GeneralName]:
    for base in bases:
        if base.kind != name.kind:
            continue
        if base.kind == OTHER and _type_id(base) != _type_id(name):
            continue  # otherName is as many types as there are identifiers
        yield base


def _type_id(name: GeneralName) -> str:
    return ber.Members(name.value).next().oid()


def matches(name: GeneralName, base: GeneralName, *, excluded: bool) -> bool:
    """Tell whether `name` is within `base`.

    Raises NameViolation for a type we cannot compare and MalformedInput for a name that cannot be read.
    """
    if name.kind == DIRECTORY:
        inner, outer = (_rdns(item, loose=excluded) for item in (name, base))
        return inner[: len(outer)] == outer
    if name.kind == DNS:
        return _dns_within(name.text, base.text, excluded=excluded)
    if name.kind == EMAIL:
        return _email_within(name.text, base.text)
    if name.kind == URI:
        host = _uri_host(name.text)
        return _host_within(host, base.text)
    if name.kind == IP:
        address, (network, mask) = name.value.content(), _network(base.value.content())
        if len(address) not in (4, 16):
            raise MalformedInput("an IP address of a wrong length")
        return len(address) == len(network) and int.from_bytes(address) & mask == int.from_bytes(network) & mask
    raise NameViolation(f"constraints on a {KINDS[name.kind]} are not processed")


def _rdns(name: GeneralName, *, loose: bool) -> tuple[frozenset[tuple[str, str | bytes]], ...]:
    """Return the comparable RDNs; `loose` takes a TeletexString for text too, so that nothing excluded hides in one."""
    parsed = Name(name.value.raw())
    if not loose or not any(attribute.tag == TELETEX for attribute in parsed.attributes):
        return parsed.key
    out: dict[int, set[tuple[str, str | bytes]]] = {}
    for attribute in parsed.attributes:
        out.setdefault(attribute.rdn, set()).add((attribute.oid, " ".join(attribute.text.casefold().split())))
    return tuple(map(frozenset, out.values()))


def _host(text: str) -> str:
    """Return a host name in lower case. Raises MalformedInput for what is none."""
    host = text.lower()
    if len(host) > 253 or not all(_LABEL.match(label) for label in host.split(".")):
        raise MalformedInput("a host name that cannot be read")
    return host


def _dns_within(name: str, base: str, *, excluded: bool) -> bool:
    wildcard = name.startswith("*.")
    host = _host(name[2:] if wildcard else name)
    if not base:
        return True
    within = _below(host, base.lower())
    # *.example.com may stand for the very host that is excluded
    return within or (excluded and wildcard and base.lower().partition(".")[2] == host)


def _below(host: str, base: str) -> bool:
    return host == base or host.endswith("." + base)


def _email_within(address: str, base: str) -> bool:
    local, at, host = address.rpartition("@")
    if not at or not _LOCAL.match(local):
        raise MalformedInput("an e-mail address that cannot be read")
    base_local, exact, base_host = base.rpartition("@")
    if exact:
        return local == base_local and _host(host) == base_host.lower()
    return _host_within(_host(host), base_host)


def _host_within(host: str, base: str) -> bool:
    """Tell whether a host is the base; a base with a leading period is every host below it (RFC 5280 4.2.1.10)."""
    return host.endswith(base.lower()) and host != base.lower()[1:] if base.startswith(".") else host == base.lower()


def _uri_host(text: str) -> str:
    """Return the host name of a URI; RFC 5280 rejects one without a host name while a constraint is in force."""
    try:
        host = urlsplit(text).hostname
    except ValueError as error:
        raise MalformedInput("a URI that cannot be read") from error
    if not host:
        raise NameViolation("a URI without a host name cannot be compared with constraints")
    try:
        ip_address(host)
    except ValueError:
        return _host(host)
    raise NameViolation("a URI with an address instead of a host name cannot be compared with constraints")


def _network(content: bytes) -> tuple[bytes, int]:
    """Return address and mask of an IP constraint. Raises MalformedInput."""
    if len(content) not in (8, 32):
        raise MalformedInput("an IP constraint of a wrong length")
    half = len(content) // 2
    mask = int.from_bytes(content[half:])
    inverse = mask ^ ((1 << 8 * half) - 1)
    if inverse & (inverse + 1):
        raise MalformedInput("an IP constraint whose mask has holes")  # RFC 4632: a prefix
    return content[:half], mask
