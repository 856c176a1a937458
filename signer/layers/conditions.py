"""What a file can demand of a signature: the same words in an agreement and in a policy.

conditions = read_conditions(table)
conditions.suites, conditions.level, conditions.place("suites")
"""

from __future__ import annotations

from dataclasses import dataclass

from certs import suites
from signer.layers.reading import Table

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
"""Of EN 319 142-1 clause 6, each including the one before."""
DIGESTS = ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512", "sm3", "streebog256", "streebog512")
TIMES = ("claimed", "timestamp")
MAX_BITS = 16_384


@dataclass(frozen=True)
class Conditions:
    """None means: not demanded."""

    path: str
    """Where the table stands in its file."""
    clauses: tuple[tuple[str, str], ...] = ()
    """Condition and the clause of the written document it comes from."""
    suites: tuple[str, ...] | None = None
    """Algorithm suites that are accepted, by our names."""
    digests: tuple[str, ...] | None = None
    """Digests of the content that are accepted."""
    key_sizes: tuple[tuple[str, int], ...] = ()
    """Suite and the least number of bits of its key; other suites are free."""
    authorities: tuple[str, ...] | None = None
    """SHA-256 of certificates; one of them must stand in the chain above the signer's."""
    anchors: tuple[str, ...] | None = None
    """SHA-256 of certificates; the chain must end in one of them."""
    trust_lists: tuple[str, ...] | None = None
    """Patterns with * for what the report says about the trust list the anchor came from."""
    certificate_policies: tuple[str, ...] | None = None
    """Object identifiers; the signer's certificate must state one of them."""
    level: str | None = None
    """The least level."""
    time: str | None = None
    """"timestamp": a time-stamp that is believed; "claimed": the signer's own clock is enough, but a time is stated."""
    time_authorities: tuple[str, ...] | None = None
    """SHA-256 of certificates of time-stamping authorities; the time must be from one of them."""
    receipts: bool = False
    """Whether a receipt of a trusted third party is demanded."""
    receipt_issuers: tuple[str, ...] | None = None
    """SHA-256 of certificates of trusted third parties; a receipt of one of them is demanded."""

    def place(self, condition: str) -> str:
        """Return where a condition stands: clause of the document, if the file gives one, and key in the file."""
        clause = dict(self.clauses).get(condition)
        where = f"{self.path}.{condition}" if self.path else condition
        return f"{clause} ({where})" if clause else where


NAMES = tuple(name for name in Conditions.__dataclass_fields__ if name not in ("path", "clauses"))


def read_conditions(table: Table) -> Conditions:
    """Read the conditions out of a table, which may hold other keys too. Raises BasisError."""
    return Conditions(
        path=table.path,
        clauses=_clauses(table.table("clauses")),
        suites=table.words("suites", suites.ALL_NAMES),
        digests=table.words("digests", DIGESTS),
        key_sizes=_sizes(table.table("key_sizes")),
        authorities=table.digests("authorities"),
        anchors=table.digests("anchors"),
        trust_lists=table.texts("trust_lists"),
        certificate_policies=table.oids("certificate_policies"),
        level=table.choice("level", LEVELS),
        time=table.choice("time", TIMES),
        time_authorities=table.digests("time_authorities"),
        receipts=table.flag("receipts"),
        receipt_issuers=table.digests("receipt_issuers"),
    )


def _clauses(table: Table) -> tuple[tuple[str, str], ...]:
    found = []
    for key, value in table.items():
        if key not in NAMES and key not in ("party", "valid"):
            raise table.fault(key, "there is no such condition")
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise table.fault(key, "this is no clause")
        found.append((key, value))
    return tuple(found)


def _sizes(table: Table) -> tuple[tuple[str, int], ...]:
    found = []
    for key, value in table.items():
        if key not in suites.ALL_NAMES:
            raise table.fault(key, "there is no such suite")
        if type(value) is not int or not 0 < value <= MAX_BITS:
            raise table.fault(key, "this is no number of bits")
        found.append((key, value))
    return tuple(found)
