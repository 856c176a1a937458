"""The Merkle tree of RFC 6962 2.1 and RFC 9162 2.1 over SHA-256: roots and proofs from leaf hashes.

    leaves = [leaf_hash(entry) for entry in entries]
    proof = inclusion_proof(leaves, 3)
    check_inclusion(leaves[3], 3, len(leaves), proof, root(leaves))                # None, or AuditError
    check_consistency(5, 8, consistency_proof(leaves, 5, 8), root(leaves[:5]), root(leaves))

A leaf is hashed behind the octet 00 and a node behind 01, so that no node can pass for a leaf. The checks are those of
RFC 9162 2.1.3.2 and 2.1.4.2, step by step: they need no log, only what an auditor has in hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

from certs.errors import AuditError

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162 2.1.1)."""
MAX_PROOF = 64
"""Hashes in a proof: a tree of 2^63 leaves is 63 high."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return sha256(b"\x01" + left + right).digest()


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """Return the level above; a last node without a neighbour moves up as it is."""
    pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash over leaf hashes."""
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY


class Growing:
    """A tree that leaves are added to, and that knows its root at any size without having kept them."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._stack: list[bytes] = []  # roots of the complete subtrees, largest first: the ones of the size in binary
        self.extend(leaves)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes."""
        stack = self._stack
        for leaf in leaves:
            self.size += 1
            stack.append(leaf)
            for _ in range((self.size & -self.size).bit_length() - 1):
                right = stack.pop()
                stack.append(node_hash(stack.pop(), right))

    @property
    def root(self) -> bytes:
        """The root hash over everything added so far."""
        if not self._stack:
            return EMPTY
        folded = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            folded = node_hash(left, folded)
        return folded


def roots(leaves: Sequence[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """Return the roots of several beginnings of one log, in one pass; sizes beyond the log are left out."""
    found, tree = {}, Growing()
    for size in sorted({size for size in sizes if 0 <= size <= len(leaves)}):
        tree.extend(leaves[tree.size : size])
        found[size] = tree.root
    return found


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root (RFC 9162 2.1.3.1). Raises AuditError."""
    if not 0 <= index < len(leaves):
        raise AuditError(f"entry {index} is not in a log of {len(leaves)}")
    proof: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        if (neighbour := index ^ 1) < len(level):
            proof.append(level[neighbour])
        level, index = _parents(level), index // 2
    return proof


def consistency_proof(leaves: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Return the hashes by which the tree of `old` leaves grew into that of `new` (RFC 9162 2.1.4.1)."""
    if not 0 < old <= new <= len(leaves):
        raise AuditError(f"a log of {len(leaves)} did not grow from {old} to {new}")
    if old == new:
        return []
    return _subproof(old, leaves[:new], complete=True)


def _subproof(old: int, leaves: Sequence[bytes], *, complete: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if complete else [root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*_subproof(old, leaves[:split], complete=complete), root(leaves[split:])]
    return [*_subproof(old - split, leaves[split:], complete=False), root(leaves[:split])]


def _are_hashes(*values: bytes) -> bool:
    return len(values) <= MAX_PROOF + 2 and all(len(value) == sha256().digest_size for value in values)


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Raise AuditError unless `proof` leads from `leaf` at `index` to root `expected` of a tree of `size`."""
    if not 0 <= index < size or not _are_hashes(leaf, expected, *proof):
        raise AuditError("the proof is for no entry of this log")
    first, last, computed = index, size - 1, leaf
    for item in proof:
        if not last:
            raise AuditError("the inclusion proof is too long")
        if first & 1 or first == last:
            computed = node_hash(item, computed)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            computed = node_hash(computed, item)
        first, last = first >> 1, last >> 1
    if last or not compare_digest(computed, expected):
        raise AuditError("the entry is not in the log with this root", size=size)


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise AuditError unless `proof` shows that the tree of `old` leaves is the beginning of that of `new`."""
    if not 0 < old <= new or not _are_hashes(old_root, new_root, *proof):
        raise AuditError("the proof is for no two sizes of this log")
    if old == new:
        if proof or not compare_digest(old_root, new_root):
            raise AuditError("the two roots do not belong to one log", old=old, new=new)
        return
    if not proof:
        raise AuditError("the consistency proof is empty")
    hashes = list(proof)
    if not old & (old - 1):
        hashes.insert(0, old_root)
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    older = newer = hashes[0]
    for item in hashes[1:]:
        if not last:
            raise AuditError("the consistency proof is too long")
        if first & 1 or first == last:
            older, newer = node_hash(item, older), node_hash(item, newer)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            newer = node_hash(newer, item)
        first, last = first >> 1, last >> 1
    if last or not compare_digest(older, old_root) or not compare_digest(newer, new_root):
        raise AuditError("the two roots do not belong to one log", old=old, new=new)
