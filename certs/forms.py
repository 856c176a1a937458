"""How a country writes the subject of a certificate: its attributes, their order, and extensions of its own.

    form = forms.get("russia")
    form.name(subject)                         # DER of the Name, or ProfileError naming what is missing
    form.extensions(subject, facts)            # subjectSignTool and so on

| form   | document                      | identifiers stand in                                     |
|--------|-------------------------------|----------------------------------------------------------|
| plain  | RFC 5280                      | the subject, as `certs.identifiers` says                 |
| china  | GB/T 20518-2018, GM/T 0015    | extensions: credit code 1.2.156.10260.4.4, identity card |
| russia | order of the FSB no. 795      | the subject, NumericString                               |
| europe | ETSI EN 319 412-2 and 412-3   | serialNumber (people), organizationIdentifier            |

No form claims that a certificate is qualified or accredited: who may say so is a matter of law and of audits. The
European form names the semantics of its identifiers (EN 319 412-1 5.1) and no QCStatement of EN 319 412-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from certs import der, oids
from certs.errors import ProfileError
from certs.extension_values import Extension
from certs.names import PRINTABLE, UTF8, build_name
from certs.subject import Subject, attribute_of

_TOOL_CLASSES = {"KC1": oids.CLASS_KC1, "KC2": oids.CLASS_KC2, "KC3": oids.CLASS_KC3}
ORGANISATION_SCHEMES = ("CN-USCC", "RU-OGRN", "KZ-BIN", "LEI", "VAT-", "NTR-")


@dataclass(frozen=True)
class IssuerSignTool:
    """What the authority signs with: names of the tool and of the authority's program, and their conformity papers."""

    sign_tool: str
    ca_tool: str
    sign_tool_certificate: str
    ca_tool_certificate: str


@dataclass(frozen=True)
class Facts:
    """What a form needs beside the subject. Whoever fills it in answers for it; nothing is made up."""

    subject_sign_tool: str | None = None
    """Russia: the subject's signature tool, as its conformity papers call it."""
    issuer_sign_tool: IssuerSignTool | None = None
    identification_kind: int | None = None
    """Russia: how the subject was identified: 0 in person, 1 by certificate, 2 by passport, 3 by the state system."""
    tool_classes: tuple[str, ...] = ()
    """Russia: classes of the tool, from the lowest to the strongest held: KC1, KC2, KC3."""
    arcs: tuple[str, ...] = ("gm",)
    """China: "gm" for the arc of GM/T 0015; "sheca" too for an authority that SHECA lets use its own."""


@dataclass(frozen=True)
class Form:
    """One way of writing."""

    label: str
    description: str
    order: tuple[str, ...]
    """Attributes in the order of the encoding; "identifiers" stands for those of the subject."""
    check: Callable[[Subject], Iterator[str]]
    """Yields what is missing or does not belong, one sentence each."""
    write: Callable[[Subject, Facts], Iterator[Extension]]
    outside: tuple[str, ...] = ()
    """Schemes that stand in extensions, not in the name."""
    policies: Callable[[Facts], tuple[str, ...]] = lambda _: ()
    """Policies the form adds to those of the profile."""

    def name(self, subject: Subject) -> bytes:
        """Return the DER of the Name. Raises ProfileError, BadIdentifier or MalformedInput."""
        for identifier in subject.identifiers:
            identifier.check()
        missing = list(self.check(subject))
        if missing:
            raise ProfileError(f"subject form {self.label}: " + "; ".join(missing), form=self.label, missing=missing)
        if not self.order:
            return subject.name()
        attributes: list[tuple[str, str]] = []
        for field in self.order:
            if field == "identifiers":
                attributes += [attribute_of(item) for item in subject.identifiers if item.scheme not in self.outside]
            elif value := getattr(subject, field):
                attributes.append((_ATTRIBUTES[field], value))
        return build_name(attributes)

    def extensions(self, subject: Subject, facts: Facts) -> tuple[Extension, ...]:
        """Return the form's own extensions. Raises ProfileError where `facts` lacks what they need."""
        return tuple(self.write(subject, facts))


