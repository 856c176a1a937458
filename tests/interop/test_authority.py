"""Requests, cross-certificates, constraints and subject forms, judged by openssl, GnuTLS and Bouncy Castle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from certs import profiles, relations, suites
from certs.alt_names import AltNames
from certs.ca import Authority
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.constraints import Constraints, Subtree
from certs.crl import CRL
from certs.errors import IssuanceError
from certs.ledger import MemoryLedger
from certs.pem import armor
from certs.request import accept, load_request, make_request
from tests.certs.test_profiles import FACTS, LIMITS, SUBJECTS
from tests.conftest import ALL_SUITES, CLOCK, NOW, SIGNING, circle_of, keys_of, make_circle, subjects_of
from tests.interop.papers import EPOCH, MOMENT
from tests.interop.programs import BOUNCY_CASTLE, Docket, Opinion, Program, jars

pytestmark = pytest.mark.interop

OPENSSL = tuple(name for name in ALL_SUITES if not name.startswith("ml-dsa"))
"""OpenSSL 3.0 has no ML-DSA."""
KNOWN = tuple(name for name in SIGNING if not name.startswith("ml-dsa"))
"""Bouncy Castle 1.72 has Dilithium as it was before FIPS 204."""
DISTID = ("-vfyopt", "distid:1234567812345678")


def tool_for(suite: str, request: pytest.FixtureRequest) -> Program:
    return request.getfixturevalue("gost_openssl" if suite.startswith("gost") else "openssl")


# Requests ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_verifies_our_requests(suite: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tool = tool_for(suite, request)
    encoded = make_request(keys_of(suite)[0], subjects_of(suite)[0], AltNames(emails=("a@example.com",)))
    broken = encoded[:-1] + bytes((encoded[-1] ^ 1,))
    options = DISTID if suite == "sm2" else ()
    for name, data in (("good", encoded), ("bad", broken)):
        (tmp_path / name).write_text(armor("CERTIFICATE REQUEST", data))
    good = tool.run("req", "-verify", "-noout", "-text", "-in", tmp_path / "good", *options).check("verify OK")
    assert "a@example.com" in good.text
    assert "verify OK" not in tool.run("req", "-verify", "-noout", "-in", tmp_path / "bad", *options).text
    if suite == "sm2":
        other = ("-vfyopt", "distid:another")
        assert "verify OK" not in tool.run("req", "-verify", "-noout", "-in", tmp_path / "good", *other).text


@pytest.mark.parametrize("suite", OPENSSL)
def test_we_accept_openssls_requests(suite: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tool = tool_for(suite, request)
    key = keys_of(suite)[1]
    (tmp_path / "key.pem").write_text(armor("PRIVATE KEY", key.pkcs8()))
    options = ["-sigopt", "distid:1234567812345678", "-sm3"] if suite == "sm2" else []
    if suite == "rsa-pss":
        options = ["-sigopt", "rsa_padding_mode:pss"]
    elif suite.startswith("gost"):
        options = ["-md_gost12_256" if suite.endswith("256") else "-md_gost12_512"]
    names = ("-addext", "subjectAltName=email:anna@example.com", "-addext", "keyUsage=keyCertSign")
    made = tmp_path / "made.csr"
    subject = ("-utf8", "-subj", "/C=DE/O=Nord/CN=Änne", *names)
    tool.run("req", "-new", "-key", tmp_path / "key.pem", "-out", made, *subject, *options).check()
    accepted = accept(load_request(made.read_bytes()), profiles.load("person"))
    assert accepted.suite in (suite, "rsa-pss")
    assert accepted.subject == Subject("Änne", organisation="Nord", country="DE")
    assert accepted.names == AltNames(emails=("anna@example.com",))
    assert accepted.passed_over == ("key-usage",)
    assert suites.load_public(accepted.spki).parameter == key.public_key.parameter


@pytest.mark.parametrize("parameter", suites.get("gost2012-256").parameters + suites.get("gost2012-512").parameters)
def test_requests_of_every_gost_parameter_set(parameter: str, gost_openssl: Program, tmp_path: Path) -> None:
    suite = suites.get("gost2012-512" if parameter.startswith("TC26-512") else "gost2012-256")
    encoded = make_request(suite.generate(parameter), Subject("A", country="RU"))
    (tmp_path / "r.pem").write_text(armor("CERTIFICATE REQUEST", encoded))
    gost_openssl.run("req", "-verify", "-noout", "-in", tmp_path / "r.pem").check("verify OK")


# Relations and constraints --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Files:
    directory: Path

    def put(self, name: str, data: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(data)
        return path


DN = Subject("x", country="CN").name()
CONSTRAINED = {
    "email inside": (Subtree("email", "example.cn"), True),
    "email outside": (Subtree("email", "example.org"), False),
    "email excluded": (Subtree("email", "anna@example.cn"), None),
    "dn inside": ("DE", True),
    "dn outside": ("CN", False),
}


def country(code: str) -> Subtree:
    from certs import der, oids

    attribute = der.sequence(der.oid(oids.COUNTRY), der.tlv(0x13, code.encode()))
    return Subtree.directory(der.sequence(der.tlv(der.SET, attribute)))


def constrained(suite: str, case: str) -> tuple[Certificate, Certificate, Certificate, bool]:
    """Leaf, limited authority and root of one case, and whether the leaf is within the limits."""
    what, inside = CONSTRAINED[case]
    subtree = country(what) if isinstance(what, str) else what
    limits = (
        Constraints(path_length=0, excluded=(subtree,))
        if inside is None
        else Constraints(path_length=0, permitted=(subtree,))
    )
    circle = make_circle(suite)
    key = circle.person.key
    upper = circle.ca.root_authority
    subject = Subject("Limited", organisation="O", country=what if isinstance(what, str) else "DE")
    middle = upper.issue(upper.prepare(profiles.load("intermediate"), subject, key.public_key.spki, constraints=limits))
    authority = Authority(key, middle, ledger=MemoryLedger(), clock=CLOCK)
    person = Subject("Anna", country="DE", email="anna@example.cn")
    wanted = (profiles.load("person"), person, key.public_key.spki)
    with pytest.MonkeyPatch.context() as patch:
        if not inside:  # our own authority does not go outside its limits: one that does not look is needed
            with pytest.raises(IssuanceError, match=r"permit|exclude"):
                authority.prepare(*wanted)
            patch.setattr("certs.lint.check", lambda *_, **__: None)
        leaf = authority.issue(authority.prepare(*wanted))
    return leaf, middle, circle.root, bool(inside)


@pytest.fixture(scope="module")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opinion]:
    jars(BOUNCY_CASTLE)
    files = Files(tmp_path_factory.mktemp("authority"))
    docket = Docket(files.directory)
    for over, under in permutations(KNOWN, 2):
        upper, other = circle_of(over), circle_of(under)
        authority = upper.ca.root_authority
        for what, certificate in (("root", other.root), ("issuing", other.issuing)):
            cross = authority.issue(relations.prepare_cross(authority, certificate))
            tag = f"{over}-{under}-{what}"
            lists = [*(crl.der for crl in other.crls), upper.ca.root_crl()]
            docket.add(
                tag,
                "chain",
                leaf=files.put(f"{tag}-leaf.cer", other.person.certificate.der),
                link=[files.put(f"{tag}-cross.cer", cross.der)]
                + ([files.put(f"{tag}-issuing.cer", other.issuing.der)] if what == "root" else []),
                anchor=[files.put(f"{tag}-root.cer", upper.root.der)],
                crl=[files.put(f"{tag}-{n}.crl", data) for n, data in enumerate(lists)],
                at=MOMENT,
            )
    for suite in KNOWN:
        for case in CONSTRAINED:
            leaf, middle, root, _ = constrained(suite, case)
            tag = f"{suite} {case}"
            named = tag.replace(" ", "-")
            docket.add(
                tag,
                "chain",
                leaf=files.put(f"{named}-leaf.cer", leaf.der),
                link=files.put(f"{named}-middle.cer", middle.der),
                anchor=files.put(f"{named}-root.cer", root.der),
                at=MOMENT,
            )
        circle = make_circle(suite)
        later = FixedClock(NOW.replace(year=NOW.year + 1))
        ledger = MemoryLedger()
        key = keys_of(suite)[4]
        links = relations.next_root(circle.ca.root_authority, key, clock=later, ledger=ledger)
        issuing = Authority(circle.ca.issuing.key, circle.issuing, ledger=ledger, clock=later)
        person = issuing.issue(issuing.prepare(profiles.load("person"), SUBJECTS["plain"][0], key.public_key.spki))
        docket.add(
            f"{suite} old under new",
            "chain",
            leaf=files.put(f"{suite}-person.cer", person.der),
            link=files.directory
            and [
                files.put(f"{suite}-issuing.cer", circle.issuing.der),
                files.put(f"{suite}-old-with-new.cer", links.old_with_new.der),
            ],
            anchor=files.put(f"{suite}-new.cer", links.root.der),
            at=f"{later.now():%Y-%m-%dT%H:%M:%SZ}",
        )
        for form, subjects in SUBJECTS.items():
            for n, subject in enumerate(subjects):
                leaf = circle.ca.issue("person", subject, key.public_key.spki, form=form, facts=FACTS)
                docket.add(
                    f"{suite} form {form} {n}",
                    "chain",
                    leaf=files.put(f"{suite}-{form}-{n}.cer", leaf.der),
                    link=files.put(f"{suite}-i.cer", circle.issuing.der),
                    anchor=files.put(f"{suite}-r.cer", circle.root.der),
                    at=MOMENT,
                )
    return docket.judge()


@pytest.mark.parametrize(("over", "under"), list(permutations(KNOWN, 2)))
def test_bouncy_castle_follows_our_cross_certificates(over: str, under: str, opinions: dict[str, Opinion]) -> None:
    for what, length in (("root", 3), ("issuing", 2)):
        opinion = opinions[f"{over}-{under}-{what}"]
        assert opinion.good, opinion
        assert f"path of {length}" in opinion.detail
        assert "not revoked" in opinion.detail


@pytest.mark.parametrize("suite", KNOWN)
@pytest.mark.parametrize("case", CONSTRAINED)
def test_bouncy_castle_enforces_our_name_constraints(suite: str, case: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} {case}"].good == bool(CONSTRAINED[case][1]), opinions[f"{suite} {case}"]


@pytest.mark.parametrize("suite", KNOWN)
def test_bouncy_castle_follows_a_new_root_to_the_old_key(suite: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} old under new"].good, opinions[f"{suite} old under new"]


@pytest.mark.parametrize("suite", KNOWN)
def test_bouncy_castle_reads_every_subject_form(suite: str, opinions: dict[str, Opinion]) -> None:
    forms = [opinions[f"{suite} form {form} {n}"] for form, them in SUBJECTS.items() for n in range(len(them))]
    assert all(opinion.good for opinion in forms), forms


@pytest.mark.parametrize("suite", [name for name in OPENSSL if name != "sm2"])
@pytest.mark.parametrize("case", CONSTRAINED)
def test_openssl_enforces_our_name_constraints(
    suite: str, case: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    leaf, middle, root, inside = constrained(suite, case)
    paths = {}
    for name, certificate in (("leaf", leaf), ("middle", middle), ("root", root)):
        paths[name] = tmp_path / f"{name}.pem"
        paths[name].write_text(certificate.pem)
    arguments = ("-CAfile", paths["root"], "-untrusted", paths["middle"], paths["leaf"])
    outcome = tool_for(suite, request).run("verify", "-x509_strict", "-attime", EPOCH, *arguments)
    if inside:
        outcome.check("OK")
    else:
        outcome.refused("subtree violation")


@pytest.mark.parametrize("over", [name for name in OPENSSL if name != "sm2" and name in SIGNING])
def test_openssl_follows_cross_certificates_and_policies(over: str, gost_openssl: Program, tmp_path: Path) -> None:
    circle = make_circle(over)
    authority = circle.ca.root_authority
    for under in ("rsa", "ecdsa-p256", "ed25519", "gost2012-256", "gost2012-512"):
        if under == over:
            continue
        other = circle_of(under)
        cross = authority.issue(relations.prepare_cross(authority, other.root))
        (tmp_path / "links").write_text(cross.pem + other.issuing.pem)
        (tmp_path / "leaf").write_text(other.person.certificate.pem)
        (tmp_path / "root").write_text(circle.root.pem)
        (tmp_path / "crls").write_text("".join(crl.pem for crl in (*other.crls, CRL(circle.ca.root_crl()))))
        lists = ("-crl_check_all", "-CRLfile", tmp_path / "crls")
        arguments = ("-CAfile", tmp_path / "root", "-untrusted", tmp_path / "links", tmp_path / "leaf")
        gost_openssl.run("verify", "-x509_strict", "-attime", EPOCH, *lists, *arguments).check("OK")
        short = authority.issue(relations.prepare_cross(authority, other.root, Constraints(path_length=0)))
        (tmp_path / "links").write_text(short.pem + other.issuing.pem)
        gost_openssl.run("verify", "-attime", EPOCH, *arguments).refused("path length constraint exceeded")
        strict = Constraints(path_length=1, require_explicit_policy=0, policies=LIMITS.policies)
        wanting = authority.issue(relations.prepare_cross(authority, other.root, strict))
        (tmp_path / "links").write_text(wanting.pem + other.issuing.pem)
        gost_openssl.run("verify", "-attime", EPOCH, "-policy_check", *arguments).refused("no explicit policy")


# Subject forms and extensions, as others print them ------------------------------------------------------------------
@pytest.mark.parametrize("form", list(SUBJECTS))
def test_openssl_prints_every_form(form: str, gost_openssl: Program, tmp_path: Path) -> None:
    circle = circle_of("gost2012-256")
    for subject in SUBJECTS[form]:
        leaf = circle.ca.issue("person", subject, circle.person.key.public_key.spki, form=form, facts=FACTS)
        (tmp_path / "c.pem").write_text(leaf.pem)
        options = ("-nameopt", "utf8,sep_comma_plus,sname", "-ext", "subjectAltName,keyUsage,certificatePolicies")
        shown = gost_openssl.run("x509", "-noout", "-subject", "-in", tmp_path / "c.pem", *options[:2]).check()
        assert subject.common_name.replace("«", "").split()[0].strip('"') in shown.text.replace("«", "")
        text = gost_openssl.run("x509", "-noout", "-text", "-in", tmp_path / "c.pem").check().text
        if form == "russia":
            assert "Signing Tool of Subject" in text
            assert "Signing Tool of Issuer" in text


def test_certtool_prints_every_profile(tmp_path: Path) -> None:
    certtool = Program.find("certtool")
    circle = circle_of("ecdsa-p256")
    spki = circle.person.key.public_key.spki
    for name in ("seal", "encryption", "dvcs", "one-time", "tls"):
        names = AltNames(dns=("h.example",)) if name == "tls" else None
        subject = SUBJECTS["europe"][1]
        leaf = circle.ca.issue(name, subject, spki, names=names)
        (tmp_path / "c.pem").write_text(leaf.pem)
        shown = certtool.run("--certificate-info", "--infile", tmp_path / "c.pem").check("Key Usage (critical)")
        assert "error" not in shown.text.lower()


def test_openssl_takes_the_tls_certificate_for_its_host(openssl: Program, tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    names = AltNames(dns=("h.example",), ips=("192.0.2.1",))
    leaf = circle.ca.issue("tls", Subject("h"), circle.person.key.public_key.spki, names=names)
    for name, text in (("leaf", leaf.pem), ("issuing", circle.issuing.pem), ("root", circle.root.pem)):
        (tmp_path / name).write_text(text)
    chain = ("-CAfile", tmp_path / "root", "-untrusted", tmp_path / "issuing", tmp_path / "leaf")
    base = ("verify", "-x509_strict", "-purpose", "sslserver", "-attime", EPOCH)
    openssl.run(*base, "-verify_hostname", "h.example", *chain).check("OK")
    openssl.run(*base, "-verify_ip", "192.0.2.1", *chain).check("OK")
    openssl.run(*base, "-verify_hostname", "other.example", *chain).refused("hostname mismatch")
