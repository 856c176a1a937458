"""The four questions a judge asks: who, what, when, unchanged since? One sentence each, computed from the checks.

    for answer in report_answers(report):
        answer.question, answer.key, answer.parameters
        answer.sentence("zh")

An answer is a key and its parameters; the sentence stands in the catalogue. Nothing is said that no check bears out: a
signature that does not hold names nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from signer.report import CONSENT, Report, SignatureReport, SignerReport, Verdict, stamp
from signer.text import strings
from signer.text.cleaning import clean

Question = Literal["who", "what", "when", "unchanged"]

CHANGE_LEVELS = ("none", "lta-updates", "form-filling", "annotations", "unknown", "forbidden")
"""From harmless to grave."""
_PROVEN = {
    "certificate": "certificate",
    "timestamp": "timestamp",
    "document-timestamp": "timestamp",
    "seal-object": "seal-maker",
}
"""Sentence that names who it is, by kind, where that is proven and it is nobody who signed a document."""


@dataclass(frozen=True)
class Answer:
    """One question answered."""

    question: Question
    key: str
    """Names a sentence of the catalogue: `answer.<question>.<key>`, or `report.<question>.<key>` for a whole file."""
    parameters: tuple[tuple[str, str | int | datetime], ...] = ()
    about: Literal["answer", "report"] = "answer"

    def sentence(self, lang: str) -> str:
        """Return the sentence in a language; what comes from a document is made harmless."""
        shown = {name: _shown(value) for name, value in self.parameters}
        return strings(lang)[f"{self.about}.{self.question}.{self.key}"].format(**shown)

    def to_json(self, lang: str) -> dict[str, Any]:
        """Return the JSON object of the interface."""
        parameters = {name: stamp(v) if isinstance(v, datetime) else v for name, v in self.parameters}
        return {
            "question": self.question,
            "answer": self.key,
            "parameters": parameters,
            "lang": lang,
            "sentence": self.sentence(lang),
        }


def readable(moment: datetime) -> str:
    """Return a moment as people read it; programs find the whole of it in the JSON."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _shown(value: str | int | datetime) -> str:
    return readable(value) if isinstance(value, datetime) else clean(str(value))


# -- one signature --------------------------------------------------------------------------------------


def signature_answers(signature: SignatureReport) -> tuple[Answer, ...]:
    """Answer the four questions for one signature."""
    return (_who(signature), _what(signature), _when(signature), _unchanged(signature))


def computed(signature: SignatureReport) -> bool:
    """Tell whether the signature value was computed and fits what is in the file."""
    return signature.cryptographic.result == "passed"


def proven(signature: SignatureReport) -> bool:
    """Tell whether the signature is the named signer's, by a certificate that leads to a trusted authority."""
    if signature.signer is None or not computed(signature):
        return False
    if signature.verdict is Verdict.TOTAL_PASSED:
        return True
    results = {(check.id, check.result) for check in signature.checks}
    good = ("x509-validation", "passed") in results and ("signing-certificate", "failed") not in results
    # a document changed afterwards was still signed; any other failure takes the name away
    return good and (signature.verdict is Verdict.INDETERMINATE or signature.code == "forbidden-change")


def name_of(signer: SignerReport) -> str:
    """Return how a signer is called: the name, and the organisation where it is another."""
    name = signer.common_name or signer.organisation or signer.subject
    if signer.organisation and signer.organisation != name:
        return f"{name} ({signer.organisation})"
    return name


def _who(signature: SignatureReport) -> Answer:
    signer = signature.signer
    if signer is None:
        return Answer("who", "unknown")
    name = ("name", name_of(signer))
    if proven(signature):
        anchor = next((o.name for o in signature.objects if o.use == "anchor"), signer.issuer)
        key = _PROVEN.get(signature.kind, "proven")
        return Answer("who", key, (name, ("authority", anchor)))
    if signature.kind == "certificate":
        return Answer("who", "certificate-open", (name,))
    return Answer("who", "failed" if signature.verdict is Verdict.TOTAL_FAILED else "named", (name,))


def _what(signature: SignatureReport) -> Answer:
    if signature.sub_indication == "HASH_FAILURE":
        return Answer("what", "altered")
    if not covers(signature):
        return Answer("what", "unknown")
    revision = signature.revision
    if revision is None:
        return Answer("what", "content")
    if revision.covers_whole_file:
        return Answer("what", "whole")
    return Answer("what", "revision", (("index", revision.index), ("of", revision.of)))


def covers(signature: SignatureReport) -> bool:
    """Tell whether it is established what was signed: computed, and no rule on the form of the file is broken."""
    if not computed(signature) or not _at_hand(signature):
        return False
    return signature.sub_indication != "FORMAT_FAILURE" or signature.code == "forbidden-change"


def _at_hand(signature: SignatureReport) -> bool:
    """Tell whether what was signed is here: a time-stamp may be verified without it."""
    return not any(check.id == "content" and check.result == "not-checked" for check in signature.checks)


