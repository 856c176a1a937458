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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from certs import ber, oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from certs.trust import TrustStore

Purpose = Literal["signing", "timestamping"]
Indication = Literal["PASSED", "INDETERMINATE", "FAILED"]
Result = Literal["passed", "failed", "not-checked"]

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


@dataclass(frozen=True)
class Limits:
    """Budgets; to exceed one is INDETERMINATE, never FAILED."""

    certificates: int = 16
    """Foreign certificates looked at, after those that cannot be in a chain of the leaf are left out."""
    candidates: int = 3
    """Issuers tried per certificate."""
    depth: int = 8
    """Certificates in a chain, anchor included."""
    signatures: int = 64
    """Signatures checked."""
    crl_signatures: int = 32
    pool: int = 4096
    """Certificates the caller may hand over at all, anchors not counted."""


@dataclass(frozen=True)
class Check:
    """One step and its result."""

    id: str
    clause: str
    result: Result
    detail: str = ""
    basis: str = ""
    """What the result rests on, for example a list and its date."""


@dataclass(frozen=True)
class PathResult:
    """The answer; `chain` is leaf to anchor, or as far as it could be built."""

    indication: Indication
    sub_indication: str | None
    chain: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    revoked: Certificate | None = None
    """Which certificate of the chain is revoked."""
    crls: tuple[CRL, ...] = field(default=(), repr=False)
    """The lists the answer rests on."""

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return self.indication == "PASSED"

    @property
    def detail(self) -> str:
        """The first thing that did not hold, in one sentence."""
        return next((check.detail for check in self.checks if check.result != "passed"), "")


class _Stop(Exception):
    """Ends the validation with an answer that is not PASSED."""

    def __init__(
        self, check: Check, sub_indication: str, indication: Indication = "INDETERMINATE", **facts: Any
    ) -> None:
        super().__init__(check.detail)
        self.check, self.sub_indication, self.indication, self.facts = check, sub_indication, indication, facts


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
    except _Stop as stop:
        return PathResult(
            stop.indication,
            stop.sub_indication,
            run.chain or (leaf,),
            (*run.checks, stop.check),
            crls=tuple(run.used_crls),
            **stop.facts,
        )
    except (CertsError, RecursionError, OverflowError) as error:  # a broken member nobody looked at before
        check = Check("path", "EN 319 102-1 5.2.6", "failed", f"the chain could not be read: {error}")
        return PathResult(
            "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", run.chain or (leaf,), (*run.checks, check)
        )
    return PathResult("PASSED", None, run.chain, tuple(run.checks), crls=tuple(run.used_crls))


