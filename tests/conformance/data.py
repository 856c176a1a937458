"""Where the suites of others are found, and what they ask of a certificate beside a path."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

from certs.certificate import Certificate
from certs.errors import CertsError
from certs.path_names import DNS, IP, names_of

ROOT = Path(__file__).resolve().parents[2]
BROUGHT = ROOT / ".work" / "conformance"
"""What `tools/conformance_data.py` brings."""


def data_file(variable: str, name: str, *, corpus: str = "") -> Path | None:
    """Return the file that an environment variable names, or that was brought, or that the corpus has."""
    if os.environ.get(variable):
        return Path(os.environ[variable])
    folder = Path(os.environ.get("SEALROAD_CORPUS") or ROOT.parent / "shared" / "corpus")
    found = (path for path in (BROUGHT / name, folder / corpus / name) if path.is_file())
    return next(found, None)


def names_host(certificate: Certificate, host: str) -> bool:
    """Tell whether an alternative name is the host or the address (RFC 9525 6), as a TLS client would look."""
    try:
        names = names_of(certificate)
        address = _address(host)
        if address is not None:
            return any(name.kind == IP and name.value.content() == address for name in names)
        return any(name.kind == DNS and _fits(name.text.lower(), host.lower()) for name in names)
    except CertsError:
        return False


def _address(host: str) -> bytes | None:
    try:
        return ip_address(host).packed
    except ValueError:
        return None


def _fits(pattern: str, host: str) -> bool:
    """A wildcard is the whole first label and stands for one label, of a name of three labels or more."""
    first, _, rest = host.partition(".")
    return pattern == host or (pattern == f"*.{rest}" and bool(first) and "." in rest)