_ATTRIBUTES = {
    "country": oids.COUNTRY,
    "state": oids.STATE,
    "locality": oids.LOCALITY,
    "street": oids.STREET,
    "organisation": oids.ORGANISATION,
    "organisational_unit": oids.ORGANISATIONAL_UNIT,
    "title": oids.TITLE,
    "surname": oids.SURNAME,
    "given_name": oids.GIVEN_NAME,
    "pseudonym": oids.PSEUDONYM,
    "common_name": oids.COMMON_NAME,
}
_ORDER = ("country", "state", "locality", "street", "organisation", "organisational_unit", "title", "identifiers")


def is_organisation(subject: Subject) -> bool:
    """Tell whether `subject` is a legal person: it has an identifier that only those have."""
    return any(
        item.scheme.startswith(ORGANISATION_SCHEMES) or (item.scheme == "RU-INN" and len(item.value) == 10)
        for item in subject.identifiers
    )


def _need(subject: Subject, *names: str) -> Iterator[str]:
    return (f"{field.replace('_', ' ')} is missing" for field in names if not getattr(subject, field))


def _schemes(subject: Subject) -> set[str]:
    return {item.scheme for item in subject.identifiers}


# Plain ---------------------------------------------------------------------------------------------------------------
def _nothing(_: Subject) -> Iterator[str]:
    return iter(())


def _no_extensions(_: Subject, __: Facts) -> Iterator[Extension]:
    return iter(())


# China ---------------------------------------------------------------------------------------------------------------
def _check_china(subject: Subject) -> Iterator[str]:
    if subject.country != "CN":  # GB/T 20518: the DN begins with C=CN
        yield "the country must be CN"


def _write_china(subject: Subject, facts: Facts) -> Iterator[Extension]:
    if set(facts.arcs) - {"gm", "sheca"} or not facts.arcs:
        raise ProfileError("Chinese identifiers stand in the arc gm, or gm and sheca", form="china")
    for identifier in subject.identifiers:
        text = der.tlv(PRINTABLE, identifier.value.encode())
        if identifier.scheme == "CN-USCC":
            if "gm" in facts.arcs:
                yield Extension(oids.GM_USCC, False, text)
            if "sheca" in facts.arcs:
                yield Extension(oids.SHECA_USCC, False, text)
        elif identifier.scheme == "CN-ID":  # IdentifyCode, residenterCardNumber [0] explicit, as it is met
            yield Extension(oids.GM_IDENTITY, False, der.tlv(0xA0, text))


# Russia --------------------------------------------------------------------------------------------------------------
def _check_russia(subject: Subject) -> Iterator[str]:
    if subject.country != "RU":
        yield "the country must be RU"
    schemes = _schemes(subject)
    if is_organisation(subject):
        yield from _need(subject, "organisation", "state", "locality", "street")
        wanted = ("RU-INN", "RU-OGRN")
    else:
        yield from _need(subject, "surname", "given_name")
        wanted = ("RU-INN", "RU-SNILS")
    yield from (f"{scheme} is missing" for scheme in wanted if scheme not in schemes)


def _text(label: str, text: str, most: int) -> bytes:
    if not 1 <= len(text) <= most:
        raise ProfileError(f"{label} has 1 to {most} characters (RFC 9215 5.1)", form="russia")
    return der.tlv(UTF8, text.encode())


def _write_russia(_: Subject, facts: Facts) -> Iterator[Extension]:
    tool = facts.issuer_sign_tool
    if facts.subject_sign_tool is None or tool is None or facts.identification_kind is None:
        raise ProfileError(
            "subject form russia: the signature tools of subject and issuer and the kind of identification are missing",
            hint="order 795 puts them into every certificate: --subject-sign-tool, --issuer-sign-tool, "
            "--identification-kind",
            form="russia",
        )
    if facts.identification_kind not in range(4):
        raise ProfileError("the kind of identification is 0 to 3 (RFC 9215 5.1)", form="russia")
    yield Extension(oids.SUBJECT_SIGN_TOOL, False, _text("the subject's tool", facts.subject_sign_tool, 200))
    yield Extension(
        oids.ISSUER_SIGN_TOOL,
        False,
        der.sequence(
            _text("the issuer's tool", tool.sign_tool, 200),
            _text("the authority's program", tool.ca_tool, 200),
            _text("the papers of the issuer's tool", tool.sign_tool_certificate, 100),
            _text("the papers of the authority's program", tool.ca_tool_certificate, 100),
        ),
    )
    yield Extension(oids.IDENTIFICATION_KIND, False, der.integer(facts.identification_kind))


