"""Arguments of `ca issue-pair`, `ca escrow`, `ca recovery`, `key accept-pair`; `certs.commands.pairs` does the work."""

from __future__ import annotations

import argparse

from certs.cli_arguments import ENCRYPTION_HELP, action, directory, output, passwords, sub
from certs.cli_issue import configure_form, configure_subject
from certs.cli_keys import KEK_HELP


def configure_ca(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what an authority does with pairs."""
    issue = action(
        actions, "issue-pair", "pairs:ca_issue_pair", "certify a signing key, and an encryption key made for its holder"
    )
    directory(issue)
    issue.add_argument("--request", required=True, metavar="FILE", help="PKCS#10 request by the signing key")
    issue.add_argument(
        "--application",
        metavar="FILE",
        help="application with approvals for the request's key, in place of its name",
    )
    issue.add_argument(
        "--profile",
        default="person",
        help="of the signing certificate (default: person); with --application, only a file .toml counts",
    )
    issue.add_argument(
        "--encryption-suite",
        metavar="SUITE",
        help=f"of the key made for the holder, {ENCRYPTION_HELP} (default: the request's)",
    )
    configure_subject(issue, required=False)
    configure_form(issue)
    issue.add_argument("--days", type=int, help="validity of both (default: the profiles')")
    output(issue)
    passwords(issue)

    escrow = action(actions, "escrow", "pairs:ca_escrow", "keep copies of the encryption keys of pairs, or none")
    directory(escrow)
    change = escrow.add_mutually_exclusive_group()
    change.add_argument("--kek", metavar="KEK", help=KEK_HELP + "; no passphrase; a missing file is made")
    change.add_argument("--off", action="store_true", help="keep no more copies; those there are stay")
    passwords(escrow)
    _recovery(actions)


def _recovery(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    steps = sub(actions.add_parser("recovery", help="hand a copy of an encryption key out: two officers approve it"))
    apply = action(steps, "apply", "pairs:recovery_apply", "ask for a copy")
    directory(apply)
    apply.add_argument("certificate", metavar="CERT", help="the encryption certificate whose key is asked for")
    apply.add_argument("--to", required=True, metavar="CERT", help="certificate that the key is encrypted to")
    apply.add_argument("--reason", required=True, help="why, in a sentence")
    apply.add_argument("--expires", type=int, default=7, metavar="DAYS", help="how long it may be used (default: 7)")
    output(apply)

    approve = action(steps, "approve", "pairs:recovery_approve", "add an officer's approval")
    approve.add_argument("file", metavar="REQUEST")
    approve.add_argument("--officer", required=True, help="name under which the officer was appointed")
    approve.add_argument("--key", required=True, metavar="KEY", help="the officer's key: file or URI")
    approve.add_argument("--certificate", required=True, metavar="FILE", help="the officer's certificate")
    output(approve)
    passwords(approve)

    deliver = action(steps, "deliver", "pairs:recovery_deliver", "write the key, encrypted to the certificate approved")
    directory(deliver)
    deliver.add_argument("file", metavar="REQUEST")
    output(deliver)
    passwords(deliver)


def configure_key(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what a holder does with a pair."""
    accept = action(
        actions, "accept-pair", "pairs:key_accept_pair", "open the encryption key of a pair with the signing key"
    )
    accept.add_argument("pair", metavar="PAIR", help="file of 'ca issue-pair', or a key delivered by others")
    accept.add_argument("--key", required=True, metavar="KEY", help="the signing key: a file, or a URI")
    accept.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="file for the encryption key (PKCS#8, PEM)"
    )
    accept.add_argument("--issuer", metavar="FILE", help="certificate that must have signed both")
    accept.add_argument("--signing-cert", metavar="OUT", help="write the signing certificate there")
    accept.add_argument("--encryption-cert", metavar="OUT", help="write the encryption certificate there")
    accept.add_argument("--certificate", metavar="FILE", help="the encryption certificate, where PAIR is a key alone")
    accept.add_argument("--new-password-file", metavar="FILE", help="take the password of the new file from there")
    passwords(accept)
