"""Files of a container that a signature names by their digests: computed in the same way in every kind of container.

digest = REFERENCES.digest(draft, name, source, "sm3", "SM3")       # None: it is recorded why
if digest != reference.digest:
    REFERENCES.differs(draft, name)
"""

from __future__ import annotations

from dataclasses import dataclass

from certs.errors import CertsError
from signer.report import Verdict
from signer.verification.cms import Octets
from signer.verification.draft import Draft


@dataclass(frozen=True)
class References:
    """What the check of a reference is called in one kind of container."""

    check: str
    clause: str
    container: str
    """For people: "container", "package"."""

    def digest(
        self, draft: Draft, name: str, source: Octets | None, digest_name: str | None, written: str
    ) -> bytes | None:
        """Return the digest of a file, or None and record why there is none.

        `source` is None where the file is not there, `digest_name` where the algorithm, as `written`, is not known.
        """
        if source is None:
            detail = f"{name} is not in the {self.container}"
            draft.failed(self.check, self.clause, detail, Verdict.INDETERMINATE, "SIGNED_DATA_NOT_FOUND")
            return None
        if digest_name is None:
            detail = f"{name}: digest {written} is not supported"
            draft.unknown(self.check, self.clause, detail, "GENERIC", "unsupported-algorithm")
            return None
        try:
            return source.digest(digest_name)
        except CertsError as error:
            draft.unknown(self.check, self.clause, f"{name}: {error}", "GENERIC", "unsupported-algorithm")
            return None

    def differs(self, draft: Draft, name: str) -> None:
        """Record that a file has another digest than was signed."""
        detail = f"{name} is not what was signed: another digest"
        draft.failed(self.check, self.clause, detail, Verdict.TOTAL_FAILED, "HASH_FAILURE")
