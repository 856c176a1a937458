"""The service's own words of consent, in Chinese, Russian and English, for everything that a party can do.

    offered("sign", "ru")               # Text("sign/1", "ru", "Мною прочитаны …"): the newest
    text_of("sign/1", "ru")             # the one of this id, also when there is a newer

A text never changes: other words get another number, and the old ones stay, because records name them. They say what
the party does and what it was shown. They promise nothing about what a law makes of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from api.contracts.states import ACT_OF, Role
from api.errors import ConsentRefused

TEXTS: Final[dict[str, dict[str, str]]] = {
    "sign/1": {
        "zh": "本人已阅读向本人展示的本合同文件，同意其内容，并以本人的电子签名签署本合同的全部文件及其各语言文本。",
        "ru": "Мною прочитаны показанные мне документы этого договора. Выражаю согласие с ними и подписываю своей "
        "электронной подписью все документы договора на всех его языках.",
        "en": "I have read the documents of this contract that were shown to me and agree to them. With my electronic "
        "signature I sign all documents of the contract, in all its languages.",
    },
    "seal/1": {
        "zh": "本人已阅读向本人展示的本合同文件，有权使用本单位的印章，并在本合同的全部文件及其各语言文本上加盖印章。",
        "ru": "Мною прочитаны показанные мне документы этого договора. Подтверждаю, что вправе применять печать своей "
        "организации, и ставлю её на все документы договора на всех его языках.",
        "en": "I have read the documents of this contract that were shown to me. I am entitled to use the seal of my "
        "organisation and apply it to all documents of the contract, in all its languages.",
    },
    "witness/1": {
        "zh": "本人已阅读向本人展示的本合同文件，并以见证人而非合同当事人的身份签署本合同的全部文件及其各语言文本。",
        "ru": "Мною прочитаны показанные мне документы этого договора. Подписываю все документы договора на всех его "
        "языках как свидетель, а не как сторона.",
        "en": "I have read the documents of this contract that were shown to me. I sign all documents of the contract, "
        "in all its languages, as a witness and not as a party to it.",
    },
    "approve/1": {
        "zh": "本人已阅读向本人展示的本合同文件，并予以批准。本人不签署本合同。",
        "ru": "Мною прочитаны показанные мне документы этого договора. Согласовываю их и не подписываю.",
        "en": "I have read the documents of this contract that were shown to me and approve them. I do not sign them.",
    },
    "acknowledge/1": {
        "zh": "本人确认已阅读向本人展示的本合同文件。本人不签署本合同。",
        "ru": "Подтверждаю, что показанные мне документы этого договора мною прочитаны. Я их не подписываю.",
        "en": "I confirm that I have read the documents of this contract that were shown to me. I do not sign them.",
    },
}
NEWEST: Final = {"sign": 1, "seal": 1, "witness": 1, "approve": 1, "acknowledge": 1}


@dataclass(frozen=True)
class Text:
    """Words of consent in one language."""

    id: str
    locale: str
    text: str

    @property
    def sha256(self) -> str:
        """SHA-256 of its octets in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def offered(role: str, locale: str) -> Text:
    """Return the newest words for what somebody with this role does. Raises ConsentRefused where it does nothing."""
    act = ACT_OF.get(Role(role))
    if act is None:
        raise ConsentRefused("whoever only receives a copy consents to nothing")
    name = role if role in {Role.SEAL, Role.WITNESS} else act
    return text_of(f"{name}/{NEWEST[name]}", locale)


def text_of(text_id: str, locale: str) -> Text:
    """Return words by their id. Raises ConsentRefused where there are none."""
    words = TEXTS.get(text_id, {}).get(locale)
    if words is None:
        raise ConsentRefused("there are no words of consent with this id", hint="read them at …/parties/{id}/consent")
    return Text(text_id, locale, words)
