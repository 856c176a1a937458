"""Sub-commands of `certs`: key, ca, ra, tsa, ocsp, trust, inspect, doctor.

Only arguments are described here, so that the program starts quickly; `certs.commands` does the work.
"""

from __future__ import annotations

import argparse

from certs import cli_issue, cli_keys, cli_pairs
from certs.cli_arguments import ENCRYPTION_HELP, SUITES_HELP
from certs.cli_arguments import action as _action
from certs.cli_arguments import directory as _directory
from certs.cli_arguments import output as _output
from certs.cli_arguments import passwords as _passwords
from certs.cli_arguments import sub as _sub
from certs.command import Command


def _run(args: argparse.Namespace) -> int:
    from importlib import import_module

    if getattr(args, "holds_keys", False):
        from certs.hardening import harden

        harden()
    module, _, name = args.action.rpartition(":")  # "issue:ca_issue" is a function of certs.commands.issue
    code: int = getattr(import_module(f"certs.commands.{module or 'run'}"), name)(args)
    return code


def _configure_key(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(holds_keys=True)
    actions = _sub(parser)
    generate = _action(actions, "generate", "key_generate", "make a key pair and write it encrypted")
    generate.add_argument("output", nargs="?", metavar="OUT", help="file for the private key (PKCS#8, PEM)")
    generate.add_argument("--key", metavar="URI", help="instead of OUT: sealed:PATH?kek=… or pkcs11:token=…;object=…")
    generate.add_argument("--suite", required=True, help=f"{SUITES_HELP}; {ENCRYPTION_HELP}")
    generate.add_argument("--parameter", help="key size or parameter set, for example 3072 or TC26-256-A")
    generate.add_argument("--public", metavar="FILE", help="also write the public key there")
    generate.add_argument(
        "--decrypts", action="store_true", help="for messages to its holder: in a token, the key may decrypt or agree"
    )
    _passwords(generate, new=True)
    cli_issue.configure_request(actions)

    show = _action(actions, "show", "key_show", "say which key it is")
    show.add_argument("key", nargs="?", metavar="KEY", help="file, or URI such as file:seller.key.pem or pkcs11:…")
    show.add_argument("--pem", action="store_true", help="print the public key")
    show.add_argument("--json", action="store_true")
    show.add_argument("--key", dest="key_option", metavar="URI", help=argparse.SUPPRESS)
    _passwords(show)
    cli_keys.configure_keys(actions)
    cli_pairs.configure_key(actions)


def _configure_ca(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(holds_keys=True)
    actions = _sub(parser)
    cli_keys.configure_ceremony(actions)
    init = _action(actions, "init", "ca_init", "make a closed circle: root, issuing and time-stamping authority")
    _directory(init)
    init.add_argument("--suite", required=True, help=SUITES_HELP)
    init.add_argument("--parameter", help="key size or parameter set")
    init.add_argument("--organisation", "--organization", required=True, help="who runs the authority")
    init.add_argument("--country", required=True, help="two capital letters")
    init.add_argument("--crl-url", metavar="URL", help="where lists will be; {issuer} becomes the key identifier")
    init.add_argument("--issuer-url", metavar="URL", help="where the issuer's certificate will be")
    init.add_argument("--ocsp-url", metavar="URL", help="where OCSP requests will be answered")
    init.add_argument("--crl-days", type=int, default=7, metavar="N", help="how long a list is good (default: 7)")
    init.add_argument("--delta-hours", type=int, metavar="N", help="also make delta lists, good for N hours")
    init.add_argument("--partitions", type=int, default=1, metavar="N", help="divide the list into N, for ever")
    init.add_argument("--keys", metavar="URI", help="where the keys go: pkcs11:token=… or sealed:?kek=file:PATH")
    init.add_argument("--no-tsa", action="store_true", help="without a time-stamping authority")
    _passwords(init, new=True)

    cli_issue.configure(actions)
    cli_pairs.configure_ca(actions)

    revoke = _action(actions, "revoke", "ca_revoke", "revoke a certificate")
    _directory(revoke)
    revoke.add_argument("certificate", metavar="CERT", help="certificate file, or serial number in hexadecimal")
    revoke.add_argument("--reason", default="unspecified", help="for example keyCompromise or superseded")
    revoke.add_argument("--invalid-since", metavar="TIME", help="when the key is thought to have been lost (ISO 8601)")
    revoke.add_argument("--crl", metavar="OUT", help="write the new list there")
    _passwords(revoke)

    hold = _action(actions, "hold", "ca_hold", "suspend a certificate")
    _directory(hold)
    hold.add_argument("certificate", metavar="CERT", help="certificate file, or serial number in hexadecimal")
    hold.add_argument("--until", metavar="TIME", help="when the suspension ends by itself (ISO 8601)")
    hold.add_argument("--crl", metavar="OUT", help="write the new list there")
    _passwords(hold)

    release = _action(actions, "release", "ca_release", "end the suspension of a certificate")
    _directory(release)
    release.add_argument("certificate", metavar="CERT", help="certificate file, or serial number in hexadecimal")
    release.add_argument("--crl", metavar="OUT", help="write the new list there")
    _passwords(release)

    crl = _action(actions, "crl", "ca_crl", "write a new revocation list (DER)")
    _directory(crl)
    crl.add_argument("--root", action="store_true", help="the root's list rather than the issuing authority's")
    crl.add_argument(
        "--issuer", metavar="ID", help="list of the authority with this key identifier, say an earlier one"
    )
    crl.add_argument("--delta", action="store_true", help="what changed since the oldest list that is still good")
    crl.add_argument("--partition", type=int, metavar="N", help="one part of a divided list, from 0")
    crl.add_argument("--all", metavar="OUTDIR", help="write every list there that is missing, due or behind")
    crl.add_argument("--any-clock", action="store_true", help="even if the last list is dated later than now")
    _output(crl)
    _passwords(crl)

    rotate = _action(actions, "rotate-tsa", "ca_rotate_tsa", "give the time-stamping authority a new key")
    _directory(rotate)
    rotate.add_argument("--if-due", action="store_true", help="only where its certificate is near its end")
    _passwords(rotate)

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

    audit = actions.add_parser("audit", help="the log of everything the authority did")
    _configure_audit(audit)


def _configure_audit(parser: argparse.ArgumentParser) -> None:
    actions = _sub(parser)
    show = _action(actions, "show", "audit:show", "print the entries of the audit log")
    _directory(show)
    show.add_argument("--serial", metavar="SERIAL", help="only those about one certificate (hexadecimal)")
    show.add_argument("--act", help="only those of one act, for example issued or revoke")
    show.add_argument("--json", action="store_true", help="the entries as they are, one a line")

    checkpoint = _action(actions, "checkpoint", "audit:checkpoint", "sign the state of the log, to be kept elsewhere")
    _directory(checkpoint)
    checkpoint.add_argument(
        "--also", action="append", default=[], metavar="DIR", help="sign with this authority's audit key too"
    )
    checkpoint.add_argument("--no-time-stamp", action="store_true", help="without a time-stamp by the authority's TSA")
    _output(checkpoint)
    _passwords(checkpoint)

    verify = _action(actions, "verify", "audit:verify", "find what was removed, altered, moved or inserted")
    _directory(verify)
    verify.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="FILE",
        help="checkpoint kept elsewhere, beside those in DIR; repeatable",
    )
    verify.add_argument("--trust", action="append", default=[], metavar="FILE", help="root of another signer")
    verify.add_argument("--json", action="store_true")

    prove = _action(
        actions, "prove", "audit:prove", "write the proof that entries are in the log, or that it only grew"
    )
    _directory(prove)
    prove.add_argument("serial", metavar="SERIAL", nargs="?", help="serial number in hexadecimal")
    prove.add_argument("--since", metavar="CHECKPOINT", help="prove that the log only grew since this checkpoint")
    _output(prove)

    check = _action(actions, "check", "audit:check", "check a proof without the log")
    check.add_argument("proof", metavar="PROOF", help="file of 'sealroad ca audit prove'")
    check.add_argument("--checkpoint", required=True, metavar="FILE", help="checkpoint the proof leads to")
    check.add_argument("--since", metavar="FILE", help="older checkpoint, for a proof that the log only grew")
    check.add_argument("--trust", action="append", default=[], metavar="FILE", help="root certificate of the signer")


def _configure_ra(parser: argparse.ArgumentParser) -> None:
    actions = _sub(parser)
    apply = _action(actions, "apply", "ra:apply", "write an application for a certificate")
    _directory(apply)
    apply.add_argument("--public-key", required=True, metavar="FILE", help="public key or certificate, PEM or DER")
    apply.add_argument("--profile", default="person", help="a name that 'ca profiles' lists (default: person)")
    cli_issue.configure_subject(apply, required=True)
    validity = apply.add_mutually_exclusive_group()
    validity.add_argument("--days", type=int, help="validity (default: the profile's)")
    validity.add_argument("--hours", type=int, help="validity of a one-time signer's certificate")
    apply.add_argument("--expires", type=int, default=14, metavar="DAYS", help="how long it may be used (default: 14)")
    apply.add_argument("--contract", metavar="FILE", help="the one contract the key is for; its digest is recorded")
    apply.add_argument("--proofed-by", metavar="OFFICER", help="who identified the applicant")
    apply.add_argument(
        "--method", help="how: in-person, document, remote-video, qualified-signature or registry-extract"
    )
    apply.add_argument("--person", help="who was identified, where it is not the subject")
    apply.add_argument(
        "--evidence",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="what was looked at; its digest is recorded",
    )
    apply.add_argument(
        "--number",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="number of a document, first line of FILE; the salt of its digest goes to FILE.salt",
    )
    _output(apply)

    approve = _action(actions, "approve", "ra:approve", "add an officer's approval to an application")
    approve.add_argument("file", metavar="APPLICATION")
    approve.add_argument("--officer", required=True, help="name under which the officer was appointed")
    approve.add_argument("--key", required=True, metavar="KEY", help="the officer's key: file or URI")
    approve.add_argument("--certificate", required=True, metavar="FILE", help="the officer's certificate")
    _output(approve)
    _passwords(approve)

    show = _action(actions, "show", "ra:show", "say what is applied for, and what counts")
    show.add_argument("file", metavar="APPLICATION")
    show.add_argument("--ca", metavar="DIR", help="judge the approvals by this authority's officers")
    show.add_argument("--json", action="store_true")

    officer = _action(actions, "officer", "ra:officer", "appoint, dismiss and list officers")
    _directory(officer)
    what = officer.add_mutually_exclusive_group()
    what.add_argument("--appoint", metavar="NAME", help="with --certificate")
    what.add_argument("--dismiss", metavar="NAME")
    officer.add_argument("--certificate", metavar="FILE", help="the officer's certificate, of any suite")


def _configure_tsa(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="tsa", holds_keys=True)
    _directory(parser)
    parser.add_argument("request", metavar="REQUEST", help="time-stamp request (.tsq); - for standard input")
    parser.add_argument(
        "--time",
        default="unchecked",
        metavar="SOURCE",
        help="stamp only while the clock is right by kernel (what the system says of it) or by time servers, "
        "ntp:HOST,HOST,… (default: unchecked)",
    )
    parser.add_argument("--gm", action="store_true", help="SM2 only: the outer identifier of GB/T 35275")
    _output(parser)
    _passwords(parser)


def _configure_ocsp(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="ocsp", holds_keys=True)
    _directory(parser)
    parser.add_argument("request", metavar="REQUEST", nargs="?", help="OCSP request (DER); - for standard input")
    parser.add_argument(
        "--all", metavar="OUTDIR", help="write an answer for every certificate there, to be served later"
    )
    parser.add_argument("--hours", type=int, default=1, help="how long an answer holds (default: 1)")
    _output(parser)
    _passwords(parser)


def _configure_trust(parser: argparse.ArgumentParser) -> None:
    actions = _sub(parser)
    show = _action(actions, "show", "trust:trust_show", "say what is in a trust list and who signed it")
    show.add_argument("file", metavar="FILE", help="list of ETSI TS 119 612, of Russia, or of our own; or a directory")
    show.add_argument("--previous", metavar="FILE", help="the list used so far: ours must follow it")
    _signers(show)
    show.add_argument("--json", action="store_true")
    verify = _action(actions, "verify", "trust:trust_verify", "check the signature, date and number of a trust list")
    verify.add_argument("file", metavar="FILE", help="list of ETSI TS 119 612 or of our own")
    _signers(verify)
    verify.add_argument("--not-before", type=int, metavar="NUMBER", help="the least number that is accepted")
    pin = _action(actions, "pin", "trust:trust_pin", "make a directory of lists, and say who signs them")
    pin.add_argument("directory", metavar="DIR")
    _signers(pin)
    pin.add_argument("--source", metavar="URL", help="where the list of lists is fetched")
    update = _action(actions, "update", "trust:trust_update", "fetch the lists of a directory; accept what holds")
    update.add_argument("directory", metavar="DIR")
    update.add_argument("--only", action="append", metavar="TERRITORY", help="for example EE (default: all)")
    update.add_argument("--allow-private", action="store_true", help="fetch from private addresses too")
    accept = _action(actions, "accept", "trust:trust_accept", "take lists from files into a directory")
    accept.add_argument("directory", metavar="DIR")
    accept.add_argument("files", nargs="+", metavar="FILE")
    make = _action(actions, "make", "trust:trust_make", "make a signed trust list of our own (JSON)")
    make.set_defaults(holds_keys=True)
    make.add_argument("certificates", nargs="*", metavar="CERT", help="certificates to trust, with the options given")
    make.add_argument("--key", required=True, metavar="KEY", help="key of the signer")
    make.add_argument("--certificate", required=True, metavar="FILE", help="certificate of the signer")
    make.add_argument("--list", dest="name", help="identifier of the list (default: that of --previous)")
    make.add_argument("--issuer", help="who publishes the list (default: that of --previous)")
    make.add_argument("--previous", metavar="FILE", help="take its entries over and count its number up")
    make.add_argument(
        "--remove", action="append", default=[], metavar="SHA256", help="leave out an entry of --previous"
    )
    make.add_argument(
        "--purpose", action="append", choices=("signing", "seal-making", "timestamping"), help="default: all"
    )
    make.add_argument("--from", dest="since", metavar="TIME", help="trusted from then on (ISO 8601)")
    make.add_argument("--until", metavar="TIME", help="trusted until then")
    make.add_argument("--assurance", default="", help="what is known about the authority, in words")
    make.add_argument("--days", type=int, default=90, help="until the next list (default: 90)")
    _output(make)
    _passwords(make)


def _signers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--signer",
        action="append",
        default=[],
        metavar="FILE",
        help="certificates of those who may sign it, or the SHA-256 fingerprint of one",
    )


def _configure_inspect(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="inspect")
    parser.add_argument("file", metavar="FILE", help="certificate, revocation list, OCSP, time-stamp, CMS or key")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _configure_doctor(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="doctor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-measure", action="store_true", help="leave out the rates")


COMMANDS: dict[str, Command] = {
    "key": Command("key", "make and show keys of any suite", _configure_key, _run),
    "ca": Command("ca", "run a closed circle: issue, revoke, list", _configure_ca, _run),
    "ra": Command("ra", "applications, approvals by officers", _configure_ra, _run),
    "tsa": Command("tsa", "answer a time-stamp request", _configure_tsa, _run),
    "ocsp": Command("ocsp", "answer an OCSP request", _configure_ocsp, _run),
    "trust": Command("trust", "verify, keep up to date, show and make trust lists", _configure_trust, _run),
    "inspect": Command("inspect", "say what is in a file", _configure_inspect, _run),
    "doctor": Command("doctor", "say which libraries compute what, and how fast", _configure_doctor, _run),
}
