"""`sealroad seal`: electronic seals.

    sealroad seal draw seal.png --name 上海示例贸易有限公司 --title 合同专用章
    sealroad seal make contract.esl --key maker.key.pem --cert maker.pem --owner seller.pem --picture seal.png --name …
    sealroad seal apply contract.pdf sealed.pdf --seal contract.esl --key seller.key.pem --cross-page right
    sealroad seal show contract.esl --json
    sealroad seal verify contract.ofd --trust ca/

Every action is a module with `configure(parser)` and `run(args)`; describing arguments imports nothing heavy.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from certs.cli_arguments import action, sub
from certs.command import Command

ACTIONS: dict[str, tuple[str, str]] = {
    "draw": ("signer.seal_commands.draw", "draw the picture of a seal: SVG, PNG or PDF"),
    "make": ("signer.seal_commands.make", "make a seal: picture, name and owners, signed by a seal maker"),
    "apply": ("signer.seal_commands.apply", "put a seal on a PDF: at a point, a keyword, on every page, across pages"),
    "show": ("signer.seal_commands.show", "say what is in a seal or a seal signature"),
    "verify": ("signer.seal_commands.verify", "say what a seal, or what was sealed, is worth: as sealroad verify"),
}
"""Action to its module and what it does, in the order people see."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the actions."""
    actions = sub(parser)
    for name, (module, text) in ACTIONS.items():
        import_module(module).configure(action(actions, name, name, text))


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code. Raises SealroadError."""
    code: int = import_module(ACTIONS[args.action][0]).run(args)
    return code


COMMANDS: dict[str, Command] = {
    "seal": Command("seal", "draw, make, apply and look at electronic seals", configure, run)
}
