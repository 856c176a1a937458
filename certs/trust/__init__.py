"""What a verifier is told to trust: files and directories, read once, nothing fetched.

    store = TrustStore.load(["anchors/", "partner-root.pem", "issuing.crl"])
    store.anchors, store.certificates, store.crls, store.ocsps

The rule for anchors:

1. A self-signed certificate that is an authority (or has no basicConstraints at all, as old roots) is an anchor,
wherever
   it stands.
2. A file named explicitly that holds no such certificate was named because it is to be trusted: all its certificates
are
   anchors. So an issuing authority, or one person's certificate, can be trusted directly.
3. Everything else helps to build chains and is trusted for nothing.
4. What a trust list names (XML or JSON, see `certs.trust.load`) is an anchor for the purposes and the time it says.
5. In a directory lists are read where somebody pinned their signers (`certs.trust.directory`), else passed over.

Files end in .pem .crt .cer .der .p7b .p7c .crl .ors .ocsp in a directory (others there are passed over); an explicitly
named file may be called anything. The machine's own store is never looked at.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from certs import ber
from certs.certificate import Certificate, load_certificates
from certs.crl import CRL, load_crls
from certs.errors import CertsError, MalformedInput
from certs.ocsp import OCSPResponse
from certs.pem import pem_blocks
from certs.trust.entries import TrustEntry, TrustList

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".crl", ".ors", ".ocsp"})
MAX_FILE = 64 * 1024 * 1024
MAX_FILES = 10_000
GIVEN = "named by the verifier"
"""The origin of an anchor that a list limits and somebody trusts by name as well."""


@dataclass(frozen=True)
class TrustStore:
    """Anchors, helpful certificates, revocation lists, OCSP answers. Immutable; `with_` makes a larger one."""

    anchors: tuple[Certificate, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    """Certificates that may stand in a chain and are trusted for nothing."""
    crls: tuple[CRL, ...] = ()
    ocsps: tuple[OCSPResponse, ...] = ()
    skipped: tuple[str, ...] = field(default=(), compare=False)
    """Files in directories that could not be read, with the reason."""
    entries: tuple[TrustEntry, ...] = ()
    """What trust lists say about anchors; an anchor without an entry is trusted for everything and always."""

    @classmethod
    def load(cls, paths: Iterable[str | Path], *, now: datetime | None = None) -> TrustStore:
        """Read files and directories. With `now` a trust list that is out of date is refused.

        Raises MalformedInput for an explicitly named file that cannot be read; in a directory such a file is `skipped`.
        TrustListError for a list that is named, or that the signers pinned in a directory signed themselves.
        """
        store, skipped = cls(), list[str]()
        for path in map(Path, paths):
            if path.is_dir():
                from certs.trust.directory import is_directory_of_lists
                from certs.trust.directory import load as load_directory

                if is_directory_of_lists(path):
                    lists, passed_over = load_directory(path, now)
                    store = store.listed(entry for each in lists for entry in each.entries)
                    skipped += passed_over
                for member in sorted(path.rglob("*"))[:MAX_FILES]:
                    if member.suffix.lower() not in SUFFIXES or not member.is_file():
                        continue
                    try:
                        store = store.with_(*_read(member, keys_too=True))
                    except CertsError as error:
                        skipped.append(str(error))
            elif (trust_list := _named_list(path, now)) is not None:
                store = store.listed(trust_list.entries)
            else:
                certificates, crls, ocsps = _read(path)
                if certificates and not any(map(is_anchor, certificates)):
                    store = store.trusting(certificates).with_((), crls)
                else:
                    store = store.with_(certificates, crls, ocsps)
        return replace(store, skipped=tuple(skipped))

    @cached_property
    def _about(self) -> dict[Certificate, list[TrustEntry]]:
        out: dict[Certificate, list[TrustEntry]] = {}
        for entry in self.entries:
            out.setdefault(entry.certificate, []).append(entry)
        return out

    @cached_property
    def anchors_named(self) -> Mapping[Hashable, Sequence[Certificate]]:
        """The anchors by subject (`Name.key`): a national list has thousands."""
        return _by_subject(self.anchors)

    @cached_property
    def helpers_named(self) -> Mapping[Hashable, Sequence[Certificate]]:
        """The other certificates by subject, and the anchors that a list limits: they may lead on to one above."""
        return _by_subject((*self._about, *(item for item in self.certificates if item not in self._about)))

    def why_not(self, anchor: Certificate, purpose: str, at: datetime) -> tuple[str, str]:
        """Return why `anchor` is not trusted for `purpose` at the moment ("" where it is), and who said so."""
        about = self._about.get(anchor, [])
        reason = ""
        for entry in about:
            reason = entry.why_not(purpose, at)
            if not reason:
                break
        return (reason, entry.origin) if about else ("", "")

    def listed(self, entries: Iterable[TrustEntry]) -> TrustStore:
        """Return a store that trusts what `entries` say, as far as they say it."""
        given = tuple(entries)
        certificates = dict.fromkeys(entry.certificate for entry in given)
        limited = {entry.certificate for entry in self.entries}
        without_limit = (
            TrustEntry(item, GIVEN) for item in certificates if item in self.anchors and item not in limited
        )
        return replace(
            self,
            anchors=_union(self.anchors, certificates),
            entries=tuple(dict.fromkeys((*self.entries, *without_limit, *given))),
        )

    def _also_given(self, certificates: Iterable[Certificate]) -> tuple[TrustEntry, ...]:
        """Return the entries once `certificates` are trusted by name too."""
        limited = {entry.certificate for entry in self.entries}
        given = (TrustEntry(item, GIVEN) for item in certificates if item in limited)
        return tuple(dict.fromkeys((*self.entries, *given)))

    def trusting(self, certificates: Iterable[Certificate]) -> TrustStore:
        """Return a store that has `certificates` as anchors too, whatever they are."""
        given = tuple(certificates)
        return replace(self, anchors=_union(self.anchors, given), entries=self._also_given(given))

    def with_(
        self,
        certificates: Iterable[Certificate] = (),
        crls: Iterable[CRL] = (),
        ocsps: Iterable[OCSPResponse] = (),
    ) -> TrustStore:
        """Return a store with more certificates, sorted by rule 1, and more revocation lists and OCSP answers."""
        given = tuple(certificates)
        roots = {item: None for item in given if is_anchor(item)}
        return replace(
            self,
            anchors=_union(self.anchors, roots),
            certificates=_union(self.certificates, (item for item in given if item not in roots)),
            crls=tuple(dict.fromkeys((*self.crls, *crls))),
            ocsps=tuple(dict.fromkeys((*self.ocsps, *ocsps))),
            entries=self._also_given(roots),
        )


Found = tuple[tuple[Certificate, ...], tuple[CRL, ...], tuple[OCSPResponse, ...]]
"""What one file holds."""


def is_anchor(certificate: Certificate) -> bool:
    """Tell whether `certificate` is its own issuer, signed by its own key, and not a mere leaf (rule 1)."""
    from certs import oids

    if not certificate.self_issued:
        return False
    if certificate.extension(oids.BASIC_CONSTRAINTS) is not None and not certificate.is_ca:
        return False
    try:
        certificate.verify_signed_by(certificate)
    except CertsError:
        return False
    return True


def _named_list(path: Path, now: datetime | None) -> TrustList | None:
    """Return the trust list at `path`, or None where there is something else."""
    from certs.trust.load import is_list, load_list, split_confirmation

    plain = split_confirmation(str(path))[0]
    try:
        with plain.open("rb") as stream:
            return load_list(path, now=now) if is_list(stream.read(64)) else None
    except OSError:
        return None  # said where the file is read


def _by_subject(certificates: Iterable[Certificate]) -> dict[Hashable, list[Certificate]]:
    out: dict[Hashable, list[Certificate]] = {}
    for certificate in certificates:
        out.setdefault(certificate.subject_name.key, []).append(certificate)
    return out


def _union(first: Sequence[Certificate], second: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _read(path: Path, *, keys_too: bool = False) -> Found:
    """Read one file. `keys_too`: a file with nothing but a key is nothing to trust, and no fault."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise MalformedInput(
            f"{path} cannot be read: {error.strerror}", hint="check the path given to --trust"
        ) from error
    if len(data) > MAX_FILE:
        raise MalformedInput(f"{path} is too large")
    try:
        if keys_too and _holds_only_keys(data):
            return (), (), ()
        return parse(data)
    except MalformedInput as error:
        raise MalformedInput(
            f"{path}: {error}", hint="a certificate, revocation list or OCSP response, PEM or DER, is expected"
        ) from error


