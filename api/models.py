"""All tables in one import, for migrations and for tests."""

from __future__ import annotations

from api.audit.models import AuditEvent
from api.auth.models import APIKey, Tenant
from api.certificates.models import CertificateIntent, IssuedCertificate
from api.contracts.models import Contract, ContractDocument, Party, Revision
from api.db import Base
from api.documents.models import Document
from api.envelopes.models import Envelope, EnvelopeEvent, EnvelopeKey
from api.jobs.models import Job, JobEvent, JobWorker
from api.kit.idempotency import IdempotencyRecord
from api.seals.models import Seal, SealEvent, SealGrant, SealMaker, SealUse
from api.signing.models import Signature

__all__ = [
    "APIKey",
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
    "IssuedCertificate",
    "Job",
    "JobEvent",
    "JobWorker",
    "Party",
    "Revision",
    "Seal",
    "SealEvent",
    "SealGrant",
    "SealMaker",
    "SealUse",
    "Signature",
    "Tenant",
]
