"""Builds a certificate chain to a trust anchor and validates it at one moment.

    result = validate_path(leaf, pool, store, at, purpose="signing", crls=crls)
    result.indication, result.sub_indication        # "INDETERMINATE", "TRY_LATER"
    result.chain                                    # leaf … anchor

RFC 5280 section 6 for chains of one algorithm or of several, in the words of ETSI EN 319 102-1. What is not processed
is never passed over: name constraints and a required explicit policy give INDETERMINATE, as does any unknown critical
extension. No certificate, list or name makes this raise, and work is bounded by `Limits`.

The steps, numbered at the code:

 1. the leaf is well formed: no extension twice, readable times, equal algorithms inside and outside
 2. a chain to an anchor is built, every link by name, key identifier and signature
 3. every certificate is valid at the moment (whole seconds, no tolerance)
 4. every issuer is an authority: basicConstraints, path length, keyCertSign
 5. every critical extension is known, and no constraint is left unprocessed
 6. signature algorithms and key sizes are good enough
 7. the leaf may be used for the purpose (keyUsage, extendedKeyUsage), and no issuer excludes it
 8. nothing in the chain is revoked, by lists that are signed, current and in scope
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from certs import ber, oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError, MalformedInput
from certs.names import Name
from certs.path_builder import ChainBuilder
from certs.path_result import Check, Limits, PathResult, Purpose, Stop
from certs.path_revocation import RevocationChecker
from certs.trust import TrustStore

__all__ = ["KNOWN_CRITICAL", "Check", "Limits", "PathResult", "Purpose", "validate_path"]

KNOWN_CRITICAL = frozenset(
    {
        oids.KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.EXTENDED_KEY_USAGE,
        oids.SUBJECT_ALT_NAME,
        oids.CERTIFICATE_POLICIES,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.AUTHORITY_KEY_IDENTIFIER,
        oids.SUBJECT_KEY_IDENTIFIER,
        oids.POLICY_MAPPINGS,
        oids.INHIBIT_ANY_POLICY,
        oids.PRIVATE_KEY_USAGE_PERIOD,
        oids.QC_STATEMENTS,
    }
)
"""Critical extensions whose meaning is processed or cannot refuse a chain under "any policy" (RFC 5280 6.1.1 c).

certificatePolicies, policyMappings and inhibitAnyPolicy can only fail a chain where an explicit policy is required;
that is what step 5 refuses to decide.
"""

_SIGNING_PURPOSES = frozenset(
    {
        oids.ANY_PURPOSE,
        oids.DOCUMENT_SIGNING,
        oids.EMAIL_PROTECTION,
        oids.CLIENT_AUTH,
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
        "1.2.840.113583.1.1.5",  # Adobe authentic documents trust
    }
)
"""Purposes that do not speak against signing a document.

