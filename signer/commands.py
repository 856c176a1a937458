"""The bodies of `sealroad sign`, `sign prepare` and `sign complete`; imported when one of them runs."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import BinaryIO

from certs.certificate import Certificate, load_certificates
from certs.clock import SystemClock
from certs.commands.console import read_input, secrets_of, write_output
from certs.errors import CertsError
from certs.keys import open_key
from certs.keys.base import KeyHandle
from signer.cli_opening import signing_credentials
from signer.cms import Timestamper, check_key, sign_detached
from signer.errors import OptionError, SigningRefused
from signer.pades import sign as pades
from signer.pades.options import Box, SignOptions
from signer.pades.stamps import certificate_stamp


def sign(args: argparse.Namespace) -> int:
    """Sign with a key at hand."""
    source, target = _two_files(args.words)
    if args.key is None:
        raise OptionError("a key is needed", hint="give --key FILE, or use 'sealroad sign prepare'")
    _refuse(args, "request", "value", "cms", "dtbs")
    key = open_key(args.key, secrets_of(args))
    certificate, chain = certificates_of(args, key)
    timestamper = timestamper_of(args)
    clock = SystemClock()
    if args.detached:
        _refuse(args, "open_key", "open_cert", "open_password_file", "open_password_fd")
        _refuse(
            args, "field", "page", "box", "certify", "picture", "appearance", "reason", "location", "contact", "name"
        )
        return _detached(args, key, certificate, chain, timestamper)
    options = _options(args, certificate, chain, key.suite.name, clock)
    opened_by = signing_credentials(args)
    if "-" in (source, target):
        signed = pades.sign_bytes(
            read_input(source), key, certificate, chain, options, clock, timestamper, credentials=opened_by
        )
        write_output(target, signed, inputs=[source])
        field = options.field
    else:
        made = pades.sign_file(
            Path(source), Path(target), key, certificate, chain, options, clock, timestamper, credentials=opened_by
        )
        field = made.field
    if target != "-":
        _report(target, certificate, key.suite.name, options.level, field)
    return 0


def _detached(
    args: argparse.Namespace,
    key: KeyHandle,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    timestamper: Timestamper | None,
) -> int:
    source, target = _two_files(args.words)
    level = level_of(args)
    clock = SystemClock()
    if source == "-":
        stream = io.BytesIO(read_input(source))
        cms = _beside(args, stream, key, certificate, chain, clock, level, timestamper)
    else:
        with Path(source).open("rb") as file:
            cms = _beside(args, file, key, certificate, chain, clock, level, timestamper)
    write_output(target, cms, inputs=[source])
    if target != "-":
        _report(target, certificate, key.suite.name, level, None)
    return 0


def _beside(
    args: argparse.Namespace,
    stream: BinaryIO,
    key: KeyHandle,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    clock: SystemClock,
    level: str,
    timestamper: Timestamper | None,
) -> bytes:
    octets = agreement_of(args, certificate, chain, key.suite.name, level, clock)
    return sign_detached(
        stream, key, certificate, chain, clock=clock, level=level, timestamper=timestamper, agreement=octets
    )


def prepare(args: argparse.Namespace) -> int:
    """Write a file with an empty signature and say what is to be signed."""
    source, target = _two_files(args.words[1:])
    _refuse(args, "key", "value", "cms")
    if args.cert is None or args.request is None:
        raise OptionError("prepare needs --cert and --request", hint="the certificate of the key that will sign")
    if args.detached:
        raise OptionError("only signatures inside a PDF are prepared", hint="leave out --detached")
    bundle = load_certificates(read_input(args.cert))
    certificate, chain = bundle[0], _chain(args, bundle[0], bundle[1:])
    from certs import suites

    suite = suites.for_spki(certificate.spki).name
    clock = SystemClock()
    options = _options(args, certificate, chain, suite, clock)
    prepared = pades.prepare(
        Path(source), Path(target), options, certificate, chain, clock, credentials=signing_credentials(args)
    )
    write_output(args.request, prepared.to_json().encode(), inputs=[source, target, args.cert])
    if args.dtbs is not None:
        write_output(args.dtbs, prepared.dtbs, inputs=[source, target, args.cert, args.request])
    digest = prepared.dtbs_digest.hex()
    print(f"{target}: to be signed by {certificate.subject} ({suite}), {prepared.digest_name} {digest}")
    return 0


def complete(args: argparse.Namespace) -> int:
    """Put a value or a CMS into a prepared file."""
    source, target = _two_files(args.words[1:])
    if args.request is None or (args.value is None) == (args.cms is None):
        raise OptionError("complete needs --request, and --value or --cms", hint="as 'sealroad sign prepare' wrote it")
    prepared = pades.Prepared.from_json(read_input(args.request))
    pades.complete(
        Path(source),
        prepared,
        value=read_input(args.value) if args.value is not None else None,
        cms=read_input(args.cms) if args.cms is not None else None,
        timestamper=timestamper_of(args),
        target=Path(target),
    )
    _report(target, prepared.certificate, prepared.suite, prepared.level, prepared.field)
    return 0


# Arguments -----------------------------------------------------------------------------------------------------------
def _two_files(words: list[str]) -> tuple[str, str]:
    if len(words) != 2:
        raise OptionError("a file to sign and a file to write are needed", hint="sealroad sign IN OUT --key URI")
    return words[0], words[1]


def _refuse(args: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(args, name):
            raise OptionError(f"--{name.replace('_', '-')} has no meaning here", hint="sealroad sign --help")


def level_of(args: argparse.Namespace) -> str:
    """Return the level asked for; --tsa alone asks for B-T. Raises OptionError."""
    level: str = args.level or ("B-T" if args.tsa else "B-B")
    if level == "B-B" and args.tsa:
        raise OptionError("level B-B has no time-stamp", hint="leave out --tsa, or sign at B-T")
    return level


def agreement_of(
    args: argparse.Namespace,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    suite: str,
    level: str,
    clock: SystemClock,
) -> bytes | None:
    """Return the octets of the agreement that --agreement names. Raises BasisError.

    SigningRefused where the signature would not be what the agreement accepts.
    """
    if args.agreement is None:
        return None
    from signer.layers import agreement_octets
    from signer.layers.foresight import Intent, objections

    octets = agreement_octets(read_input(args.agreement))
    intent = Intent(certificate, chain, suite, level, clock.now())
    for check in objections(intent, octets):
        raise SigningRefused(
            f"the agreement does not accept this signature: {check.id}: {check.detail} ({check.clause})",
            hint="the file names who signs, with which algorithms, and when",
            reason=check.id,
        )
    return octets


def _options(
    args: argparse.Namespace,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    suite: str,
    clock: SystemClock,
) -> SignOptions:
    box = _box(args.box) if args.box is not None else None
    shown = args.appearance == "stamp" or (args.appearance is None and box is not None)
    stamp = None
    if shown:
        stamp = certificate_stamp(
            certificate,
            suite,
            time=clock.now(),
            reason=args.reason,
            location=args.location,
            locale=args.locale,
            name=args.name,
            picture=read_input(args.picture) if args.picture is not None else None,
        )
    elif args.picture is not None:
        raise OptionError("the picture has no place", hint="give --box, or --field with a visible field")
    return SignOptions(
        field=args.field,
        page=args.page,
        box=box,
        appearance=stamp,
        name=args.name,
        reason=args.reason,
        location=args.location,
        contact=args.contact,
        level=level_of(args),
        certify=args.certify,
        subfilter=args.subfilter,
        commitment=args.commitment,
        reserve=args.reserve,
        locale=args.locale,
        agreement=agreement_of(args, certificate, chain, suite, level_of(args), clock),
    )


def _box(text: str) -> Box:
    try:
        x1, y1, x2, y2 = (float(edge) for edge in text.replace(",", " ").split())
    except ValueError as error:
        raise OptionError(f"{text!r} is no box", hint="four numbers: --box 60,80,260,160") from error
    return (x1, y1, x2, y2)


def certificates_of(args: argparse.Namespace, key: KeyHandle) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return the certificate of the key and the chain, from --cert or the key's own file."""
    name = args.cert or args.key.removeprefix("file:")
    if args.cert is None and args.key.startswith(("pkcs11:", "sealed:")):
        raise OptionError("there is no certificate beside the key", hint="give it with --cert FILE")
    try:
        bundle = load_certificates(read_input(name))
    except CertsError as error:
        if args.cert is not None:
            raise
        raise OptionError("there is no certificate beside the key", hint="give it with --cert FILE") from error
    for certificate in bundle:
        try:
            check_key(key, certificate)
        except CertsError:
            continue
        except OptionError:
            continue
        return certificate, _chain(args, certificate, tuple(item for item in bundle if item != certificate))
    check_key(key, bundle[0])
    raise AssertionError("unreachable")


def _chain(
    args: argparse.Namespace, certificate: Certificate, beside: tuple[Certificate, ...]
) -> tuple[Certificate, ...]:
    more = load_certificates(read_input(args.chain)) if args.chain is not None else ()
    return tuple(dict.fromkeys(item for item in (*beside, *more) if item != certificate))


def timestamper_of(args: argparse.Namespace) -> Timestamper | None:
    """Return the authority that --tsa names: at an address, or a circle of ours in a directory."""
    if args.tsa is None:
        return None
    if "://" not in args.tsa and Path(args.tsa).is_dir():
        from certs import circle

        secrets, clock = secrets_of(args), SystemClock()
        return circle.timestamper(args.tsa, circle.load(args.tsa, secrets, clock), secrets, clock)
    from certs.fetch import HTTPFetcher
    from signer.tsp import HTTPTimestamper

    return HTTPTimestamper(args.tsa, HTTPFetcher(allow_private=args.allow_private))


def _report(target: str, certificate: Certificate, suite: str, level: str, field: str | None) -> None:
    where = f", field {field}" if field else ""
    sys.stdout.write(f"{target}: signed by {certificate.subject} ({suite}), {level}{where}\n")
