"""What a sample contract says: its parties, goods and prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from signer.appearance.contract_text import Trilingual


@dataclass(frozen=True)
class ContractParty:
    """A company that signs, in its own script."""

    organisation: str
    country: str
    """Name of the country as it should read."""
    identifiers: tuple[tuple[str, str], ...]
    """(label, value), such as ("统一社会信用代码", "91330100…")."""
    address: str
    signatory: str
    title: str
    algorithm: str
    """Such as "SM2 / SM3"; clause 7 names it."""
    latin_name: str = ""


@dataclass(frozen=True)
class ContractItem:
    """A line of the price table."""

    goods: Trilingual
    quantity: int
    unit: str
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price."""
        return self.price * self.quantity


DEFAULT_ITEMS = (
    ContractItem(
        Trilingual("伺服电机 SM-750，750 W", "Серводвигатель SM-750, 750 Вт", "Servo motor SM-750, 750 W"),
        *(240, "pcs", Decimal("1480.00")),
    ),
    ContractItem(
        Trilingual(
            "变频器 FC-55，5.5 kW", "Преобразователь частоты FC-55, 5,5 кВт", "Frequency converter FC-55, 5.5 kW"
        ),
        *(120, "pcs", Decimal("2350.00")),
    ),
    ContractItem(
        Trilingual("可编程控制器 PLC-32", "Программируемый контроллер PLC-32", "Programmable controller PLC-32"),
        *(60, "pcs", Decimal("3900.00")),
    ),
    ContractItem(
        Trilingual("铁路运输与保险", "Железнодорожная перевозка и страхование", "Carriage by rail and insurance"),
        *(1, "lot", Decimal("186000.00")),
    ),
)


@dataclass(frozen=True)
class ContractSpec:
    """What the contract says."""

    number: str
    date: date
    place: str
    parties: tuple[ContractParty, ...]
    """Seller, buyer and carrier."""
    items: tuple[ContractItem, ...] = DEFAULT_ITEMS
    currency: str = "CNY"


@dataclass(frozen=True)
class SignatureArea:
    """Where a party's visible signature goes."""

    party_index: int
    page: int
    """Counted from 1."""
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in points from the lower left corner."""
