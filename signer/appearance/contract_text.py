"""The words of the sample contract, clause by clause in Chinese, Russian and English.

A sale of goods with carriage by rail, as three companies in three countries would conclude it. It is a sample to show
and test signing with: nothing here is legal advice, and no clause states that a signature is valid under any law; the
parties agree what they recognise between themselves.
"""

from __future__ import annotations

from typing import NamedTuple


class Trilingual(NamedTuple):
    """One text in three languages. Words in braces are filled in from the parties."""

    zh: str
    ru: str
    en: str


TITLE = Trilingual(
    "国际货物买卖与运输合同",
    "Договор международной купли-продажи и перевозки",
    "Contract for the International Sale and Carriage of Goods",
)

NUMBER = Trilingual("合同编号", "Договор №", "Contract No.")
DATE = Trilingual("签订日期", "Дата", "Date")
PLACE = Trilingual("签订地点", "Место", "Place")

ROLES = (
    Trilingual("卖方", "Продавец", "Seller"),
    Trilingual("买方", "Покупатель", "Buyer"),
    Trilingual("承运人", "Перевозчик", "Carrier"),
)

PARTIES = Trilingual("合同各方", "Стороны", "The Parties")
REPRESENTED = Trilingual("签署人", "в лице", "represented by")
ADDRESS = Trilingual("地址", "адрес", "address")

ITEM_HEAD = (
    Trilingual("序号", "№", "No."),
    Trilingual("货物", "Товар", "Goods"),
    Trilingual("数量", "Кол-во", "Quantity"),
    Trilingual("单价", "Цена", "Unit price"),
    Trilingual("金额", "Сумма", "Amount"),
)
TOTAL = Trilingual("合计", "Итого", "Total")

SIGNATURES = Trilingual("签署页", "Подписи сторон", "Signatures")
NOTE = Trilingual(
    "本文件带有各方的电子签名，可用各方签发机构的证书离线验证；打印件不含电子签名。",
    "Документ содержит электронные подписи сторон. Их можно проверить без доступа к сети по сертификатам "
    "издателей; в распечатке подписей нет.",
    "This document carries the electronic signatures of the parties. They can be checked offline with the "
    "certificates of their issuers; a printout carries none.",
)
PAGE = Trilingual("第 {page} 页，共 {pages} 页", "Стр. {page} из {pages}", "Page {page} of {pages}")

CLAUSES_BEFORE_PRICES: tuple[tuple[Trilingual, Trilingual], ...] = (
    (
        Trilingual("标的", "Предмет договора", "Subject"),
        Trilingual(
            "卖方出售、买方购买第2条所列货物（以下简称“货物”）；承运人负责将货物由中国杭州运至俄罗斯新西伯利亚。"
            "货物应为全新、未经使用，并符合制造商的技术条件。",
            "Продавец продаёт, а Покупатель покупает товары, перечисленные в пункте 2 (далее — «Товар»); "
            "Перевозчик доставляет Товар из Ханчжоу (Китай) в Новосибирск (Россия). Товар является новым, не "
            "бывшим в употреблении и соответствует техническим условиям изготовителя.",
            "The Seller sells and the Buyer buys the goods listed in clause 2 (the “Goods”); the Carrier carries "
            "the Goods from Hangzhou, China, to Novosibirsk, Russia. The Goods are new, unused and conform to "
            "the manufacturer’s specifications.",
        ),
    ),
    (
        Trilingual("价款", "Цена", "Price"),
        Trilingual(
            "价款以{currency}计，包括出口包装、标记和至目的地的运费。税费由各方依其本国法律承担。",
            "Цена выражена в {currency} и включает экспортную упаковку, маркировку и провозную плату до места "
            "назначения. Налоги и сборы каждая Сторона уплачивает по своему законодательству.",
            "Prices are in {currency} and include export packing, marking and freight to the place of "
            "destination. Each Party bears the taxes and duties of its own country.",
        ),
    ),
)