class _Run:
    """One validation."""

    def __init__(self, store: TrustStore, at: datetime, purpose: Purpose, limits: Limits) -> None:
        self.store, self.at, self.purpose, self.limits = store, at, purpose, limits
        self.chain: tuple[Certificate, ...] = ()
        self.checks: list[Check] = []
        self.used_crls: list[CRL] = []
        self._signatures = 0
        self._crl_signatures = 0
        self._links: dict[tuple[bytes, bytes], str | None] = {}
        self._unsupported: str | None = None
        self._exhausted: str | None = None
        self._deepest: tuple[Certificate, ...] = ()

    def _passed(self, identifier: str, clause: str, detail: str = "", basis: str = "") -> None:
        self.checks.append(Check(identifier, clause, "passed", detail, basis))

    # 1 ----------------------------------------------------------------------------------------------------------------
    def well_formed(self, certificate: Certificate, identifier: str = "certificate-form") -> None:
        """RFC 5280 4.1 and 4.2: what cannot be read unambiguously is not used."""
        if certificate.problems:
            detail = f"{certificate.subject}: {certificate.problems[0]}"
            raise _Stop(Check(identifier, "RFC 5280 4.1", "failed", detail), "CERTIFICATE_CHAIN_GENERAL_FAILURE")

    # 2 ----------------------------------------------------------------------------------------------------------------
    def build(self, leaf: Certificate, pool: Iterable[Certificate]) -> None:
        """RFC 5280 6.1.3 (a)(1), (a)(4): names chain, signatures verify; depth first, genuine links only."""
        anchors = dict.fromkeys(self.store.anchors)
        if leaf in anchors:
            self.chain = (leaf,)
            self._passed("chain", "EN 319 102-1 5.2.6", "the certificate itself is trusted")
            return
        helpers: dict[Certificate, None] = {}
        for certificate in (*self.store.certificates, *pool):
            if certificate not in anchors and certificate != leaf:
                helpers[certificate] = None
            if len(helpers) > self.limits.pool:
                self._exhausted = f"more than {self.limits.pool} certificates"
                break
        helpers = self._reachable(leaf, helpers)
        found = self._extend((leaf,), tuple(anchors), tuple(helpers))
        if found is not None:
            self.chain = found
            self._passed(
                "chain",
                "EN 319 102-1 5.2.6; RFC 5280 6.1.3",
                f"{len(found)} certificates up to {found[-1].subject}",
                f"anchor SHA-256 {found[-1].fingerprint()}",
            )
            return
        self.chain = self._deepest or (leaf,)
        identifier, clause = "chain", "EN 319 102-1 5.2.6"
        if self._exhausted:
            raise _Stop(Check(identifier, clause, "not-checked", self._exhausted), "CERTIFICATE_CHAIN_GENERAL_FAILURE")
        if self._unsupported:
            raise _Stop(Check(identifier, clause, "not-checked", self._unsupported), "CRYPTO_CONSTRAINTS_FAILURE")
        end = self.chain[-1]
        detail = f"no trusted issuer of {end.subject}: {end.issuer} is not at hand or did not sign it"
        raise _Stop(Check(identifier, clause, "failed", detail), "NO_CERTIFICATE_CHAIN_FOUND")

    def _reachable(self, leaf: Certificate, helpers: Iterable[Certificate]) -> dict[Certificate, None]:
        """Return the helpers whose subject is an issuer of something reachable; no signature is looked at."""
        by_subject: dict[Any, list[Certificate]] = {}
        for helper in helpers:
            by_subject.setdefault(helper.subject_name.key, []).append(helper)
        out: dict[Certificate, None] = {}
        wanted, seen = [leaf.issuer_name.key], set()
        while wanted:
            name = wanted.pop(0)
            if name in seen:
                continue
            seen.add(name)
            for helper in by_subject.get(name, ()):
                if len(out) >= self.limits.certificates:
                    self._exhausted = f"more than {self.limits.certificates} certificates could be in the chain"
                    return out
                out[helper] = None
                wanted.append(helper.issuer_name.key)
        return out

    def _extend(
        self, chain: tuple[Certificate, ...], anchors: Sequence[Certificate], helpers: Sequence[Certificate]
    ) -> tuple[Certificate, ...] | None:
        if len(chain) > len(self._deepest):
            self._deepest = chain
        child = chain[-1]
        for anchor in self._candidates(child, anchors):
            if self._signed(child, anchor):
                return (*chain, anchor)
        if len(chain) + 1 >= self.limits.depth:
            self._exhausted = f"the chain is longer than {self.limits.depth} certificates"
            return None
        keys = {(link.subject_name.der, link.spki) for link in chain}
        for helper in self._candidates(child, helpers):
            if (helper.subject_name.der, helper.spki) in keys:  # no certificate twice, nor its name and key
                continue
            if self._signed(child, helper):
                found = self._extend((*chain, helper), anchors, helpers)
                if found is not None:
                    return found
        return None

    def _candidates(self, child: Certificate, among: Sequence[Certificate]) -> list[Certificate]:
        """Return issuers by name; a key identifier that fits comes first, one that does not fit is left out.

        Those valid at the moment come before others. More than the budget's number are dropped, and noted.
        """
        issuer, aki = child.issuer_name.key, child.aki
        fitting = [
            candidate
            for candidate in among
            if candidate.subject_name.key == issuer and (aki is None or candidate.ski is None or candidate.ski == aki)
        ]
        fitting.sort(key=lambda c: (c.ski is None or aki is None, not c.not_before <= self.at <= c.not_after))
        if len(fitting) > self.limits.candidates:
            self._exhausted = f"more than {self.limits.candidates} certificates could have issued {child.subject}"
        return fitting[: self.limits.candidates]

    def _signed(self, child: Certificate, issuer: Certificate) -> bool:
        """Tell whether `issuer`'s key signed `child`; each pair once, within the budget."""
        pair = (child.der, issuer.spki)
        if pair not in self._links:
            if self._signatures >= self.limits.signatures:
                self._exhausted = f"more than {self.limits.signatures} signatures"
                return False
            self._signatures += 1
            try:
                self._links[pair] = child.verify_signed_by(issuer)
            except UnsupportedAlgorithm as error:
                self._unsupported = f"{child.subject}: {error}"
                self._links[pair] = None
            except CertsError:
                self._links[pair] = None
        return self._links[pair] is not None

    # 3 ----------------------------------------------------------------------------------------------------------------
    def validity(self) -> None:
        """RFC 5280 6.1.3 (a)(2), inclusive bounds. The anchor's own dates count too: its owner meant them."""
        for certificate in self.chain:
            if self.at < certificate.not_before.replace(microsecond=0):
                detail = f"{certificate.subject} is valid only from {certificate.not_before.isoformat()}"
                raise _Stop(
                    Check("validity", "RFC 5280 6.1.3 (a)(2)", "failed", detail),
                    "NOT_YET_VALID" if certificate is self.chain[0] else "OUT_OF_BOUNDS_NO_POE",
                )
            if self.at > certificate.not_after:
                detail = f"{certificate.subject} was valid until {certificate.not_after.isoformat()}"
                raise _Stop(Check("validity", "RFC 5280 6.1.3 (a)(2)", "failed", detail), "OUT_OF_BOUNDS_NO_POE")
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
                    raise _Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
                if not issuer.allows("key_cert_sign"):
                    detail = f"{issuer.subject} may not sign certificates"
                    raise _Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
            if issuer.path_length is not None and intermediates > issuer.path_length:
                detail = f"{issuer.subject} allows {issuer.path_length} authorities below it, there are {intermediates}"
                raise _Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
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
                raise _Stop(
                    Check("extensions", "RFC 5280 6.1.4 (o)", "not-checked", detail),
                    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
                )
            policy = certificate.extension(oids.POLICY_CONSTRAINTS)
            if policy is not None and _explicit_policy(policy.value):
                detail = f"{certificate.subject} requires an explicit policy, which is not processed"
                raise _Stop(
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
                raise _Stop(Check("algorithms", clause, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")
        for certificate in self.chain:
            bits = _rsa_bits(certificate)
            if bits is not None and bits < MIN_RSA_BITS:
                detail = f"{certificate.subject} has an RSA key of {bits} bits"
                raise _Stop(Check("algorithms", clause, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")
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
            raise _Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
        for certificate in self.chain[:-1] or self.chain:
            extension = certificate.extension(oids.EXTENDED_KEY_USAGE)
            if extension is None:
                if self.purpose == "timestamping" and certificate is leaf:
                    detail = f"{leaf.subject} is not a time-stamping certificate"
                    raise _Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
                continue
            if not self._suits(certificate.extended_key_usage, leaf=certificate is leaf):
                names = ", ".join(sorted(map(oids.name, certificate.extended_key_usage)))
                detail = f"{certificate.subject} is for {names or 'nothing'}, not for {self.purpose}"
                raise _Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
            if self.purpose == "timestamping" and certificate is leaf and not extension.critical:
                detail = f"extendedKeyUsage of {leaf.subject} is not critical"
                raise _Stop(Check("purpose", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
        self._passed("purpose", clause, self.purpose)

    def _suits(self, purposes: frozenset[str], *, leaf: bool) -> bool:
        if self.purpose == "timestamping":
            return purposes == {oids.TIME_STAMPING} if leaf else bool(purposes & {oids.TIME_STAMPING, oids.ANY_PURPOSE})
        # private purposes of national authorities are common and say nothing against signing
        return bool(purposes & _SIGNING_PURPOSES) or bool(purposes - _OTHER_PURPOSES)

    # 8 ----------------------------------------------------------------------------------------------------------------
    def revocation(self, crls: Iterable[CRL], *, required: bool) -> None:
        """RFC 5280 6.3 and EN 319 102-1 5.2.5, from the anchor down: a list of a revoked authority proves nothing."""
        lists = tuple(dict.fromkeys(crls))
        missing: Check | None = None
        for position in range(len(self.chain) - 2, -1, -1):
            certificate, issuer = self.chain[position], self.chain[position + 1]
            if certificate.extension(oids.OCSP_NOCHECK) is not None and position == 0:
                continue
            check = self._revocation_of(certificate, issuer, lists, leaf=position == 0)
            if check.result == "passed":
                self.checks.append(check)
            elif missing is None:
                missing = check
        if missing is not None:
            if required:
                raise _Stop(missing, "TRY_LATER")
            self.checks.append(missing)

    def _revocation_of(
        self, certificate: Certificate, issuer: Certificate, lists: Sequence[CRL], *, leaf: bool
    ) -> Check:
        clause = "EN 319 102-1 5.2.5; RFC 5280 6.3"
        why = "no revocation list"
        best: tuple[datetime, CRL] | None = None
        for crl in lists:
            if crl.issuer_name.key != issuer.subject_name.key or (crl.aki and issuer.ski and crl.aki != issuer.ski):
                continue
            reason = self._why_not(crl, certificate, issuer)
            if reason:
                why = reason
            elif best is None or crl.this_update > best[0]:
                best = (crl.this_update, crl)
        if best is None:
            return Check("revocation", clause, "not-checked", f"{certificate.subject}: {why}")
        crl = best[1]
        basis = f"CRL {crl.number if crl.number is not None else '?'} of {crl.this_update.isoformat()}"
        self.used_crls.append(crl)
        entry = crl.status(certificate.serial)
        if entry is not None and entry.reason != "removeFromCRL" and entry.at <= self.at:
            detail = f"{certificate.subject} was revoked on {entry.at.isoformat()} ({entry.reason})"
            raise _Stop(
                Check("revocation", clause, "failed", detail, basis),
                "REVOKED_NO_POE" if leaf else "REVOKED_CA_NO_POE",
                revoked_at=entry.at,
                revocation_reason=entry.reason,
                revoked=certificate,
            )
        later = f", revoked later, on {entry.at.isoformat()}" if entry is not None else ""
        return Check("revocation", clause, "passed", f"{certificate.subject} not revoked{later}", basis)

    def _why_not(self, crl: CRL, certificate: Certificate, issuer: Certificate) -> str | None:
        """Return why `crl` says nothing about `certificate` at the moment, or None where it does (RFC 5280 6.3.3)."""
        try:
            if crl.unusable:
                return f"the revocation list cannot be used: {crl.unusable}"
            scope = crl.scope
            if scope.only_attributes or (scope.only_users and certificate.is_ca):
                return "the revocation list is for other certificates"
            if scope.only_authorities and not certificate.is_ca:
                return "the revocation list is for authorities only"
            points = [point for point in certificate.distribution_points if not point.other_issuer]
            if scope.names and not any(set(point.names) & set(scope.names) for point in points if not point.reasons):
                return "the revocation list is of another distribution point"
            if self.at >= crl.this_update:
                # 6.3.3 (a): current at the moment
                if crl.next_update is None or self.at > crl.next_update:
                    return f"the revocation list of {crl.this_update.isoformat()} is out of date"
            elif certificate.not_after < crl.this_update and crl.extension(oids.EXPIRED_CERTS_ON_CRL) is None:
                # a later list is the better witness, unless the certificate may have been dropped from it
                return "the revocation list was made after the certificate had expired"
            if self._crl_signatures >= self.limits.crl_signatures:
                return f"more than {self.limits.crl_signatures} revocation lists"
            self._crl_signatures += 1
            crl.check_signed_by(issuer)
            crl.status(certificate.serial)
        except BadSignature as error:
            return f"the revocation list is not signed by {issuer.subject}: {error}"
        except CertsError as error:
            return f"the revocation list cannot be read: {error}"
        return None


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
