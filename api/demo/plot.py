"""The main job, as a customer does it: upload, send, three signatures in order, download, verify.

    outcome = play(Directory(Path("demo")), None, Story(sys.stdout), SystemClock())

1. A service starts on a free port of this machine, with a database and keys of its own, and is gone at the end.
2. The contract is written, or read; the three parties are named; document and contract go to the service.
3. Seller and buyer sign with keys that the service holds; the carrier signs with a key that it never sees.
4. Contract, root certificates, revocation lists and evidence are taken from the service; the service is stopped.
5. `sealroad verify` judges the files alone, and they are put into place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.demo import cast, check
from api.demo.client import Client
from api.demo.directory import AUTHORITIES, CONTRACT, EVIDENCE, OWN_KEY, SIGNED, Directory
from api.demo.own_key import OwnKey
from api.demo.story import Story
from api.errors import APIError, ConfigurationError

if TYPE_CHECKING:
    from certs.clock import Clock
    from signer.appearance.contract import SignatureArea

CIRCLE = "Sealroad demo closed circle"
"""Organisation in the names of the service's authorities."""


@dataclass(frozen=True)
class Paper:
    """The contract before it is signed."""

    name: str
    """Of the file."""
    data: bytes
    title: str
    areas: tuple[SignatureArea | None, ...]
    """Where each party's visible signature goes; None for an invisible one."""


@dataclass(frozen=True)
class Outcome:
    """How the demo ended."""

    code: int
    """Exit code of `sealroad verify`."""
    report: dict[str, Any]
    contract: dict[str, Any]
    """As the service describes it."""
    current_until: datetime
    """When the first of the revocation lists runs out."""
    seconds: float


def play(place: Directory, contract: Path | None, story: Story, clock: Clock) -> Outcome:
    """Run the demo. Raises SealroadError where something refuses; the directory is as before then."""
    began = time.monotonic()
    place.check(contract)
    given = _read(contract) if contract is not None else None
    with place.filling() as staging:
        with ExitStack() as stack:
            client = _start(stack, story, clock)
            paper = _contract(given, contract, clock)
            carrier = OwnKey.create(cast.CARRIER, clock)
            sent = _send(client, story, paper, carrier)
            for company, party in zip(cast.CAST, sent["parties"], strict=True):
                _sign(client, story, sent, company, party, carrier)
            done, until = _collect(client, story, sent["id"], carrier, staging)
        (staging / CONTRACT).write_bytes(paper.data)
        with story.step("Verifying without the service", "Verified offline") as say:
            result = check.verify(staging)
            say(_verdict(result))
    return Outcome(result.code, result.report, done, until, time.monotonic() - began)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigurationError(f"cannot read {path}: {reason}", hint="give --contract the name of a PDF") from error


def _start(stack: ExitStack, story: Story, clock: Clock) -> Client:
    """Start a service that ends with the stack; return a customer of it."""
    with story.step("Starting the service", "Service started") as say:
        from api.bootstrap import first_key
        from api.config import Settings
        from api.server import running

        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealroad-demo-")))
        settings = Settings(data=data, port=0, circle_organisation=CIRCLE, clock=clock)
        key = first_key(settings)
        assert key is not None  # the directory is new
        address = stack.enter_context(running(settings))
        say(f"{address}, with its own database, keys and CAs")
        return stack.enter_context(Client(address, key.read_text("ascii").strip()))


def _contract(given: bytes | None, path: Path | None, clock: Clock) -> Paper:
    """Return the contract that was given, or write the sample."""
    if given is not None and path is not None:
        return Paper(path.name, given, path.name, (None,) * len(cast.CAST))
    today = clock.now().date()
    layout = cast.sample_contract(today)
    return Paper(CONTRACT, layout.pdf, f"{cast.number(today)} in Chinese, Russian and English", layout.fields)


def _send(client: Client, story: Story, paper: Paper, carrier: OwnKey) -> Any:
    """Upload the contract, name its parties and send it to them; return it as the service has it."""
    with story.step("Uploading the contract", "Contract uploaded") as say:
        try:
            document = client.upload(paper.name, paper.data)
        except APIError as error:
            raise APIError(f"{paper.name} cannot be signed: {error.message}", hint=error.hint) from error
        pages = f"{document['pages']} page{'s' if document['pages'] != 1 else ''}"
        say(f"{paper.title}, {pages}")
        if paper.areas[0] is None:
            say("your pages stay as they are: it is signed without visible stamps")
    with story.step("Sending it to the parties", "Sent to 3 parties") as say:
        bundles = (None, None, carrier.bundle)
        parties = [
            company.party(order, area, bundle)
            for order, (company, area, bundle) in enumerate(zip(cast.CAST, paper.areas, bundles, strict=True), start=1)
        ]
        draft = client.post("/v1/contracts", {"title": paper.title, "documents": [document["id"]], "parties": parties})
        sent = client.post(f"/v1/contracts/{draft['id']}/send", if_match=f'"v{draft["version"]}"')
        for company, bundle in zip(cast.CAST, bundles, strict=True):
            key = "key kept by the service" if bundle is None else "with its own key and its own CA"
            say(f"{company.role:8} {company.organisation} ({company.country}), {key}")
    return sent


