"""Whether a power of attorney holds, and whether it lets somebody act for an organisation at a moment.

    report = verify_bytes(signature, name="m.sig", trust=store, clock=clock, content=xml)
    checks = judge(grant_of(read_mandate(xml)), report)                       # of the document itself
    checks += judge_use(grant, Claim(...), moment, revocation)                # of one use of it
    accepted(checks)                                                          # no check failed

Two kinds: the Russian machine-readable one (`certs.mandates`) with a detached signature, and a signed PDF, such as a
Chinese letter of authorisation (授权书), beside which somebody states what it says. Every check has a result of its
own; what nobody could check is "not-checked" and stays so: no register is asked, and nothing here calls a power of
attorney valid.
"""

from collections.abc import Iterable

from signer.mandates.document import judge
from signer.mandates.grant import Grant, Letter, grant_of
from signer.mandates.use import Claim, Revocation, judge_time, judge_use
from signer.report import CheckResult

__all__ = [
    "Claim",
    "Grant",
    "Letter",
    "Revocation",
    "accepted",
    "grant_of",
    "judge",
    "judge_time",
    "judge_use",
    "open_points",
]


def accepted(checks: Iterable[CheckResult]) -> bool:
    """Tell whether no check failed; what was not checked is no failure, and is listed by `open_points`."""
    return all(check.result != "failed" for check in checks)


def open_points(checks: Iterable[CheckResult]) -> tuple[str, ...]:
    """Return the names of what was not checked, in order."""
    return tuple(check.id for check in checks if check.result == "not-checked")
