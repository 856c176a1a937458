"""Whether a signature was made under this very agreement, by a party of it, while the agreement stood.

binding(signature, agreement)                   # does a signed attribute name these octets by their digest?
ended(signature, agreement, ending, wanted)     # was it made before the parties ended the agreement?
own_signatures(agreement)                       # do the signatures on the agreement itself hold?
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import cast

from certs import oids
from certs.errors import UnsupportedAlgorithm
from certs.signature_policy import SignaturePolicy
from signer.layers.agreement import Agreement, Ending, Party
from signer.layers.conditions import Conditions
from signer.report import CONSENT, CheckResult, Result, SignatureReport, SignerReport, Verdict

POLICY_CLAUSE = "EN 319 122-1 5.2.9"
NAMES = "2.25."
"""How the names of agreements begin (`certs.signature_policy.name_of`); a policy of a state has another arc."""


def concerns(signature: SignatureReport) -> bool:
    """Tell whether the two layers are about this signature at all."""
    return signature.kind in CONSENT


def clause_of(key: str, clauses: dict[str, str]) -> str:
    """Return where something stands: clause of the written agreement, if the file gives one, and key in the file."""
    return f"{clauses[key]} ({key})" if key in clauses else key


def own_signatures(agreement: Agreement) -> CheckResult:
    """Check the agreement's own signatures: all of them hold, and one at least is somebody's consent."""
    signatures = agreement.signatures or ()
    result, detail = _signed(signatures, agreement.parties if agreement.by_all else ())
    return CheckResult("agreement-signatures", "signatures", result, detail)


def _signed(signatures: Sequence[SignatureReport], parties: Sequence[Party]) -> tuple[Result, str]:
    """Tell whether all signatures hold, and are those of all these parties."""
    verdicts = [one.verdict for one in signatures]
    detail = ", ".join(verdict.value for verdict in verdicts)
    result: Result = "passed"
    known = [party_of(one.signer, parties) for one in signatures if concerns(one)]
    missing = [party.name for party in parties if party not in known]
    if not any(map(concerns, signatures)) or Verdict.TOTAL_FAILED in verdicts or missing:
        result = "failed"
    elif set(verdicts) != {Verdict.TOTAL_PASSED}:
        result = "not-checked"
    return result, "; ".join(filter(None, (detail, f"not signed by {', '.join(missing)}" if missing else "")))


def binding(signature: SignatureReport, agreement: Agreement) -> CheckResult:
    """Check that the signature names this very agreement by its digest, in a signed attribute."""
    place = clause_of("binding", dict(agreement.clauses)) if agreement.binding else POLICY_CLAUSE
    policy, lacking = signature.policy, "failed" if agreement.binding else "not-checked"

    def found(result: str, detail: str, basis: str = "") -> CheckResult:
        return CheckResult("agreement-binding", place, cast("Result", result), detail, basis)

    if policy is None:
        return found(lacking, "it names no agreement")
    if not policy.readable:
        return found("failed", "what it names as its rules cannot be read")
    if policy.digest_algorithm is None:
        return found(lacking, "its rules are implied, not named")
    named = f"{oids.name(policy.digest_algorithm)} {policy.digest}"
    if policy.digest_algorithm == oids.SHA256 and policy.digest == agreement.supersedes:
        return found("failed", "it names the agreement that this one supersedes", named)
    stated = SignaturePolicy(policy.oid, policy.digest_algorithm, bytes.fromhex(policy.digest))
    try:
        if stated.is_of(agreement.octets):
            return found("passed", "this agreement", named)
    except UnsupportedAlgorithm as error:
        return found(lacking, error.message, named)
    if policy.oid.startswith(NAMES):
        return found("failed", "it names another agreement", named)
    return found(lacking, f"it names other rules, {policy.oid}", named)


def ended(signature: SignatureReport, agreement: Agreement, ending: Ending, wanted: Conditions | None) -> CheckResult:
    """Check that the signature was made before the parties ended the agreement."""
    signed, said = _signed(ending.signatures, agreement.parties)
    when, until = signature.signed_at, f"{ending.kind} from {ending.effective_from.isoformat()}, {said}"
    place = f"ended_by, SHA-256 {ending.sha256}"
    result: Result = "not-checked"
    if when is not None and when.value < ending.effective_from:
        result = "passed" if when.source == "timestamp" or (wanted and wanted.time == "claimed") else "not-checked"
    elif when is not None and signed == "passed":
        result = "failed"
    return CheckResult("agreement-ended", place, result, until, when.source if when is not None else "")


def party_of(signer: SignerReport | None, parties: Sequence[Party]) -> Party | None:
    """Find the party: by certificate, else by national identifier, else by the organisation's or person's name.

    A party that names certificates is known by nothing else, one that names identifiers not by its name: whoever wrote
    them down wanted more than a name, which anybody may bear.
    """
    if signer is None:
        return None
    stated = {(item.scheme, item.value) for item in signer.identifiers if item.checksum_ok is not False}
    names = {_folded(name) for name in (signer.organisation, signer.common_name) if name}
    for party in parties:
        if party.certificates:
            if signer.fingerprint in party.certificates:
                return party
        elif party.identifiers:
            if stated.intersection(party.identifiers):
                return party
        elif _folded(party.name) in names:
            return party
    return None


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
