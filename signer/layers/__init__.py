"""The two layers above the cryptographic one: what the parties agreed, and what a jurisdiction's policy asks for.

    agreement = load_agreement(Path("framework.toml").read_bytes(), verify=verify)
    policies = (load_policy(Path("policy.toml").read_bytes()),)
    report = judge(report, agreement, policies)          # the same report with both layers filled in

Both come from files; no law is written in this program. Neither changes the cryptographic verdict.
"""

from signer.layers.agreement import Agreement, Party, agreement_octets, load_agreement
from signer.layers.conditions import Conditions
from signer.layers.judge import agreed, judge
from signer.layers.policy import Policy, load_policy

__all__ = [
    "Agreement",
    "Conditions",
    "Party",
    "Policy",
    "agreed",
    "agreement_octets",
    "judge",
    "load_agreement",
    "load_policy",
]
