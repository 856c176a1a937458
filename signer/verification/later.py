"""Step 8 of `signer.verify`: what the revisions after the signed one did, judged and told.

    later = LaterRevisions(pdf, view, ends)            # one for each file
    judgement = later.judge(signed, own, earlier)      # level, details, and why it fails or cannot be told
    later.story(signed_end)                            # ("revision 2: page 1: …", …), one step at a time

The verdict compares the signed revision with the last one. The story goes revision by revision, so that a reader
learns who changed what, also where a later revision took something back.

Where a comparison stops at something unreadable, it matters who brought it. A signed revision that cannot be read by
itself leaves the question open (INDETERMINATE); something unreadable that came later is a change no rule allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from signer.pdf.changes import Change, Changes, Level, changes_after, compare_revisions, readable
from signer.pdf.permissions import Permissions
from signer.pdf.structure import BudgetSpent, NotRead, PDFFile, View
from signer.pdf.tokens import SyntaxFault
from signer.report import ChangesReport, Notice, SignatureReport, Verdict
from signer.verification.draft import Draft

CHANGES = "ISO 32000-2 12.8.2.2, 12.8.2.4"
MAX_STEPS = 100
"""Revisions that are told one by one."""


@dataclass(frozen=True)
class Judgement:
    """The outcome for one signature."""

    changes: Changes | None
    """None where it could not be told."""
    unknown: str = ""
    """Why it could not."""


@dataclass
class LaterRevisions:
    """All comparisons of one file; each pair of neighbouring revisions is compared once."""

    pdf: PDFFile
    view: View | None
    """The whole file."""
    ends: tuple[tuple[int, int], ...]
    """Offsets behind %%EOF and behind its line end, of each revision."""
    _steps: dict[int, list[Change] | None] = field(default_factory=dict)

    def judge(self, signed: View | None, own: Permissions, earlier: tuple[tuple[str, Permissions], ...]) -> Judgement:
        """Compare the signed revision with the last one. Never raises."""
        if signed is None or self.view is None:
            return Judgement(None, "the revisions cannot be read")
        try:
            return Judgement(changes_after(signed, self.view, own, earlier))
        except NotRead as error:
            return Judgement(None, str(error))
        except (BudgetSpent, RecursionError) as error:
            return Judgement(None, str(error) or type(error).__name__)
        except SyntaxFault as error:
            return self._unreadable(signed, str(error))

    def _unreadable(self, signed: View, reason: str) -> Judgement:
        try:
            if readable(signed):
                detail = f"what a later revision wrote cannot be read: {reason}"
                return Judgement(Changes(Level.FORBIDDEN, (detail,), detail))
        except (BudgetSpent, RecursionError):
            pass
        return Judgement(None, reason)

    def story(self, signed_end: int) -> tuple[str, ...]:
        """Return what each later revision changed, most serious first; empty where that cannot be told step by step."""
        told: list[tuple[Level, str]] = []
        for number, step in self._steps_after(signed_end):
            if step is None:
                told.append((Level.FORBIDDEN, f"revision {number}: what it changed cannot be read"))
            else:
                told += [(change.level, f"revision {number}: {change.detail}") for change in step]
        return tuple(dict.fromkeys(detail for _, detail in sorted(told, key=lambda item: -item[0])))

    def forbidden_steps(self, signed_end: int) -> tuple[str, ...]:
        """Return the forbidden changes of single revisions, those included that a later one took back."""
        return tuple(
            f"revision {number}: {change.detail}"
            for number, step in self._steps_after(signed_end)
            for change in step or ()
            if change.level is Level.FORBIDDEN
        )

    def told(self, report: SignatureReport, signed_end: int) -> SignatureReport:
        """Return the report with the story in it. Never raises: the verdict does not rest on these words."""
        changes = report.changes_after
        if changes is None or changes.level == "unknown":
            return report
        try:
            story = self.story(signed_end)
            undone = () if changes.level == "forbidden" else self.forbidden_steps(signed_end)
        except Exception:  # noqa: BLE001 - words less, never a verdict
            return report
        warnings = report.warnings + tuple(Notice("change-taken-back", detail) for detail in undone)
        return replace(report, changes_after=ChangesReport(changes.level, story or changes.detail), warnings=warnings)

    def _steps_after(self, signed_end: int) -> Iterator[tuple[int, list[Change] | None]]:
        """Yield the number of each later revision, and what it changed."""
        for position, (marker, _) in enumerate(self.ends[:MAX_STEPS]):
            if position and marker > signed_end:
                yield position + 1, self._step(position)

    def _step(self, position: int) -> list[Change] | None:
        """Compare one revision with the one before it; None where that cannot be done."""
        if position not in self._steps:
            try:
                old, new = (self.pdf.view(self.ends[n][1]) for n in (position - 1, position))
                self._steps[position] = compare_revisions(old, new)
            except (SyntaxFault, BudgetSpent, RecursionError):
                self._steps[position] = None
        return self._steps[position]


def record_changes(outcome: tuple[Judgement, Permissions], draft: Draft) -> None:
    """Put a judgement that could be made into the report, with what the signature itself allows."""
    changes, allowed = outcome[0].changes, outcome[1]
    assert changes is not None
    draft.changes_after = ChangesReport(changes.level.word, changes.detail)
    if changes.forbidden_because:
        reason = changes.forbidden_because
        draft.failed("later-changes", CHANGES, reason, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", "forbidden-change")
        return
    limit = f"DocMDP level {allowed.level}" if allowed.level else "no DocMDP"
    draft.passed("later-changes", CHANGES, changes.level.word, limit)
