"""The bodies of `key request` and of `ca issue`, `renew`, `cross`, `rollover` and `profiles`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from certs import circle, lint_pkix, profiles, relations, suites
from certs.alt_names import AltNames
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import SystemClock
from certs.commands.console import UsageError, print_json, read_input, secrets_of, write_output
from certs.constraints import Constraints, Subtree
from certs.errors import MalformedInput
from certs.forms import Facts, IssuerSignTool
from certs.identifiers import Identifier
from certs.keys import open_key
from certs.pem import armor, pem_blocks
from certs.possession import Statement, Voucher, certified
from certs.profiles import Profile
from certs.request import LABELS, accept, load_request, make_request


def say_which_lint() -> None:
    """Say on standard error where pkilint is missing."""
    if not lint_pkix.available():
        print(
            "sealroad: pkilint is not installed, only our own rules are applied\n"
            "hint: in the checkout of Sealroad: .venv/bin/pip install -e '.[lint]'",
            file=sys.stderr,
        )


def _open(args: argparse.Namespace) -> ClosedCircle:
    say_which_lint()
    return circle.load(args.directory, secrets_of(args), SystemClock())


def subject_of(args: argparse.Namespace) -> Subject:
    """Return the subject that the arguments describe."""
    return Subject(
        common_name=args.cn,
        organisation=args.organisation,
        organisational_unit=args.unit,
        country=args.country,
        given_name=args.given_name,
        surname=args.surname,
        pseudonym=args.pseudonym,
        title=args.title,
        street=args.street,
        locality=args.locality,
        state=args.state,
        email=args.email,
        identifiers=tuple(Identifier.parse(text) for text in args.identifier),
    )


def _names(args: argparse.Namespace) -> AltNames:
    return AltNames(tuple(args.alt_email), tuple(args.dns), tuple(args.ip))


def public_key_of(name: str) -> bytes:
    """Return the SPKI in a file that holds a public key or a certificate."""
    data = read_input(name)
    for label, encoded in pem_blocks(data):
        if label == "PUBLIC KEY":
            return suites.load_public(encoded).spki
        if label == "CERTIFICATE":
            return Certificate(encoded).spki
    try:
        return load_certificate(data).spki
    except MalformedInput:
        return suites.load_public(data).spki


def profile_of(name: str) -> Profile:
    """Return the profile called `name`, or the one in a file."""
    if not name.endswith(".toml"):
        return profiles.load(name)
    return profiles.read(Path(name).stem, read_input(name))


def _subtree(text: str) -> Subtree:
    kind, _, base = text.partition(":")
    if kind == "dn":
        return Subtree.directory(load_certificate(read_input(base)).subject_name.der)
    return Subtree.parse(text)


def _constraints(args: argparse.Namespace) -> Constraints | None:
    pairs = [text.partition("=") for text in args.map_policy]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise UsageError("a mapping of policies is OURS=THEIRS")
    wanted = Constraints(
        path_length=args.path_length,
        permitted=tuple(map(_subtree, args.permit)),
        excluded=tuple(map(_subtree, args.exclude)),
        policies=tuple(args.policy),
        mappings=tuple((ours, theirs) for ours, _, theirs in pairs),
        require_explicit_policy=args.require_policy,
        inhibit_mapping=args.inhibit_mapping,
        inhibit_any_policy=args.inhibit_any_policy,
    )
    return None if wanted == Constraints() else wanted


def facts_of(args: argparse.Namespace) -> Facts:
    """Return what the arguments say for the subject form of a country."""
    return Facts(
        subject_sign_tool=args.subject_sign_tool,
        issuer_sign_tool=IssuerSignTool(*args.issuer_sign_tool) if args.issuer_sign_tool else None,
        identification_kind=args.identification_kind,
        tool_classes=tuple(args.tool_class),
        arcs=("gm", "sheca") if args.sheca_arc else ("gm",),
    )


def _say(output: str | None, certificate: Certificate) -> None:
    if output not in (None, "-"):
        print(f"{output}: {certificate.subject}, serial {certificate.serial_hex}")


def key_request(args: argparse.Namespace) -> int:
    """Make a PKCS#10 request."""
    if bool(args.by_key) != bool(args.by_cert):
        raise UsageError("--by-key and --by-cert go together")
    if bool(args.cn) == bool(args.by_key):
        raise UsageError("who is the holder?", hint="give --cn; for a key that cannot sign --by-key and --by-cert")
    secrets = secrets_of(args)
    key = open_key(args.key, secrets)
    if args.by_key:
        certificate = load_certificate(read_input(args.by_cert))
        voucher, subject = Voucher(open_key(args.by_key, secrets), certificate), Subject.of(certificate.subject_name)
    else:
        voucher, subject = None, subject_of(args)
    encoded = make_request(key, subject, _names(args), by=voucher)
    write_output(args.output, armor(LABELS[0], encoded).encode(), inputs=[args.key.removeprefix("file:")])
    if args.output not in (None, "-"):
        print(f"{args.output}: request for a key of {key.suite.name}")
    return 0