CLAUSES: tuple[tuple[Trilingual, Trilingual], ...] = (
    (
        Trilingual("交货与运输", "Поставка и перевозка", "Delivery and carriage"),
        Trilingual(
            "按 CPT 新西伯利亚（《国际贸易术语解释通则》2020）交货。卖方在本合同生效后45日内于杭州将货物交付承运"
            "人。承运人以铁路经霍尔果斯—阿腾科里口岸运输，自接收货物之日起25日内运抵，并向卖方和买方签发铁路运单"
            "。",
            "Условия поставки — CPT Новосибирск (Инкотермс 2020). Продавец передаёт Товар Перевозчику в Ханчжоу "
            "в течение 45 дней со дня вступления договора в силу. Перевозчик доставляет Товар по железной дороге "
            "через Хоргос — Алтынколь в течение 25 дней с его принятия и выдаёт накладную Продавцу и Покупателю.",
            "Delivery is CPT Novosibirsk (Incoterms® 2020). The Seller hands the Goods to the Carrier in "
            "Hangzhou within 45 days after this contract takes effect. The Carrier carries them by rail through "
            "Khorgos–Altynkol within 25 days of taking over and issues the consignment note to Seller and Buyer.",
        ),
    ),
    (
        Trilingual("付款", "Оплата", "Payment"),
        Trilingual(
            "买方于本合同生效后10日内预付价款的30%，其余70%于收到铁路运单后15日内付清。逾期付款按日支付未付金额"
            "0.05%的违约金，总额以5%为限。",
            "Покупатель уплачивает 30 % цены в течение 10 дней со дня вступления договора в силу и 70 % — в "
            "течение 15 дней после получения накладной. Пеня за просрочку — 0,05 % неуплаченной суммы в день, но "
            "не более 5 %.",
            "The Buyer pays 30 % of the price within 10 days after this contract takes effect and 70 % within 15 "
            "days of receiving the consignment note. Late payment bears 0.05 % of the unpaid sum a day, limited "
            "to 5 %.",
        ),
    ),
    (
        Trilingual("质量与验收", "Качество и приёмка", "Quality and acceptance"),
        Trilingual(
            "质量保证期为自到货之日起18个月。买方应在到货后14日内验收数量，60日内提出质量异议；货损货差应在运单上"
            "注明并及时通知承运人。",
            "Гарантийный срок — 18 месяцев со дня прибытия. Покупатель принимает Товар по количеству в течение "
            "14 дней и заявляет о недостатках качества в течение 60 дней. Повреждение или недостача отмечается в "
            "накладной с немедленным извещением Перевозчика.",
            "The warranty runs 18 months from arrival. The Buyer checks the quantity within 14 days and gives "
            "notice of defects within 60 days. Loss or damage is noted on the consignment note and notified to "
            "the Carrier at once.",
        ),
    ),
    (
        Trilingual("不可抗力", "Обстоятельства непреодолимой силы", "Force majeure"),
        Trilingual(
            "因不能预见、不能避免的事件而不能履行义务的一方，在该事件持续期间免责，但应在7日内通知其他各方并提供证明。",
            "Сторона, не исполнившая обязательство из-за обстоятельств, которые она не могла предвидеть и "
            "предотвратить, не отвечает за это, пока они длятся, если в течение 7 дней известит другие Стороны и "
            "представит подтверждение.",
            "A Party prevented by an event it could neither foresee nor avoid is not liable while the event "
            "lasts, if it notifies the other Parties within 7 days and provides evidence.",
        ),
    ),
    (
        Trilingual("电子签名", "Электронные подписи", "Electronic signatures"),
        Trilingual(
            "本合同为一份电子文件，各方以自己的证书在同一文件上依次签名：卖方采用 {algorithm_0}，买方采用 "
            "{algorithm_1}，承运人采用 {algorithm_2}。各方同意在相互关系中承认以上述算法作出的签名，并认可其等同"
            "于亲笔签名；签名的时间以时间戳为准，无时间戳时以签名中载明的时间为准。页面上可见的签名图样仅供阅读，"
            "以电子签名本身为准。证书被撤销或密钥泄露的，应立即通知其他各方。",
            "Договор составлен в виде одного электронного документа, который Стороны подписывают поочерёдно, "
            "каждая своим сертификатом: Продавец — {algorithm_0}, Покупатель — {algorithm_1}, Перевозчик — "
            "{algorithm_2}. Стороны договорились признавать в отношениях между собой подписи, созданные по этим "
            "алгоритмам, равнозначными собственноручным. Время подписания определяется по штампу времени, а при "
            "его отсутствии — по указанному в подписи. Видимые отметки на страницах служат для чтения; значение "
            "имеет сама электронная подпись. Об отзыве сертификата или компрометации ключа другие Стороны "
            "извещаются немедленно.",
            "This contract is one electronic document which the Parties sign in turn, each with its own "
            "certificate: the Seller with {algorithm_0}, the Buyer with {algorithm_1}, the Carrier with "
            "{algorithm_2}. Between themselves the Parties agree to recognise signatures made with these "
            "algorithms as equal to handwritten ones. The time of signing is that of the time-stamp or, without "
            "one, that stated in the signature. The visible marks on the pages are for reading; the electronic "
            "signature itself decides. Revocation of a certificate or loss of a key is notified to the other "
            "Parties at once.",
        ),
    ),
    (
        Trilingual("文本与语言", "Язык договора", "Language"),
        Trilingual(
            "本合同以中文、俄文和英文并列书写。各文本有歧义时，以英文文本为准。",
            "Договор составлен параллельно на китайском, русском и английском языках. При расхождениях "
            "преимущество имеет английский текст.",
            "This contract is written in parallel in Chinese, Russian and English. If the texts differ, the "
            "English text prevails.",
        ),
    ),
    (
        Trilingual("适用法律与争议解决", "Применимое право и споры", "Law and disputes"),
        Trilingual(
            "本合同适用《联合国国际货物销售合同公约》；公约未规定的事项适用卖方所在国法律。争议提交香港国际仲裁中"
            "心，按其规则以英文仲裁。",
            "К договору применяется Конвенция ООН о договорах международной купли-продажи товаров, а в остальном "
            "— право страны Продавца. Споры разрешает Гонконгский международный арбитражный центр по своему "
            "регламенту на английском языке.",
            "The United Nations Convention on Contracts for the International Sale of Goods applies, otherwise "
            "the law of the Seller’s country. Disputes are settled at the Hong Kong International Arbitration "
            "Centre under its rules, in English.",
        ),
    ),
    (
        Trilingual("生效", "Вступление в силу", "Entry into force"),
        Trilingual(
            "本合同自最后一方签名之日起生效，至各方义务履行完毕时终止。修改须经各方以第7条所述方式签署。",
            "Договор вступает в силу в день подписания последней Стороной и действует до полного исполнения "
            "обязательств. Изменения действительны, если подписаны Сторонами в порядке пункта 7.",
            "This contract takes effect on the day the last Party signs and ends when all obligations are "
            "performed. Changes are valid if the Parties sign them as described in clause 7.",
        ),
    ),
)
