"""Who signs in the demo: three companies that do not exist, in their own scripts, with identifiers that could.

SELLER.party(area)           # the party as the HTTP API takes it
sample_contract(today)       # a trilingual contract between the three, and where each of them signs
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signer.appearance.contract import ContractLayout, SignatureArea


@dataclass(frozen=True)
class Company:
    """A party of the demo contract, and the person who signs for it."""

    role: str
    """seller, buyer or carrier."""
    organisation: str
    latin_name: str
    country: str
    """ISO 3166-1."""
    country_name: str
    address: str
    city: str
    signatory: str
    title: str
    identifiers: tuple[tuple[str, str, str], ...]
    """(label in the company's language, scheme, value)."""
    suite: str
    algorithm: str
    """As it reads in clause 7 of the sample contract."""
    plain_algorithm: str
    """The same for readers of English."""
    locale: str
    reason: str
    consent: str
    """What the signatory agrees to, in their language."""

    def party(self, order: int, area: SignatureArea | None, certificate: str | None = None) -> dict[str, Any]:
        """Return the party as `POST /v1/contracts` takes it.

        With a `certificate` (PEM, with its chain) the party holds its own key; without one the service makes a key.
        """
        body: dict[str, Any] = {
            "name": self.signatory,
            "organisation": self.organisation,
            "country": self.country,
            "order": order,
            "locale": self.locale,
            "identifiers": [{"scheme": scheme, "value": value} for _, scheme, value in self.identifiers],
            "reason": self.reason,
            "location": self.city,
        }
        if certificate is None:  # the service answers for whom it issues a certificate to; an own CA answers for itself
            body["identity_proof"] = self._proof()
        if area is not None:
            body["signature_area"] = {"page": area.page, "box": list(area.box), **self._picture()}
        return body | ({"suite": self.suite} if certificate is None else {"certificate": certificate})

    def _proof(self) -> dict[str, Any]:
        """Return how the company and its signatory were identified. Nobody was: they do not exist, and it says so."""
        sheet = f"{self.organisation}\n{self.address}\n{self.signatory}\n{self.title}".encode()
        what = "the sheet of the demo on a company that does not exist"
        return {
            "method": "counter",
            "evidence": [{"sha256": hashlib.sha256(sheet).hexdigest(), "what": what}],
            "operator": "sealroad demo",
            "at": "2026-01-15T09:00:00Z",
            "source": "made up for the demo",
        }

    def _picture(self) -> dict[str, str]:
        """Return the picture of the seal that no Chinese company leaves out; the others do without one."""
        if self.country != "CN":
            return {}
        from signer.seals.drawing import SealDrawing, SealKind, draw

        # 演示 at the foot says what it is: a demonstration.
        seal = SealDrawing(kind=SealKind.ROUND, name=self.organisation, title="合同专用章", lines=("演示",))
        return {"picture": base64.b64encode(draw(seal).png(300)).decode()}


SELLER = Company(
    role="seller",
    organisation="杭州砚川自动化设备有限公司",
    latin_name="Hangzhou Yanchuan Automation Equipment Co., Ltd.",
    country="CN",
    country_name="中华人民共和国",
    address="浙江省杭州市滨江区砚川路 18 号",
    city="杭州",
    signatory="沈𠮷明",
    title="总经理",
    identifiers=(("统一社会信用代码", "CN-USCC", "91330108MAD4K7R20G"),),
    suite="sm2",
    algorithm="SM2 / SM3",
    plain_algorithm="SM2 with SM3",
    locale="zh",
    reason="签署合同",
    consent="我已阅读本合同全文，代表本公司同意并签署。",
)

BUYER = Company(
    role="buyer",
    organisation="ООО «Кедр-Автоматика»",
    latin_name="Kedr-Avtomatika LLC",
    country="RU",
    country_name="Российская Федерация",
    address="630099, г. Новосибирск, ул. Кедровая, д. 7",
    city="Новосибирск",
    signatory="Соколова Екатерина Андреевна",
    title="Генеральный директор",
    identifiers=(("ИНН", "RU-INN", "5405962171"), ("ОГРН", "RU-OGRN", "1235476019382")),
    suite="gost2012-256",
    algorithm="ГОСТ Р 34.10-2012 (256) / Стрибог-256",
    plain_algorithm="GOST R 34.10-2012 with Streebog",
    locale="ru",
    reason="Подписание договора",
    consent="Договор прочитан полностью; от имени общества согласна и подписываю.",
)

CARRIER = Company(
    role="carrier",
    organisation="«Дала Жолы Логистика» ЖШС",
    latin_name="Dala Zholy Logistics LLP",
    country="KZ",
    country_name="Қазақстан Республикасы",
    address="050010, Алматы қ., Дала жолы көшесі, 12",
    city="Алматы",
    signatory="Әбенова Әйгерім Серікқызы",
    title="Бас директор",
    identifiers=(("БСН", "KZ-BIN", "180340012742"),),
    suite="ecdsa-p256",
    algorithm="ECDSA P-256 / SHA-256",
    plain_algorithm="ECDSA P-256 with SHA-256",
    locale="en",
    reason="Signing the contract",
    consent="I have read the whole contract, agree to it on behalf of the company, and sign it.",
)

CAST = (SELLER, BUYER, CARRIER)
"""In the order in which they sign."""


def number(today: date) -> str:
    """Return the number of the sample contract."""
    return f"SR-{today:%Y-%m%d}"


def sample_contract(today: date) -> ContractLayout:
    """Write the sample contract between the three companies. The same day gives the same bytes."""
    from signer.appearance.contract import ContractParty, ContractSpec, make_contract

    parties = tuple(
        ContractParty(
            organisation=company.organisation,
            country=company.country_name,
            address=company.address,
            identifiers=tuple((label, value) for label, _, value in company.identifiers),
            signatory=company.signatory,
            title=company.title,
            algorithm=company.algorithm,
            latin_name=company.latin_name,
        )
        for company in CAST
    )
    return make_contract(ContractSpec(number(today), today, "杭州 Hangzhou", parties))
