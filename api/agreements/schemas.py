"""What agreements look like from outside."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.agreements.models import Agreement, AgreementSignature
from api.contracts.evidence_schemas import EventList
from api.contracts.parts import Base64, CertificateOut, certificate_out
from api.kit.fields import Body, SealID
from api.signing.schemas import SignatureValueIn

PEM = Annotated[str, StringConstraints(max_length=100_000)]


class AgreementIn(Body):
    """A new agreement, or a termination of one."""

    agreement: dict[str, Any] = Field(
        description="An object of schema sealroad.agreement/1 (docs/agreement.schema.json), or sealroad.termination/1. "
        "`supersedes` and `terminates` name the agreement that ends by the SHA-256 of its octets.",
        examples=[
            {
                "schema": "sealroad.agreement/1",
                "title": "Framework agreement on electronic signatures",
                "binding": "required",
                "parties": [
                    {"name": "上海远东机械有限公司", "suites": ["sm2"], "level": "B-T"},
                    {"name": "ООО «Кедр»", "suites": ["gost2012-256"], "level": "B-T"},
                ],
            }
        ],
    )


class AgreementSignatureRequestIn(Body):
    """Ask for the octets that a party's key is to sign."""

    certificate: PEM = Field(description="PEM: the signing certificate, then its chain. It says whose signature it is.")


class AgreementCMSIn(Body):
    """A signature that was made elsewhere, as `sealroad sign --detached` makes it."""

    cms: Base64 = Field(max_length=400_000, description="Detached CAdES over the octets, base64 of DER.")


class AgreementSealIn(Body):
    """With which seal a party signs."""

    seal: SealID = Field(description="A seal whose key the service holds, granted to the caller for `agreement`.")


class AgreementValueIn(SignatureValueIn):
    """What came back from a party's key: exactly one of the three."""


class AgreementSignatureOut(BaseModel):
    """The signature of a party on an agreement."""

    id: str
    suite: str
    certificate: CertificateOut
    verdict: str | None = Field(
        description="What verification said when it came in. INDETERMINATE where the certificate is of an authority "
        "that this service does not know."
    )
    sub_indication: str | None
    signed_at: datetime | None

    @classmethod
    def of(cls, row: AgreementSignature) -> AgreementSignatureOut:
        """Return the outside of a row."""
        return cls(
            id=row.id,
            suite=row.suite,
            certificate=certificate_out(row.certificates),
            verdict=row.verdict,
            sub_indication=row.sub_indication,
            signed_at=row.signed_at,
        )


class AgreementPartyOut(BaseModel):
    """A party, and its signature once it has signed."""

    name: str
    signature: AgreementSignatureOut | None


class AgreementOut(BaseModel):
    """A framework agreement, or a termination of one."""

    id: str = Field(examples=["agr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    kind: Literal["agreement", "termination"]
    state: Literal["draft", "offered", "in_force", "superseded", "terminated", "withdrawn"] = Field(
        description="in_force: every party has signed. Whether today lies within its dates, `valid_from` and "
        "`valid_to` say."
    )
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    title: str
    agreement: dict[str, Any] = Field(description="What it says.")
    sha256: str | None = Field(description="SHA-256 of the octets that are signed, from offering on.")
    policy: str | None = Field(description="The object identifier by which signatures under it call it.")
    parties: list[AgreementPartyOut]
    valid_from: datetime | None
    valid_to: datetime | None
    ends: str | None = Field(description="The agreement that this one ends.")
    ended_at: datetime | None = Field(description="From when nothing is signed under it any more.")
    ended_by: str | None
    created_at: datetime
    updated_at: datetime
    offered_at: datetime | None
    concluded_at: datetime | None = Field(description="When the last party had signed.")
    log_sequence: int = Field(description="Number of the newest entry of its log.")
    log_hash: str = Field(description="Hash of that entry.")

    @classmethod
    def of(cls, row: Agreement, signatures: list[AgreementSignature]) -> AgreementOut:
        """Return the outside of a row and of the signatures that came in."""
        from certs.signature_policy import name_of

        signed = {each.party: AgreementSignatureOut.of(each) for each in signatures}
        policy = name_of(row.octets) if row.octets is not None and row.kind == "agreement" else None
        return cls.model_validate(
            {
                "id": row.id,
                "kind": row.kind,
                "state": row.state,
                "version": row.version,
                "title": row.title,
                "agreement": row.body,
                "sha256": row.sha256,
                "policy": policy,
                "parties": [{"name": name, "signature": signed.get(index)} for index, name in enumerate(row.parties)],
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "ends": row.ends_id,
                "ended_at": row.ended_at,
                "ended_by": row.ended_by_id,
                "created_at": row.created_at,
                "updated_at": row.updated_at,
                "offered_at": row.offered_at,
                "concluded_at": row.concluded_at,
                "log_sequence": row.log_sequence,
                "log_hash": row.log_hash,
            }
        )


class AgreementItem(BaseModel):
    """An agreement in a list."""

    id: str
    kind: Literal["agreement", "termination"]
    state: str
    version: int
    title: str
    sha256: str | None
    parties: list[str]
    valid_from: datetime | None
    valid_to: datetime | None
    ended_at: datetime | None
    created_at: datetime


class AgreementList(BaseModel):
    """A page of agreements, newest first."""

    data: list[AgreementItem]
    next_cursor: str | None


class AgreementSignatureRequestOut(BaseModel):
    """Octets to be signed, and what became of them."""

    id: str = Field(examples=["ags_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    state: Literal["prepared", "signed", "abandoned"]
    agreement: str
    party: str
    suite: str
    dtbs: str = Field(description="The octets to be signed (DER of the signed attributes), base64.")
    digest: str = Field(
        description="Their digest, base64, for a key that takes digests; for SM2 without Z, which the key adds."
    )
    digest_algorithm: str = Field(description="OID of the digest algorithm.")
    signature_algorithm: str = Field(description="OID of the signature algorithm.")
    sha256: str = Field(description="SHA-256 of the octets of the agreement: what the party should have read.")
    created_at: datetime
    expires_at: datetime | None
    failure: dict[str, Any] | None

    @classmethod
    def of(cls, row: AgreementSignature, agreement: Agreement) -> AgreementSignatureRequestOut:
        """Return the outside of a row."""
        from certs import suites
        from certs.suites.base import Use

        suite = suites.get(row.suite)
        dtbs = row.attributes or b""
        return cls.model_validate(
            {
                "id": row.id,
                "state": row.state,
                "agreement": agreement.id,
                "party": agreement.parties[row.party],
                "suite": row.suite,
                "dtbs": base64.b64encode(dtbs).decode(),
                "digest": base64.b64encode(suites.digest(suite.digest_name, dtbs)).decode(),
                "digest_algorithm": suites.digest_oid(suite.digest_name),
                "signature_algorithm": suite.signature_algorithm(Use.CMS).oid,
                "sha256": agreement.sha256,
                "created_at": row.created_at,
                "expires_at": row.expires_at,
                "failure": row.failure,
            }
        )


class AgreementSignatureResult(BaseModel):
    """A signature request after its value came in, and the agreement as it is now."""

    request: AgreementSignatureRequestOut
    agreement: AgreementOut


class AgreementLogList(EventList):
    """Entries of the log of an agreement in order; `next_after` continues."""
