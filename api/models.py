"""All tables in one import, for migrations and for tests."""

from __future__ import annotations

from api.agreements.models import Agreement, AgreementEvent, AgreementSignature
from api.audit.models import AuditEvent
from api.auth.models import APIKey, Tenant
from api.certificates.models import CertificateIntent, IssuedCertificate
from api.contracts.models import Contract, ContractDocument, Party, Revision, Succession
from api.db import Base
from api.documents.models import Document
from api.envelopes.models import Envelope, EnvelopeEvent, EnvelopeKey
from api.jobs.models import Job
from api.kit.idempotency import IdempotencyRecord
from api.seals.models import Seal, SealEvent, SealGrant, SealMaker, SealUse
from api.signing.models import Intent, Signature

__all__ = [
    "APIKey",
    "Agreement",
    "AgreementEvent",
    "AgreementSignature",
    "AuditEvent",
    "Base",
    "CertificateIntent",
    "Contract",
    "ContractDocument",
    "Document",
    "Envelope",
    "EnvelopeEvent",
    "EnvelopeKey",
    "IdempotencyRecord",
    "Intent",
    "IssuedCertificate",
    "Job",
    "Party",
    "Revision",
    "Seal",
    "SealEvent",
    "SealGrant",
    "SealMaker",
    "SealUse",
    "Signature",
    "Succession",
    "Tenant",
]
