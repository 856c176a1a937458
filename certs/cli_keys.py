"""Arguments of `sealroad key destroy`, `split`, `recover`, `rewrap`, and of `sealroad ca ceremony`.

As in `certs.cli`, only arguments are described here; `certs.commands.keys` does the work.
"""

from __future__ import annotations

import argparse

from certs.cli_arguments import action, passwords, sub

KEK_HELP = "key-encryption key: file:PATH, env:NAME, passphrase, passphrase:argon2id, pkcs11:… or command:PATH"


def configure_keys(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the actions of `sealroad key` beside generate and show."""
    destroy = action(
        actions, "destroy", "keys:key_destroy", "destroy a private key, and sign a statement that it was done"
    )
    destroy.add_argument("key", metavar="KEY", help="file, or URI such as pkcs11:token=ca;object=seller")
    destroy.add_argument("--expect", metavar="ID", help="key identifier that it must have, hexadecimal")
    destroy.add_argument("--reason", default="unspecified", help="why, for the statement")
    destroy.add_argument("--statement", metavar="OUT", help="write the signed statement there (CMS, DER)")
    destroy.add_argument(
        "--audit",
        metavar="DIR",
        help="put it on record in the audit log of this authority (default: of the one whose directory holds the key)",
    )
    _officers(destroy)
    destroy.add_argument("--yes", action="store_true", help="do not ask")
    passwords(destroy)

    split = action(actions, "split", "keys:key_split", "split a key-encryption key into shares (SLIP-39)")
    split.add_argument("kek", metavar="KEK", help="file:PATH or env:NAME")
    split.add_argument("--threshold", "-m", type=int, required=True, metavar="M", help="how many shares are needed")
    split.add_argument("--shares", "-n", type=int, required=True, metavar="N", help="how many shares there are")
    split.add_argument("--output-dir", required=True, metavar="DIR", help="a new directory for share-1.txt, …")

    recover = action(actions, "recover", "keys:key_recover", "make a key-encryption key out of shares")
    recover.add_argument("output", metavar="OUT", help="file for the key, mode 0600")
    recover.add_argument("--share", action="append", default=[], metavar="FILE", help="may be repeated; else asked for")
    recover.add_argument("--expect", metavar="ID", help="name that the key must have, as 'key split' printed it")

    rewrap = action(actions, "rewrap", "keys:key_rewrap", "put sealed keys under another key-encryption key")
    rewrap.add_argument("files", nargs="+", metavar="FILE", help="sealed keys; those that are done are passed over")
    rewrap.add_argument("--from", dest="old", required=True, metavar="KEK", help=KEK_HELP)
    rewrap.add_argument("--to", dest="new", required=True, metavar="KEK", help=KEK_HELP + "; a missing file is made")
    passwords(rewrap)
    rewrap.add_argument("--new-password-file", metavar="FILE", help="take the new passphrase or PIN from there")


def _officers(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    text = "key of the officer who signs: a file, or a URI" + ("; may be repeated" if several else "")
    parser.add_argument("--officer", action="append", default=[], metavar="KEY", help=text)
    parser.add_argument(
        "--officer-cert",
        action="append",
        default=[],
        metavar="FILE",
        help="certificate of the key, in the same order (default: in the key's file)",
    )


def configure_ceremony(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the actions of `sealroad ca ceremony`."""
    ceremony = actions.add_parser(
        "ceremony", help="acts of several officers: approve, run, verify", description="Acts of several officers."
    )
    acts = sub(ceremony)
    check = action(acts, "check", "keys:ceremony_check", "say what a script does, and its hash")
    check.add_argument("script", metavar="SCRIPT")

    approve = action(acts, "approve", "keys:ceremony_approve", "approve a script from elsewhere")
    approve.add_argument("script", metavar="SCRIPT")
    approve.add_argument("-o", "--output", required=True, metavar="OUT", help="write the approval there (CMS, DER)")
    _officers(approve)
    approve.add_argument("--yes", action="store_true", help="do not ask")
    passwords(approve)

    run = action(acts, "run", "keys:ceremony_run", "execute a script, step by step")
    run.add_argument("script", metavar="SCRIPT")
    run.add_argument("--transcript", metavar="OUT", help="the signed record (default: SCRIPT.transcript)")
    run.add_argument("--approval", action="append", default=[], metavar="FILE", help="of an officer who is not here")
    _officers(run, several=True)
    run.add_argument("--yes", action="store_true", help="every officer present confirms every step")
    passwords(run)

    sign = action(acts, "sign", "keys:ceremony_sign", "add the signature of an officer who was not there")
    sign.add_argument("transcript", metavar="TRANSCRIPT")
    _officers(sign)
    passwords(sign)

    verify = action(acts, "verify", "keys:ceremony_verify", "check the record of a ceremony")
    verify.add_argument("transcript", metavar="TRANSCRIPT")
    verify.add_argument("--script", metavar="FILE", help="the script that it must be of")
    verify.add_argument("--outputs", metavar="DIR", help="where the outputs are (default: where the command is run)")
    verify.add_argument("--json", action="store_true")
