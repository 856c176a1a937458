"""NIST PKITS 1.0.1: all 249 runs, each with all certificates and lists of the suite at hand: paths are found too.

`pkits.tsv` says what is expected. A run that does not go as expected stands in `SKIPPED` with the reason; one that
does although it stands there fails as well, so the table only shrinks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError
from certs.path import PolicySettings, validate_path
from certs.trust import TrustStore

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

AT = datetime(2011, 4, 15, tzinfo=UTC)
POLICY = "2.16.840.1.101.3.2.1.48."

SKIPPED = {
    "4.1.4": "DSA is not computed by us: INDETERMINATE, CRYPTO_CONSTRAINTS_FAILURE",
    "4.1.5": "DSA, with parameters inherited from the issuer, is not computed by us",
}
"""Never to be accepted: what we do not compute is refused."""


@dataclass(frozen=True)
class Case:
    number: str
    expected: str
    settings: PolicySettings
    leaf: str


def cases() -> Iterator[Case]:
    lines = (Path(__file__).parent / "pkits.tsv").read_text().splitlines()
    for row in csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t"):
        number, expected, initial, flags, leaf = row
        policies = None if initial == "any" else frozenset(POLICY + item for item in initial.split(","))
        yield Case(
            number,
            expected,
            PolicySettings(policies, "explicit" in flags, "no-mapping" in flags, "no-any" in flags),
            leaf,
        )


CASES = tuple(cases())


@cache
def suite() -> tuple[TrustStore, tuple[Certificate, ...], tuple[CRL, ...]]:
    """Return anchor, certificates of authorities, and lists."""
    import cryptography_vectors

    folder = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
    certificates: dict[str, Certificate] = {}
    lists: list[CRL] = []
    for path in sorted(folder.glob("c*/*.cr[tl]")):
        try:
            if path.suffix == ".crl":
                lists.append(CRL(path.read_bytes()))
            else:
                certificates[path.stem] = Certificate(path.read_bytes())
        except CertsError:  # some are broken on purpose
            continue
    anchor = certificates.pop("TrustAnchorRootCertificate")
    return TrustStore(anchors=(anchor,)), tuple(certificates.values()), tuple(lists)


def accepted(case: Case) -> tuple[bool, str]:
    import cryptography_vectors

    folder = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
    try:
        leaf = Certificate((folder / "certs" / f"{case.leaf}.crt").read_bytes())
    except CertsError as error:
        return False, str(error)
    store, pool, lists = suite()
    result = validate_path(leaf, pool, store, AT, purpose="any", crls=lists, policies=case.settings)
    return result.passed, f"{result.sub_indication}: {result.detail}"


def test_the_table_is_whole() -> None:
    assert len(CASES) == 249
    assert len({case.number.partition("/")[0] for case in CASES}) == 226


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_pkits(case: Case) -> None:
    passed, detail = accepted(case)
    reason = SKIPPED.get(case.number)
    if reason:
        assert passed is not (case.expected == "accept"), f"{case.number} goes right: take it out of its table"
        pytest.skip(reason)
    assert passed is (case.expected == "accept"), detail
