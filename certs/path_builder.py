"""Finds a chain from a certificate to a trust anchor, with little work whatever the certificates say.

    builder = ChainBuilder(store, at, limits)
    for chain in builder.chains(leaf, pool):       # leaf … anchor, the likeliest first
        ...                                        # none: builder.exhausted tells why

Depth first over genuine links only: a certificate is followed when its key verifies the one below, so names and key
identifiers that an attacker wrote lead nowhere. Issuers with a fault of their own are left out at first and tried only
when nothing else is left, so that the reason is known. RFC 5280 6.1.3 (a)(1) and (a)(4), RFC 4158.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime

from certs.certificate import Certificate
from certs.errors import CertsError, UnsupportedAlgorithm
from certs.path_inheritance import complete_chain, complete_issuers
from certs.path_result import Limits
from certs.trust import TrustStore


class ChainBuilder:
    """One search."""

    def __init__(
        self,
        store: TrustStore,
        at: datetime,
        limits: Limits,
        expired: Callable[[], bool] = lambda: False,
        sound: Callable[[Certificate], bool] = lambda _: True,
    ) -> None:
        self.store, self.at, self.limits, self._expired, self._sound = store, at, limits, expired, sound
        self.deepest: tuple[Certificate, ...] = ()
        """The longest genuine chain seen, leaf first."""
        self.exhausted: str | None = None
        """Which budget ran out."""
        self.unsupported: str | None = None
        """Which signature could not be computed."""
        self._signatures = self._steps = 0
        self._links: dict[tuple[bytes, bytes], bool] = {}

    def chains(self, leaf: Certificate, pool: Iterable[Certificate]) -> Iterator[tuple[Certificate, ...]]:
        """Yield the chains to an anchor, as many as the budgets allow. A leaf that is an anchor is a chain of one."""
        if leaf in self.store.anchors_named.get(leaf.subject_name.key, ()):
            yield (leaf,)
            return
        foreign: dict[Certificate, None] = {}
        for certificate in pool:
            foreign[certificate] = None
            if len(foreign) > self.limits.pool:
                self.exhausted = f"more than {self.limits.pool} certificates"
                break
        helpers = complete_issuers(tuple(self._reachable(leaf, foreign)), self._issuers, self._signed)
        sound = tuple(helper for helper in helpers if self._sound(helper))
        seen = set()
        for chain in self._extend((leaf,), sound):
            seen.add(chain)
            yield chain
        if len(sound) < len(helpers):
            yield from (chain for chain in self._extend((leaf,), helpers) if chain not in seen)

    def _reachable(self, leaf: Certificate, foreign: Iterable[Certificate]) -> dict[Certificate, None]:
        """Return the helpers whose subject is an issuer of something reachable; no signature is looked at."""
        by_subject: dict[Hashable, list[Certificate]] = {}
        for helper in foreign:
            by_subject.setdefault(helper.subject_name.key, []).append(helper)
        out: dict[Certificate, None] = {}
        octets = 0
        wanted: list[Hashable] = [leaf.issuer_name.key]
        seen: set[Hashable] = set()
        while wanted:
            name = wanted.pop(0)
            if name in seen:
                continue
            seen.add(name)
            own = self.store.helpers_named.get(name, ())
            anchors = self.store.anchors_named.get(name, ())
            theirs = (item for item in by_subject.get(name, ()) if item not in anchors and item not in own)
            for helper in (*own, *theirs):
                if helper == leaf:
                    continue
                if len(out) >= self.limits.certificates:
                    self.exhausted = f"more than {self.limits.certificates} certificates could be in the chain"
                    return out
                octets += len(helper.der)
                if octets > self.limits.octets:
                    self.exhausted = f"more than {self.limits.octets} octets of certificates"
                    return out
                out[helper] = None
                wanted.append(helper.issuer_name.key)
        return out

    def _extend(
        self, chain: tuple[Certificate, ...], helpers: Sequence[Certificate]
    ) -> Iterator[tuple[Certificate, ...]]:
        self._steps += 1
        if self._steps > self.limits.steps:
            self.exhausted = f"more than {self.limits.steps} steps"
            return
        if len(chain) > len(self.deepest):
            self.deepest = chain
        child = chain[-1]
        for anchor in self._candidates(child, self.store.anchors_named.get(child.issuer_name.key, ())):
            if self._signed(child, anchor) and (whole := complete_chain((*chain, anchor))):
                yield whole
        if len(chain) + 1 >= self.limits.depth:
            if self._candidates(child, helpers):
                self.exhausted = f"the chain is longer than {self.limits.depth} certificates"
            return
        keys = {(link.subject_name.der, link.spki) for link in chain}
        for helper in self._candidates(child, helpers):
            if (helper.subject_name.der, helper.spki) in keys:  # no certificate twice, nor its name and key
                continue
            if self._signed(child, helper):
                yield from self._extend((*chain, helper), helpers)

    def _issuers(self, child: Certificate, among: Sequence[Certificate]) -> Iterator[Certificate]:
        """Yield the issuers of `child` by name: anchors, and those `among` others."""
        yield from self._candidates(child, self.store.anchors_named.get(child.issuer_name.key, ()))
        yield from self._candidates(child, among)

    def _candidates(self, child: Certificate, among: Sequence[Certificate]) -> list[Certificate]:
        """Return issuers by name; a key identifier that fits comes first, one that does not fit is left out.

        Those valid at the moment come before others. More than the budget's number are dropped, and noted.
        """
        issuer, aki = child.issuer_name.key, child.aki
        fitting = [
            candidate
            for candidate in among
            if candidate.subject_name.key == issuer and (aki is None or candidate.ski is None or candidate.ski == aki)
        ]
        fitting.sort(key=lambda c: (c.ski is None or aki is None, not c.not_before <= self.at <= c.not_after))
        if len(fitting) > self.limits.candidates:
            self.exhausted = f"more than {self.limits.candidates} certificates could have issued {child.subject}"
        return fitting[: self.limits.candidates]

    def _signed(self, child: Certificate, issuer: Certificate) -> bool:
        """Tell whether `issuer`'s key signed `child`; each pair once, within the budget."""
        pair = (child.der, issuer.spki)
        if pair not in self._links:
            if self._signatures >= self.limits.signatures:
                self.exhausted = f"more than {self.limits.signatures} signatures"
                return False
            if self._expired():
                self.exhausted = "no time is left"
                return False
            self._signatures += 1
            try:
                child.verify_signed_by(issuer)
                self._links[pair] = True
            except UnsupportedAlgorithm as error:
                self.unsupported = f"{child.subject}: {error}"
                self._links[pair] = False
            except CertsError:
                self._links[pair] = False
        return self._links[pair]
