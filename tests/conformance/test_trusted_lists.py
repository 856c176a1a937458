"""Published trusted lists, judged by us and by xmlsec1: SEALROAD_TRUSTED_LISTS names a folder of .xml files.

The signer is taken from each list itself, so this says whether a signature is computed as others compute it, not whose
it is. Where xmlsec1 finds a signature good we find it good, or refuse its algorithm or the validity of its certificate;
where xmlsec1 does not, nor do we.
"""

from __future__ import annotations

import os
from base64 import b64decode
from pathlib import Path

import pytest

from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.trust.entries import TrustList
from certs.trust.etsi import read_etsi
from certs.trust.xades import DS
from certs.trust.xml import parse_xml
from tests.interop.programs import Program

pytestmark = [pytest.mark.slow, pytest.mark.interop]

FOLDER = os.environ.get("SEALROAD_TRUSTED_LISTS")
FILES = sorted(path for path in Path(FOLDER).rglob("*.xml") if path.stat().st_size) if FOLDER else []
IDS = (
    *("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"),
    *("--id-attr:Id", "http://uri.etsi.org/02231/v2#:TrustServiceStatusList"),
)


def judge(data: bytes, signer: Certificate) -> TrustList | CertsError:
    try:
        return read_etsi(data, signers={signer.fingerprint()})
    except CertsError as error:
        return error


@pytest.mark.skipif(not FOLDER, reason="SEALROAD_TRUSTED_LISTS names no folder of lists")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(str(FOLDER))))
def test_a_published_list(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    try:
        signature = parse_xml(data).findall(f"{{{DS}}}Signature")
    except MalformedInput:
        pytest.skip("no XML that we read")
    if len(signature) != 1:
        with pytest.raises(TrustListError):
            read_etsi(data, signers=())
        return
    text = signature[0].findtext(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    signer = Certificate(b64decode("".join((text or "").split())))
    (tmp_path / "signer.pem").write_text(signer.pem)
    judged = Program.find("xmlsec1").run(
        "--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem", tmp_path / "signer.pem", *IDS, path
    )
    made = judge(data, signer)
    if isinstance(made, CertsError):
        assert judged.code != 0 or made.facts.get("reason") in {"algorithm", "signer"}, made
        return
    judged.check("OK")
    plain = read_etsi(data)
    assert (made.entries, made.pointers, made.sequence) == (plain.entries, plain.pointers, plain.sequence)
