"""Sub-commands of the service: serve, worker, migrate, circle, tenant, api-key, master-key; and doctor, with it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.command import Command

if TYPE_CHECKING:
    from api.config import Settings
    from api.context import Context


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="data directory (SEALROAD_DATA; default: sealroad-data)"
    )
    parser.add_argument(
        "--database", metavar="URL", help="database (SEALROAD_DATABASE_URL; default: SQLite in the data directory)"
    )


def _configure_serve(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 picks a free one (default: 8080)")
    parser.add_argument("--public-url", metavar="URL", help="how others reach this service; written into certificates")
    parser.add_argument("--no-worker", action="store_true", help="leave the jobs to 'sealroad worker'")


def _settings(arguments: argparse.Namespace, **more: Any) -> Settings:
    from api.config import from_environment
    from api.errors import ConfigurationError

    database = arguments.database
    if database is not None and "@" in database and ":" in database.split("@", 1)[0].partition("://")[2]:
        raise ConfigurationError(
            "a password on the command line can be seen by everybody on this machine",
            hint="put the URL into SEALROAD_DATABASE_URL, or the password into ~/.pgpass",
        )
    data = arguments.data.resolve() if arguments.data is not None else None
    return from_environment(os.environ, data=data, database=database, **more)


def _open(arguments: argparse.Namespace) -> Context:
    from api.context import open_context
    from api.migrations import check_or_upgrade

    context = open_context(_settings(arguments))
    check_or_upgrade(context.database)
    return context


def _serve(arguments: argparse.Namespace) -> int:
    from api.kit.collector import starting

    with starting() as started:
        import logging

        from api.bootstrap import first_key
        from api.server import serve
        from certs.hardening import harden

        harden()

        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        settings = _settings(
            arguments,
            host=arguments.host,
            port=arguments.port,
            public_url=arguments.public_url,
            worker=False if arguments.no_worker else None,
        )
        written = first_key(settings)
        if written is not None:
            print(f"sealroad: the first API key is in {written}", flush=True)

        def ready(address: str) -> None:
            started()
            print(f"sealroad: listening on {address}, data in {settings.data}", flush=True)

        return serve(settings, ready)


def _worker(arguments: argparse.Namespace) -> int:
    from api.kit.collector import starting

    with starting() as started:
        import logging
        import signal
        import threading

        from api.jobs.table import Timers, handlers
        from api.jobs.worker import Worker
        from certs.hardening import harden

        harden()

        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        context = _open(arguments)
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        worker = Worker(context, handlers(), Timers())
        worker.start()
        started()
        print(f"sealroad: working as {worker.owner}", flush=True)
        stop.wait()
        worker.stop()
        context.close()
        return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from api.context import open_context
    from api.migrations import upgrade

    context = open_context(_settings(arguments))
    print(f"sealroad: the database is at revision {upgrade(context.database)}")
    context.close()
    return 0


def _configure_tenant(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _action(actions, "create", "make a tenant and print its first API key, once")
    create.add_argument("name", metavar="NAME")
    _common(create)


def _tenant(arguments: argparse.Namespace) -> int:
    from api.auth.service import create_key, create_tenant

    context = _open(arguments)
    with context.database.write() as session:
        tenant = create_tenant(session, arguments.name, now=context.now())
        token = create_key(session, tenant, name="first", now=context.now())
    context.close()
    print(f"sealroad: made tenant {tenant.id} ({tenant.name}); its API key is shown only now", file=sys.stderr)
    print(token)
    return 0


def _configure_key(parser: argparse.ArgumentParser) -> None:
    from api.auth.scopes import ROLES

    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _action(actions, "create", "make an API key and print it, once")
    create.add_argument("tenant", metavar="TENANT", help="name of the tenant")
    create.add_argument("--name", default="unnamed", help="what the key is for")
    create.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="repeat for several; if left out, all but those to issue certificates, to make or approve seals, and to "
        "let others in",
    )
    create.add_argument("--role", choices=ROLES, help="the scopes of this role, in place of single ones")
    create.add_argument("--user", metavar="ID", help="whose key it is (usr_…); the tenant's if left out")
    create.add_argument("--days", type=int, help="days until the key expires; never if left out")
    create.add_argument("--expires", metavar="TIME", help="the moment itself, as in 2027-01-31 or 2027-01-31T12:00:00Z")
    create.add_argument(
        "--cidr",
        action="append",
        metavar="NETWORK",
        help="from where it may be used; repeat for several; IPv4 and IPv6",
    )
    _common(create)
    listing = _action(actions, "list", "show the API keys of a tenant, without their secrets")
    listing.add_argument("tenant", metavar="TENANT", help="name of the tenant")
    _common(listing)
    revoke = _action(actions, "revoke", "make an API key unusable")
    revoke.add_argument("key", metavar="KEY", help="the key's id: the part between srk_ and the next underscore")
    _common(revoke)


def _key(arguments: argparse.Namespace) -> int:
    from api.auth import keys_cli

    context = _open(arguments)
    try:
        lines = keys_cli.ACTIONS[arguments.action](context, arguments)
    finally:
        context.close()
    for line in lines:
        print(line)
    return 0


def _exists(settings: Settings) -> None:
    """Refuse to make a data directory where one is to be changed. Raises ConfigurationError."""
    from api.errors import ConfigurationError

    if not settings.data.is_dir():
        raise ConfigurationError(
            f"{settings.data} is no data directory of a service", hint="--data or SEALROAD_DATA names it"
        )


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")


def _configure_circle(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rollover = _action(actions, "rollover", "begin the next generation of a circle's issuing authority")
    rollover.add_argument("suite", metavar="SUITE", help="which circle, for example sm2")
    rollover.add_argument("--root", action="store_true", help="of the root too, with the links between both")
    _common(rollover)


def _circle(arguments: argparse.Namespace) -> int:
    from api.context import open_context
    from certs.hardening import harden

    harden()
    settings = _settings(arguments)
    _exists(settings)
    context = open_context(settings)
    try:
        issuing, root = context.circles.roll_over(arguments.suite, root=arguments.root)
    finally:
        context.close()
    print(f"sealroad: {issuing.subject}, serial {issuing.serial_hex}, until {issuing.not_after:%Y-%m-%d}")
    print(f"sealroad: root SHA-256 {root.fingerprint()}")
    return 0


def _configure_master_key(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rotate = _action(actions, "rotate", "put every secret of the service under another master key")
    rotate.add_argument(
        "--to", metavar="KEK", help="the new one (SEALROAD_MASTER_KEY): file:PATH, env:NAME, pkcs11:… or command:PATH"
    )
    rotate.add_argument("--from", dest="old", metavar="KEK", help="the old one (SEALROAD_MASTER_KEY_PREVIOUS)")
    _common(rotate)


def _master_key(arguments: argparse.Namespace) -> int:
    from api.context import open_context
    from api.errors import ConfigurationError
    from api.migrations import check_or_upgrade
    from api.rotation import rotate
    from certs.hardening import harden

    harden()
    settings = _settings(arguments, master_key_provider=arguments.to, previous_master_key=arguments.old)
    if settings.previous_master_key is None:
        raise ConfigurationError("the old master key is not named", hint="--from, or SEALROAD_MASTER_KEY_PREVIOUS")
    _exists(settings)
    context = open_context(settings)
    check_or_upgrade(context.database)
    done, total = rotate(context)
    context.close()
    print(f"sealroad: {done} of {total} secrets put under the new master key, the others were there already")
    return 0


def _configure_doctor(parser: argparse.ArgumentParser) -> None:
    _libraries().configure(parser)
    parser.add_argument("--service", action="store_true", help="look also at the service in --data or --database")
    _common(parser)


def _doctor(arguments: argparse.Namespace) -> int:
    """Say what computes each suite; with --service also how the jobs of a service are."""
    code = _libraries().run(arguments)
    if not arguments.service:
        return code
    from api.context import open_context
    from api.jobs.upkeep import diagnosis

    settings = _settings(arguments)
    _exists(settings)
    context = open_context(settings)
    try:
        for line in diagnosis(context):
            print(line, file=sys.stderr if arguments.json else sys.stdout)
    finally:
        context.close()
    return code


def _libraries() -> Command:
    from certs.cli import COMMANDS as OF_CERTS

    return OF_CERTS["doctor"]


COMMANDS: dict[str, Command] = {
    "doctor": Command("doctor", "say which libraries compute what, and how a service is", _configure_doctor, _doctor),
    "serve": Command("serve", "run the HTTP service", _configure_serve, _serve),
    "worker": Command("worker", "run a job worker beside the service", _common, _worker),
    "migrate": Command("migrate", "bring the database schema up to date", _common, _migrate),
    "circle": Command("circle", "give a circle of the service its next keys", _configure_circle, _circle),
    "tenant": Command("tenant", "make tenants of the service", _configure_tenant, _tenant),
    "api-key": Command("api-key", "make, list and revoke API keys", _configure_key, _key),
    "master-key": Command("master-key", "change the master key of the service", _configure_master_key, _master_key),
}
