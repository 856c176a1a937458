"""Finding a way to an anchor through authorities that certify each other, in keys of four families.

The classes of BetterTLS' path building, with graphs of our own after RFC 4158 2.3 and 2.4, and graphs made at random:
an edge is a certificate, some edges have a fault, and a chain must be found exactly where a way of sound edges leads
from the anchor to the leaf. What refuses a certificate in one chain must not hide another chain.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import permutations
from typing import Any
from zlib import crc32

import pytest

from certs import der, extensions, oids, suites
from certs.certificate import Certificate, Extension
from certs.path import validate_path
from certs.trust import TrustStore
from tests.certs.forge import CA_USAGE, SIGN_USAGE, forge
from tests.conftest import NOW

FAMILIES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")
Edge = tuple[str, str]
"""Issuer and subject."""
LEAF = "Leaf"
DAY = timedelta(days=1)
ELSEWHERE = der.sequence(der.tlv(0xA0, der.sequence(der.tlv(0x82, b"elsewhere.example"))))

FAULTS: dict[str, dict[str, Any]] = {
    "expired": {"not_after": NOW - timedelta(seconds=1)},
    "not-yet-valid": {"not_before": NOW + timedelta(seconds=1)},
    "name-constraints": {"more": [Extension(oids.NAME_CONSTRAINTS, True, ELSEWHERE)]},
    "bad-eku": {"purposes": [oids.SERVER_AUTH]},
    "missing-basic-constraints": {"fields": "without"},
    "not-a-ca": {"ca": False, "usage": CA_USAGE},
    "no-key-cert-sign": {"usage": ["crl_sign"]},
    "unknown-critical-extension": {"more": [Extension("1.2.3.4.5", True, b"\x05\x00")]},
    "bad-aki": {"aki": b"the id of no key at all"[:20]},
    "bad-signature": {"inner": "stranger"},
}
"""What may be wrong with the certificate of an authority; in BetterTLS another one is a deprecated digest."""


@dataclass(frozen=True)
class Graph:
    """Who certifies whom, and who is trusted."""

    anchor: str
    edges: tuple[Edge, ...]
    bad: frozenset[Edge] = frozenset()

    def reachable(self) -> bool:
        """Whether sound edges lead to the leaf."""
        seen, wanted = {self.anchor}, [self.anchor]
        while wanted:
            node = wanted.pop()
            following = {b for a, b in self.edges if a == node and (a, b) not in self.bad} - seen
            seen |= following
            wanted += following
        return LEAF in seen


def both(one: str, two: str) -> tuple[Edge, Edge]:
    return (one, two), (two, one)


LINEAR = (("Root", "Issuing"), ("Issuing", LEAF))
TWO_ROOTS = (("Root 1", "Issuing"), ("Root 2", "Issuing"), ("Issuing", LEAF))
DIAMOND = (("Root", "A"), ("Root", "C"), *both("A", "C"), ("A", "B"), ("C", "B"), ("B", LEAF))
MESH = tuple(permutations(("M1", "M2", "M3", "M4"), 2))
BRIDGE = (
    *both("Root X", "Bridge"),
    *both("M1", "Bridge"),
    *both("Root Z", "Bridge"),
    *MESH,  # one member is a mesh, the others are hierarchies
    *(("Root X", "X1"), ("Root X", "X2"), ("X1", "X3"), ("Root Z", "Z1")),
)


def below(issuer: str) -> tuple[Edge, ...]:
    return (*BRIDGE, (issuer, LEAF))


GRAPHS: dict[str, Graph] = {
    "linear": Graph("Root", LINEAR),
    "linear, broken": Graph("Root", LINEAR, frozenset({("Root", "Issuing")})),
    "linear, broken above the anchor": Graph("Issuing", LINEAR, frozenset({("Root", "Issuing")})),
    "two roots, the first": Graph("Root 1", TWO_ROOTS),
    "two roots, the second": Graph("Root 2", TWO_ROOTS),
    "two roots, the other is broken": Graph("Root 1", TWO_ROOTS, frozenset({("Root 2", "Issuing")})),
    "two roots, this one is broken": Graph("Root 2", TWO_ROOTS, frozenset({("Root 2", "Issuing")})),
    "diamond": Graph("Root", DIAMOND),
    "diamond, over C and A": Graph("Root", DIAMOND, frozenset({("Root", "A"), ("C", "B")})),
    "diamond, over A and C": Graph("Root", DIAMOND, frozenset({("Root", "C"), ("A", "B")})),
    "diamond, cut": Graph("Root", DIAMOND, frozenset({("A", "B"), ("C", "B")})),
    "bridge, from Z to X": Graph("Root Z", below("X3")),
    "bridge, from Z into the mesh": Graph("Root Z", below("M3")),
    "bridge, from the mesh to X": Graph("M2", below("X3")),
    "bridge, an edge back is broken": Graph("Root Z", below("X3"), frozenset({("Root X", "Bridge")})),
    "bridge, no way into X": Graph("Root Z", below("X3"), frozenset({("Bridge", "Root X")})),
    "bridge, no way out of Z": Graph("Root Z", below("X3"), frozenset({("Root Z", "Bridge")})),
    "bridge, one way through the mesh": Graph("Root Z", below("M3"), frozenset({("M1", "M3"), ("M1", "M2")})),
    "bridge, no way through the mesh": Graph(
        "Root Z", below("M3"), frozenset({("M1", "M3"), ("M1", "M2"), ("M1", "M4")})
    ),
}


def cases() -> Iterator[tuple[str, str]]:
    for name, graph in GRAPHS.items():
        yield from ((name, fault) for fault in (FAULTS if graph.bad else ("none",)))


@cache
def key_of(family: str, node: str) -> Any:
    """Return the key of an authority, made once."""
    return suites.get(family).generate("2048" if family == "rsa" else None)


@cache
def certificate(family: str, issuer: str, subject: str, fault: str | None) -> Certificate:
    """Return what an edge stands for, made once."""
    own, above = key_of(family, subject), key_of(family, issuer)
    wrong = dict(FAULTS[fault]) if fault else {}
    if wrong.pop("inner", None):
        above = key_of(family, "stranger")
    aki = wrong.pop("aki", None) or extensions.key_id(key_of(family, issuer).public_key.spki)
    leaf = subject == LEAF
    fields = [
        extensions.key_usage(wrong.pop("usage", SIGN_USAGE if leaf else CA_USAGE)),
        extensions.subject_key_identifier(extensions.key_id(own.public_key.spki)),
        extensions.authority_key_identifier(aki),
        *wrong.pop("more", ()),
    ]
    if wrong.pop("ca", not leaf) and not wrong.pop("fields", None):
        fields.append(extensions.basic_constraints(ca=True))
    if "purposes" in wrong:
        fields.append(extensions.extended_key_usage(wrong.pop("purposes"), critical=False))
    if leaf:
        fields.append(Extension(oids.SUBJECT_ALT_NAME, False, der.sequence(der.tlv(0x82, b"www.example.com"))))
    return forge(
        subject,
        own,
        anchor_of(family, issuer),
        above,
        fields=fields,
        serial=1 + crc32(f"{issuer} {subject}".encode()),
        **wrong,
    )


@cache
def anchor_of(family: str, node: str) -> Certificate:
    key = key_of(family, node)
    return forge(node, key, None, key, ca=True)


def judge(family: str, graph: Graph, faults: dict[Edge, str], shuffle: random.Random) -> bool:
    """Return whether a chain was found, whatever the order of the certificates."""
    made = [certificate(family, *edge, faults.get(edge)) for edge in graph.edges]
    leaves = [item for item, edge in zip(made, graph.edges, strict=True) if edge[1] == LEAF]
    pool = [item for item in made if item not in leaves]
    shuffle.shuffle(pool)
    store = TrustStore(anchors=(anchor_of(family, graph.anchor),))
    began = time.process_time()
    found = [validate_path(leaf, pool, store, NOW, revocation="if-present") for leaf in leaves]
    assert time.process_time() - began < 20
    return any(result.passed for result in found)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("name", "fault"), tuple(cases()))
def test_a_graph(name: str, fault: str, family: str) -> None:
    graph = GRAPHS[name]
    for seed in range(5):
        assert judge(family, graph, dict.fromkeys(graph.bad, fault), random.Random(seed)) is graph.reachable()


def test_the_graphs_have_both_answers() -> None:
    assert {graph.reachable() for graph in GRAPHS.values()} == {True, False}
    assert len(list(cases())) >= 81


def graph_at_random(shuffle: random.Random) -> tuple[Graph, dict[Edge, str]]:
    """Return a graph of seven authorities, a third of its edges faulty."""
    nodes = [f"N{number}" for number in range(7)]
    edges = shuffle.sample(list(permutations(nodes, 2)), 14)
    faults = {edge: shuffle.choice(list(FAULTS)) for edge in edges if shuffle.random() < 1 / 3}
    edges = [*edges, (nodes[-1], LEAF)]
    return Graph(nodes[0], tuple(edges), frozenset(faults)), faults


@pytest.mark.parametrize("family", FAMILIES)
def test_graphs_at_random(family: str) -> None:
    wrong = []
    for seed in range(100):
        shuffle = random.Random(seed)
        graph, faults = graph_at_random(shuffle)
        if judge(family, graph, faults, shuffle) is not graph.reachable():
            wrong.append(seed)
    assert not wrong


def test_nothing_but_the_edges_is_trusted() -> None:
    """The anchor's own name on another key, and a leaf that nobody below the anchor issued."""
    family = FAMILIES[1]
    for graph in (Graph("Root", (*LINEAR[1:],)), Graph("Stranger", LINEAR)):
        assert not graph.reachable()
        assert not judge(family, graph, {}, random.Random(0))
