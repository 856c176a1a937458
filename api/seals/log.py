"""The log of a seal (see `api.audit.chain`).

record(session, seal, "use.recorded", now=now, actor=actor, data={...})
check(session, seal)                     # Broken(at=3), or None where every entry is as it was written

seal.applied · seal.approved · seal.prepared · seal.made · seal.filed · seal.suspended · seal.resumed ·
seal.cancelled · seal.expired · grant.made · grant.approved · grant.revoked · use.recorded · use.done · use.failed
"""

from __future__ import annotations

from typing import Final

from api.audit.chain import Log
from api.seals.models import Seal, SealEvent

USES = ("use.recorded", "use.done", "use.failed")

LOG: Final[Log[Seal, SealEvent]] = Log("seal", SealEvent)
record, entries_of, check = LOG.record, LOG.entries_of, LOG.check
