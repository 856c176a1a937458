"""The registration authority: officers approve applications, and what they approved is issued once.

    ra = RegistrationAuthority(authority, log, clock)
    ra.appoint("anna", anna_certificate)                         # an entry in the audit log; the log is the register
    approval = approve(application, "anna", key, certificate, now)      # CMS over what exactly is approved, any suite
    clearance = ra.clear(dossier)                                # ApprovalError naming what does not count
    certificate = ra.issue(dossier)                              # clear, record, prepare, sign: once

An approval names the application by digest, its authority, profile and expiry, and the officer. It counts where

 1. it is of schema `sealroad.approval/1`, for this application, authority, profile and expiry
 2. it was signed with the certificate under which the officer was appointed, and that signature holds
 3. the officer was not dismissed, and the certificate is valid now and not revoked by this authority
 4. the officer is not the applicant: another key, another name, no identifier in common (`Application.conflict`)
 5. neither the approval nor the application has expired, and it is not from the future
 6. no other approval of the same person counts already

An officer is a person, whatever certificate they hold. Who identified the applicant must be an officer too, and may
be one of those who approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from certs import canonical, files, profiles
from certs.application import Dossier
from certs.audit.log import AuditLog, moment_of, text_of
from certs.ca import Authority, Plan
from certs.certificate import Certificate
from certs.clearance import Clearance
from certs.clock import Clock
from certs.errors import ApprovalError, CertsError, IssuanceError, KeyStoreError, MalformedInput
from certs.keys.base import KeyHandle
from certs.pem import pem_blocks
from certs.profiles import Profile
from certs.signed_data import build_signed_data, check_signing_certificate, parse_signed_data

if TYPE_CHECKING:
    from certs.pairs import Pair, PairDesk
    from certs.request import Request

SCHEMA = "sealroad.approval/1"
TOLERANCE = timedelta(minutes=5)
"""How far an officer's clock may be ahead of ours."""


class Approvable(Protocol):
    """What officers approve: an `Application`, or the recovery of a key (`certs.escrow`)."""

    @property
    def digest(self) -> str:
        """SHA-256 of exactly what is approved, hexadecimal."""
        ...

    @property
    def authority(self) -> str:
        """Key identifier of the authority, hexadecimal."""
        ...

    @property
    def profile(self) -> str:
        """What kind of thing it is."""
        ...

    @property
    def created(self) -> datetime:
        """No approval is older."""
        ...

    @property
    def expires(self) -> datetime:
        """No approval counts afterwards."""
        ...

    def conflict(self, certificate: Certificate) -> str:
        """Return why the holder of `certificate` may not approve it, as the end of a sentence; "" where he may."""
        ...


@dataclass(frozen=True)
class Officer:
    """Somebody who may approve."""

    id: str
    certificate: Certificate
    dismissed: datetime | None = None


@dataclass(frozen=True)
class Approval:
    """What an officer signed, as read."""

    officer: str
    application: str
    authority: str
    profile: str
    expires: str
    at: datetime

    def value(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "schema": SCHEMA,
            "decision": "approve",
            "officer": self.officer,
            "application": self.application,
            "authority": self.authority,
            "profile": self.profile,
            "expires": self.expires,
            "at": text_of(self.at),
        }


def approve(application: Approvable, officer: str, key: KeyHandle, certificate: Certificate, now: datetime) -> bytes:
    """Return an officer's approval: CMS (DER) with the content inside. Raises what the key raises."""
    approval = Approval(
        officer, application.digest, application.authority, application.profile, text_of(application.expires), now
    )
    return build_signed_data(canonical.encode(approval.value()), key, certificate, signing_time=now)


def read_approval(data: bytes) -> Approval:
    """Read what an approval says; who signed it is for `RegistrationAuthority` to judge. Raises MalformedInput."""
    view = parse_signed_data(data)
    if view.content is None or len(view.signers) != 1:
        raise MalformedInput("an approval has one signer and its content inside")
    return _content(view.content)


def _content(content: bytes) -> Approval:
    value = canonical.decode(content, limit=4096)
    names = {"schema", "decision", "officer", "application", "authority", "profile", "expires", "at"}
    if not isinstance(value, dict) or set(value) != names or not all(isinstance(item, str) for item in value.values()):
        raise MalformedInput("not an approval")
    if value["schema"] != SCHEMA or value["decision"] != "approve":
        raise MalformedInput(f"not an approval of schema {SCHEMA}")
    return Approval(
        value["officer"],
        value["application"],
        value["authority"],
        value["profile"],
        value["expires"],
        moment_of(value["at"]),
    )


