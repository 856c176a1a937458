"""The words of a visible signature in Chinese, Russian and English, and how a moment is written in each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType

LOCALES = ("en", "zh", "ru")

# The Russian title is the phrase of GOST R 7.0.97-2016, 5.23, which also asks for certificate, owner and validity.
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "title": "Electronically signed",
            "role": "Capacity",
            "time": "Signed",
            "reason": "Reason",
            "location": "Place",
            "serial": "Certificate",
            "validity": "Valid",
            "issuer": "Issuer",
            "algorithm": "Algorithm",
            "spoken": "Electronically signed by {who}, {when}",
        },
        "zh": {
            "title": "电子签名",
            "role": "职务",
            "time": "签署时间",
            "reason": "签署事由",
            "location": "签署地点",
            "serial": "证书序列号",
            "validity": "有效期",
            "issuer": "颁发机构",
            "algorithm": "签名算法",
            "spoken": "由{who}电子签名，{when}",
        },
        "ru": {
            "title": "Документ подписан электронной подписью",
            "role": "Должность",
            "time": "Подписано",
            "reason": "Основание",
            "location": "Место",
            "serial": "Сертификат",
            "validity": "Действителен",
            "issuer": "Издатель",
            "algorithm": "Алгоритм",
            "spoken": "Документ подписан электронной подписью: {who}, {when}",
        },
    }
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {
        "rsa": "RSA",
        "rsa-pss": "RSA-PSS",
        "ecdsa-p256": "ECDSA P-256",
        "ecdsa-p384": "ECDSA P-384",
        "ecdsa-p521": "ECDSA P-521",
        "ecdsa-bp256": "ECDSA brainpoolP256r1",
        "ecdsa-bp384": "ECDSA brainpoolP384r1",
        "ecdsa-bp512": "ECDSA brainpoolP512r1",
        "ed25519": "Ed25519",
        "ed448": "Ed448",
        "ml-dsa-44": "ML-DSA-44",
        "ml-dsa-65": "ML-DSA-65",
        "ml-dsa-87": "ML-DSA-87",
        "sm2": "SM2 / SM3",
        "gost2012-256": "ГОСТ Р 34.10-2012 (256)",
        "gost2012-512": "ГОСТ Р 34.10-2012 (512)",
    }
)


def algorithm_label(suite_name: str, locale: str = "en") -> str:
    """Return the name of a suite for people; an unknown one stays as it is."""
    label = ALGORITHMS.get(suite_name, suite_name)
    return label if locale == "ru" else label.replace("ГОСТ Р", "GOST R")


def words(locale: str) -> Mapping[str, str]:
    """Return the words of a locale such as "zh", "zh-CN" or "ru_RU"; English for one we do not have."""
    return WORDS.get(language(locale), WORDS["en"])


def language(locale: str) -> str:
    """Return "en", "zh" or "ru" for a locale."""
    short = locale.replace("_", "-").split("-")[0].lower()
    return short if short in LOCALES else "en"


def moment(when: datetime, locale: str) -> str:
    """Write a moment with its zone: 21 Nov 2026, 18:00:00 UTC+8. A moment without a zone is written without."""
    clock = f"{when.hour:02}:{when.minute:02}:{when.second:02}{_zone(when.utcoffset())}"
    match language(locale):
        case "zh":
            return f"{when.year}年{when.month}月{when.day}日 {clock}"
        case "ru":
            return f"{when.day:02}.{when.month:02}.{when.year} {clock}"
        case _:
            return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {clock}"


def day(when: date, locale: str) -> str:
    """Write a date the way `moment` does."""
    match language(locale):
        case "zh":
            return f"{when.year}年{when.month}月{when.day}日"
        case "ru":
            return f"{when.day:02}.{when.month:02}.{when.year}"
        case _:
            return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def period(start: datetime, end: datetime, locale: str) -> str:
    """Write the time between two days."""
    first, last = day(start, locale), day(end, locale)
    match language(locale):
        case "zh":
            return f"{first} 至 {last}"
        case "ru":
            return f"с {first} по {last}"
        case _:
            return f"{first} – {last}"


def _zone(offset: timedelta | None) -> str:
    if offset is None:
        return ""
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return " UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f" UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
