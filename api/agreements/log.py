"""The log of an agreement (see `api.audit.chain`): who drafted it, who offered it, who signed, what ended it.

record(session, agreement, "agreement.offered", now=now, actor=actor, data={...})

agreement.created · agreement.changed · agreement.deleted · agreement.offered · agreement.withdrawn ·
signature.requested · signature.reported · agreement.signed · agreement.concluded · agreement.ended
"""

from __future__ import annotations

from typing import Final

from api.agreements.models import Agreement, AgreementEvent
from api.audit.chain import Log

LOG: Final[Log[Agreement, AgreementEvent]] = Log("agreement", AgreementEvent)
record, entries_of, check = LOG.record, LOG.entries_of, LOG.check
