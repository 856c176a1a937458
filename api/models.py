"""All tables in one import, for migrations and for tests."""

from __future__ import annotations

from api.agreements.models import Agreement, AgreementEvent, AgreementSignature
from api.audit.models import AuditEvent
from api.auth.models import AccessToken, APIKey, AuthFailures, ClientAssertion, Tenant, User
from api.batches.models import Batch, BatchItem, SigningPolicy
from api.bulk.models import BulkDocument, BulkRow, BulkSend
from api.certificates.models import CertificateIntent, IssuedCertificate
from api.contracts.models import Contract, ContractDocument, Party, Revision, Succession
from api.db import Base
from api.documents.models import Document
from api.envelopes.models import Envelope, EnvelopeEvent, EnvelopeKey
from api.factors.models import Factor, FactorEnrolment, FactorPolicy
from api.handover.models import Handover
from api.identity.models import IdentityProof
from api.jobs.models import Job, JobEvent, JobWorker
from api.kit.idempotency import IdempotencyRecord
from api.mandates.models import PowerOfAttorney, PowerOfAttorneyEvent
from api.people.models import Membership, Organisation, OrganisationEvent, Person, PersonEvent
from api.seals.models import Seal, SealEvent, SealGrant, SealMaker, SealUse
from api.signing.models import Intent, Signature
from api.templates.models import Template, TemplateDocument, TemplateEvent

__all__ = [
    "APIKey",
    "AccessToken",
    "Agreement",
    "AgreementEvent",
    "AgreementSignature",
    "AuditEvent",
    "AuthFailures",
    "Base",
    "Batch",
    "BatchItem",
    "BulkDocument",
    "BulkRow",
    "BulkSend",
    "CertificateIntent",
    "ClientAssertion",
    "Contract",
    "ContractDocument",
    "Document",
    "Envelope",
    "EnvelopeEvent",
    "EnvelopeKey",
    "Factor",
    "FactorEnrolment",
    "FactorPolicy",
    "Handover",
    "IdempotencyRecord",
    "IdentityProof",
    "Intent",
    "IssuedCertificate",
    "Job",
    "JobEvent",
    "JobWorker",
    "Membership",
    "Organisation",
    "OrganisationEvent",
    "Party",
    "Person",
    "PersonEvent",
    "PowerOfAttorney",
    "PowerOfAttorneyEvent",
    "Revision",
    "Seal",
    "SealEvent",
    "SealGrant",
    "SealMaker",
    "SealUse",
    "Signature",
    "SigningPolicy",
    "Succession",
    "Template",
    "TemplateDocument",
    "TemplateEvent",
    "Tenant",
    "User",
]
