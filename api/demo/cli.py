"""`sealroad demo`: the whole story on one machine.

sealroad demo
sealroad demo --dir trial --contract my-contract.pdf --json

Exit codes: those of `sealroad verify` on the signed contract, 0 if every signature is TOTAL-PASSED; 2 if the demo could
not be played, and the directory is as before then.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.command import Command

if TYPE_CHECKING:
    from api.demo.plot import Outcome
    from api.demo.story import Story

SCHEMA = "sealroad.demo/1"
NOT_QUALIFIED = "closed-circle CAs made for this demo: not qualified, and trusted by nobody else"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "--dir", type=Path, default=Path("demo"), metavar="DIR", help="where the files are left (default: demo)"
    )
    parser.add_argument(
        "--contract",
        type=Path,
        metavar="FILE",
        help="a PDF to sign in place of the sample contract; its signatures are invisible",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object in place of the story")


def run(args: argparse.Namespace) -> int:
    """Play the demo and return the exit code of the verification. Raises SealroadError."""
    from api.demo.directory import Directory
    from api.demo.plot import play
    from api.demo.story import Story
    from certs.clock import SystemClock
    from certs.commands.console import stoppable

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    story = Story(None if args.json else sys.stdout)
    story.line("One contract, three companies in three countries, each signs with its country's cryptography.")
    story.line()
    with stoppable():
        outcome = play(Directory(args.dir), args.contract, story, SystemClock())
    if args.json:
        print(json.dumps(_facts(args.dir, outcome), ensure_ascii=False, indent=1))
    else:
        _ending(story, args.dir, outcome)
    return outcome.code


def _ending(story: Story, directory: Path, outcome: Outcome) -> None:
    """Print where everything is, how to check it again, and what it is not."""
    from api.demo.directory import CONTRACT, EVIDENCE, OWN_KEY, REPORT, REPORT_PAGE, SIGNED

    story.line()
    story.line(f"Finished in {outcome.seconds:.1f} s. In {directory}/:")
    story.table(
        (
            (SIGNED, "the signed contract: open it in any PDF viewer"),
            (CONTRACT, "the same before it was signed"),
            (f"{REPORT_PAGE}, {REPORT}", "what the verifier found, to read and for programs"),
            (EVIDENCE, "who agreed to what and when, as the service recorded it"),
            ("ca-*.pem, crl/", "root certificates of the three CAs and the time-stamps, with their CRLs"),
            (f"{OWN_KEY}/", "the carrier's certificate, and its key, unencrypted as this is a demo"),
        )
    )
    story.line()
    story.line(f"Verify it again:  {_command(directory)}")
    story.line(
        f"From {outcome.current_until:%Y-%m-%d} on, when the revocation lists run out, add --at {_moment(outcome)}"
    )
    story.line(f"The CAs are {NOT_QUALIFIED}.")


def _command(directory: Path) -> str:
    """Return the command that verifies the signed contract, as it can be typed where the demo was started."""
    from api.demo import check
    from api.demo.directory import SIGNED

    return shlex.join([_program(), *check.command(str(directory / SIGNED), str(directory))])


def _program() -> str:
    """Return how `sealroad` is called here: by its name where that finds this very program, else by its path."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    if called.name != "sealroad" or (found is not None and Path(found).resolve() == called.resolve()):
        return "sealroad"
    return str(called)


def _moment(outcome: Outcome) -> str:
    """Return the moment of the verification in whole seconds, not before it: time-stamps may be of the same second."""
    moment = datetime.fromisoformat(outcome.report["checked_at"]) + timedelta(seconds=1)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _facts(directory: Path, outcome: Outcome) -> dict[str, Any]:
    """Return the story for programs."""
    from api.demo import cast
    from api.demo.directory import AUTHORITIES, CONTRACT, EVIDENCE, REPORT, REPORT_PAGE, SIGNED

    parties = [
        {
            "role": company.role,
            "name": party["name"],
            "organisation": party["organisation"],
            "country": party["country"],
            "identifiers": party["identifiers"],
            "suite": party["suite"],
            "key_holder": party["key_holder"],
            "signed_at": party["signed_at"],
        }
        for company, party in zip(cast.CAST, outcome.contract["parties"], strict=True)
    ]
    files = {
        "contract": CONTRACT,
        "signed_contract": SIGNED,
        "report": REPORT,
        "report_page": REPORT_PAGE,
        "evidence": EVIDENCE,
    }
    return {
        "schema": SCHEMA,
        "verdict": outcome.report["verdict"],
        "exit_code": outcome.code,
        "contract": {"id": outcome.contract["id"], "level": outcome.contract["level"]},
        "parties": parties,
        "directory": str(directory),
        "files": {key: str(directory / name) for key, name in files.items()},
        "authorities": {who: str(directory / name) for who, name in AUTHORITIES.items()},
        "verify": _command(directory),
        "revocation_lists_current_until": f"{outcome.current_until:%Y-%m-%dT%H:%M:%SZ}",
        "notice": f"The CAs are {NOT_QUALIFIED}.",
        "seconds": round(outcome.seconds, 2),
    }


COMMANDS: dict[str, Command] = {
    "demo": Command("demo", "let three companies sign one contract, and verify it", configure, run),
}