Russian and Chinese certificates often carry clientAuth alone.
"""
_OTHER_PURPOSES = frozenset({oids.SERVER_AUTH, oids.CODE_SIGNING, oids.TIME_STAMPING, oids.OCSP_SIGNING})
"""A certificate with none but these was issued for something else."""

_WEAK_DIGESTS = {
    oids.SHA1_WITH_RSA: "SHA-1",
    oids.ECDSA_SHA1: "SHA-1",
    oids.GOST2001_SIGNATURE: "GOST R 34.11-94",
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.2": "MD2",
}
MIN_RSA_BITS = 2048
WEAK_SUITES = frozenset({"ecdsa-p224"})
"""Less than 128 bits of strength; ETSI TS 119 312 lists no curve below 256 bits."""


def validate_path(
    leaf: Certificate,
    pool: Iterable[Certificate],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose = "signing",
    crls: Iterable[CRL] = (),
    revocation: Literal["require", "if-present"] = "require",
    limits: Limits | None = None,
) -> PathResult:
    """Validate `leaf` at the moment `at`; see the module's list of steps. Never raises.

    `pool` holds certificates of strangers (from the document), `store` the anchors and more certificates. With
    revocation="require" a certificate without a usable list gives INDETERMINATE, TRY_LATER; with "if-present" it is
    noted.
    """
    run = _Run(store, at.astimezone(UTC).replace(microsecond=0), purpose, limits or Limits())
    try:
        run.well_formed(leaf)
        run.build(leaf, pool)
        run.validity()
        run.authorities()
        run.critical_extensions()
        run.algorithms()
        run.purposes()
        run.revocation((*crls, *store.crls), required=revocation == "require")
    except Stop as stop:
        return PathResult(
            stop.indication,
            stop.sub_indication,
            run.chain or (leaf,),
            (*run.checks, stop.check),
            crls=run.used_crls,
            **stop.facts,
        )
    except (CertsError, RecursionError, OverflowError) as error:  # a broken member nobody looked at before
        check = Check("path", "EN 319 102-1 5.2.6", "failed", f"the chain could not be read: {error}")
        return PathResult(
            "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", run.chain or (leaf,), (*run.checks, check)
        )
    return PathResult("PASSED", None, run.chain, tuple(run.checks), crls=run.used_crls)


class _Run:
    """One validation."""

    def __init__(self, store: TrustStore, at: datetime, purpose: Purpose, limits: Limits) -> None:
        self.store, self.at, self.purpose, self.limits = store, at, purpose, limits
        self.chain: tuple[Certificate, ...] = ()
        self.checks: list[Check] = []
        self.checker: RevocationChecker | None = None
        self.pool: tuple[Certificate, ...] = ()
        self.nested = False
        """Whether this is about the signer of a list, within another validation."""

    @property
    def used_crls(self) -> tuple[CRL, ...]:
        """The lists looked up so far."""
        return tuple(self.checker.used) if self.checker else ()

    def _passed(self, identifier: str, clause: str, detail: str = "", basis: str = "") -> None:
        self.checks.append(Check(identifier, clause, "passed", detail, basis))

    # 1 ----------------------------------------------------------------------------------------------------------------
    def well_formed(self, certificate: Certificate, identifier: str = "certificate-form") -> None:
        """RFC 5280 4.1 and 4.2: what cannot be read unambiguously is not used."""
        if certificate.problems:
            detail = f"{certificate.subject}: {certificate.problems[0]}"
            raise Stop(Check(identifier, "RFC 5280 4.1", "failed", detail), "CERTIFICATE_CHAIN_GENERAL_FAILURE")

    # 2 ----------------------------------------------------------------------------------------------------------------
    def build(self, leaf: Certificate, pool: Iterable[Certificate]) -> None:
        """RFC 5280 6.1.3 (a)(1), (a)(4): names chain and signatures verify up to an anchor."""
        clause = "EN 319 102-1 5.2.6; RFC 5280 6.1.3"
        self.pool = tuple(itertools.islice(pool, self.limits.pool + 1))
        builder = ChainBuilder(self.store, self.at, self.limits)
        found = builder.find(leaf, self.pool)
        if found is not None:
            self.chain = found
            basis = f"anchor SHA-256 {found[-1].fingerprint()}"
            if len(found) == 1:
                self._passed("chain", clause, "the certificate itself is trusted", basis)
            else:
                self._passed("chain", clause, f"{len(found)} certificates up to {found[-1].subject}", basis)
            return
        self.chain = builder.deepest or (leaf,)
        if builder.exhausted:
            raise Stop(Check("chain", clause, "not-checked", builder.exhausted), "CERTIFICATE_CHAIN_GENERAL_FAILURE")
        if builder.unsupported:
            raise Stop(Check("chain", clause, "not-checked", builder.unsupported), "CRYPTO_CONSTRAINTS_FAILURE")
        end = self.chain[-1]
        detail = f"no trusted issuer of {end.subject}: {end.issuer} is not at hand or did not sign it"
        raise Stop(Check("chain", clause, "failed", detail), "NO_CERTIFICATE_CHAIN_FOUND")

    # 3 ----------------------------------------------------------------------------------------------------------------
    def validity(self) -> None:
        """RFC 5280 6.1.3 (a)(2), inclusive bounds. The anchor's own dates count too: its owner meant them."""
        for certificate in self.chain:
            if self.at < certificate.not_before.replace(microsecond=0):
                detail = f"{certificate.subject} is valid only from {certificate.not_before.isoformat()}"
                raise Stop(
                    Check("validity", "RFC 5280 6.1.3 (a)(2)", "failed", detail),
                    "NOT_YET_VALID" if certificate is self.chain[0] else "OUT_OF_BOUNDS_NO_POE",
                )
            if self.at > certificate.not_after:
                detail = f"{certificate.subject} was valid until {certificate.not_after.isoformat()}"
                raise Stop(Check("validity", "RFC 5280 6.1.3 (a)(2)", "failed", detail), "OUT_OF_BOUNDS_NO_POE")
        self._passed("validity", "RFC 5280 6.1.3 (a)(2)", f"all valid at {self.at.isoformat()}")

    # 4 ----------------------------------------------------------------------------------------------------------------
    def authorities(self) -> None:
        """RFC 5280 6.1.4 (k) to (n). An anchor is trusted as it is, but a path length it states is kept."""
        clause = "RFC 5280 6.1.4 (k)-(n)"
        intermediates = 0  # authorities between this one and the leaf that are not self-issued
        for issuer in self.chain[1:]:
            anchor = issuer is self.chain[-1]
            if not anchor:
                self.well_formed(issuer, "issuer-form")
                if not issuer.is_ca:
                    detail = f"{issuer.subject} is no authority"
                    raise Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
                if not issuer.allows("key_cert_sign"):
                    detail = f"{issuer.subject} may not sign certificates"
                    raise Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
            if issuer.path_length is not None and intermediates > issuer.path_length:
                detail = f"{issuer.subject} allows {issuer.path_length} authorities below it, there are {intermediates}"
                raise Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
            if not issuer.self_issued:
                intermediates += 1
        self._passed("authority", clause)

    # 5 ----------------------------------------------------------------------------------------------------------------
    def critical_extensions(self) -> None:
        """RFC 5280 4.2 and 6.1.4 (o).

        An unknown critical extension, or a constraint we do not process, decides nothing.
        """
        for certificate in self.chain:
            if certificate is self.chain[-1] and len(self.chain) > 1:
                unknown = [certificate.extension(oids.NAME_CONSTRAINTS)]  # an anchor's own constraints are kept
            else:
                unknown = [e for e in certificate.extensions if e.critical and e.oid not in KNOWN_CRITICAL]
                unknown.append(certificate.extension(oids.NAME_CONSTRAINTS))
            for extension in filter(None, unknown):
                if extension.oid == oids.POLICY_CONSTRAINTS and not _explicit_policy(extension.value):
                    continue
                detail = f"{certificate.subject}: extension {oids.name(extension.oid)} is not processed"
                raise Stop(
                    Check("extensions", "RFC 5280 6.1.4 (o)", "not-checked", detail),
                    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
                )
            policy = certificate.extension(oids.POLICY_CONSTRAINTS)
            if policy is not None and _explicit_policy(policy.value):
                detail = f"{certificate.subject} requires an explicit policy, which is not processed"
                raise Stop(
                    Check("extensions", "RFC 5280 6.1.4 (i)", "not-checked", detail),
                    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
                )
        self._passed("extensions", "RFC 5280 6.1.4 (o)")

    # 6 ----------------------------------------------------------------------------------------------------------------
    def algorithms(self) -> None:
        """EN 319 102-1 5.2.8: an algorithm no longer good enough. The anchor's own signature proves nothing anyway."""
        clause = "EN 319 102-1 5.2.8"
        for certificate in self.chain[:-1] or self.chain:
            weak = _WEAK_DIGESTS.get(_algorithm_oid(certificate))
            if weak and len(self.chain) > 1:
                detail = f"{certificate.subject} is signed over {weak}"
                raise Stop(Check("algorithms", clause, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")
        for certificate in self.chain:
            bits = _rsa_bits(certificate)
            if bits is not None and bits < MIN_RSA_BITS:
                detail = f"{certificate.subject} has an RSA key of {bits} bits"
                raise Stop(Check("algorithms", clause, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")
            if certificate.suite_name in WEAK_SUITES:
                detail = f"{certificate.subject} has a key of {certificate.suite_name}"
                raise Stop(Check("algorithms", clause, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")
        suites_used = dict.fromkeys(certificate.suite_name for certificate in self.chain)
        self._passed("algorithms", clause, ", ".join(suites_used))

    # 7 ----------------------------------------------------------------------------------------------------------------
    def purposes(self) -> None:
        """RFC 5280 4.2.1.3 and 4.2.1.12.

        RFC 3161 2.3. Purposes nest: an issuer that excludes ours excludes the leaf.
        """
        leaf = self.chain[0]
        clause = "RFC 5280 4.2.1.3, 4.2.1.12" if self.purpose == "signing" else "RFC 3161 2.3"
        if not leaf.allows("digital_signature", "non_repudiation"):
            detail = f"the key usage of {leaf.subject} does not allow signatures"
            raise Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
        for certificate in self.chain[:-1] or self.chain:
            extension = certificate.extension(oids.EXTENDED_KEY_USAGE)
            if extension is None:
                if self.purpose == "timestamping" and certificate is leaf:
                    detail = f"{leaf.subject} is not a time-stamping certificate"
                    raise Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
                continue
            if not self._suits(certificate.extended_key_usage, leaf=certificate is leaf):
                names = ", ".join(sorted(map(oids.name, certificate.extended_key_usage)))
                detail = f"{certificate.subject} is for {names or 'nothing'}, not for {self.purpose}"
                raise Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
            if self.purpose == "timestamping" and certificate is leaf and not extension.critical:
                detail = f"extendedKeyUsage of {leaf.subject} is not critical"
                raise Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
        self._passed("purpose", clause, self.purpose)

    def _suits(self, purposes: frozenset[str], *, leaf: bool) -> bool:
        if self.purpose == "timestamping":
            return purposes == {oids.TIME_STAMPING} if leaf else bool(purposes & {oids.TIME_STAMPING, oids.ANY_PURPOSE})
        # private purposes of national authorities are common and say nothing against signing
        return bool(purposes & _SIGNING_PURPOSES) or bool(purposes - _OTHER_PURPOSES)

    # 8 ----------------------------------------------------------------------------------------------------------------
    def revocation(self, crls: Iterable[CRL], *, required: bool) -> None:
        """RFC 5280 6.3 and EN 319 102-1 5.2.5, from the anchor down: a list of a revoked authority proves nothing."""
        lists = tuple(crls)
        checker = self.checker = RevocationChecker(
            self.at, self.limits, lists, lambda name: self._list_signers(name, lists, required=required)
        )
        missing: Check | None = None
        for position in range(len(self.chain) - 2, -1, -1):
            certificate, issuer = self.chain[position], self.chain[position + 1]
            check = checker.check(certificate, issuer, leaf=position == 0)
            if check.result == "passed":
                self.checks.append(check)
            else:
                missing = missing or check
        if missing is not None:
            if required:
                raise Stop(missing, "TRY_LATER")
            self.checks.append(missing)

    def _list_signers(self, name: Name, crls: tuple[CRL, ...], *, required: bool) -> tuple[Certificate, ...]:
        """RFC 5280 6.3.3 (f): other certificates of `name` that may sign lists, with a valid chain to our anchor.

        Such a certificate is itself checked for revocation, but no further certificate is sought for that; where its
        own issuer named it (cRLIssuer) as the signer of the list that covers it, its own key counts.
        """
        if self.nested:
            leaf = self.chain[0]
            named = leaf.subject_name.key == name.key and any(point.issuers for point in leaf.distribution_points)
            return (leaf,) if named else ()
        out: list[Certificate] = []
        candidates = dict.fromkeys((*self.store.anchors, *self.store.certificates, *self.pool))
        for candidate in candidates:
            if candidate.subject_name.key != name.key or not candidate.allows("crl_sign"):
                continue
            if len(out) >= self.limits.candidates:
                break
            run = _Run(self.store, self.at, self.purpose, self.limits)
            run.nested = True
            try:
                run.well_formed(candidate)
                run.build(candidate, (*self.chain, *self.pool))
                if run.chain[-1] != self.chain[-1]:
                    continue
                run.validity()
                run.authorities()
                run.critical_extensions()
                run.algorithms()
                run.revocation(crls, required=required)
            except Stop:
                continue
            out.append(candidate)
        return tuple(out)


def _explicit_policy(value: bytes) -> bool:
    """Tell whether policyConstraints requires an explicit policy (RFC 5280 4.2.1.11)."""
    return any(member.tag == 0x80 for member in ber.load(value).expect(ber.SEQUENCE))


def _algorithm_oid(certificate: Certificate) -> str:
    return ber.load(certificate.signature_algorithm).members().next().oid()


def _rsa_bits(certificate: Certificate) -> int | None:
    """Return the size of an RSA modulus, or None for another key."""
    if certificate.key_algorithm not in (oids.RSA, oids.RSA_PSS):
        return None
    members = ber.load(certificate.spki).members()
    members.next()
    try:
        return ber.load(members.next().bit_string()).members().next().integer().bit_length()
    except MalformedInput:
        return 0
