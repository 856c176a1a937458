"""NIST PKITS 1.0.1: all 249 runs, each with all certificates and lists of the suite at hand: paths are found too.

`pkits.tsv` says what is expected; every run must go so. They are judged in 2011, when DSA of 1024 bits over SHA-1, as
4.1.4 and 4.1.5 have it, still proved something.
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

DSA = ("4.1.4", "4.1.5")


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


def accepted(case: Case, at: datetime = AT) -> tuple[bool, str]:
    import cryptography_vectors

    folder = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
    try:
        leaf = Certificate((folder / "certs" / f"{case.leaf}.crt").read_bytes())
    except CertsError as error:
        return False, str(error)
    store, pool, lists = suite()
    result = validate_path(leaf, pool, store, at, purpose="any", crls=lists, policies=case.settings)
    return result.passed, f"{result.sub_indication}: {result.detail}"


def test_the_table_is_whole() -> None:
    assert len(CASES) == 249
    assert len({case.number.partition("/")[0] for case in CASES}) == 226


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_pkits(case: Case) -> None:
    passed, detail = accepted(case)
    assert passed is (case.expected == "accept"), detail


@pytest.mark.parametrize("number", DSA)
def test_dsa_proves_nothing_today(number: str) -> None:
    """Nor one second after the end of SHA-1: all certificates and lists of the suite are good until 2030."""
    case = next(case for case in CASES if case.number == number)
    assert accepted(case, datetime(2012, 7, 31, 23, 59, 59, tzinfo=UTC))[0]
    for at in (datetime(2012, 8, 1, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)):
        passed, detail = accepted(case, at)
        assert not passed
        assert detail.startswith("CRYPTO_CONSTRAINTS_FAILURE:"), detail
