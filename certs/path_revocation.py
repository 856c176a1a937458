"""Whether one certificate of a chain is revoked, by what is at hand (RFC 5280 6.3, RFC 6960, EN 319 102-1 5.2.5).

    checker = RevocationChecker(at, limits, crls, signers, ocsps, pool)
    check = checker.check(certificate, issuer, leaf=True)      # passed, or not-checked; revoked raises Stop

A list counts only if it is signed by the issuer of the certificate (or by whom the certificate names, or by another
certificate of the same authority), in scope, and current at the moment; a list made after the moment counts too, since
it knows more, unless the certificate may have been dropped from it by then. A list of the wrong scope proves nothing.
The same holds for OCSP answers (`certs.path_ocsp`).

Several lists are combined as RFC 5280 6.3.3 says, numbered at the code:

 1. for every point of the certificate, and for "any list of the issuer", the complete lists in scope are gathered
 2. each is joined with the newest delta that fits it
 3. newest first, each answers for the reasons it covers, until all reasons are covered
 4. what is on hold is neither good nor revoked for good: try later (EN 319 102-1 5.2.6.4)
 5. of what the lists say and what an OCSP answer says the newest is believed, unless the other knows of a revocation
    for good
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from certs import ber, der, oids
from certs.certificate import Certificate
from certs.crl import ALL_REASONS, CRL, REMOVE_FROM_CRL, Revoked
from certs.errors import BadSignature, CertsError
from certs.extension_values import DistributionPoint
from certs.names import Name
from certs.ocsp import OCSPResponse
from certs.path_ocsp import OCSPAnswer, OCSPEvidence, why_weak
from certs.path_result import Check, Limits, Stop

CLAUSE = "EN 319 102-1 5.2.5; RFC 5280 6.3; RFC 6960"
HOLD = "certificateHold"

Signers = Callable[[Name], Sequence[Certificate]]
"""Returns certificates of a name that may sign lists, each with a valid chain to the anchor of the validation."""


@dataclass(frozen=True)
class _Witness:
    """A complete list that answers for a certificate, with the newest delta to it."""

    base: CRL
    delta: CRL | None
    reasons: frozenset[int]
    """The reasons it may answer for."""

    @property
    def newest(self) -> CRL:
        return self.delta or self.base

    @property
    def order(self) -> tuple[datetime, int]:
        return self.newest.this_update, self.newest.number or 0

    def entry(self, certificate: Certificate) -> Revoked | None:
        """Return what the list says of `certificate`; the delta has the last word (6.3.3 i, j)."""
        if self.delta is not None:
            entry = self.delta.status(certificate.serial, certificate.issuer_name)
            if entry is not None:
                return None if entry.reason == REMOVE_FROM_CRL else entry
        entry = self.base.status(certificate.serial, certificate.issuer_name)
        return None if entry is not None and entry.reason == REMOVE_FROM_CRL else entry


@dataclass(frozen=True)
class _Answer:
    """What lists, or an OCSP response, say."""

    made: datetime
    basis: str
    sources: tuple[CRL | OCSPResponse, ...]
    revoked_at: datetime | None = None
    reason: str = "unspecified"


class RevocationChecker:
    """The lists and OCSP answers of one validation."""

    def __init__(
        self,
        at: datetime,
        limits: Limits,
        crls: Iterable[CRL],
        signers: Signers | None = None,
        ocsps: Iterable[OCSPResponse] = (),
        pool: Iterable[Certificate] = (),
    ) -> None:
        """`signers` finds other certificates that may have signed a list; without it only issuers count.

        `pool` is where certificates of OCSP responders are looked for besides the responses themselves.
        """
        self.at, self.limits = at, limits
        self.lists = tuple(dict.fromkeys(crls))
        self.used: list[CRL] = []
        """The lists that answers rest on."""
        self.used_ocsps: list[OCSPResponse] = []
        self._ocsps = OCSPEvidence(at, limits, ocsps, pool)
        self._signers = signers
        self._signatures = 0
        self._verified: dict[tuple[bytes, bytes], str | None] = {}
        self._found: dict[object, Sequence[Certificate]] = {}

    def check(self, certificate: Certificate, issuer: Certificate, *, leaf: bool) -> Check:
        """Return the answer for `certificate`, issued by `issuer`; raises Stop where it is revoked or on hold."""
        by_list, by_ocsp = self._by_lists(certificate, issuer), self._by_ocsp(certificate, issuer)
        answers = [item for item in (by_ocsp, by_list) if isinstance(item, _Answer)]
        if not answers:
            why = "no revocation list or OCSP answer"
            reasons = [item for item in (by_list, by_ocsp) if isinstance(item, str) and item not in _NOTHING]
            return Check("revocation", CLAUSE, "not-checked", f"{certificate.subject}: {'; '.join(reasons) or why}")
        # 5. the newest; but what was revoked for good stays so, whatever a source that knows less says later
        final = [item for item in answers if item.revoked_at is not None and item.reason != HOLD]
        answer = max(final or answers, key=lambda item: (item.made, item.revoked_at is not None))
        self._use(answer)
        if answer.revoked_at is not None and answer.revoked_at <= self.at:
            raise _revoked(certificate, answer, leaf=leaf)
        later = f", revoked later, on {answer.revoked_at.isoformat()}" if answer.revoked_at is not None else ""
        return Check("revocation", CLAUSE, "passed", f"{certificate.subject} not revoked{later}", answer.basis)

    def _use(self, answer: _Answer) -> None:
        for source in answer.sources:
            if isinstance(source, CRL):
                self.used.append(source)
            else:
                self.used_ocsps.append(source)

    # OCSP -------------------------------------------------------------------------------------------------------------
    def _by_ocsp(self, certificate: Certificate, issuer: Certificate) -> _Answer | str:
        found = self._ocsps.about(certificate, issuer, lambda responder: self._why_not_good(responder, issuer))
        if not isinstance(found, OCSPAnswer):
            return found
        single = found.single
        basis = f"OCSP answer of {single.this_update.isoformat()}"
        return _Answer(single.this_update, basis, (found.response,), single.revoked_at, single.reason or "unspecified")

    def _why_not_good(self, responder: Certificate, issuer: Certificate) -> str | None:
        """Return why a responder without nocheck is not known to be good, by lists of its issuer."""
        answer = self._by_lists(responder, issuer)
        if not isinstance(answer, _Answer):
            return f"whether the OCSP responder {responder.subject} is revoked is not known: {answer}"
        if answer.revoked_at is not None:  # whenever: who has its key may have put any date into an answer
            return f"the OCSP responder {responder.subject} is revoked"
        self._use(answer)
        return None

    # Lists ------------------------------------------------------------------------------------------------------------
    def _by_lists(self, certificate: Certificate, issuer: Certificate) -> _Answer | str:
        """Return what the lists say together, or why they say nothing."""
        why = _NO_LIST
        witnesses: list[_Witness] = []
        # 1
        points: list[DistributionPoint | None] = [*certificate.distribution_points, None]
        for crl in self.lists:
            reasons: frozenset[int] = frozenset()
            for point in points:
                covered, reason = self._covered(crl, point, certificate, issuer)
                reasons |= covered
                if reason and not reasons:
                    why = reason
                if reasons == ALL_REASONS:
                    break
            if not reasons:
                continue
            # 2
            signer = self._signer_of(crl, certificate, issuer)
            if isinstance(signer, str):
                why = signer
                continue
            delta = self._delta_to(crl, certificate, signer)
            reason = self._out_of_date(delta or crl, certificate)
            if reason:
                why = reason
                continue
            witnesses.append(_Witness(crl, delta, reasons))
        # 3
        witnesses.sort(key=lambda witness: witness.order, reverse=True)
        seen: frozenset[int] = frozenset()
        used: list[CRL] = []
        basis, later = "", None
        for witness in witnesses:
            if witness.reasons <= seen:
                continue
            seen |= witness.reasons
            lists = [witness.base] if witness.delta is None else [witness.base, witness.delta]
            used += lists
            described = " with delta ".join(map(_describe, lists))
            basis = f"{basis}, {described}" if basis else described
            entry = witness.entry(certificate)
            if entry is None:
                continue
            if entry.at <= self.at:
                return _Answer(witnesses[0].newest.this_update, basis, tuple(used), entry.at, entry.reason)
            later = entry
        if seen != ALL_REASONS:
            return "the revocation lists are limited to some reasons" if seen else why
        made = witnesses[0].newest.this_update
        if later is not None:
            return _Answer(made, basis, tuple(used), later.at, later.reason)
        return _Answer(made, basis, tuple(used))

    # Scope ------------------------------------------------------------------------------------------------------------
    def _covered(
        self, crl: CRL, point: DistributionPoint | None, certificate: Certificate, issuer: Certificate
    ) -> tuple[frozenset[int], str | None]:
        """Return the reasons that `crl` answers for under `point`, or none and why (RFC 5280 6.3.3 b, d).

        `point` is None for the last round: any list of the certificate's issuer.
        """
        nothing: frozenset[int] = frozenset()
        try:
            if crl.base_number is not None:
                return nothing, None  # a delta says nothing alone
            scope = crl.scope
            if point is not None and point.issuers:
                # 6.3.3 step b, 1: the point names who signs the list
                if _directory(crl.issuer_name.der) not in map(_canonical, point.issuers):
                    return nothing, None
                if not scope.indirect and crl.issuer_name.key != issuer.subject_name.key:
                    return nothing, "the revocation list of another issuer is not an indirect one"
            elif crl.issuer_name.key != issuer.subject_name.key:
                return nothing, None
            if crl.unusable:
                return nothing, f"the revocation list cannot be used: {crl.unusable}"
            # 6.3.3 step b, 2 ii to iv
            if scope.only_attributes or (scope.only_users and certificate.is_ca):
                return nothing, "the revocation list is for other certificates"
            if scope.only_authorities and not certificate.is_ca:
                return nothing, "the revocation list is for authorities only"
            # 6.3.3 step b, 2 i
            if scope.has_name:
                names = set(map(_canonical, (*scope.names, *_relative(scope.relative, crl.issuer_name))))
                if point is None:
                    theirs = {_directory(issuer.subject_name.der)}
                else:
                    owner = crl.issuer_name if point.issuers else issuer.subject_name
                    own = (*point.names, *_relative(point.relative, owner)) or point.issuers
                    theirs = set(map(_canonical, own))
                if names.isdisjoint(theirs):
                    return nothing, "the revocation list is of another distribution point"
            # 6.3.3 step d
            limited = ALL_REASONS if point is None or point.reason_bits is None else point.reason_bits
            return scope.reasons & limited, None
        except CertsError as error:
            return nothing, f"the revocation list cannot be read: {error}"

    def _out_of_date(self, crl: CRL, certificate: Certificate) -> str | None:
        """Return why `crl` is not current at the moment, or None (RFC 5280 6.3.3 a)."""
        if self.at >= crl.this_update:
            if crl.next_update is None or self.at > crl.next_update:
                return f"the revocation list of {crl.this_update.isoformat()} is out of date"
        elif certificate.not_after < crl.this_update:
            # a later list is the better witness, unless the certificate may have been dropped from it
            since = crl.expired_since
            if since is None or certificate.not_after < since:
                return "the revocation list was made after the certificate had expired"
        return None

    # Deltas -----------------------------------------------------------------------------------------------------------
    def _delta_to(self, base: CRL, certificate: Certificate, signer: Certificate) -> CRL | None:
        """Return the newest delta that may be joined to `base` (RFC 5280 5.2.4 and 6.3.3 c, h), or None."""
        best: CRL | None = None
        for crl in self.lists:
            try:
                if (
                    crl.base_number is None
                    or base.number is None
                    or crl.number is None
                    or crl.unusable
                    or crl.issuer_name.key != base.issuer_name.key
                    or crl.extension(oids.ISSUING_DISTRIBUTION_POINT) != base.extension(oids.ISSUING_DISTRIBUTION_POINT)
                    or crl.aki != base.aki
                    or not crl.base_number <= base.number <= crl.number
                    or self._out_of_date(crl, certificate)
                    or (best is not None and crl.number <= (best.number or 0))
                    or self._signature(crl, signer)
                ):
                    continue
                crl.status(certificate.serial, certificate.issuer_name)
            except CertsError:
                continue
            best = crl
        return best

    # Signatures -------------------------------------------------------------------------------------------------------
    def _signer_of(self, crl: CRL, certificate: Certificate, issuer: Certificate) -> Certificate | str:
        """Return whose key verifies `crl`, or why nobody's does (RFC 5280 6.3.3 f, g)."""
        candidates: list[Certificate] = []
        if crl.issuer_name.key == issuer.subject_name.key:
            candidates.append(issuer)
        why = f"the signer of the revocation list of {crl.issuer} is not at hand"
        for found in (False, True):
            if found:
                candidates = [other for other in self._others(crl.issuer_name) if other not in candidates]
            for candidate in candidates:
                if crl.aki and candidate.ski and crl.aki != candidate.ski:
                    continue
                reason = self._signature(crl, candidate)
                if reason is None:
                    try:
                        crl.status(certificate.serial, certificate.issuer_name)
                    except CertsError as error:
                        return f"the revocation list cannot be read: {error}"
                    return candidate
                why = reason
        return why

    def _others(self, name: Name) -> Sequence[Certificate]:
        if self._signers is None:
            return ()
        if name.key not in self._found:
            self._found[name.key] = ()  # whoever is being looked for does not vouch for itself
            self._found[name.key] = self._signers(name)
        return self._found[name.key]

    def _signature(self, crl: CRL, signer: Certificate) -> str | None:
        """Return why `signer` did not sign `crl`, or None where it did; each pair once, within the budget."""
        pair = (crl.der, signer.der)
        if pair not in self._verified:
            if self._signatures >= self.limits.crl_signatures:
                return f"more than {self.limits.crl_signatures} revocation lists"
            self._signatures += 1
            try:
                crl.check_signed_by(signer)
                self._verified[pair] = why_weak(crl.signature_algorithm, self.at)
            except BadSignature as error:
                self._verified[pair] = f"the revocation list is not signed by {signer.subject}: {error}"
            except CertsError as error:
                self._verified[pair] = f"the revocation list cannot be read: {error}"
        return self._verified[pair]


