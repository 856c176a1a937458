"""Certificate policies along a chain: RFC 5280 6.1 by the graph of RFC 9618, so that no chain can make it explode.

    settings = PolicySettings(initial=frozenset({"1.2.3"}), explicit=True)
    found = process_policies(chain, settings)          # chain: leaf … anchor
    found.acceptable, found.valid                      # True, frozenset({"1.2.3"})

RFC 5280 keeps a tree that doubles with every certificate; RFC 9618 keeps one node per policy and depth, so the work is
at most certificates × policies. More than `MAX_POLICIES` policies or mappings in one certificate are not processed:
`BudgetExceeded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from certs import ber, oids
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.path_result import BudgetExceeded

MAX_POLICIES = 512
"""Policies or mappings in one certificate; real ones have fewer than twenty."""


@dataclass(frozen=True)
class PolicySettings:
    """The inputs of RFC 5280 6.1.1 (c) and (e) to (g)."""

    initial: frozenset[str] | None = None
    """The policies that the verifier takes; None: any."""
    explicit: bool = False
    """A chain must be valid for one of them (initial-explicit-policy)."""
    inhibit_mapping: bool = False
    """Policies of one authority are not taken for those of another."""
    inhibit_any: bool = False
    """anyPolicy in a certificate stands for nothing."""


@dataclass(frozen=True)
class Policies:
    """What came out."""

    acceptable: bool
    """Whether the chain may be used as far as policies go."""
    valid: frozenset[str] = frozenset()
    """The policies, in the words of the anchor, that the whole chain is valid for and the verifier takes."""


@dataclass
class _Node:
    expected: frozenset[str]
    parents: frozenset[str]


@dataclass
class _State:
    """Variables of RFC 5280 6.1.2; `levels` is the graph, one table of policy to node per depth."""

    explicit: int
    mapping: int
    any_policy: int
    levels: list[dict[str, _Node]] = field(
        default_factory=lambda: [{oids.ANY_POLICY: _Node(frozenset({oids.ANY_POLICY}), frozenset())}]
    )

    @property
    def empty(self) -> bool:
        """Whether the graph is NULL."""
        return not self.levels[-1]


def process_policies(chain: Sequence[Certificate], settings: PolicySettings) -> Policies:
    """Return what `chain` (leaf to anchor) is valid for.

    Raises MalformedInput for an extension that cannot be read, BudgetExceeded.
    """
    path = chain[-2::-1] or chain  # from below the anchor down to the leaf
    length = len(path)
    never = length + 1
    state = _State(
        0 if settings.explicit else never,
        0 if settings.inhibit_mapping else never,
        0 if settings.inhibit_any else never,
    )
    if len(chain) > 1:  # RFC 5937 3: what the certificate of the anchor limits is kept
        _constrain(state, chain[-1])
    for number, certificate in enumerate(path, 1):
        last = number == length
        _grow(state, certificate, last=last)
        if state.explicit == 0 and state.empty:  # 6.1.3 (f)
            return Policies(False)
        if last:
            break
        _map(state, certificate)  # 6.1.4 (a), (b)
        if not certificate.self_issued:  # 6.1.4 (h)
            state.explicit, state.mapping = max(0, state.explicit - 1), max(0, state.mapping - 1)
            state.any_policy = max(0, state.any_policy - 1)
        _constrain(state, certificate)  # 6.1.4 (i), (j)
    state.explicit = max(0, state.explicit - 1)  # 6.1.5 (a)
    if _constraints(path[-1])[0] == 0:  # 6.1.5 (b)
        state.explicit = 0
    found = _authority_constrained(state)
    if settings.initial is not None and oids.ANY_POLICY not in settings.initial:  # 6.1.5 (g)
        found = settings.initial if oids.ANY_POLICY in found else found & settings.initial
    return Policies(state.explicit > 0 or bool(found), found)


def _grow(state: _State, certificate: Certificate, *, last: bool) -> None:
    """RFC 9618 5.3: 6.1.3 (d) and (e)."""
    above = state.levels[-1]
    below: dict[str, _Node] = {}
    policies = _read_policies(certificate)
    if policies and above:
        parents: dict[str, set[str]] = {}  # expected policy to the nodes that expect it
        for name, node in above.items():
            for policy in node.expected:
                parents.setdefault(policy, set()).add(name)
        for policy in policies - {oids.ANY_POLICY}:  # (d)(1)
            expecting = parents.get(policy)
            if expecting is None and oids.ANY_POLICY in above:
                expecting = {oids.ANY_POLICY}
            if expecting:
                below[policy] = _Node(frozenset({policy}), frozenset(expecting))
        if oids.ANY_POLICY in policies and (state.any_policy > 0 or (not last and certificate.self_issued)):  # (d)(2)
            for policy, expecting in parents.items():
                if policy not in below:
                    below[policy] = _Node(frozenset({policy}), frozenset(expecting))
    state.levels.append(below)  # nodes without children are left out when the graph is read, (d)(3)


def _map(state: _State, certificate: Certificate) -> None:
    """RFC 9618 5.4: 6.1.4 (a) and (b)."""
    mappings = read_mappings(certificate)
    level = state.levels[-1]
    for issuer_policy, subject_policies in mappings.items():
        if state.mapping > 0:
            if issuer_policy in level:
                level[issuer_policy].expected = frozenset(subject_policies)
            elif oids.ANY_POLICY in level:
                level[issuer_policy] = _Node(frozenset(subject_policies), frozenset({oids.ANY_POLICY}))
        else:
            level.pop(issuer_policy, None)


def _constrain(state: _State, certificate: Certificate) -> None:
    """6.1.4 (i) and (j)."""
    explicit, mapping = _constraints(certificate)
    state.explicit = state.explicit if explicit is None else min(state.explicit, explicit)
    state.mapping = state.mapping if mapping is None else min(state.mapping, mapping)
    extension = certificate.extension(oids.INHIBIT_ANY_POLICY)
    if extension is not None:
        state.any_policy = min(state.any_policy, _skip(ber.load(extension.value).integer()))


def _authority_constrained(state: _State) -> frozenset[str]:
    """RFC 9618 5.5 (6.1.5 (g)): policies right below anyPolicy that lead down to the leaf."""
    reachable: set[str] = set(state.levels[-1])
    found: set[str] = {oids.ANY_POLICY} & reachable
    for depth in range(len(state.levels) - 1, 0, -1):
        level = state.levels[depth]
        nodes = {name: level[name] for name in reachable}
        found |= {name for name, node in nodes.items() if oids.ANY_POLICY in node.parents and name != oids.ANY_POLICY}
        reachable = {parent for node in nodes.values() for parent in node.parents}
    return frozenset(found)


def _read_policies(certificate: Certificate) -> frozenset[str]:
    extension = certificate.extension(oids.CERTIFICATE_POLICIES)
    if extension is None:
        return frozenset()
    out: set[str] = set()
    for item in ber.load(extension.value).expect(ber.SEQUENCE):
        policy = item.members().next().oid()
        if policy in out:
            raise MalformedInput("a certificate policy stands twice")  # RFC 5280 4.2.1.4
        out.add(policy)
        if len(out) > MAX_POLICIES:
            raise BudgetExceeded(f"more than {MAX_POLICIES} certificate policies in {certificate.subject}")
    return frozenset(out)


def read_mappings(certificate: Certificate) -> dict[str, set[str]]:
    """Return the policies that an authority takes for each of its own (RFC 5280 4.2.1.5).

    Raises MalformedInput, BudgetExceeded.
    """
    extension = certificate.extension(oids.POLICY_MAPPINGS)
    out: dict[str, set[str]] = {}
    if extension is None:
        return out
    for count, item in enumerate(ber.load(extension.value).expect(ber.SEQUENCE), 1):
        members = item.members()
        issuer_policy, subject_policy = members.next().oid(), members.next().oid()
        members.end()
        if oids.ANY_POLICY in (issuer_policy, subject_policy):  # 6.1.4 (a)
            raise MalformedInput("anyPolicy is mapped")
        out.setdefault(issuer_policy, set()).add(subject_policy)
        if count > MAX_POLICIES:
            raise BudgetExceeded(f"more than {MAX_POLICIES} policy mappings in {certificate.subject}")
    return out


def _constraints(certificate: Certificate) -> tuple[int | None, int | None]:
    """Return requireExplicitPolicy and inhibitPolicyMapping (RFC 5280 4.2.1.11)."""
    extension = certificate.extension(oids.POLICY_CONSTRAINTS)
    if extension is None:
        return None, None
    members = ber.load(extension.value).members()
    values = [members.optional(0x80), members.optional(0x81)]
    members.end()
    if values == [None, None]:
        raise MalformedInput("policyConstraints without a member")
    explicit, mapping = (None if value is None else _skip(value.integer(value.tag)) for value in values)
    return explicit, mapping


def _skip(number: int) -> int:
    """Return a SkipCerts."""
    if number < 0:
        raise MalformedInput("a negative number of certificates")
    return number