class RegistrationAuthority:
    """Registers officers, judges dossiers, issues what is approved."""

    def __init__(self, authority: Authority, log: AuditLog, clock: Clock, *, archive: str | Path | None = None) -> None:
        """`archive` is a directory in which dossiers are kept under their digest, before they are issued."""
        self._authority, self._log, self._clock = authority, log, clock
        self._archive = Path(archive) if archive is not None else None

    # officers --------------------------------------------------------------------------------------------------------
    def officers(self) -> dict[str, Officer]:
        """Return the officers by name, as the log tells: appointed, with a new certificate, dismissed."""
        found: dict[str, Officer] = {}
        for entry in sorted(
            (*self._log.entries("officer-appointed"), *self._log.entries("officer-dismissed")),
            key=lambda item: item.number,
        ):
            name = str(entry.facts.get("officer"))
            if entry.act == "officer-appointed":
                blocks = pem_blocks(str(entry.facts.get("certificate")).encode())
                found[name] = Officer(name, Certificate(blocks[0][1]))
            elif name in found:
                found[name] = Officer(name, found[name].certificate, entry.at)
        return found

    def appoint(self, officer: str, certificate: Certificate) -> None:
        """Register an officer, or the officer's next certificate. Raises ApprovalError where the key is another's."""
        if (
            not officer.isascii()
            or not officer.replace("-", "").replace(".", "").isalnum()
            or officer != officer.lower()
        ):
            raise ApprovalError(f"{officer!r} is no name for an officer", hint="lower-case letters, digits, - and .")
        if not certificate.allows("digital_signature", "non_repudiation"):
            raise ApprovalError(
                f"the certificate of {certificate.subject} is not for signatures, by its key usage",
                hint="of a pair, take the signing certificate",
            )
        for other in self.officers().values():
            if other.id != officer and other.certificate.spki == certificate.spki:
                raise ApprovalError(f"this is the key of officer {other.id}", hint="an officer is one person")
            named = other.certificate.subject_name.der == certificate.subject_name.der
            if other.id != officer and other.dismissed is None and named:
                raise ApprovalError(f"this is the name of officer {other.id}", hint="an officer is one person")
        self._log.append("officer-appointed", officer=officer, certificate=certificate.pem)

    def dismiss(self, officer: str) -> None:
        """Take the office away: from now on nothing the officer signed counts, whenever it was signed."""
        if officer not in self.officers():
            raise ApprovalError(f"there is no officer {officer}")
        self._log.append("officer-dismissed", officer=officer)

    # judging ---------------------------------------------------------------------------------------------------------
    def judge(self, dossier: Dossier) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the officers whose approval counts, and one sentence for each that does not."""
        return self.count(dossier.application, dossier.approvals)

    def count(self, application: Approvable, approvals: Sequence[bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the officers whose approval of anything counts, and one sentence for each that does not."""
        counted: list[str] = []
        refused: list[str] = []
        officers, now = self.officers(), self._clock.now()
        for number, data in enumerate(approvals, 1):
            try:
                officer = self._judge_one(data, application, officers, now)
                if officer in counted:  # 6
                    raise ApprovalError(f"{officer} has approved already")
                counted.append(officer)
            except CertsError as error:
                refused.append(f"approval {number} does not count: {error}")
        return tuple(counted), tuple(refused)

    def _judge_one(self, data: bytes, application: Approvable, officers: dict[str, Officer], now: datetime) -> str:
        view = parse_signed_data(data)
        approval = read_approval(data)
        # 1
        expected = (application.digest, self._authority.id, application.profile, text_of(application.expires))
        if (approval.application, approval.authority, approval.profile, approval.expires) != expected:
            raise ApprovalError("it is for another application")
        # 2
        officer = officers.get(approval.officer)
        if officer is None:
            raise ApprovalError(f"there is no officer {approval.officer}")
        signer = view.signers[0]
        signer.verify(certificate=officer.certificate)
        check_signing_certificate(signer, officer.certificate)
        # 3
        self._check_office(officer, now)
        # 4
        if conflict := application.conflict(officer.certificate):
            raise ApprovalError(f"{officer.id} {conflict}")
        # 5
        if not application.created - TOLERANCE <= approval.at <= min(now + TOLERANCE, application.expires):
            raise ApprovalError("it was given before the application, after its expiry or in the future")
        return officer.id

    def _check_office(self, officer: Officer, now: datetime) -> None:
        certificate = officer.certificate
        if officer.dismissed is not None:
            raise ApprovalError(f"{officer.id} is no officer since {text_of(officer.dismissed)}")
        if not certificate.not_before <= now <= certificate.not_after:
            raise ApprovalError(f"the certificate of {officer.id} is not valid now")
        if certificate.issuer_name.der == self._authority.certificate.subject_name.der:
            # an earlier generation has the same name and another key
            issuer = certificate.aki.hex() if certificate.aki else self._authority.id
            entry = self._authority.ledger.get(issuer, certificate.serial)
            if entry is None or entry.state != "issued":
                raise ApprovalError(
                    f"the certificate of {officer.id} is revoked or not on record",
                    hint="appoint the officer with a certificate that is good",
                )

    def clear(self, dossier: Dossier, profile: Profile | None = None) -> Clearance:
        """Return the clearance for a dossier. Raises ApprovalError naming everything that does not count."""
        application = dossier.application
        profile = profile or profiles.load(application.profile)
        if application.authority != self._authority.id or profile.name != application.profile:
            raise ApprovalError("the application is for another authority or profile")
        now = self._clock.now()
        if not application.created - TOLERANCE <= now <= application.expires:
            raise ApprovalError("the application has expired, or is from the future")
        counted, refused = self.judge(dossier)
        if len(counted) < profile.approvals:
            words = f"profile {profile.name} asks for {profile.approvals} approvals, {len(counted)} count"
            raise ApprovalError("; ".join((words, *refused)), counted=counted, refused=refused)
        proofing = application.proofing
        if proofing is None and profile.identity_proofing:
            raise ApprovalError(f"profile {profile.name} asks for identity proofing")
        if proofing is not None:
            officer = self.officers().get(proofing.officer)
            if officer is None:
                raise ApprovalError(f"the applicant was identified by {proofing.officer}, who is no officer")
            self._check_office(officer, now)
            if application.conflict(officer.certificate):
                raise ApprovalError("the applicant identified themselves")
            if proofing.at > now + TOLERANCE:
                raise ApprovalError("the identity proofing is from the future")
        return Clearance(
            application=application.digest,
            issuer=self._authority.id,
            profile=profile.name,
            subject=application.subject.name(),
            spki=application.spki,
            proofing=proofing.digest if proofing else None,
            officers=counted,
            days=application.days,
            hours=application.hours,
        )

    # issuing ---------------------------------------------------------------------------------------------------------
    def issue(self, dossier: Dossier, profile: Profile | None = None) -> Certificate:
        """Issue what a dossier asks for, once. Raises ApprovalError, IssuanceError and what `Authority.prepare` raises.

        A second call after a crash, or after a wrong password, signs the plan the first one put on record; a plan that
        was claimed may have been signed, and is refused (revoke it and apply again).
        """
        application = dossier.application
        profile = profile or profiles.load(application.profile)
        clearance = self.clear(dossier, profile)
        found = self._authority.ledger.by_application(application.digest)
        if found is not None:
            if found.state != "prepared":
                raise IssuanceError(
                    f"the application was used already: serial {found.serial:x} is {found.state}",
                    hint="make another with 'sealroad ra apply'",
                    serial=f"{found.serial:x}",
                    state=found.state,
                )
            return self._authority.issue(Plan(found.issuer, found.serial, found.profile, found.tbs))
        self._admit(dossier, clearance)
        plan = self._authority.prepare(
            profile, application.subject, application.spki, days=application.days, clearance=clearance
        )
        return self._authority.issue(plan)

    def issue_pair(
        self,
        dossier: Dossier,
        request: Request,
        desk: PairDesk,
        profile: Profile | None = None,
        *,
        suite: str | None = None,
    ) -> Pair:
        """Issue a pair where the signing certificate asks for approvals: the application is for the request's key.

        `suite` is that of the other key, as `PairDesk.issue` takes it. The same dossier and request give the same pair
        until the application expires. Raises ApprovalError, and what `PairDesk.issue` raises.
        """
        application = dossier.application
        profile = profile or profiles.load(application.profile)
        clearance = self.clear(dossier, profile)
        if application.hours is not None or application.contract is not None:
            raise ApprovalError("the application is for one contract or for hours", hint="a pair stays for longer")
        if application.request not in (None, sha256(request.der).hexdigest()):
            raise ApprovalError("the application came with another request")
        request.verify()
        if self._authority.ledger.by_application(application.digest) is None:
            self._admit(dossier, clearance)
        options: dict[str, Any] = {"subject": application.subject, "days": application.days, "suite": suite}
        return desk.issue(request, profile, clearance=clearance, **options)

    def _admit(self, dossier: Dossier, clearance: Clearance) -> None:
        """Keep a dossier, and put on record that it was cleared."""
        application = dossier.application
        self._keep(dossier)
        self._log.append(
            "application",
            issuer=clearance.issuer,
            application=clearance.application,
            profile=clearance.profile,
            proofing=clearance.proofing,
            method=application.proofing.method if application.proofing else None,
            identified_by=application.proofing.officer if application.proofing else None,
            officers=list(clearance.officers),
            approvals=[sha256(item).hexdigest() for item in dossier.approvals],
            contract=application.contract,
            request=application.request,
        )

    def _keep(self, dossier: Dossier) -> None:
        if self._archive is None:
            return
        try:
            self._archive.mkdir(mode=0o700, exist_ok=True)
            files.write(self._archive / f"{dossier.application.digest}.json", dossier.encode(), mode=0o600)
        except OSError as error:
            raise KeyStoreError(f"the dossier cannot be kept: {error.strerror}") from error
