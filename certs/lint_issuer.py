"""Whether a to-be-signed certificate fits the authority that will sign it, and those above.

    for sentence in against(certificate, (issuer, root)):      # issuer first, up to the anchor as far as known
        ...                                                    # "… (RFC 5280 6.1.3 (b), (c))"

The rules are those of path validation, applied before the key is used: what no verifier would accept is not signed.
`certs.lint` asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.path_names import NameViolation, check_names
from certs.path_policies import PolicySettings, process_policies, read_mappings
from certs.path_result import BudgetExceeded, Limits
from certs.suites.base import Use

MAX_COMPARISONS = Limits.names
"""What is dearer is refused by ourselves later."""


def against(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    """Yield one sentence per rule broken; `above` is the issuer and its issuers, at least one."""
    issuer = above[0]
    yield from _identity(certificate, issuer)
    yield from _validity(certificate, above)
    yield from _authority(certificate, above)
    yield from _names(certificate, above)
    yield from _policies(certificate, above)
    yield from _purposes(certificate, above)


def issuers_of(certificate: Certificate, among: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Return who certified a certificate, up to a root, by name and key identifier; as far as they are in `among`."""
    known, out = tuple(among), list[Certificate]()
    while not certificate.self_issued:
        above = (
            item
            for item in known
            if item.subject_name.key == certificate.issuer_name.key and item.ski == certificate.aki and item not in out
        )
        found = next(above, None)
        if found is None:
            break
        out.append(found)
        certificate = found
    return tuple(out)


def _identity(certificate: Certificate, issuer: Certificate) -> Iterator[str]:
    if certificate.issuer_name.der != issuer.subject_name.der:
        yield "the issuer name is not the issuer's subject, to the octet (RFC 5280 4.1.2.4, 7.1)"
    if certificate.aki != issuer.ski:
        yield "the authority key identifier is not the issuer's (RFC 5280 4.2.1.1)"
    try:
        algorithm = suites.load_public(issuer.spki).suite.signature_algorithm(Use.X509)
    except CertsError as error:
        yield f"the issuer's key is not usable: {error}"
        return
    if certificate.signature_algorithm != algorithm.der():
        yield "the signature algorithm is not that of the issuer's key (RFC 5280 4.1.2.3)"


def _validity(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    clause = "(RFC 5280 6.1.3 (a)(2): at every moment the whole chain must be valid)"
    for issuer in above:
        if certificate.not_after > issuer.not_after:
            yield f"valid for longer than {issuer.subject} {clause}"
        # RFC 4210 4.4: the old key of an authority is certified by its next one, from its own beginning on
        if certificate.not_before < issuer.not_before and not certificate.self_issued:
            yield f"valid before {issuer.subject} is {clause}"


def _authority(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    issuer = above[0]
    if not issuer.is_ca or not issuer.allows("key_cert_sign"):
        yield "the issuer is no authority (RFC 5280 4.2.1.3, 4.2.1.9)"
    if not certificate.is_ca:
        return
    below = 0 if certificate.self_issued else 1  # a self-issued link is not counted
    for authority in above:
        length = authority.path_length
        if length is not None and below > length:
            yield f"the path length of {authority.subject} forbids another authority here (RFC 5280 4.2.1.9)"
        below += not authority.self_issued
    if issuer.path_length and not certificate.self_issued:  # what the issuer cannot pass on is not promised
        own = certificate.path_length
        if own is None or own >= issuer.path_length:
            yield "the path length is not below the issuer's (RFC 5280 4.2.1.9)"


def _names(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    if certificate.is_ca and certificate.self_issued:  # RFC 5280 6.1.3 (b): exempt, unless at the end
        return
    clause = "(RFC 5280 4.2.1.10, 6.1.3 (b), (c))"
    try:
        check_names((certificate, *above), limit=MAX_COMPARISONS)
    except NameViolation as error:
        yield f"{error} {clause}"
    except (MalformedInput, BudgetExceeded) as error:
        yield f"names or their constraints cannot be processed: {error} {clause}"


def _policies(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    issuer = above[0]
    try:
        if not process_policies((certificate, *above), PolicySettings()).acceptable:
            yield "an authority above requires a policy, and none holds for the chain (RFC 5280 4.2.1.11, 6.1.5 (g))"
        if not issuer.policies or oids.ANY_POLICY in issuer.policies:
            return
        allowed = set(issuer.policies).union(*read_mappings(issuer).values())
    except (MalformedInput, BudgetExceeded) as error:
        yield f"certificate policies cannot be processed: {error} (RFC 5280 4.2.1.4)"
        return
    for policy in sorted(set(certificate.policies) - allowed):
        yield f"policy {oids.name(policy)} is none of the issuer's (RFC 5280 4.2.1.4, 6.1.3 (d))"


def _purposes(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[str]:
    """RFC 5280 4.2.1.12 limits a key; that it limits what an authority issues is our rule (`certs.path_purpose`)."""
    for issuer in above:
        if issuer.extension(oids.EXTENDED_KEY_USAGE) is None or oids.ANY_PURPOSE in issuer.extended_key_usage:
            continue
        for purpose in sorted(certificate.extended_key_usage - issuer.extended_key_usage):
            yield f"{issuer.subject} is not for {oids.name(purpose)} (RFC 5280 4.2.1.12)"
