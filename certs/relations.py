"""How certificates follow one another: cross-certificates, generations of an authority, renewal.

    plan = relations.prepare_cross(root, other_root, Constraints(path_length=1))   # then root.issue(plan)
    links = relations.next_root(old_root, new_key, clock=clock, ledger=ledger)     # RFC 4210 4.4
    certificate = relations.renew(issuing, certificate)                           # same name, new dates
    certificate = relations.renew(issuing, certificate, spki=new_key)             # rekey

A cross-certificate carries the other authority's name and key identifier to the octet, so that whatever that authority
ever issued chains to ours. Everything goes through prepare, lint, record and issue like any other certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from certs import extensions, oids, profiles
from certs.alt_names import AltNames, read_alt_names
from certs.ca import Authority, Plan, self_sign
from certs.certificate import Certificate
from certs.clock import Clock
from certs.constraints import Constraints
from certs.errors import CertsError, IssuanceError, ProfileError
from certs.forms import OWN_EXTENSIONS
from certs.keys.base import KeyHandle
from certs.ledger import Ledger
from certs.profiles import Profile
from certs.template import Wanted


def prepare_cross(
    authority: Authority,
    other: Certificate,
    constraints: Constraints | None = None,
    *,
    days: int | None = None,
    not_before: datetime | None = None,
) -> Plan:
    """Return a plan for `other`'s name and key, certified by `authority`; never valid for longer than `other` itself.

    Without constraints the path length is that of `other`, or 1 where it has none: authorities below it may certify
    people and no more authorities. A self-signed `other` proves possession of its key by its signature; of any other
    the operator must know whose it is. Raises IssuanceError, ProfileError or MalformedInput.
    """
    if not other.is_ca or not other.allows("key_cert_sign"):
        raise IssuanceError(f"{other.subject} is no authority", subject=other.subject)
    if other.spki == authority.certificate.spki:
        raise IssuanceError("an authority does not cross-certify its own key")
    if other.self_issued:
        try:
            other.verify_signed_by(other)
        except CertsError as error:
            raise IssuanceError(f"{other.subject} has not signed itself: {error}", subject=other.subject) from error
    if constraints is None:
        constraints = Constraints(path_length=1 if other.path_length is None else other.path_length)
    wanted = Wanted(
        profiles.load("cross"),
        other.subject_name.der,
        other.spki,
        constraints=constraints,
        key_identifier=other.ski or extensions.key_id(other.spki),
    )
    lifetime = timedelta(days=days) if days is not None else None
    return authority.prepare_wanted(wanted, lifetime=lifetime, not_before=not_before, not_after=other.not_after)


@dataclass(frozen=True)
class Generations:
    """Two generations of a root and the links between them (RFC 4210 4.4)."""

    root: Certificate
    """The new root, self-signed: new with new."""
    new_with_old: Certificate
    """The new key under the old root: for those who trust the old one only. Valid as long as both are."""
    old_with_new: Certificate
    """The old key under the new root: for those who trust the new one only. Valid as long as the old root."""


def next_root(
    old: Authority,
    key: KeyHandle,
    *,
    clock: Clock,
    ledger: Ledger,
    days: int | None = None,
    crl_url: str | None = None,
    issuer_url: str | None = None,
) -> Generations:
    """Make the next root of the same name, of any suite, and both links.

    RFC 4210 4.4.1 steps 1 to 4. Raises IssuanceError or ProfileError.
    """
    if not old.certificate.self_issued:
        raise IssuanceError("only a root has a next root", hint="an issuing authority is certified again by its root")
    if key.public_key.spki == old.certificate.spki:
        raise IssuanceError("the next generation has a key of its own")
    root = self_sign(key, old.certificate.subject_name, clock=clock, ledger=ledger, days=days)
    new = Authority(key, root, ledger=ledger, clock=clock, crl_url=crl_url, issuer_url=issuer_url)
    profile = profiles.load("cross")

    def link(issuer: Authority, subject: Certificate, not_before: datetime) -> Certificate:
        wanted = Wanted(profile, subject.subject_name.der, subject.spki, key_identifier=subject.ski)
        end = min(subject.not_after, not_before + profile.max_lifetime - timedelta(seconds=1))
        plan = issuer.prepare_wanted(wanted, lifetime=profile.max_lifetime, not_before=not_before, not_after=end)
        return issuer.issue(plan)

    return Generations(root, link(old, root, root.not_before), link(new, old.certificate, old.certificate.not_before))


def renew(
    authority: Authority,
    certificate: Certificate,
    *,
    record: Authority | None = None,
    spki: bytes | None = None,
    profile: Profile | None = None,
    days: int | None = None,
    lifetime: timedelta | None = None,
) -> Certificate:
    """Issue a successor of `certificate`: the same subject and names, new dates; with `spki` a new key (rekey).

    Only what `authority` (or `record`, its earlier generation) issued, and has not revoked, is renewed; the profile is
    the one on record unless `profile` is given, which must carry the recorded name. Possession of a new key is proven
    before (`certs.request.accept`). Raises IssuanceError, ProfileError, ApprovalError or MalformedInput.
    """
    plan = prepare_renewal(
        authority, certificate, record=record, spki=spki, profile=profile, days=days, lifetime=lifetime
    )
    return authority.issue(plan)


def prepare_renewal(
    authority: Authority,
    certificate: Certificate,
    *,
    record: Authority | None = None,
    spki: bytes | None = None,
    profile: Profile | None = None,
    days: int | None = None,
    lifetime: timedelta | None = None,
) -> Plan:
    """Return the plan of what `renew` issues, on record and not yet signed."""
    serial = f"{certificate.serial:x}"
    entry = (record or authority).entry(certificate.serial)
    if entry is None or entry.certificate != certificate.der:
        raise IssuanceError(f"serial {serial} is not a certificate of this authority", serial=serial)
    if entry.state != "issued":
        raise IssuanceError(
            f"serial {serial} is {entry.state} and is not renewed", hint="issue a new certificate", serial=serial
        )
    profile = profile or profiles.load(entry.profile)
    if profile.name != entry.profile:
        raise ProfileError(f"the certificate was issued by profile {entry.profile}, not {profile.name}")
    if profile.ca or certificate.self_issued:
        raise IssuanceError("an authority is not renewed but followed by its next generation")
    names = certificate.extension(oids.SUBJECT_ALT_NAME)
    wanted = Wanted(
        profile,
        certificate.subject_name.der,
        spki or certificate.spki,
        read_alt_names(names.value) if names else AltNames(),
        policies=certificate.policies,
        own=tuple(item for item in certificate.extensions if item.oid in OWN_EXTENSIONS),
    )
    return authority.prepare_wanted(wanted, lifetime=timedelta(days=days) if days is not None else lifetime)
