"""Whether a certificate was good at a moment that is proven, where it is not good now (EN 319 102-1 5.6.2).

    outcome = judge_certificate(certificate, evidence, setting, proofs, proven=moment)
    outcome.result.passed, outcome.moment

A chain that holds now needs no proof of time. Else, and where something (a signature, a token) is proven to have
existed at `proven`, the chain is judged at that moment, with the evidence that may be believed about it:

 1. 5.6.2.1.4  a chain is built and validated at the proven moment, revocation not looked at
 2. 5.6.2.2.4  for every authority, from the anchor down, the end of its word is found: the anchor's is now; that of
               another the end of its certificate, or its revocation if that is earlier, or where it names an
               invalidityDate, that; of all of them, when their key ceased to be good enough
 3. 5.6.2.4.4  a certificate, list or answer counts if it is proven to be older than the end of its issuer's word and
    step 1     than the end of the algorithms it rests on: whoever got an old key could make any of them today
 4. 5.6.2.1.4  the chain is validated at the proven moment with what counts
 5. 5.6.2.4.4  the proven moment lies before any revocation that was made known later: at or before the control time
    step 3     (a compromise counts from its invalidityDate), and not before the certificate (NOT_YET_VALID)

A list or answer is fresh enough if it was current at the proven moment or made later (5.2.5). What is revoked later
stays good for what is proven to be older. The status of now is returned where the past does not help.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from certs import ber, oids, suites
from certs.certificate import Certificate
from certs.crl import REMOVE_FROM_CRL
from certs.errors import CertsError
from certs.ocsp import OCSPResponse
from certs.path import Check, PathResult, Purpose, validate_path
from certs.path_algorithms import key_good_until
from certs.suites.policy import digest_good_until
from certs.trust import TrustStore
from signer.verification.poe import Proofs
from signer.verification.revocation import Evidence
from signer.verification.setting import Setting

CLAUSE = "EN 319 102-1 5.6.2"
TOLERANCE = timedelta(minutes=1)
"""How far the clocks of authorities may be apart (ours)."""
MAX_ROUNDS = 4
"""How often the ends of the authorities' words are found anew, since each may put evidence out of use."""
_REVOKED = ("REVOKED_NO_POE", "REVOKED_CA_NO_POE")


@dataclass(frozen=True)
class Outcome:
    """The answer, and the moment it is about."""

    result: PathResult
    moment: datetime
    notes: tuple[str, ...] = ()
    """What was fetched."""


def judge_certificate(
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    proofs: Proofs,
    *,
    proven: datetime | None,
    purpose: Purpose = "signing",
) -> Outcome:
    """Validate the chain of `certificate` now, or else at `proven`; None where nothing is proven. Never raises."""
    evidence = evidence.until(setting.today)
    current = _validate(certificate, evidence, setting, setting.trust, setting.now, purpose)
    if proven is not None and proven + TOLERANCE < certificate.not_before:
        # 5.1.3: whatever the chain is worth now, it is not the certificate of what was signed before it
        detail = f"signed before {proven.isoformat()}, but the certificate begins {certificate.not_before.isoformat()}"
        check = Check("validity", CLAUSE, "failed", detail)
        failed = PathResult("FAILED", "NOT_YET_VALID", current.chain, (check,))
        return Outcome(failed, proven, current.notes)
    if current.passed or proven is None or proven >= setting.now:
        return Outcome(current, setting.now, current.notes)
    # a token of the very second the certificate begins, or of a clock that is a little behind
    moment = max(proven.replace(microsecond=0), certificate.not_before)
    try:
        past = _Past(certificate, evidence, setting, proofs, moment, purpose).result()
    except (CertsError, RecursionError) as error:  # a broken member nobody looked at before
        return Outcome(_with_reason(current, f"at {proven.isoformat()}: {error}"), setting.now, current.notes)
    notes = tuple(dict.fromkeys((*current.notes, *past.notes)))
    if past.passed or past.sub_indication in _REVOKED:
        return Outcome(past, proven, notes)
    # the words are those of now (5.6.2.4.4 step 2), with the reason why the past does not help
    return Outcome(_with_reason(current, f"at {proven.isoformat()}: {past.detail}"), setting.now, notes)


def _with_reason(result: PathResult, more: str) -> PathResult:
    *checks, last = result.checks
    return replace(result, checks=(*checks, replace(last, detail=f"{last.detail}; {more}")))


