"""Policies along chains: RFC 9618, and chains made to explode."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import der, oids
from certs.certificate import Certificate, Extension
from certs.path import Limits, PathResult, PolicySettings, validate_path
from certs.path_policies import MAX_POLICIES
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.conftest import NOW, keys_of

ROOT, MIDDLE, LOW, LEAF, _ = keys_of("ecdsa-p256")
ANCHOR = forge("Root", ROOT, None, ROOT, ca=True)
A, B, C = "1.2.3.1", "1.2.3.2", "1.2.3.3"
ANY = oids.ANY_POLICY


def policies(*names: str) -> Extension:
    return Extension(oids.CERTIFICATE_POLICIES, False, der.sequence(*(der.sequence(der.oid(n)) for n in names)))


def mappings(*pairs: tuple[str, str]) -> Extension:
    members = (der.sequence(der.oid(first), der.oid(second)) for first, second in pairs)
    return Extension(oids.POLICY_MAPPINGS, True, der.sequence(*members))


def constraints(explicit: int | None = None, mapping: int | None = None) -> Extension:
    values = b"".join(
        der.tlv(tag, bytes((number,))) for tag, number in ((0x80, explicit), (0x81, mapping)) if number is not None
    )
    return Extension(oids.POLICY_CONSTRAINTS, True, der.sequence(values))


def inhibit(number: int) -> Extension:
    return Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(number))


def judge(*levels: list[Extension], anchor: Certificate = ANCHOR, **settings: object) -> PathResult:
    """Validate a chain whose certificates, from the top, have the extensions of `levels`."""
    issuer, key, made = anchor, ROOT, []
    for number, fields in enumerate(levels):
        last = number == len(levels) - 1
        own = LEAF if last else MIDDLE
        made.append(forge(f"Level {number}", own, issuer, key, ca=not last, more=fields))
        issuer, key = made[-1], own
    return validate_path(
        made[-1],
        made[:-1],
        TrustStore(anchors=(anchor,)),
        NOW,
        revocation="if-present",
        policies=PolicySettings(**settings),  # type: ignore[arg-type]
        limits=Limits(depth=40, certificates=40),
    )


def test_the_policies_of_the_whole_chain_come_out() -> None:
    result = judge([policies(A, B)], [policies(A, C)], explicit=True)
    assert result.passed
    assert result.policies == {A}
    assert judge([policies(ANY)], [policies(A)]).policies == {A}
    assert judge([policies(A)], [policies(B)]).policies == frozenset()


@pytest.mark.parametrize(
    ("levels", "settings", "passed"),
    [
        ([[policies(A)], [policies(A)]], {"initial": frozenset({A}), "explicit": True}, True),
        ([[policies(A)], [policies(A)]], {"initial": frozenset({B}), "explicit": True}, False),
        ([[policies(A)], [policies(A)]], {"initial": frozenset({B})}, True),
        ([[policies(A)], []], {"explicit": True}, False),
        ([[policies(A), constraints(explicit=0)], []], {}, False),
        ([[policies(A), constraints(explicit=1)], []], {}, False),
        ([[policies(A), constraints(explicit=2)], []], {}, True),
        ([[policies(A)], [constraints(explicit=0)]], {}, False),
        ([[policies(A), mappings((A, B))], [policies(B)]], {"initial": frozenset({A}), "explicit": True}, True),
        ([[policies(A), mappings((A, B))], [policies(A)]], {"initial": frozenset({A}), "explicit": True}, False),
        (
            [[policies(A), mappings((A, B))], [policies(B)]],
            {"initial": frozenset({A}), "explicit": True, "inhibit_mapping": True},
            False,
        ),
        ([[policies(A), mappings((A, ANY))], [policies(A)]], {}, False),
        ([[policies(ANY), mappings((A, B))], [policies(B)]], {"initial": frozenset({A}), "explicit": True}, True),
        ([[policies(ANY)], [policies(A)]], {"inhibit_any": True, "explicit": True}, False),
        ([[policies(ANY), inhibit(0)], [policies(ANY)]], {"explicit": True}, False),
        ([[policies(ANY)], [policies(A)]], {"initial": frozenset({ANY}), "explicit": True}, True),
        ([[policies(A, A)], [policies(A)]], {}, False),
        ([[policies(A), constraints()], [policies(A)]], {}, False),
    ],
)
def test_policies(levels: list[list[Extension]], settings: dict[str, object], passed: bool) -> None:
    assert judge(*levels, **settings).passed is passed


def test_the_anchor_s_own_constraints_count() -> None:
    anchor = forge("Root", ROOT, None, ROOT, ca=True, more=[constraints(explicit=0)])
    assert not judge([], [], anchor=anchor).passed
    assert judge([policies(A)], [policies(A)], anchor=anchor).passed


def test_a_policy_bomb_ends_soon() -> None:
    """Every level maps each of two policies to both: a tree doubles at each, the graph does not."""
    bomb = [policies(A, B), mappings((A, A), (A, B), (B, A), (B, B))]
    began = time.process_time()
    result = judge(*[bomb] * 30, [policies(A)], initial=frozenset({A}), explicit=True)
    assert time.process_time() - began < 20
    assert result.passed
    many = [f"1.2.3.{n}" for n in range(MAX_POLICIES)]
    wide = [policies(*many), mappings(*((many[0], name) for name in many))]
    began = time.process_time()
    assert judge(*[wide] * 5, [policies(many[7])], explicit=True).passed
    assert time.process_time() - began < 20


def test_too_many_policies_are_a_budget_and_no_verdict() -> None:
    many = [f"1.2.3.{n}" for n in range(MAX_POLICIES + 1)]
    for fields in ([policies(*many)], [mappings(*((A, name) for name in many))]):
        result = judge(fields, [policies(A)])
        assert (result.indication, result.sub_indication) == ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE")
        assert result.checks[-1].result == "not-checked"


@given(st.data())
def test_no_octets_in_policies_make_it_raise(data: st.DataObject) -> None:
    items = [
        der.sequence(der.oid(A)),
        der.sequence(der.oid(A), der.oid(B)),
        b"\x80\x01\x00",
        b"\x02\x01\x01",
        b"\x30\x00",
    ]
    parts = st.lists(st.sampled_from(items) | st.binary(max_size=5), max_size=3)
    kinds = (oids.CERTIFICATE_POLICIES, oids.POLICY_MAPPINGS, oids.POLICY_CONSTRAINTS)
    fields = [Extension(oid, False, der.sequence(*data.draw(parts))) for oid in kinds]
    fields.append(Extension(oids.INHIBIT_ANY_POLICY, False, b"".join(data.draw(parts))))
    assert judge(fields, [policies(A)], explicit=data.draw(st.booleans())).indication in ("PASSED", "INDETERMINATE")