def _holds_only_keys(data: bytes) -> bool:
    labels = [label for label, _ in pem_blocks(data)]
    return bool(labels) and all(label.endswith("KEY") for label in labels)


def parse(data: bytes) -> Found:
    """Return the certificates, revocation lists and OCSP answers in `data`: PEM of the first two, or one DER.

    Raises MalformedInput.
    """
    blocks = pem_blocks(data)
    if not blocks:
        if ber.load(data).members().peek() == ber.ENUMERATED:
            return (), (), _load_ocsp(data)
        return ((), load_crls(data), ()) if _is_crl(data) else (load_certificates(data), (), ())
    labels = {label for label, _ in blocks}
    crls = load_crls(data) if "X509 CRL" in labels else ()
    certificates = load_certificates(data) if labels != {"X509 CRL"} else ()
    return certificates, crls, ()


def _load_ocsp(data: bytes) -> tuple[OCSPResponse]:
    response = OCSPResponse(data)
    if response.status != "successful":
        raise MalformedInput(f"an OCSP response that says only {response.status}")
    return (response,)


def _is_crl(data: bytes) -> bool:
    """Tell a list from a certificate: the first member of what was signed is INTEGER 1, or no version at all."""
    members = ber.load(data).members()
    if members.peek() != ber.SEQUENCE:
        return False
    inner = list(members.next())[:3]
    tags = [value.tag for value in inner]
    # CRL: [version] SEQUENCE SEQUENCE Time; certificate: [0] INTEGER SEQUENCE, or INTEGER SEQUENCE SEQUENCE (version 1)
    if tags[:1] == [ber.SEQUENCE]:
        return True
    return tags[:1] == [ber.INTEGER] and inner[0].integer() == 1 and _third_is_time(data)


def _third_is_time(data: bytes) -> bool:
    outer = list(next(iter(ber.load(data))))
    return len(outer) > 3 and outer[3].tag in (ber.UTC_TIME, ber.GENERALIZED_TIME)
