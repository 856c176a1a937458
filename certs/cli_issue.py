"""Arguments of what makes certificates: `key request` and `ca issue`, `renew`, `cross`, `rollover`, `profiles`."""

from __future__ import annotations

import argparse

from certs.cli_arguments import SUITES_HELP, action, directory, output, passwords


def configure_subject(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add what a subject is called."""
    parser.add_argument("--cn", required=required, help="common name")
    parser.add_argument("--organisation", "--organization")
    parser.add_argument("--unit", help="organisational unit")
    parser.add_argument("--country", help="two capital letters")
    parser.add_argument("--given-name")
    parser.add_argument("--surname")
    parser.add_argument("--pseudonym")
    parser.add_argument("--title")
    parser.add_argument("--street")
    parser.add_argument("--locality")
    parser.add_argument("--state", help="region or province")
    parser.add_argument("--email", help="stands in the subject and among the alternative names")
    parser.add_argument(
        "--identifier",
        action="append",
        default=[],
        metavar="SCHEME:VALUE",
        help="national identifier, for example CN-USCC:91310000MA1FL5RX2W; may be repeated",
    )


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--alt-email", action="append", default=[], metavar="ADDRESS", help="alternative name")
    parser.add_argument("--dns", action="append", default=[], metavar="HOST", help="alternative name")
    parser.add_argument("--ip", action="append", default=[], metavar="ADDRESS", help="alternative name")


def _constraints(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--path-length", type=int, metavar="N", help="authorities that may follow below")
    for name, text in (("permit", "names must lie in it"), ("exclude", "names must not lie in it")):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="KIND:BASE",
            help=f"{text}: dns:example.cn, email:.example.cn, ip:192.0.2.0/24, dn:CERT for a certificate's subject",
        )
    parser.add_argument("--policy", action="append", default=[], metavar="OID", help="policy it may certify under")
    parser.add_argument(
        "--map-policy", action="append", default=[], metavar="OURS=THEIRS", help="their policy counts as ours"
    )
    parser.add_argument("--require-policy", type=int, metavar="N", help="a policy is required after N certificates")
    parser.add_argument("--inhibit-mapping", type=int, metavar="N")
    parser.add_argument("--inhibit-any-policy", type=int, metavar="N")


def configure_form(parser: argparse.ArgumentParser) -> None:
    """Add how a country writes the subject."""
    parser.add_argument("--form", default="plain", help="subject form: plain, china, russia or europe (default: plain)")
    parser.add_argument("--subject-sign-tool", metavar="NAME", help="Russia: the subject's signature tool")
    parser.add_argument(
        "--issuer-sign-tool",
        nargs=4,
        metavar=("TOOL", "PROGRAM", "TOOL-PAPERS", "PROGRAM-PAPERS"),
        help="Russia: what the authority signs with, and the conformity papers of both",
    )
    parser.add_argument(
        "--identification-kind",
        type=int,
        choices=range(4),
        help="Russia: 0 in person, 1 by certificate, 2 by passport, 3 by the state system",
    )
    parser.add_argument("--tool-class", action="append", default=[], metavar="CLASS", help="Russia: KC1, KC2, KC3")
    parser.add_argument("--sheca-arc", action="store_true", help="China: identifiers in the arc of SHECA too")


def configure_request(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `key request`."""
    request = action(actions, "request", "issue:key_request", "ask for a certificate: a PKCS#10 request for a key")
    request.add_argument("key", metavar="KEY", help="file, or URI such as file:seller.key.pem")
    configure_subject(request, required=False)
    request.add_argument(
        "--by-key",
        metavar="KEY",
        help="for a key that cannot sign: another key of the holder, which signs in its place",
    )
    request.add_argument("--by-cert", metavar="CERT", help="certificate of --by-key; its name is asked for")
    _names(request)
    output(request)
    passwords(request)


def configure(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions of `ca` that make certificates."""
    issue = action(actions, "issue", "issue:ca_issue", "certify a public key or a request")
    directory(issue)
    source = issue.add_mutually_exclusive_group(required=True)
    source.add_argument("--public-key", metavar="FILE", help="public key or certificate, PEM or DER")
    source.add_argument("--application", metavar="FILE", help="application with approvals, in place of what follows")
    source.add_argument("--request", metavar="FILE", help="PKCS#10 request, PEM or DER; - for standard input")
    issue.add_argument(
        "--profile", default="person", help="a name that 'ca profiles' lists, or a file .toml (default: person)"
    )
    configure_subject(issue, required=False)
    _names(issue)
    configure_form(issue)
    _constraints(issue)
    validity = issue.add_mutually_exclusive_group()
    validity.add_argument("--days", type=int, help="validity (default: the profile's)")
    validity.add_argument("--hours", type=int, help="validity of a short-lived certificate")
    issue.add_argument("--chain", action="store_true", help="add the issuing and the root certificate")
    output(issue)
    passwords(issue)

    renew = action(
        actions, "renew", "issue:ca_renew", "issue a successor: the same subject, new dates, maybe a new key"
    )
    directory(renew)
    renew.add_argument("certificate", metavar="CERT", help="certificate file")
    renew.add_argument("--request", metavar="FILE", help="PKCS#10 request for the new key")
    renew.add_argument("--days", type=int, help="validity (default: the profile's)")
    output(renew)
    passwords(renew)

    cross = action(actions, "cross", "issue:ca_cross", "certify another authority, of any suite, by the root")
    directory(cross)
    cross.add_argument("certificate", metavar="CERT", help="certificate of the other authority")
    _constraints(cross)
    cross.add_argument("--days", type=int, help="validity (default: the profile's)")
    output(cross)
    passwords(cross)

    rollover = action(actions, "rollover", "issue:ca_rollover", "begin the next generation of the issuing authority")
    directory(rollover)
    rollover.add_argument("--root", action="store_true", help="of the root too, with the links between both")
    rollover.add_argument("--suite", help=SUITES_HELP + " (default: as before)")
    passwords(rollover)

    profiles = action(actions, "profiles", "issue:ca_profiles", "list the kinds of certificates and what they allow")
    profiles.add_argument("--json", action="store_true")