def _validate(
    certificate: Certificate,
    evidence: Evidence,
    setting: Setting,
    trust: TrustStore,
    at: datetime,
    purpose: Purpose,
    *,
    online: bool = True,
) -> PathResult:
    return validate_path(
        certificate,
        evidence.certificates,
        trust,
        at,
        purpose=purpose,
        crls=evidence.crls,
        ocsps=evidence.ocsps,
        revocation="if-present" if setting.options.revocation == "if-present" else "require",
        fetch=setting.options.fetch if online else None,
        deadline=setting.deadline,
        strict=setting.options.strict,
    )


class _Past:
    """One validation at a proven moment."""

    def __init__(
        self,
        certificate: Certificate,
        evidence: Evidence,
        setting: Setting,
        proofs: Proofs,
        moment: datetime,
        purpose: Purpose,
    ) -> None:
        self.certificate, self.setting, self.proofs, self.moment = certificate, setting, proofs, moment
        self.purpose = purpose
        self.evidence = Evidence(
            evidence.certificates,
            tuple(dict.fromkeys((*evidence.crls, *setting.trust.crls))),
            tuple(dict.fromkeys((*evidence.ocsps, *setting.trust.ocsps))),
        )
        self.trust = replace(setting.trust, crls=(), ocsps=())
        self.given = {item.der for item in (*setting.trust.anchors, *setting.trust.certificates)}
        self.ends: dict[Hashable, datetime] = {}
        """Name of an authority to the end of its word, for those of the chain."""
        self.revoked: dict[Certificate, datetime] = {}
        """Authorities of the chain that were revoked later, and since when they are not believed."""
        self.left_out = 0

    def result(self) -> PathResult:
        """Return the answer of the steps above."""
        # 1
        bare = replace(self.setting, options=replace(self.setting.options, revocation="if-present"))
        nothing = Evidence(self.evidence.certificates, ())
        shape = _validate(self.certificate, nothing, bare, self.trust, self.moment, self.purpose, online=False)
        if not shape.passed:
            return shape
        chain = shape.chain
        for _ in range(MAX_ROUNDS):
            # 2
            self._find_ends(chain)
            # 3
            counting = self._counting(chain)
            if not self._certificate_counts(self.certificate):
                return self._no_proof(shape, f"nothing proves how old {self.certificate.subject} is")
            # 4; what is fetched exists since now, so it is of use only while every authority's word is good
            online = all(end >= self.setting.now for end in self.ends.values())
            result = _validate(
                self.certificate, counting, self.setting, self.trust, self.moment, self.purpose, online=online
            )
            if not result.passed:
                if self.left_out and result.sub_indication not in _REVOKED:
                    more = f"; {self.left_out} value(s) are not proven to be older than the end of their issuer's word"
                    return self._no_proof(result, result.detail + more)
                return result
            # 5
            later = {
                item: since
                for item, issuer in pairwise(result.chain)
                if (since := self._revoked_since(item, issuer, result)) is not None
            }
            for item, since in later.items():
                if since <= self.moment:
                    return _compromised(item, since, result, leaf=item is result.chain[0])
            later.pop(result.chain[0], None)
            if result.chain == chain and later == self.revoked:
                return result
            # another chain, or an authority whose word ends earlier than was thought: less may count
            chain, self.revoked = result.chain, later
        return self._no_proof(shape, "the revocations of the authorities contradict each other")

    # 2 ----------------------------------------------------------------------------------------------------------------
    def _find_ends(self, chain: tuple[Certificate, ...]) -> None:
        """Find the end of every authority's word, from the anchor down."""
        now = self.setting.now
        self.ends = {}
        for authority in reversed(chain[1:]):
            key = authority.subject_name.key
            end = min(now, key_good_until(authority) or now)
            if authority not in self.setting.trust.anchors:
                above = self.ends.get(authority.issuer_name.key, now)
                end = min(end, authority.not_after, above, self.revoked.get(authority, now))
            self.ends[key] = min(self.ends.get(key, now), end)

    def _end_of(self, name: Hashable) -> datetime:
        """Return the end of the word of whoever bears a name; of a stranger the earliest that may be his."""
        if name in self.ends:
            return self.ends[name]
        if any(anchor.subject_name.key == name for anchor in self.setting.trust.anchors):
            return self.setting.now
        named = (item.not_after for item in self.evidence.certificates if item.subject_name.key == name)
        return min(min(named, default=self.setting.now), self.setting.now)

    # 3 ----------------------------------------------------------------------------------------------------------------
    def _counts(self, octets: bytes, issuer: Hashable, rests_on: datetime | None) -> bool:
        exists = self.proofs.moment(octets)
        return exists <= self._end_of(issuer) and (rests_on is None or exists < rests_on)

    def _certificate_counts(self, item: Certificate) -> bool:
        """Tell it of a certificate; what the caller brought himself needs no proof."""
        rests_on = _good_until(item.signature_algorithm)
        return item.der in self.given or self._counts(item.der, item.issuer_name.key, rests_on)

    def _counting(self, chain: tuple[Certificate, ...]) -> Evidence:
        certificates = tuple(filter(self._certificate_counts, self.evidence.certificates))
        crls = tuple(
            item
            for item in self.evidence.crls
            if self._counts(item.der, item.issuer_name.key, _good_until(item.signature_algorithm))
        )
        ocsps = tuple(item for item in self.evidence.ocsps if self._answer_counts(item, chain))
        self.left_out = len(self.evidence.crls) + len(self.evidence.ocsps) - len(crls) - len(ocsps)
        return Evidence(certificates, crls, ocsps)

    def _answer_counts(self, response: OCSPResponse, chain: tuple[Certificate, ...]) -> bool:
        """Tell it of an answer: its issuer's word, and a delegate's ends with the delegate's certificate too."""
        try:
            rests_on = _good_until(response.signature_algorithm)
            for certificate, issuer in pairwise(chain):
                if response.about(certificate, issuer) is None:
                    continue
                if not self._counts(response.der, issuer.subject_name.key, rests_on):
                    return False
            if any(response.is_named(item) for item in chain):
                return True
            delegates = [item.not_after for item in response.certificates if response.is_named(item)]
            return not delegates or self.proofs.moment(response.der) <= max(delegates)
        except CertsError:
            return False

    # 5 ----------------------------------------------------------------------------------------------------------------
    def _revoked_since(self, certificate: Certificate, issuer: Certificate, result: PathResult) -> datetime | None:
        """Return since when `certificate` may not be believed by what the answer rests on, or None.

        That is the revocation, or the invalidityDate where it is earlier (RFC 5280 5.3.2).
        """
        found: list[datetime] = []
        for crl in result.crls:
            if crl.issuer_name.key != certificate.issuer_name.key and not crl.scope.indirect:
                continue
            entry = crl.status(certificate.serial, certificate.issuer_name)
            if entry is not None and entry.reason not in ("certificateHold", REMOVE_FROM_CRL):
                found.append(min(entry.at, entry.invalid_since or entry.at))
        for response in result.ocsps:
            single = response.about(certificate, issuer)
            if single is not None and single.revoked_at is not None and single.reason != "certificateHold":
                since = (ber.load(item.value).time() for item in single.extensions if item.oid == oids.INVALIDITY_DATE)
                found.append(min((single.revoked_at, *since)))
        return min(found, default=None)

    def _no_proof(self, result: PathResult, detail: str) -> PathResult:
        check = Check("proof-of-existence", CLAUSE, "not-checked", detail)
        return PathResult("INDETERMINATE", "NO_POE", result.chain, (check,), notes=result.notes)


