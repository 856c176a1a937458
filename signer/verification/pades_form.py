"""What EN 319 142-1 and ISO 32000-2 ask of the dictionary around a PAdES signature, beside the cryptography.

    check_form(draft, dictionary, view.signers[0])         # warnings "pades-form", never another verdict

A fault of form alone must not change the verdict (EN 319 102-1): who wrote the file was careless, the signature is as
good as before.
"""

from __future__ import annotations

from certs import oids
from certs.signed_data import SignerView
from signer.pdf.tokens import Dictionary
from signer.verification.draft import Draft

SUBFILTER = "ETSI.CAdES.detached"


def check_form(draft: Draft, dictionary: Dictionary, signer: SignerView) -> None:
    """Warn of entries that say what a signed attribute says too. Never raises."""
    if "M" in dictionary and signer.values(oids.SIGNING_TIME):
        draft.warn("pades-form", "both /M and signing-time state a time (ISO 32000-2 12.8.3.4.2)")
    reasons = (oids.COMMITMENT_TYPE, oids.SIGNATURE_POLICY)
    if "Reason" in dictionary and any(signer.values(oid) for oid in reasons):
        detail = "/Reason stands beside a signed attribute that states the commitment or the policy"
        draft.warn("pades-form", f"{detail} (EN 319 142-1 6.3 m)")
