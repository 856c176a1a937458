"""Builds a certificate chain to a trust anchor and validates it at one moment.

    result = validate_path(leaf, pool, store, at, purpose="signing", crls=crls)
    result.indication, result.sub_indication        # "INDETERMINATE", "TRY_LATER"
    result.chain                                    # leaf … anchor

RFC 5280 section 6 for chains of one algorithm or of several, in the words of ETSI EN 319 102-1. What is not processed
is never passed over: any unknown critical extension gives INDETERMINATE. Where a chain does not hold, others are tried.
No certificate, list or name makes this raise, and work is bounded by `Limits`.

The steps, numbered at the code:

 1. the leaf is well formed: no extension twice, readable times, equal algorithms inside and outside
 2. a chain to an anchor is built, every link by name, key identifier and signature
 3. the anchor is trusted for the purpose and at the moment, as its trust list says
 4. every certificate is valid at the moment (whole seconds, no tolerance)
 5. every issuer is an authority: basicConstraints, path length, keyCertSign
 6. every certificate has a decent form, and every critical extension is known
 7. names are within the constraints of the authorities above
 8. policies: the chain is valid for one that is asked for, where one is (RFC 9618)
 9. signature algorithms and key sizes are good enough
10. the leaf may be used for the purpose (keyUsage, extendedKeyUsage), and no issuer excludes it
11. nothing in the chain is revoked, by lists that are signed, current and in scope
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from certs import ber, oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import CertsError, MalformedInput
from certs.names import Name
from certs.ocsp import OCSPResponse
from certs.path_algorithms import check_algorithms
from certs.path_builder import ChainBuilder
from certs.path_chain import (
    KNOWN_CRITICAL,
    check_authorities,
    check_critical_extensions,
    check_validity,
    check_well_formed,
    is_sound,
)
from certs.path_fetch import Gatherer
from certs.path_form import check_form
from certs.path_names import NameViolation, check_names
from certs.path_policies import PolicySettings, process_policies
from certs.path_purpose import check_purpose
from certs.path_result import BudgetExceeded, Check, Limits, PathResult, Purpose, Stop
from certs.path_revocation import RevocationChecker
from certs.trust import TrustStore

if TYPE_CHECKING:
    from certs.fetch import Fetcher

__all__ = ["KNOWN_CRITICAL", "Check", "Limits", "PathResult", "PolicySettings", "Purpose", "validate_path"]

MAX_NESTING = 3
"""Signers of lists about signers of lists about …"""


def validate_path(
    leaf: Certificate,
    pool: Iterable[Certificate],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose = "signing",
    crls: Iterable[CRL] = (),
    ocsps: Iterable[OCSPResponse] = (),
    revocation: Literal["require", "if-present"] = "require",
    limits: Limits | None = None,
    policies: PolicySettings | None = None,
    strict: bool = False,
    deadline: float | None = None,
    fetch: Fetcher | None = None,
) -> PathResult:
    """Validate `leaf` at the moment `at`; see the module's list of steps. Never raises.

    `pool` holds certificates of strangers (from the document), `store` the anchors and more certificates. With
    revocation="require" a certificate without a usable list or OCSP answer gives INDETERMINATE, TRY_LATER; with
    "if-present" it is noted. `strict` refuses faults of form that are else remarks. `deadline` is a reading of
    `time.monotonic`; after it nothing is begun. With `fetch`, issuers, lists and OCSP answers that are missing are
    asked for at the addresses in the chain.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.seconds if deadline is None else deadline
    gatherer = Gatherer(fetch, limits, deadline)
    certificates, lists = tuple(pool), (*crls, *store.crls)
    moment = at.astimezone(UTC).replace(microsecond=0)
    answers = (*ocsps, *store.ocsps)
    while True:
        known = (*answers, *gatherer.ocsps)
        run = _Run(store, moment, purpose, limits, policies or PolicySettings(), strict, deadline, known)
        result = run.result(
            leaf, (*certificates, *gatherer.certificates), (*lists, *gatherer.crls), required=revocation == "require"
        )
        if not gatherer.more(result):
            return replace(result, notes=(*result.notes, *gatherer.notes))


