"""Sub-commands of `certs`: key, ca, tsa, inspect, doctor.

Only arguments are described here, so that the program starts quickly; `certs.commands.run` does the work.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from certs.command import Command

SUITES_HELP = "algorithm suite, for example sm2, gost2012-256, ecdsa-p256, rsa, ed25519, ml-dsa-65"


def _run(args: argparse.Namespace) -> int:
    from importlib import import_module

    if getattr(args, "holds_keys", False):
        from certs.hardening import harden

        harden()
    module = import_module(f"certs.commands.{getattr(args, 'body', 'run')}")
    code: int = getattr(module, args.action)(args)
    return code


def _passwords(parser: argparse.ArgumentParser, *, new: bool = False) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password-file", metavar="FILE", help="take the password from the first line of FILE")
    group.add_argument("--password-fd", metavar="N", type=int, help="take the password from file descriptor N")
    if new:
        group.add_argument("--no-password", action="store_true", help="leave the key unencrypted")


def _sub(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return parser.add_subparsers(metavar="ACTION", required=True, parser_class=type(parser))


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, function: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
    parser.set_defaults(action=function)
    return parser


def _configure_key(parser: argparse.ArgumentParser) -> None:
    from certs.cli_keys import configure_keys

    parser.set_defaults(holds_keys=True)
    actions = _sub(parser)
    generate = _action(actions, "generate", "key_generate", "make a key pair and write it encrypted")
    generate.add_argument("output", nargs="?", metavar="OUT", help="file for the private key (PKCS#8, PEM)")
    generate.add_argument("--key", metavar="URI", help="instead of OUT: sealed:PATH?kek=… or pkcs11:token=…;object=…")
    generate.add_argument("--suite", required=True, help=SUITES_HELP)
    generate.add_argument("--parameter", help="key size or parameter set, for example 3072 or TC26-256-A")
    generate.add_argument("--public", metavar="FILE", help="also write the public key there")
    _passwords(generate, new=True)
    show = _action(actions, "show", "key_show", "say which key it is")
    show.add_argument("key", nargs="?", metavar="KEY", help="file, or URI such as file:seller.key.pem or pkcs11:…")
    show.add_argument("--pem", action="store_true", help="print the public key")
    show.add_argument("--json", action="store_true")
    show.add_argument("--key", dest="key_option", metavar="URI", help=argparse.SUPPRESS)
    _passwords(show)
    configure_keys(_adder(actions, "keys"), _passwords)


def _adder(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], body: str
) -> Callable[[str, str, str], argparse.ArgumentParser]:
    def add(name: str, function: str, text: str) -> argparse.ArgumentParser:
        made = _action(actions, name, function, text)
        made.set_defaults(body=body)
        return made

    return add


def _directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="directory of the authority")


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="OUT", help="file to write; - or nothing: standard output")


def _configure_ca(parser: argparse.ArgumentParser) -> None:
    from certs.cli_keys import configure_ceremony

    parser.set_defaults(holds_keys=True)
    actions = _sub(parser)
    ceremony = actions.add_parser(
        "ceremony", help="acts of several officers: approve, run, verify", description="Acts of several officers."
    )
    configure_ceremony(_adder(_sub(ceremony), "keys"), _passwords)
    init = _action(actions, "init", "ca_init", "make a closed circle: root, issuing and time-stamping authority")
    _directory(init)
    init.add_argument("--suite", required=True, help=SUITES_HELP)
    init.add_argument("--parameter", help="key size or parameter set")
    init.add_argument("--organisation", "--organization", required=True, help="who runs the authority")
    init.add_argument("--country", required=True, help="two capital letters")
    init.add_argument("--crl-url", metavar="URL", help="where lists will be; {issuer} becomes the key identifier")
    init.add_argument("--issuer-url", metavar="URL", help="where the issuer's certificate will be")
    init.add_argument("--keys", metavar="URI", help="where the keys go: pkcs11:token=… or sealed:?kek=file:PATH")
    init.add_argument("--no-tsa", action="store_true", help="without a time-stamping authority")
    _passwords(init, new=True)

    issue = _action(actions, "issue", "ca_issue", "certify a public key")
    _directory(issue)
    issue.add_argument("--public-key", required=True, metavar="FILE", help="public key or certificate, PEM or DER")
    issue.add_argument("--profile", default="person", help="person, organisation or tsa (default: person)")
    issue.add_argument("--cn", required=True, help="common name")
    issue.add_argument("--organisation", "--organization")
    issue.add_argument("--country", help="two capital letters")
    issue.add_argument("--given-name")
    issue.add_argument("--surname")
    issue.add_argument("--locality")
    issue.add_argument("--email")
    issue.add_argument(
        "--identifier",
        action="append",
        default=[],
        metavar="SCHEME:VALUE",
        help="national identifier, for example CN-USCC:91310000MA1FL5RX2W; may be repeated",
    )
    issue.add_argument("--days", type=int, help="validity (default: the profile's)")
    issue.add_argument("--chain", action="store_true", help="add the issuing and the root certificate")
    _output(issue)
    _passwords(issue)

    revoke = _action(actions, "revoke", "ca_revoke", "revoke a certificate")
    _directory(revoke)
    revoke.add_argument("certificate", metavar="CERT", help="certificate file, or serial number in hexadecimal")
    revoke.add_argument("--reason", default="unspecified", help="for example keyCompromise or superseded")
    revoke.add_argument("--crl", metavar="OUT", help="write the new list there")
    _passwords(revoke)

    crl = _action(actions, "crl", "ca_crl", "write a new revocation list (DER)")
    _directory(crl)
    crl.add_argument("--root", action="store_true", help="the root's list rather than the issuing authority's")
    _output(crl)
    _passwords(crl)

    listing = _action(actions, "list", "ca_list", "list what was prepared, issued and revoked")
    _directory(listing)
    listing.add_argument("--json", action="store_true")
    _passwords(listing)

    export = _action(actions, "export", "ca_export", "write the authority's certificates")
    _directory(export)
    export.add_argument("--root", action="store_true", help="the root only")
    export.add_argument("--format", dest="form", choices=("pem", "der", "p7b"), default="pem")
    _output(export)
    _passwords(export)


def _configure_tsa(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="tsa", holds_keys=True)
    _directory(parser)
    parser.add_argument("request", metavar="REQUEST", help="time-stamp request (.tsq); - for standard input")
    _output(parser)
    _passwords(parser)


def _configure_inspect(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="inspect")
    parser.add_argument("file", metavar="FILE", help="certificate, revocation list, time-stamp, CMS or key")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _configure_doctor(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="doctor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-measure", action="store_true", help="leave out the rates")


COMMANDS: dict[str, Command] = {
    "key": Command("key", "make and show keys of any suite", _configure_key, _run),
    "ca": Command("ca", "run a closed circle: issue, revoke, list", _configure_ca, _run),
    "tsa": Command("tsa", "answer a time-stamp request", _configure_tsa, _run),
    "inspect": Command("inspect", "say what is in a file", _configure_inspect, _run),
    "doctor": Command("doctor", "say which libraries compute what, and how fast", _configure_doctor, _run),
}
