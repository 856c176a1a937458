"""The log of a power of attorney (see `api.audit.chain`).

record(session, row, "power-of-attorney.revoked", now=now, actor=actor, data={...})

power-of-attorney.received · power-of-attorney.revoked
"""

from __future__ import annotations

from typing import Final

from api.audit.chain import Log
from api.mandates.models import PowerOfAttorney, PowerOfAttorneyEvent

LOG: Final[Log[PowerOfAttorney, PowerOfAttorneyEvent]] = Log("power_of_attorney", PowerOfAttorneyEvent)
record, entries_of, check = LOG.record, LOG.entries_of, LOG.check
