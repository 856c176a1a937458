"""Everything we make in one suite, written as files for outside programs to judge.

paper = of("sm2", directory)
paper.file("person.cer"), paper.file("detached.p7s"), paper.moment

root, issuing, person, organisation, tsa   .cer (DER) and .pem; the organisation's certificate is revoked
root.crl, issuing.crl                      DER, and .crl.pem
content.bin, altered.bin                   what is signed and stamped, and the same with one octet changed
detached.p7s, attached.p7m, bare.p7s       CMS by `certs.signed_data`; the last without signed attributes
cades.p7s                                  detached CAdES with a signature time-stamp by `signer.cms`
request.tsq, answer.tsr, token.tst         RFC 3161
ocsp.req, ocsp.ors, ocsp.cer               RFC 6960: about person, organisation (revoked) and a number nobody issued, in
                                           that order, with a nonce; and the responder's certificate
direct.ors                                 the same questions answered by the issuing authority itself
issuing.req, issuing.ors                   about the issuing authority, by a responder of the root
person.p8                                  the person's key, PKCS#8, unencrypted: for the test only
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from certs import ocsp, profiles, signed_data, suites, timestamp
from certs.certificate import Subject, armor
from certs.crl import CRL
from certs.ocsp_responder import OCSPResponder
from tests.conftest import CLOCK, NOW, Circle, make_circle

CONTENT = "Contract № 7 / 合同 / договор\n".encode() * 40
ALTERED = b"c" + CONTENT[1:]
NEVER_ISSUED = 0x5A123456789ABCDEF
MOMENT = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
EPOCH = str(int(NOW.timestamp()))
"""The moment the clock of the tests stands at, as Java and as openssl want it."""


@dataclass(frozen=True, eq=False)
class Papers:
    """A directory of files of one suite, and the circle they come from."""

    directory: Path
    circle: Circle

    def file(self, name: str) -> Path:
        """Return the file `name`."""
        return self.directory / name

    def files(self, *names: str) -> list[Path]:
        """Return several files."""
        return [self.directory / name for name in names]

    @property
    def suite_name(self) -> str:
        return self.circle.suite_name

    @property
    def digest_name(self) -> str:
        return suites.get(self.circle.suite_name).digest_name


@cache
def of(suite_name: str, desk: Path) -> Papers:
    """Return the papers of a suite, written once per process."""
    circle = make_circle(suite_name)
    circle.ca.revoke(circle.organisation.certificate.serial, "keyCompromise")
    paper = Papers(desk / suite_name, circle)
    paper.directory.mkdir()
    for name, certificate in {
        "root": circle.root,
        "issuing": circle.issuing,
        "person": circle.person.certificate,
        "organisation": circle.organisation.certificate,
        "tsa": circle.tsa.certificate,
    }.items():
        paper.file(f"{name}.cer").write_bytes(certificate.der)
        paper.file(f"{name}.pem").write_text(certificate.pem)
    for name, encoded in {"root": circle.ca.root_crl(), "issuing": circle.ca.crl()}.items():
        paper.file(f"{name}.crl").write_bytes(encoded)
        paper.file(f"{name}.crl.pem").write_text(CRL(encoded).pem)
    pems = [paper.file(f"{name}.crl.pem").read_text() for name in ("root", "issuing")]
    paper.file("crls.pem").write_text("".join(pems))
    paper.file("content.bin").write_bytes(CONTENT)
    paper.file("altered.bin").write_bytes(ALTERED)
    _write_cms(paper)
    _write_stamps(paper)
    _write_ocsp(paper)
    key = circle.person.key.pkcs8()
    paper.file("person.p8").write_bytes(key)
    paper.file("person.key.pem").write_text(armor("PRIVATE KEY", key))
    return paper


def _write_cms(paper: Papers) -> None:
    circle, person = paper.circle, paper.circle.person
    common = {"chain": (circle.issuing,), "signing_time": NOW}
    attached = signed_data.build_signed_data(CONTENT, person.key, person.certificate, **common)
    detached = signed_data.build_signed_data(CONTENT, person.key, person.certificate, detached=True, **common)
    bare = signed_data.assemble(
        person.key.suite, person.certificate, None, person.key.sign(CONTENT), chain=(circle.issuing,)
    )
    paper.file("attached.p7m").write_bytes(attached)
    paper.file("detached.p7s").write_bytes(detached)
    paper.file("bare.p7s").write_bytes(bare)


def _write_stamps(paper: Papers) -> None:
    digest = suites.get(paper.suite_name).stamp_digest_name
    imprint = suites.digest(digest, CONTENT)
    request = timestamp.make_request(digest, imprint)
    paper.file("request.tsq").write_bytes(request)
    paper.file("answer.tsr").write_bytes(paper.circle.timestamper.respond(request))
    paper.file("token.tst").write_bytes(paper.circle.timestamper.stamp(digest, imprint))


def _write_ocsp(paper: Papers) -> None:
    circle, key = paper.circle, paper.circle.tsa.key
    subject = Subject("OCSP", organisation="Sealroad Test", country="DE")
    holders = (circle.person, circle.organisation)
    serials = [holder.certificate.serial for holder in holders] + [NEVER_ISSUED]
    questions = [ocsp.make_cert_id(circle.issuing, serial) for serial in serials]
    requests = {
        "ocsp": ocsp.request_for(questions, nonce=b"nonce of thirty-two octets here!"),
        "issuing": ocsp.make_request([(circle.issuing, circle.root)]),
    }
    for name, authority in (("ocsp", circle.ca.issuing), ("issuing", circle.ca.root_authority)):
        plan = authority.prepare(profiles.load("ocsp"), subject, key.public_key.spki)
        certificate = authority.issue(plan)
        responder = OCSPResponder(key, certificate, authority.certificate, authority.ledger, CLOCK)
        paper.file(f"{name}.req").write_bytes(requests[name])
        paper.file(f"{name}.ors").write_bytes(responder.respond(requests[name]))
        if name == "ocsp":
            paper.file("ocsp.cer").write_bytes(certificate.der)
            paper.file("ocsp.pem").write_text(certificate.pem)
            own = OCSPResponder(authority.key, authority.certificate, authority.certificate, authority.ledger, CLOCK)
            paper.file("direct.ors").write_bytes(own.respond(requests[name]))