class _Run:
    """One validation."""

    def __init__(
        self,
        store: TrustStore,
        at: datetime,
        purpose: Purpose,
        limits: Limits,
        settings: PolicySettings,
        strict: bool,
        deadline: float,
        ocsps: tuple[OCSPResponse, ...] = (),
    ) -> None:
        self.store, self.at, self.purpose, self.limits = store, at, purpose, limits
        self.settings, self.strict, self.deadline, self.ocsps = settings, strict, deadline, ocsps
        self.chain: tuple[Certificate, ...] = ()
        self.checks: list[Check] = []
        self.remarks: tuple[str, ...] = ()
        self.policies: frozenset[str] = frozenset()
        self.checker: RevocationChecker | None = None
        self.pool: tuple[Certificate, ...] = ()
        self.seeking: tuple[object, ...] = ()
        """The names of whose signers of lists are being validated, this one's last; none in a validation of its own."""
        self.tried = [0]
        """How many signers of lists were looked at, together with the validations this one is part of."""

    def result(
        self, leaf: Certificate, pool: Iterable[Certificate], crls: tuple[CRL, ...], *, required: bool
    ) -> PathResult:
        """Return the answer of the first chain that holds, or else of the first of all."""
        best: PathResult | None = None
        self.pool = tuple(pool)
        builder = ChainBuilder(
            self.store, self.at, self.limits, self.expired, lambda issuer: is_sound(issuer, self.at, self.purpose)
        )
        try:
            check_well_formed(leaf)  # 1
            for number, chain in enumerate(builder.chains(leaf, self.pool)):
                if number >= self.limits.chains:
                    break
                answer = self.attempt(chain, crls, required=required)
                best = best or answer
                if answer.passed or answer.revoked == leaf:  # a leaf that is revoked stays so on any other way
                    return answer
            if best is None:
                self.checks = []
                self.nothing_found(builder, leaf)
        except Stop as stop:
            return self._stopped(stop, leaf)
        except (CertsError, RecursionError, OverflowError) as error:  # a broken member nobody looked at before
            return best or self._unreadable(error, leaf)
        assert best is not None
        return best

    def attempt(self, chain: tuple[Certificate, ...], crls: tuple[CRL, ...], *, required: bool) -> PathResult:
        """Return the answer for one chain: steps 3 to 11."""
        self.chain, self.checks, self.checker, self.remarks = chain, [], None, ()
        try:
            self.built()
            self.trusted()
            self.checks.append(check_validity(chain, self.at))  # 4
            self.checks.append(check_authorities(chain))  # 5
            self.remarks = check_form(chain, strict=self.strict)  # 6
            self.checks.append(check_critical_extensions(chain))
            self.names()
            self.certificate_policies()
            self.checks.append(check_algorithms(chain, self.at, computed=self.purpose != "any"))  # 9
            self.checks.append(check_purpose(chain, self.purpose))  # 10
            self.revocation(crls, required=required)
        except Stop as stop:
            return self._stopped(stop, chain[0])
        except (CertsError, RecursionError, OverflowError) as error:
            return self._unreadable(error, chain[0])
        return PathResult(
            "PASSED",
            None,
            self.chain,
            tuple(self.checks),
            crls=self.used_crls,
            ocsps=self.used_ocsps,
            policies=self.policies,
            notes=self.remarks,
        )

    def _stopped(self, stop: Stop, leaf: Certificate) -> PathResult:
        return PathResult(
            stop.indication,
            stop.sub_indication,
            self.chain or (leaf,),
            (*self.checks, stop.check),
            crls=self.used_crls,
            ocsps=self.used_ocsps,
            notes=self.remarks,
            **stop.facts,
        )

    def _unreadable(self, error: Exception, leaf: Certificate) -> PathResult:
        check = Check("path", "EN 319 102-1 5.2.6", "failed", f"the chain could not be read: {error}")
        return PathResult(
            "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", self.chain or (leaf,), (*self.checks, check)
        )

    def expired(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() > self.deadline

    def _in_time(self) -> None:
        if self.expired():
            check = Check("budget", "EN 319 102-1 5.2.6", "not-checked", "no time is left")
            raise Stop(check, "CERTIFICATE_CHAIN_GENERAL_FAILURE")

    @property
    def used_crls(self) -> tuple[CRL, ...]:
        """The lists looked up so far."""
        return tuple(self.checker.used) if self.checker else ()

    @property
    def used_ocsps(self) -> tuple[OCSPResponse, ...]:
        """The OCSP answers used so far."""
        return tuple(self.checker.used_ocsps) if self.checker else ()

    def _passed(self, identifier: str, clause: str, detail: str = "", basis: str = "") -> None:
        self.checks.append(Check(identifier, clause, "passed", detail, basis))

    # 2 ----------------------------------------------------------------------------------------------------------------
    def built(self) -> None:
        """RFC 5280 6.1.3 (a)(1), (a)(4): names chain and signatures verify up to an anchor."""
        clause = "EN 319 102-1 5.2.6; RFC 5280 6.1.3"
        basis = f"anchor SHA-256 {self.chain[-1].fingerprint()}"
        if len(self.chain) == 1:
            self._passed("chain", clause, "the certificate itself is trusted", basis)
        else:
            self._passed("chain", clause, f"{len(self.chain)} certificates up to {self.chain[-1].subject}", basis)

    def nothing_found(self, builder: ChainBuilder, leaf: Certificate) -> None:
        """Say why there is no chain."""
        clause = "EN 319 102-1 5.2.6; RFC 5280 6.1.3"
        self.chain = builder.deepest or (leaf,)
        if builder.exhausted:
            raise Stop(Check("chain", clause, "not-checked", builder.exhausted), "CERTIFICATE_CHAIN_GENERAL_FAILURE")
        if builder.unsupported:
            raise Stop(Check("chain", clause, "not-checked", builder.unsupported), "CRYPTO_CONSTRAINTS_FAILURE")
        end = self.chain[-1]
        detail = f"no trusted issuer of {end.subject}: {end.issuer} is not at hand or did not sign it"
        raise Stop(Check("chain", clause, "failed", detail), "NO_CERTIFICATE_CHAIN_FOUND")

    # 3 ----------------------------------------------------------------------------------------------------------------
    def trusted(self) -> None:
        """EN 319 102-1 5.2.6: an anchor of a trust list is one for some purposes, and from and until some day."""
        reason, origin = self.store.why_not(self.chain[-1], self.purpose, self.at)
        if reason:
            check = Check("trust", "EN 319 102-1 5.2.6; TS 119 615", "failed", reason, origin)
            raise Stop(check, "NO_CERTIFICATE_CHAIN_FOUND")
        if origin:
            self._passed("trust", "EN 319 102-1 5.2.6; TS 119 615", origin)

    # 7 ----------------------------------------------------------------------------------------------------------------
    def names(self) -> None:
        """RFC 5280 6.1.3 (b), (c)."""
        self._in_time()
        clause = "RFC 5280 6.1.3 (b), (c)"
        try:
            check_names(self.chain, limit=self.limits.names)
        except NameViolation as error:
            raise Stop(Check("names", clause, "failed", str(error)), "CHAIN_CONSTRAINTS_FAILURE") from error
        except BudgetExceeded as error:
            check = Check("names", clause, "not-checked", str(error))
            raise Stop(check, "CERTIFICATE_CHAIN_GENERAL_FAILURE") from error
        except MalformedInput as error:
            check = Check("names", clause, "failed", f"names or their constraints cannot be read: {error}")
            raise Stop(check, "CERTIFICATE_CHAIN_GENERAL_FAILURE") from error
        if any(certificate.extension(oids.NAME_CONSTRAINTS) for certificate in self.chain):
            self._passed("names", clause)

    # 8 ----------------------------------------------------------------------------------------------------------------
    def certificate_policies(self) -> None:
        """RFC 5280 6.1, RFC 9618."""
        self._in_time()
        clause = "RFC 5280 6.1.5 (g); RFC 9618"
        try:
            found = process_policies(self.chain, self.settings)
        except BudgetExceeded as error:
            check = Check("policies", clause, "not-checked", str(error))
            raise Stop(check, "CERTIFICATE_CHAIN_GENERAL_FAILURE") from error
        except MalformedInput as error:
            check = Check("policies", clause, "failed", f"certificate policies cannot be read: {error}")
            raise Stop(check, "CERTIFICATE_CHAIN_GENERAL_FAILURE") from error
        if not found.acceptable:
            detail = f"the chain of {self.chain[0].subject} is not valid for a policy that is asked for"
            raise Stop(Check("policies", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")
        self.policies = found.valid
        if found.valid:
            self._passed("policies", clause, ", ".join(sorted(map(oids.name, found.valid))))

    # 11 ---------------------------------------------------------------------------------------------------------------
    def revocation(self, crls: Iterable[CRL], *, required: bool) -> None:
        """RFC 5280 6.3 and EN 319 102-1 5.2.5, from the anchor down: a list of a revoked authority proves nothing."""
        lists = tuple(crls)
        if self.strict:  # RFC 5280 5.2.3
            lists = tuple(crl for crl in lists if crl.extension(oids.CRL_NUMBER) is not None)
        checker = self.checker = RevocationChecker(
            self.at,
            self.limits,
            lists,
            lambda name: self._list_signers(name, lists, required=required),
            self.ocsps,
            (*self.chain, *self.pool, *self.store.certificates),
        )
        missing: Check | None = None
        for position in range(len(self.chain) - 2, -1, -1):
            certificate, issuer = self.chain[position], self.chain[position + 1]
            self._in_time()
            if certificate.extension(oids.NO_REV_AVAIL) is not None and not certificate.is_ca:
                # RFC 9608 4: never revoked, and so short-lived that nobody asks
                self._passed(
                    "revocation", "RFC 9608 4", f"{certificate.subject} has no revocation, by its issuer's word"
                )
                continue
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

        Such a certificate is itself checked for revocation. It does not vouch for itself, unless its own issuer says
        so, by a distribution point that names it as the signer of the list.
        """
        if name.key in self.seeking:
            own = self.chain[0]
            itself = own.subject_name.key == name.key == self.seeking[-1] and name.key in _named_signers(own)
            return (own,) if itself else ()
        if len(self.seeking) >= MAX_NESTING:
            return ()
        limits = replace(self.limits, chains=2, signatures=self.limits.depth)
        out: list[Certificate] = []
        for candidate in dict.fromkeys((*self.store.anchors, *self.store.certificates, *self.pool)):
            if candidate.subject_name.key != name.key or not candidate.allows("crl_sign"):
                continue
            if self.tried[0] >= self.limits.certificates or self.expired():
                break
            self.tried[0] += 1
            run = _Run(self.store, self.at, "any", limits, PolicySettings(), self.strict, self.deadline, self.ocsps)
            run.seeking, run.tried = (*self.seeking, name.key), self.tried
            answer = run.result(candidate, (*self.chain, *self.pool), crls, required=required)
            if answer.passed and answer.chain[-1] == self.chain[-1]:
                out.append(answer.chain[0])  # with the key that counts there
        return tuple(out)


def _named_signers(certificate: Certificate) -> set[object]:
    """Return the names that the distribution points give as signers of lists (cRLIssuer)."""
    generals = (ber.load(general) for point in certificate.distribution_points for general in point.issuers)
    return {Name(general.only().raw()).key for general in generals if general.tag == ber.context(4)}
