"""Arguments of `ca issue-pair` and `key accept-pair`; `certs.commands.pairs` does the work."""

from __future__ import annotations

import argparse

from certs.cli_arguments import action, directory, output, passwords
from certs.cli_issue import configure_form, configure_subject


def configure_ca(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what an authority does with pairs."""
    issue = action(
        actions, "issue-pair", "pairs:ca_issue_pair", "certify a signing key, and an encryption key made for its holder"
    )
    directory(issue)
    issue.add_argument("--request", required=True, metavar="FILE", help="PKCS#10 request by the signing key")
    issue.add_argument("--profile", default="person", help="of the signing certificate (default: person)")
    configure_subject(issue, required=False)
    configure_form(issue)
    issue.add_argument("--days", type=int, help="validity of both (default: the profiles')")
    output(issue)
    passwords(issue)


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
