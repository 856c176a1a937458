"""The log of an envelope (see `api.audit.chain`): who asked for it, what was signed, who got which part and when.

record(session, envelope, "part.delivered", now=now, actor=actor, data={...})

envelope.requested · envelope.prepared · envelope.sealed · envelope.failed ·
content.delivered · part.delivered · open.recorded · open.done · open.failed
"""

from __future__ import annotations

from typing import Final

from api.audit.chain import Log
from api.envelopes.models import Envelope, EnvelopeEvent

DELIVERIES = ("content.delivered", "part.delivered", "open.recorded", "open.done", "open.failed")

LOG: Final[Log[Envelope, EnvelopeEvent]] = Log("envelope", EnvelopeEvent)
record, entries_of, check = LOG.record, LOG.entries_of, LOG.check
