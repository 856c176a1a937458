"""DSA keys without parameters take those of their issuer (RFC 3279 2.3.2; RFC 5280 6.1.4 (d) to (f), 6.1.5 (c) to (e)).

    helpers = complete_issuers(helpers, issuers_of, signed)  # issuers that can be computed with
    chain = complete_chain(chain)                            # or None: other parameters would be handed down in it

Parameters go down a chain and a chain is built upwards: so an issuer without any is completed beforehand, by whoever
signed it, and a whole chain is gone through once more from its anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from certs import oids
from certs.certificate import Certificate
from certs.errors import CertsError

MAX_COMPLETED = 16
"""Certificates that are completed in one search; a key may have as many forms as there are issuers of its name."""


def complete_issuers(
    helpers: Sequence[Certificate],
    issuers_of: Callable[[Certificate, Sequence[Certificate]], Iterable[Certificate]],
    signed: Callable[[Certificate, Certificate], bool],
) -> tuple[Certificate, ...]:
    """Return `helpers`, those with an incomplete key once for each of the parameters that an issuer hands down to it.

    `issuers_of` gives the candidates by name, anchors among them; `signed` says whether one signed the other.
    """
    bare = [helper for helper in helpers if _is_bare(helper)]
    if not bare:
        return tuple(helpers)
    out = dict.fromkeys((helper, helper.spki) for helper in helpers if not _is_bare(helper))
    left, grown = MAX_COMPLETED, True
    while grown:  # an issuer may itself have inherited
        grown = False
        for helper in bare:
            for issuer in issuers_of(helper, [found for found, _ in out]):
                parameters = _parameters(issuer)
                if parameters is None or left == 0 or not signed(helper, issuer):
                    continue
                made = _with_parameters(helper, parameters)
                if (made, made.spki) not in out:
                    out[made, made.spki] = None
                    left, grown = left - 1, True
    found = {helper for helper, _ in out}
    return (*(helper for helper, _ in out), *(helper for helper in bare if helper not in found))


def complete_chain(chain: tuple[Certificate, ...]) -> tuple[Certificate, ...] | None:
    """Return `chain` (leaf first) with the keys that count in it, or None where a link was checked with another key."""
    out: list[Certificate] = []
    handed_down: bytes | None = None
    for certificate in reversed(chain):
        completed = certificate
        if certificate.working_spki is not None or _is_bare(certificate):
            if handed_down is not None:
                completed = _with_parameters(certificate, handed_down)
            if certificate.working_spki not in (None, completed.spki):
                return None
        handed_down = _parameters(completed)  # a key of another algorithm between two hands nothing down
        out.append(completed)
    return tuple(reversed(out))


def _is_bare(certificate: Certificate) -> bool:
    return _algorithm(certificate) == oids.DSA and _parameters(certificate) is None


def _algorithm(certificate: Certificate) -> str | None:
    try:
        return certificate.key_algorithm
    except CertsError:
        return None


def _parameters(certificate: Certificate) -> bytes | None:
    """Return the parameters of a DSA key, or None."""
    if _algorithm(certificate) != oids.DSA:
        return None
    from certs.suites.dsa import parameters_of  # hardly anybody needs it

    try:
        return parameters_of(certificate.spki)
    except CertsError:
        return None


def _with_parameters(certificate: Certificate, parameters: bytes) -> Certificate:
    from certs.suites.dsa import with_parameters

    return replace(certificate, working_spki=with_parameters(certificate.spki, parameters))
