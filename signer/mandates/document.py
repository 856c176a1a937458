"""The checks of a power of attorney by itself, from the verifier's report on its signature.

 1. identifiers   the numbers in it have the right form and checksum                       certs.identifiers
 2. signature     the signature is right over exactly the octets of the file               RFC 5652 5.4
 3. chain         the signer's certificate leads to somebody this verifier trusts          EN 319 102-1 5.2.6
 4. principal     the signer's certificate names whoever gives the power, by number        RFC 9215 4, GB/T 20518
 5. signatory     it names who, as the file says, acts for the principal without one       EMCHD_1 ЛицоБезДов
 6. sub-delegation  it is first-hand; the chain above a sub-delegation is not looked at    EMCHD_1 СвПервДовер
 7. content       what is stated beside a PDF is not compared with it                      –
 8. register      no register of powers of attorney was asked whether it is revoked        EMCHD_1 СведСист

The names of the checks are stable.
"""

from __future__ import annotations

from typing import Final

from certs.identifiers import Identifier
from certs.mandates import Actor
from signer.mandates.grant import Grant
from signer.mandates.matching import compare, same_organisation_name
from signer.report import CONSENT, CheckResult, Report, Result, SignatureReport, SignerReport, Verdict

OPEN_TRUST: Final = frozenset({"NO_CERTIFICATE_CHAIN_FOUND", "TRY_LATER"})
"""Sub-indications of a certificate from elsewhere: its authority, or its lists, are not known here."""
NUMBERS: Final = "RFC 9215 4, GB/T 20518: numbers in the certificate"


def judge(grant: Grant, report: Report) -> tuple[CheckResult, ...]:
    """Return what is found of a power of attorney by itself. Never raises for what is inside."""
    signatures = [each for each in report.signatures if each.kind in CONSENT and each.signer is not None]
    found = [_by_principal(principal, signatures) for principal in grant.principals]
    chosen = [each.signature for each in found if each.signature is not None] or list(report.signatures)
    checks = [_identifiers(grant), _signature(chosen), _chain(chosen)]
    checks.append(_principal(found))
    if grant.kind == "mandate":
        checks += [_signatory(grant, signatures), _sub_delegation(grant)]
    else:
        detail = "whom it names, for what and until when is stated beside the PDF; nobody compared it with the PDF"
        checks.append(CheckResult("content", "", "not-checked", detail, "the statement of whoever handed it in"))
    return (*checks, _register(grant))


class _Found:
    """Which signature is a principal's, and how that is known."""

    def __init__(self, principal: Actor, result: Result, detail: str, signature: SignatureReport | None = None) -> None:
        self.principal, self.result, self.detail, self.signature = principal, result, detail, signature


def _by_principal(principal: Actor, signatures: list[SignatureReport]) -> _Found:
    """Find the signature of a principal: by its own numbers, else by those of its head, else by its name."""
    if not signatures:
        return _Found(principal, "failed", f"nobody has signed for {principal.name}")
    contradicted = ""
    weaker: _Found | None = None
    for signature in signatures:
        assert signature.signer is not None
        numbers = numbers_of(signature.signer)
        same, different = compare(principal.identifiers, numbers)
        if different:
            contradicted = f"the certificate has another {different[0].partition('/')[0]}"
        elif same:
            detail = f"the certificate has the {', '.join(kind.partition('/')[0] for kind in same)} of {principal.name}"
            return _Found(principal, "passed", detail, signature)
        elif head := next((each for each in _people(principal.heads) if _is(each, signature.signer)), None):
            detail = (
                f"the certificate names {head.name} and no organisation; that they head {principal.name} is what the "
                "power of attorney itself says, and no register was asked"
            )
            weaker = _Found(principal, "not-checked", detail, signature)
        elif weaker is None and same_organisation_name(principal.name, signature.signer.organisation or ""):
            detail = "the certificate has the name of the principal and none of its numbers"
            weaker = _Found(principal, "not-checked", detail, signature)
    if weaker is not None:
        return weaker
    return _Found(principal, "failed", contradicted or f"no certificate of a signer names {principal.name}")


def numbers_of(signer: SignerReport) -> list[Identifier]:
    """Return the national identifiers in a signer's certificate."""
    return [Identifier(each.scheme, each.value) for each in signer.identifiers]


def _people(heads: tuple[Actor, ...]) -> list[Actor]:
    """Return the people who act for an organisation; for one that another company manages, that one's."""
    return [person for head in heads for person in (head.heads or (head,))]


