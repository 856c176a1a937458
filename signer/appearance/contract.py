"""A sample contract in Chinese, Russian and English, ready to be signed by three companies.

    layout = make_contract(ContractSpec(number="SR-2026-0117", date=date(2026, 11, 21), place="Hangzhou", parties=(…)))
    layout.pdf                       # PDF/A-2u, A4
    layout.fields[0].page, layout.fields[0].box      # where the first party's stamp goes

The three languages stand side by side, clause by clause. Names are drawn in their own scripts, rare hanzi included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from signer.appearance import contract_text as say
from signer.appearance.contract_pages import Pages
from signer.appearance.contract_spec import ContractItem, ContractParty, ContractSpec, SignatureArea
from signer.appearance.document import Info, build
from signer.appearance.fonts import FontSet
from signer.appearance.text import clean
from signer.errors import AppearanceError

__all__ = ["ContractItem", "ContractLayout", "ContractParty", "ContractSpec", "SignatureArea", "make_contract"]

MAX_ITEMS = 60


@dataclass(frozen=True)
class ContractLayout:
    """The file, and a signature area for each party."""

    pdf: bytes
    fields: tuple[SignatureArea, ...]


def make_contract(spec: ContractSpec, *, fonts: FontSet | None = None) -> ContractLayout:
    """Write the contract. The same spec gives the same bytes.

    Raises AppearanceError if there are not exactly three parties, no or too many items, or a character that no font
    has.
    """
    if len(spec.parties) != len(say.ROLES):
        raise AppearanceError("the sample contract has exactly three parties: seller, buyer and carrier")
    if not 1 <= len(spec.items) <= MAX_ITEMS:
        raise AppearanceError(f"the sample contract has 1 to {MAX_ITEMS} items")
    page = Pages(fonts or FontSet.default(), spec)
    page.opening()
    page.parties()
    page.clauses(say.CLAUSES_BEFORE_PRICES, first=1)
    page.prices()
    page.clauses(say.CLAUSES, first=1 + len(say.CLAUSES_BEFORE_PRICES))
    areas = page.signatures()
    page.footers()
    title = f"{say.TITLE.en} {clean(spec.number, 60)}"
    info = Info(
        title=title,
        language="en",
        created=datetime.combine(spec.date, time(), UTC),
        author=clean(spec.parties[0].organisation, 200),
        subject=f"{say.TITLE.zh} / {say.TITLE.ru}",
    )
    return ContractLayout(build(page.canvases, info), areas)
