"""Proofs from the log that can be checked without it, by whoever holds a checkpoint.

    proof = prove_inclusion(log, serial)                      # JSON: the entries about one certificate, and their paths
    proof = prove_consistency(log, old_size)                  # JSON: the log of then is the beginning of the log of now
    check(proof, checkpoint, [older])                         # sentences of what is proven, or AuditError

A proof is for one size of the log, the newest checkpoint's, whose root the checkpoint signs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from certs import canonical
from certs.audit import tree
from certs.audit.checkpoint import Checkpoint, hash_of, parse
from certs.audit.log import AuditLog, LogEntry, parse_entry
from certs.errors import AuditError, MalformedInput

INCLUSION = "sealroad.audit.inclusion/1"
CONSISTENCY = "sealroad.audit.consistency/1"
MAX_ENTRIES = 100
MAX_SIZE = 4 * 1024 * 1024


def _last_size(log: AuditLog, size: int | None) -> int:
    if size is not None:
        return size
    made = log.checkpoints()
    if not made:
        raise AuditError("the log has no checkpoint yet", hint="make one with 'sealroad ca audit checkpoint'")
    return parse(made[-1]).size


def prove_inclusion(log: AuditLog, serial: int, size: int | None = None) -> bytes:
    """Return the proof for every entry about a certificate in the log of `size` entries; the last checkpoint's.

    Raises AuditError where there is no checkpoint, or none of the entries is covered by it.
    """
    size = _last_size(log, size)
    leaves = log.leaves(size)
    entries = [entry for entry in log.entries(serial=f"{serial:x}") if entry.number < size]
    if not entries:
        raise AuditError(
            f"no entry about {serial:x} is covered by the last checkpoint", hint="make a new checkpoint first"
        )
    return _file(
        {
            "schema": INCLUSION,
            "log": log.id,
            "size": size,
            "entries": [
                {
                    "entry": entry.data.decode(),
                    "path": [item.hex() for item in tree.inclusion_proof(leaves, entry.number)],
                }
                for entry in entries[:MAX_ENTRIES]
            ],
        }
    )


def prove_consistency(log: AuditLog, old: int, size: int | None = None) -> bytes:
    """Return the proof that the log of `old` entries is the beginning of that of `size`. Raises AuditError."""
    size = _last_size(log, size)
    path = tree.consistency_proof(log.leaves(size), old, size)
    return _file(
        {"schema": CONSISTENCY, "log": log.id, "old": old, "size": size, "path": [item.hex() for item in path]}
    )


def _file(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def parse_proof(data: bytes) -> dict[str, Any]:
    """Read a proof of either kind; the members have the right types. Raises MalformedInput."""
    value = canonical.read(data, limit=MAX_SIZE)
    if not isinstance(value, dict):
        raise MalformedInput("not a proof")
    if value.get("schema") == INCLUSION and set(value) == {"schema", "log", "size", "entries"}:
        entries = value["entries"]
        if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ENTRIES:
            raise MalformedInput("a proof without entries, or with too many")
        for item in entries:
            if not isinstance(item, dict) or set(item) != {"entry", "path"} or not isinstance(item["entry"], str):
                raise MalformedInput("not a proof")
            parse_entry(item["entry"].encode())
            _path(item["path"])
    elif value.get("schema") == CONSISTENCY and set(value) == {"schema", "log", "old", "size", "path"}:
        _path(value["path"])
        if type(value["old"]) is not int:
            raise MalformedInput("not a proof")
    else:
        raise MalformedInput(f"neither of schema {INCLUSION} nor {CONSISTENCY}")
    if type(value["size"]) is not int:
        raise MalformedInput("a proof for no size")
    hash_of(value["log"])
    return value


def _path(value: Any) -> list[bytes]:
    if not isinstance(value, list) or len(value) > tree.MAX_PROOF:
        raise MalformedInput("a path that is no list of hashes, or too long")
    return [hash_of(item) for item in value]


def check(data: bytes, checkpoint: Checkpoint, older: Sequence[Checkpoint] = ()) -> list[str]:
    """Check a proof against a verified checkpoint; return one sentence for everything it proves.

    A consistency proof needs the `older` checkpoint too. Raises AuditError or MalformedInput.
    """
    proof = parse_proof(data)
    size = proof["size"]
    if proof["log"] != checkpoint.log:
        raise AuditError("the proof is from another log than the checkpoint")
    if size != checkpoint.size:
        raise AuditError(f"the proof is for {size} entries, the checkpoint for {checkpoint.size}")
    if proof["schema"] == CONSISTENCY:
        match = [item for item in older if item.size == proof["old"] and item.log == checkpoint.log]
        if not match:
            raise AuditError(f"the checkpoint of {proof['old']} entries is needed too")
        for item in match:
            tree.check_consistency(item.size, size, _path(proof["path"]), item.root, checkpoint.root)
        return [f"the log of {proof['old']} entries is the beginning of the log of {size}"]
    sentences = []
    for item in proof["entries"]:
        entry = parse_entry(item["entry"].encode())
        tree.check_inclusion(entry.leaf, entry.number, size, _path(item["path"]), checkpoint.root)
        sentences.append(sentence(entry))
    return sentences


def sentence(entry: LogEntry) -> str:
    """Return an entry on one line."""
    facts = {name: value for name, value in entry.facts.items() if name not in ("issuer", "certificates")}
    words = ", ".join(f"{name.replace('_', ' ')} {_word(value)}" for name, value in facts.items())
    return f"{entry.number:6}  {entry.at:%Y-%m-%dT%H:%M:%SZ}  {entry.act:<16}  {words}".rstrip()


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