def _revoked(certificate: Certificate, answer: _Answer, *, leaf: bool) -> Stop:
    assert answer.revoked_at is not None
    if answer.reason == HOLD:
        # 4
        detail = f"{certificate.subject} is on hold since {answer.revoked_at.isoformat()}"
        sub_indication = "TRY_LATER"
    else:
        detail = f"{certificate.subject} was revoked on {answer.revoked_at.isoformat()} ({answer.reason})"
        sub_indication = "REVOKED_NO_POE" if leaf else "REVOKED_CA_NO_POE"
    return Stop(
        Check("revocation", CLAUSE, "failed", detail, answer.basis),
        sub_indication,
        revoked_at=answer.revoked_at,
        revocation_reason=answer.reason,
        revoked=certificate,
    )


_NO_LIST = "no revocation list"
_NOTHING = frozenset({_NO_LIST, "no OCSP answer"})


def _describe(crl: CRL) -> str:
    return f"CRL {crl.number if crl.number is not None else '?'} of {crl.this_update.isoformat()}"


def _canonical(general: bytes) -> object:
    """Return what two GeneralNames are compared by: directory names by their key, others by their octets."""
    value = ber.load(general)
    if value.tag != ber.context(4):
        return general
    return _directory(value.only().raw())


def _directory(name: bytes) -> object:
    return ("directory", Name(name).key)


def _relative(relative: bytes | None, issuer: Name) -> tuple[bytes, ...]:
    """Return the full name of a name relative to the list's issuer (RFC 5280 4.2.1.13)."""
    if relative is None:
        return ()
    body = ber.load(issuer.der).content() + der.tlv(der.SET, relative)
    return (der.tlv(0xA4, der.tlv(der.SEQUENCE, body)),)
