"""The Merkle tree: numbers that others computed, and a second computation straight from the RFC's definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from certs.audit import tree
from certs.errors import AuditError

# Leaves and roots of github.com/transparency-dev/merkle, testonly/constants.go at 417fb0c3 (Apache-2.0)
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [tree.leaf_hash(bytes.fromhex(text)) for text in INPUTS]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, as it is written there, sharing nothing with the code under test."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def test_the_roots_are_those_that_others_computed() -> None:
    assert [tree.root(LEAVES[:size]).hex() for size in range(9)] == ROOTS
    assert {size: root.hex() for size, root in tree.roots(LEAVES, range(9)).items()} == dict(enumerate(ROOTS))


def test_the_path_of_the_first_leaf_is_the_one_that_others_computed() -> None:
    # testdata/inclusion/1/happy-path.json, the same repository
    assert [item.hex() for item in tree.inclusion_proof(LEAVES, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@pytest.mark.parametrize("size", [*range(40), 63, 64, 65, 127, 129])
def test_roots_and_proofs_of_every_leaf_and_every_growth(size: int) -> None:
    leaves = [tree.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    root = by_definition(leaves)
    assert tree.root(leaves) == root
    assert tree.roots(leaves, {size})[size] == root
    for index in range(size):
        proof = tree.inclusion_proof(leaves, index)
        tree.check_inclusion(leaves[index], index, size, proof, root)
        if size > 1:
            with pytest.raises(AuditError):
                tree.check_inclusion(leaves[index - 1], index, size, proof, root)
    for old in range(1, size + 1):
        proof = tree.consistency_proof(leaves, old, size)
        before = by_definition(leaves[:old])
        tree.check_consistency(old, size, proof, before, root)
        if old < size:
            with pytest.raises(AuditError):
                tree.check_consistency(old, size, proof, tree.leaf_hash(b"x"), root)


HASH = st.binary(min_size=32, max_size=32)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.lists(HASH, max_size=6), HASH, HASH)
def test_made_up_proofs_hold_nowhere(index: int, size: int, proof: list[bytes], leaf: bytes, root: bytes) -> None:
    assume(leaf != root)  # a tree of one leaf has the leaf's hash for its root
    with pytest.raises(AuditError):
        tree.check_inclusion(leaf, index, size, proof, root)
    if index != size or leaf != root:
        with pytest.raises(AuditError):
            tree.check_consistency(index, size, proof, leaf, root)


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 33), st.data())
def test_a_proof_with_one_bit_changed_does_not_hold(size: int, data: st.DataObject) -> None:
    leaves = [tree.leaf_hash(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(leaves, index)
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[place] = (int.from_bytes(proof[place], "big") ^ 1 << bit).to_bytes(32, "big")
    for broken in (proof, proof[:-1], [*proof, leaves[0]]):
        with pytest.raises(AuditError):
            tree.check_inclusion(leaves[index], index, size, broken, tree.root(leaves))


def test_what_no_log_has_cannot_be_proven() -> None:
    for index in (-1, 8, 9):
        with pytest.raises(AuditError):
            tree.inclusion_proof(LEAVES, index)
    for old, new in ((0, 8), (5, 3), (3, 9)):
        with pytest.raises(AuditError):
            tree.consistency_proof(LEAVES, old, new)
    with pytest.raises(AuditError):
        tree.check_inclusion(b"", 0, 1, [], b"")
