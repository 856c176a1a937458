"""What a party agreed to, as it goes on record: the words, their language, the documents shown, when and from where.

Signing, approving and acknowledging take the same consent.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.contracts import repository as contracts
from api.contracts.languages import shown_to
from api.contracts.models import Contract, Party
from api.errors import ConsentRefused
from api.kit.edge import Unit
from api.signing.schemas import Consent


def consent_of(session: Session, unit: Unit, contract: Contract, party: Party, consent: Consent) -> dict[str, Any]:
    """Return the record of a consent. Raises ConsentRefused unless it is for this contract's very documents.

    It names every document that the party is shown; of one in several languages that is the party's version, and others
    may be named too. The party may have been shown an earlier revision than the newest: signatures of others add to a
    document, they do not change what it says. Anything that was never a revision of it is refused.
    """
    shown = set(shown_to(contract, party.locale))
    if consent.documents is not None:
        stated = dict(consent.documents)
    elif len(shown) == 1 and consent.document_sha256 is not None:
        stated = dict.fromkeys(shown, consent.document_sha256)
    else:
        raise ConsentRefused("the contract has several documents", hint="state documents: {id: sha256}")
    rows = {row.document_id: row for row in contract.documents}
    if not shown <= set(stated) <= set(rows):
        hint = "name the documents that the party is shown, in `shown`"
        raise ConsentRefused("the consent does not name every document of the contract", hint=hint)
    for name, sha256 in stated.items():
        known = {revision.sha256 for revision in contracts.revisions_of(session, contract, name)}
        if sha256 not in known | {rows[name].document.sha256}:
            raise ConsentRefused(
                "the consent is for another document than the one to be signed",
                hint="hash the file from …/documents/{id}/content and show exactly that",
            )
    return {
        "text": consent.text,
        "text_sha256": hashlib.sha256(consent.text.encode()).hexdigest(),
        "locale": consent.locale,
        "documents": stated,
        "at": moment(unit.source.at or unit.context.now()),
        "address": unit.address,
        "user_agent": unit.user_agent,
        "api_key": unit.principal.key_id,
        **({"user": unit.principal.user_id} if unit.principal.user_id is not None else {}),
        **unit.source.more,
    }