def _compromised(certificate: Certificate, since: datetime, result: PathResult, *, leaf: bool) -> PathResult:
    detail = f"{certificate.subject} was revoked later, as not to be believed since {since.isoformat()}"
    check = Check("revocation", "EN 319 102-1 5.2.5; RFC 5280 5.3.2", "failed", detail)
    return replace(
        result,
        indication="INDETERMINATE",
        sub_indication="REVOKED_NO_POE" if leaf else "REVOKED_CA_NO_POE",
        checks=(*result.checks, check),
        revoked=certificate,
    )


def _good_until(algorithm: bytes) -> datetime | None:
    """Return the end of the digest of a signature algorithm (DER), or None where there is none."""
    try:
        name = suites.signature_digest(algorithm)
    except CertsError:
        return None
    return digest_good_until(name) if name else None


def older_than(outcome: Outcome, proven: datetime) -> datetime | None:
    """Return the date of the newest word on the certificate where it is older than the proven time of signing.

    It was current then (5.2.5), but a revocation of the hours between is not in it.
    """
    certificate = outcome.result.chain[0]
    made = [crl.this_update for crl in outcome.result.crls if crl.issuer_name.key == certificate.issuer_name.key]
    for response in outcome.result.ocsps:
        made += [single.this_update for single in response.responses if single.cert_id.serial == certificate.serial]
    newest = max(made, default=None)
    return newest if newest is not None and newest < proven else None