def _is_timestamp(signature: SignatureReport) -> bool:
    return signature.kind in ("timestamp", "document-timestamp")


def stamped(signature: SignatureReport) -> bool:
    """Tell whether a believed time-stamp says when. One that is judged itself says so only if it is believed."""
    when = signature.signed_at
    if when is None or when.source != "timestamp":
        return False
    return not _is_timestamp(signature) or signature.verdict is Verdict.TOTAL_PASSED


def _when(signature: SignatureReport) -> Answer:
    when = signature.signed_at
    if when is None or not computed(signature):
        return Answer("when", "unknown")
    if when.source == "claimed":
        return Answer("when", "claimed", (("time", when.value),))
    if not stamped(signature):
        return Answer("when", "stated", (("time", when.value),))
    authority = signature.signer.common_name if _is_timestamp(signature) and signature.signer else None
    for token in signature.timestamps:
        if token.verdict is Verdict.TOTAL_PASSED and token.gen_time == when.value:
            authority = token.authority
    return Answer("when", "timestamp", (("time", when.value), ("authority", authority or "–")))


def _unchanged(signature: SignatureReport) -> Answer:
    if signature.sub_indication == "HASH_FAILURE":
        return Answer("unchanged", "altered")
    if not covers(signature):
        return Answer("unchanged", "unknown")
    if signature.changes_after is None:
        return Answer("unchanged", "content" if signature.revision is None else "unknown")
    level = signature.changes_after.level
    return Answer("unchanged", level if level in CHANGE_LEVELS else "unknown")


# -- the whole file -------------------------------------------------------------------------------------


def report_answers(report: Report) -> tuple[Answer, ...]:
    """Answer the four questions for a file, by what its signatures bear out together."""
    # a time-stamp is nobody's signature; it is asked only where there is nothing else
    people = [one for one in report.signatures if one.kind in CONSENT]
    signatures = people or list(report.signatures)
    if not signatures:
        return tuple(
            Answer(question, "no-signature", about="report") for question in ("who", "what", "when", "unchanged")
        )
    return (_all_who(signatures), _all_what(report, signatures), _all_when(signatures), _all_unchanged(signatures))


def _quantity(signatures: Sequence[SignatureReport], test: Callable[[SignatureReport], bool]) -> tuple[str, int]:
    number = sum(map(test, signatures))
    return ("all" if number == len(signatures) else "some" if number else "none"), number


def _all_who(signatures: Sequence[SignatureReport]) -> Answer:
    quantity, number = _quantity(signatures, proven)
    if all(one.kind == "certificate" for one in signatures) and quantity != "all":
        return Answer("who", "certificate-open", about="report")
    names = dict.fromkeys(name_of(one.signer) for one in signatures if one.signer is not None and proven(one))
    counts = (("number", number), ("count", len(signatures)))
    parameters = (("names", "; ".join(names)), *counts) if names else counts
    key = "certificate" if all(one.kind == "certificate" for one in signatures) else quantity
    return Answer("who", key, parameters, "report")


def _all_what(report: Report, signatures: Sequence[SignatureReport]) -> Answer:
    quantity, number = _quantity(signatures, covers)
    counts = (("number", number), ("count", len(signatures)))
    if quantity == "all" and all(one.revision is None for one in signatures):
        quantity = "content"
    return Answer("what", quantity, (("file", report.file), ("sha256", report.sha256), *counts), "report")


def _all_when(signatures: Sequence[SignatureReport]) -> Answer:
    known = [(one, one.signed_at) for one in signatures if one.signed_at is not None and computed(one)]
    if not known:
        return Answer("when", "unknown", about="report")
    stamps = [when.value for one, when in known if stamped(one)]
    first, last = min(stamps, default=None), max(stamps, default=None)
    if first is None or last is None:
        claimed = [when.value for _, when in known]
        key = "stated" if all(map(_is_timestamp, signatures)) else "claimed"
        if key == "claimed" and min(claimed) == max(claimed):
            key = "claimed-one"
        return Answer("when", key, (("first", min(claimed)), ("last", max(claimed))), "report")
    counts = (("number", len(stamps)), ("count", len(signatures)))
    key = "some" if len(stamps) < len(signatures) else "one" if first == last else "all"
    return Answer("when", key, (("first", first), ("last", last), *counts), "report")


def _all_unchanged(signatures: Sequence[SignatureReport]) -> Answer:
    keys = [_unchanged(one).key for one in signatures]
    if "altered" in keys:
        return Answer("unchanged", "altered", about="report")
    if set(keys) == {"content"}:
        return Answer("unchanged", "content", about="report")
    gravest = max((key if key in CHANGE_LEVELS else "none" for key in keys), key=CHANGE_LEVELS.index)
    return Answer("unchanged", gravest, about="report")
