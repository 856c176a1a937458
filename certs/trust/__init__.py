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

Files end in .pem .crt .cer .der .p7b .p7c .crl .ors .ocsp in a directory (others there are passed over); an explicitly
named file may be called anything. The machine's own store is never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from certs import ber
from certs.certificate import Certificate, load_certificates
from certs.crl import CRL, load_crls
from certs.errors import CertsError, MalformedInput
from certs.ocsp import OCSPResponse
from certs.pem import pem_blocks

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".crl", ".ors", ".ocsp"})
MAX_FILE = 64 * 1024 * 1024
MAX_FILES = 10_000


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

    @classmethod
    def load(cls, paths: Iterable[str | Path]) -> TrustStore:
        """Read files and directories.

        Raises MalformedInput for an explicitly named file that cannot be read; in a directory such a file is `skipped`.
        """
        store, skipped = cls(), list[str]()
        for path in map(Path, paths):
            if path.is_dir():
                for member in sorted(path.rglob("*"))[:MAX_FILES]:
                    if member.suffix.lower() not in SUFFIXES or not member.is_file():
                        continue
                    try:
                        store = store.with_(*_read(member))
                    except CertsError as error:
                        skipped.append(f"{member}: {error}")
            else:
                certificates, crls, ocsps = _read(path)
                if certificates and not any(map(is_anchor, certificates)):
                    store = store.trusting(certificates).with_((), crls)
                else:
                    store = store.with_(certificates, crls, ocsps)
        return replace(store, skipped=tuple(skipped))

    def trusting(self, certificates: Iterable[Certificate]) -> TrustStore:
        """Return a store that has `certificates` as anchors too, whatever they are."""
        return replace(self, anchors=_union(self.anchors, certificates))

    def with_(
        self,
        certificates: Iterable[Certificate] = (),
        crls: Iterable[CRL] = (),
        ocsps: Iterable[OCSPResponse] = (),
    ) -> TrustStore:
        """Return a store with more certificates, sorted by rule 1, and more revocation lists and OCSP answers."""
        given = tuple(certificates)
        return TrustStore(
            _union(self.anchors, (item for item in given if is_anchor(item))),
            _union(self.certificates, (item for item in given if not is_anchor(item))),
            tuple(dict.fromkeys((*self.crls, *crls))),
            tuple(dict.fromkeys((*self.ocsps, *ocsps))),
            self.skipped,
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


def _union(first: Sequence[Certificate], second: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _read(path: Path) -> Found:
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
        return parse(data)
    except MalformedInput as error:
        raise MalformedInput(
            f"{path}: {error}", hint="a certificate, revocation list or OCSP response, PEM or DER, is expected"
        ) from error


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