def _is(person: Actor, signer: SignerReport) -> bool:
    """Tell whether a certificate names a person, by number."""
    same, different = compare(person.identifiers, numbers_of(signer))
    return bool(same) and not different


def _identifiers(grant: Grant) -> CheckResult:
    actors = [*grant.principals, *grant.representatives]
    actors += [person for each in grant.principals for person in _people(each.heads)]
    everything = [number for actor in actors for number in actor.identifiers]
    wrong = [str(each) for each in everything if each.checksum_ok is False]
    clause = "GB 32100-2015; checksums of INN, OGRN, OGRNIP, SNILS"
    if wrong:
        return CheckResult("identifiers", clause, "failed", f"form or checksum is wrong: {', '.join(wrong[:5])}")
    return CheckResult("identifiers", clause, "passed", f"{len(everything)} numbers")


def _signature(signatures: list[SignatureReport]) -> CheckResult:
    for each in signatures:
        if each.cryptographic.result != "passed":
            reason = each.reason or "the signature does not verify"
            return CheckResult("signature", "RFC 5652 5.4", "failed", reason, each.suite or "")
    if not signatures:
        return CheckResult("signature", "RFC 5652 5.4", "failed", "there is no signature")
    suites = ", ".join(sorted({each.suite or "?" for each in signatures}))
    return CheckResult("signature", "RFC 5652 5.4", "passed", "over the octets of the file", suites)


def _chain(signatures: list[SignatureReport]) -> CheckResult:
    clause, unknown, anchors = "EN 319 102-1 5.2.6", "", []
    for each in signatures:
        if each.verdict is Verdict.TOTAL_PASSED:
            anchors += [f"{item.name} (SHA-256 {item.sha256})" for item in each.objects if item.use == "anchor"]
            continue
        if each.sub_indication not in OPEN_TRUST:
            return CheckResult("chain", clause, "failed", each.reason or each.verdict.value, each.sub_indication or "")
        unknown = each.reason or each.sub_indication
    if unknown:
        return CheckResult("chain", clause, "not-checked", unknown, "authorities that this service was told to trust")
    basis = "; ".join(dict.fromkeys(anchors))
    return CheckResult("chain", clause, "passed" if signatures else "failed", basis=basis)


def _principal(found: list[_Found]) -> CheckResult:
    for result in ("failed", "not-checked"):
        for each in found:
            if each.result == result:
                return CheckResult("principal", NUMBERS, each.result, each.detail)
    return CheckResult("principal", NUMBERS, "passed", "; ".join(each.detail for each in found[:3]))


def _signatory(grant: Grant, signatures: list[SignatureReport]) -> CheckResult:
    """Compare who signed with whom the file says to act for the principal; all of them, where only all may."""
    clause = "EMCHD_1 ЛицоБезДов"
    signers = [each.signer for each in signatures if each.signer is not None and _holds(each)]
    for principal in grant.principals:
        people = _people(principal.heads)
        known = [any(_is(person, signer) for signer in signers) for person in people]
        if not people or (all(known) if principal.heads_jointly else any(known)):
            continue
        others = any(compare(person.identifiers, numbers_of(signer))[1] for person in people for signer in signers)
        if others and not any(known):
            detail = f"the certificate names another person than {people[0].name}, who is to sign"
            return CheckResult("signatory", clause, "failed", detail)
        if principal.heads_jointly and any(known):
            return CheckResult("signatory", clause, "failed", "not all have signed who act only together")
        detail = f"the certificate has no number of {people[0].name}, who is to sign"
        return CheckResult("signatory", clause, "not-checked", detail)
    return CheckResult("signatory", clause, "passed")


def _holds(signature: SignatureReport) -> bool:
    """Tell whether a signature is right, and nothing speaks against its certificate."""
    trusted = signature.verdict is Verdict.TOTAL_PASSED or signature.sub_indication in OPEN_TRUST
    return signature.cryptographic.result == "passed" and trusted


def _sub_delegation(grant: Grant) -> CheckResult:
    clause = "EMCHD_1 СвПервДовер"
    if grant.root is None:
        return CheckResult("sub-delegation", clause, "passed", "it is first-hand")
    detail = f"it rests on another power of attorney ({grant.root}), which was not looked at"
    return CheckResult("sub-delegation", clause, "not-checked", detail)


def _register(grant: Grant) -> CheckResult:
    if grant.kind == "mandate":
        detail = "the register of the tax service was not asked whether it is revoked: nobody outside is asked"
        return CheckResult("register", "EMCHD_1 СведСист", "not-checked", detail)
    return CheckResult("register", "", "not-checked", "there is no register that could be asked whether it is revoked")
