"""What a party agreed to, as it goes on record: the words, their language, the documents shown, when and from where.

Signing, approving and acknowledging take the same consent.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.contracts import repository as contracts
from api.contracts.languages import shown_to
from api.contracts.models import Contract, Party
from api.errors import ConsentRefused
from api.kit.edge import Unit
from api.signing import consent_texts
from api.signing.schemas import Consent, ConsentOut, ShownDocument

STANDARD: Final = "standard"


def consent_of(session: Session, unit: Unit, contract: Contract, party: Party, consent: Consent) -> dict[str, Any]:
    """Return the record of a consent. Raises ConsentRefused unless it is for this contract's very documents.

    It names every document that the party is shown; of one in several languages that is the party's version, and others
    may be named too. The party may have been shown an earlier revision than the newest: signatures of others add to a
    document, they do not change what it says. Anything that was never a revision of it is refused.
    """
    words = _words(contract, party, consent)
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
        **words,
        "locale": consent.locale,
        "documents": stated,
        "at": moment(unit.source.at or unit.context.now()),
        "address": unit.address,
        "user_agent": unit.user_agent,
        "api_key": unit.principal.key_id,
        **({"user": unit.principal.user_id} if unit.principal.user_id is not None else {}),
        **unit.source.more,
    }


def offered(contract: Contract, party: Party) -> ConsentOut:
    """Return the service's own words for what a party does, and what it is to be shown. Raises ConsentRefused."""
    words = consent_texts.offered(party.role, party.locale)
    rows = {row.document_id: row for row in contract.documents}
    return ConsentOut.model_validate(
        {
            "text_id": words.id,
            "locale": words.locale,
            "text": words.text,
            "text_sha256": words.sha256,
            "required": contract.consent == STANDARD,
            "factors": party.factors,
            "documents": [
                ShownDocument(
                    id=name,
                    name=rows[name].document.name,
                    language=rows[name].language,
                    sha256=rows[name].head_sha256,
                )
                for name in shown_to(contract, party.locale)
            ],
        }
    )


def _words(contract: Contract, party: Party, consent: Consent) -> dict[str, Any]:
    """Return the words of a consent, for the record. Raises ConsentRefused where they are not what may be said."""
    if consent.text_id is not None:
        own = consent_texts.text_of(consent.text_id, consent.locale)
        text, text_id = own.text, {"text_id": own.id}
    else:
        text, text_id = consent.text or "", {}
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if consent.text_sha256 not in {None, sha256}:
        raise ConsentRefused("the words that were shown are not those of the consent", hint=f"its SHA-256 is {sha256}")
    if contract.consent == STANDARD or text_id:
        wanted = consent_texts.offered(party.role, party.locale)
        if (text, consent.locale) != (wanted.text, wanted.locale):
            hint = "show what …/parties/{id}/consent gives, and send its text_id and locale"
            raise ConsentRefused("these are not the words for this party in its language", hint=hint)
    return {"text": text, "text_sha256": sha256, **text_id}