def _sign(client: Client, story: Story, contract: Any, company: cast.Company, party: Any, carrier: OwnKey) -> None:
    """Let one party read the contract as it is now, consent, and sign."""
    role = company.role.capitalize()
    with story.step(f"{role} signs", f"{role} signed") as say:
        path = f"/v1/contracts/{contract['id']}"
        shown = client.fetch(f"{path}/documents/{contract['documents'][0]['id']}/content")
        digest = hashlib.sha256(shown).hexdigest()
        consent = {"text": company.consent, "locale": company.locale, "accepted": True, "document_sha256": digest}
        path += f"/parties/{party['id']}"
        say(f"{company.signatory}, {company.plain_algorithm}")
        if party["key_holder"] == "service":
            client.wait_for_job(client.post(f"{path}/sign", {"consent": consent}))
            return
        request = client.post(f"{path}/signature-requests", {"consent": consent})
        if request["document_sha256"] != digest:
            raise APIError("the service asks for a signature on another document than it has shown")
        dtbs = base64.b64decode(request["dtbs"])
        value = carrier.sign(dtbs)
        client.put(f"{path}/signature-requests/{request['id']}", {"signature": base64.b64encode(value).decode()})
        say(f"outside the service, which sent {len(dtbs)} bytes to sign and never sees the key")


def _collect(client: Client, story: Story, contract_id: str, carrier: OwnKey, staging: Path) -> tuple[Any, datetime]:
    """Fetch what others need to check the contract; return it, and the moment until which the lists are current."""
    from certs.certificate import load_certificate
    from certs.crl import CRL

    with story.step("Downloading the signed contract", "Downloaded") as say:
        contract = client.wait_for_contract(contract_id)
        path = f"/v1/contracts/{contract_id}"
        signed = client.fetch(f"{path}/documents/{contract['documents'][0]['id']}/content")
        (staging / SIGNED).write_bytes(signed)
        evidence = client.get(f"{path}/evidence")
        (staging / EVIDENCE).write_text(json.dumps(evidence, ensure_ascii=False, indent=1) + "\n", "utf-8")
        of_suite = {"sm2": "seller", "gost2012-256": "buyer", "ecdsa-p256": "time-stamps"}
        roots = {"carrier": carrier.root}
        lists = {f"carrier-{tier}": CRL(crl) for tier, crl in zip(("root", "issuing"), carrier.crls, strict=True)}
        for root in map(load_certificate, map(str.encode, evidence["authorities"])):
            who = of_suite[root.suite_name]
            roots[who] = root
            for crl in map(CRL, map(base64.b64decode, evidence["crls"])):
                if crl.signature_algorithm == root.signature_algorithm:
                    tier = "root" if crl.issuer_name.key == root.subject_name.key else "issuing"
                    lists[f"{who}-{tier}"] = crl
        for directory in ("crl", OWN_KEY):
            (staging / directory).mkdir()
        for who, root in roots.items():
            (staging / AUTHORITIES[who]).write_text(root.pem, "ascii")
        for listed, crl in lists.items():
            (staging / "crl" / f"{listed}.crl").write_bytes(crl.der)
        carrier.save(staging / OWN_KEY)
        until = min(crl.next_update for crl in lists.values() if crl.next_update is not None)
        say(f"{_size(signed)}, with {len(contract['parties'])} signatures, each of them time-stamped")
    return contract, until


def _verdict(result: check.Result) -> str:
    """Say in a few words what the verifier found."""
    verdict, signatures = result.report["verdict"], result.report["signatures"]
    if result.code == 0:
        return f"{verdict}: all {len(signatures)} signatures hold, nothing was changed; the service is off"
    bad = sum(signature["verdict"] != "TOTAL-PASSED" for signature in signatures)
    return f"{verdict}: {bad} of {len(signatures)} signatures did not pass, report.html says why"


def _size(data: bytes) -> str:
    return f"{len(data) / 1000:,.0f} kB".replace(",", " ")