def ca_issue(args: argparse.Namespace) -> int:
    """Certify a public key or a request."""
    if args.application:
        return _issue_application(args)
    profile = profile_of(args.profile)
    names, opened = _names(args), None
    subject = subject_of(args) if args.cn else None
    if args.request:
        request = load_request(read_input(args.request))
        opened = _open(args) if request.statement is not None else None
        accepted = accept(request, profile, subject=subject, vouching=_vouching(opened))
        subject, spki = accepted.subject, accepted.spki
        names = AltNames(
            (*names.emails, *accepted.names.emails),
            (*names.dns, *accepted.names.dns),
            (*names.ips, *accepted.names.ips),
        )
        for item in accepted.passed_over:
            print(f"sealroad: not taken from the request: {item}", file=sys.stderr)
    else:
        spki = public_key_of(args.public_key)
    if subject is None:
        raise UsageError("a public key says nothing of its holder", hint="add --cn, or use --request")
    opened = opened or _open(args)
    authority = opened.root_authority if profile.issuer == "root" else opened.issuing
    lifetime = timedelta(hours=args.hours) if args.hours is not None else None
    plan = authority.prepare(
        profile,
        subject,
        spki,
        days=args.days,
        lifetime=lifetime,
        names=names,
        constraints=_constraints(args),
        form=args.form,
        facts=facts_of(args),
    )
    certificate = authority.issue(plan)
    above = (opened.root,) if profile.issuer == "root" else opened.chain
    return _write(args, certificate, above, args.public_key or args.request)


def _vouching(opened: ClosedCircle | None) -> Callable[[Statement], Certificate] | None:
    """Return what finds, on the record of a circle, the certificate that vouches for a key."""
    if opened is None:
        return None

    def find(statement: Statement) -> Certificate:
        return certified(statement, opened.issuer_of(statement.serial).entry(statement.serial), SystemClock().now())

    return find


def _issue_application(args: argparse.Namespace) -> int:
    from certs.commands.ra import issue_application

    opened = _open(args)
    return _write(args, issue_application(opened, args), opened.chain, args.application)


def _write(args: argparse.Namespace, certificate: Certificate, above: tuple[Certificate, ...], source: str) -> int:
    text = certificate.pem + ("".join(item.pem for item in above) if args.chain else "")
    write_output(args.output, text.encode(), inputs=[source])
    _say(args.output, certificate)
    return 0


def ca_renew(args: argparse.Namespace) -> int:
    """Issue a successor of a certificate."""
    old = load_certificate(read_input(args.certificate))
    opened = _open(args)
    recorded = opened.issuer_of(old.serial)
    entry = recorded.entry(old.serial)
    spki = None
    if args.request:
        profile = profiles.load(entry.profile if entry else "person")
        request = load_request(read_input(args.request))
        named = Subject(old.common_name or "-")
        spki = accept(request, profile, subject=named, vouching=_vouching(opened)).spki
    certificate = relations.renew(opened.issuing, old, record=recorded, spki=spki, days=args.days)
    write_output(args.output, certificate.pem.encode(), inputs=[args.certificate])
    _say(args.output, certificate)
    return 0


def ca_cross(args: argparse.Namespace) -> int:
    """Certify another authority."""
    other = load_certificate(read_input(args.certificate))
    authority = _open(args).root_authority
    plan = relations.prepare_cross(authority, other, _constraints(args), days=args.days)
    certificate = authority.issue(plan)
    write_output(args.output, certificate.pem.encode(), inputs=[args.certificate])
    _say(args.output, certificate)
    return 0


def ca_rollover(args: argparse.Namespace) -> int:
    """Begin the next generation."""
    say_which_lint()
    opened = circle.roll_over(args.directory, secrets_of(args), SystemClock(), root=args.root, suite=args.suite)
    print(f"{args.directory}: issuing authority {opened.issuing.id}, {len(opened.previous)} earlier authorities")
    if args.root:
        print(f"root SHA-256 {opened.root.fingerprint()}")
    print("the earlier authorities still revoke and sign lists: 'sealroad ca crl --issuer ID'")
    return 0


def ca_profiles(args: argparse.Namespace) -> int:
    """List the profiles."""
    loaded = [profiles.load(name) for name in profiles.names()]
    if args.json:
        print_json([profiles.describe(profile) for profile in loaded])
        return 0
    for profile in loaded:
        facts = profiles.describe(profile)
        print(f"{profile.name:13} {facts['description']}")
        print(f"{'':13} signed by the {profile.issuer} authority, {facts['validity']}; suites: {facts['suites']}")
        print(f"{'':13} names: {facts['alt_names']}; forms: {', '.join(profile.forms)}")
    return 0