def _classes(facts: Facts) -> tuple[str, ...]:
    """Return the policies that name the classes of the tool, from the lowest up (RFC 9215 5.2)."""
    if unknown := set(facts.tool_classes) - set(_TOOL_CLASSES):
        raise ProfileError(f"no class of tools is called {min(unknown)!r}", hint="known: KC1, KC2, KC3", form="russia")
    return tuple(oid for label, oid in _TOOL_CLASSES.items() if label in facts.tool_classes)


# Europe --------------------------------------------------------------------------------------------------------------
def _check_europe(subject: Subject) -> Iterator[str]:
    if subject.surname or subject.given_name or subject.pseudonym:  # EN 319 412-2 4.2.4
        yield from _need(subject, "country")
        if subject.pseudonym and (subject.surname or subject.given_name):
            yield "a pseudonym stands in place of given name and surname"
    elif subject.organisation:  # EN 319 412-3 4.2.1
        yield from _need(subject, "country")
        if not is_organisation(subject):
            yield "an identifier of the organisation is missing, such as VAT-DE, NTR-DE or LEI"
    else:
        yield "given name, surname or pseudonym of a person, or an organisation, is missing"
    if any(item.scheme in ("CN-ID", "RU-INN", "RU-OGRN", "RU-OGRNIP", "RU-SNILS") for item in subject.identifiers):
        yield "an identifier that EN 319 412-1 has no prefix for"
    else:  # EN 319 412-3 LEG-4.2.1-3, and the same for people
        places = [attribute_of(item)[0] for item in subject.identifiers]
        if len(set(places)) != len(places):
            yield "of identifiers that stand in one attribute there is one"


_NATURAL_SEMANTICS, _LEGAL_SEMANTICS = "0.4.0.194121.1.1", "0.4.0.194121.1.2"


def _write_europe(subject: Subject, _: Facts) -> Iterator[Extension]:
    """Name the semantics (EN 319 412-1 5.1.1, RFC 3739 3.2.6.1); no statement of EN 319 412-5 is made."""
    if not subject.identifiers:
        return
    person = any(attribute_of(item)[0] == oids.SERIAL_NUMBER for item in subject.identifiers)
    semantics = der.oid(_NATURAL_SEMANTICS if person else _LEGAL_SEMANTICS)
    statement = der.sequence(der.oid("1.3.6.1.5.5.7.11.2"), der.sequence(semantics))
    yield Extension(oids.QC_STATEMENTS, False, der.sequence(statement))


_PERSON = ("surname", "given_name", "pseudonym", "common_name")
FORMS: dict[str, Form] = {
    form.label: form
    for form in (
        Form("plain", "RFC 5280, identifiers in the subject", (), _nothing, _no_extensions),
        Form(
            "china",
            "GB/T 20518, GM/T 0015",
            (*_ORDER, "surname", "given_name", "common_name"),
            _check_china,
            _write_china,
            ("CN-USCC", "CN-ID"),
        ),
        Form(
            "russia",
            "order of the FSB no. 795",
            (*_ORDER, *_PERSON),
            _check_russia,
            _write_russia,
            policies=_classes,
        ),
        Form("europe", "ETSI EN 319 412-2, 412-3", (*_ORDER, *_PERSON), _check_europe, _write_europe),
    )
}


OWN_EXTENSIONS = frozenset(
    {
        oids.GM_USCC,
        oids.SHECA_USCC,
        oids.GM_IDENTITY,
        oids.SUBJECT_SIGN_TOOL,
        oids.ISSUER_SIGN_TOOL,
        oids.IDENTIFICATION_KIND,
        oids.QC_STATEMENTS,
    }
)
"""Extensions that the forms write; none is critical."""


def get(label: str) -> Form:
    """Return the form called `label`. Raises ProfileError."""
    form = FORMS.get(label)
    if form is None:
        raise ProfileError(f"no subject form is called {label!r}", hint="known: " + ", ".join(FORMS), form=label)
    return form
