"""What a power of attorney says, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from certs.identifiers import Identifier

ActorKind = Literal["organisation", "foreign-organisation", "branch", "sole-trader", "person"]
SubDelegation = Literal["none", "once", "repeatedly"]


@dataclass(frozen=True)
class Actor:
    """A principal, a representative, or somebody who acts for one of them."""

    kind: ActorKind
    name: str
    """Of an organisation as it calls itself; of a person surname, given name and patronymic in this order."""
    identifiers: tuple[Identifier, ...] = ()
    """As written: checksums are checked by whoever judges."""
    kpp: str | None = None
    """Code of the reason for registration; nine characters, no identifier by itself."""
    position: str | None = None
    country: str | None = None
    """Of a foreign organisation: the numeric code of its country (ОКСМ)."""
    register_number: str | None = None
    """Of a foreign organisation: its number in the register of its country."""
    heads: tuple[Actor, ...] = ()
    """Who acts for an organisation without a power of attorney (ЛицоБезДов), and so signs this one."""
    heads_jointly: bool = False
    """Whether they act only together (ПолнЮЛ = 2)."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; what is absent is left out."""
        out: dict[str, Any] = {
            "kind": self.kind,
            "name": self.name,
            "identifiers": [{"scheme": each.scheme, "value": each.value} for each in self.identifiers],
            "kpp": self.kpp,
            "position": self.position,
            "country": self.country,
            "register_number": self.register_number,
            "heads": [each.to_json() for each in self.heads],
            "heads_jointly": self.heads_jointly or None,
        }
        return {key: value for key, value in out.items() if value not in (None, [])}


@dataclass(frozen=True)
class Power:
    """A power by the code of a classifier."""

    code: str
    name: str
    limits: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"code": self.code, "name": self.name, "limits": list(self.limits)}


@dataclass(frozen=True)
class Root:
    """A power of attorney on which a sub-delegation rests."""

    number: str | None
    """GUID; None for one that is on paper."""
    inner_number: str | None
    issued: date
    expires: date
    principals: tuple[Actor, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "number": self.number,
            "inner_number": self.inner_number,
            "issued": self.issued.isoformat(),
            "expires": self.expires.isoformat(),
            "principals": [each.to_json() for each in self.principals],
        }


@dataclass(frozen=True)
class Mandate:
    """A power of attorney."""

    format: str
    number: str
    """The GUID by which the register knows it, lower case."""
    inner_number: str | None
    file_id: str
    tax_file_id: str | None
    """Name of the file towards the tax service (ON_DOVEL…), where it is meant for it too."""
    issued: date
    expires: date
    """The last day."""
    principals: tuple[Actor, ...]
    representatives: tuple[Actor, ...]
    powers: tuple[Power, ...]
    powers_text: str | None
    joint_code: str | None
    """ПрСовмПолн as written. Sources differ on which number means "only together"."""
    sub_delegation: SubDelegation
    """Whether the representative may hand the powers on."""
    irrevocable: bool
    register: str | None
    """Where the file says that its state can be asked (СведСист). Never asked by us."""
    notarised: bool = False
    root: Root | None = None
    """Of a sub-delegation: the first power of attorney."""
    parent: Root | None = None
    """Of a sub-delegation: the one before this, where that is not the first."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "format": self.format,
            "number": self.number,
            "inner_number": self.inner_number,
            "file_id": self.file_id,
            "tax_file_id": self.tax_file_id,
            "issued": self.issued.isoformat(),
            "expires": self.expires.isoformat(),
            "principals": [each.to_json() for each in self.principals],
            "representatives": [each.to_json() for each in self.representatives],
            "powers": [each.to_json() for each in self.powers],
            "powers_text": self.powers_text,
            "joint_code": self.joint_code,
            "sub_delegation": self.sub_delegation,
            "irrevocable": self.irrevocable,
            "register": self.register,
            "notarised": self.notarised,
            "root": self.root.to_json() if self.root else None,
            "parent": self.parent.to_json() if self.parent else None,
        }
