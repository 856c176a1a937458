"""The same service on a real PostgreSQL, which the test starts and throws away."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from api.config import Settings
from api.contracts.models import Contract
from api.db import Database
from api.errors import ConfigurationError
from api.jobs import engine
from api.migrations import check_or_upgrade, upgrade
from api.models import Base
from api.templates.models import TemplateEvent
from tests.api import registry
from tests.api.agreements.desk import at, firm, octets_of, offered, words
from tests.api.conftest import Service, User, circle_today, held, make_pdf, serving
from tests.api.contracts.talk import act, delegate, good
from tests.api.contracts.test_mandates import REWRITING, director, on_record, revoke, to_her
from tests.api.envelopes.post import between, from_first_party, open_as, sealed
from tests.api.factors import desk as factor_desk
from tests.api.factors import test_codes as codes
from tests.api.factors.desk import quick
from tests.api.postgres import cluster
from tests.api.seals.office import Office
from tests.api.templates.post import bulk, ended, results, slot, table, taken, template
from tests.api.test_access import asked, key_for, somebody, status, token_of
from tests.api.test_encrypted_documents import uploaded
from tests.api.test_pairs import new_request

__all__ = ["quick"]
pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cluster() as found:
        yield found.url("postgres")


@pytest.fixture(scope="module")
def postgres(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = Settings(data=tmp_path_factory.mktemp("service"), database=server, port=0)
    database = Database(server)
    with pytest.raises(ConfigurationError, match="not up to date"):
        check_or_upgrade(database)
    upgrade(database)
    database.close()
    with serving(settings) as service:
        yield service


def test_migrations_make_exactly_the_tables_of_the_models(postgres: Service) -> None:
    with postgres.context.database.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: name not in engine.TABLES}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []


def test_three_cryptographies_in_order(postgres: Service) -> None:
    user = postgres.user()
    contract = user.sent(
        held("sm2", name="王伟", order=1, locale="zh"),
        held("gost2012-256", name="Иван", order=2, locale="ru"),
        held("ecdsa-p256", name="Erika", order=3),
    )
    for party in contract["parties"]:
        assert user.sign(contract, party)["state"] == "succeeded"
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    report = user.get(f"/v1/contracts/{contract['id']}/verification").json()["documents"][0]["report"]
    assert report["verdict"] == "TOTAL-PASSED"


def test_many_parties_at_once_make_one_finalisation(postgres: Service) -> None:
    user, count = postgres.user(), 5
    contract = user.sent(*(held("ecdsa-p256", name=f"P{n}") for n in range(count)))
    consent = {"consent": user.consent(contract)}
    codes: list[int] = []

    def sign(party: dict[str, Any]) -> None:
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign"
        codes.append(user.post(path, json=consent, headers={"idempotency-key": party["id"]}).status_code)

    threads = [threading.Thread(target=sign, args=(party,)) for party in contract["parties"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [202] * count
    contract = user.wait_for_state(contract, "completed", "failed")
    assert contract["documents"][0]["revision"] == count
    types = [event["type"] for event in user.get(f"/v1/contracts/{contract['id']}/events").json()["data"]]
    assert types.count("contract.completed") == 1


def test_a_delegate_signs_what_was_approved_and_a_later_contract_ends_it(postgres: Service) -> None:
    user = postgres.user()
    contract = user.sent({"name": "赵敏", "role": "approver"}, held("sm2", order=2), reminders={"after_days": 1})
    good(act(user, contract, contract["parties"][0], "approve"))
    contract = good(delegate(user, contract, contract["parties"][1], suite="gost2012-256"))
    assert user.sign(contract, contract["parties"][2])["state"] == "succeeded"
    first = user.wait_for_state(contract, "completed", "failed")
    second = user.sent(held("sm2"), relates_to={"contract": first["id"], "kind": "annulment"})
    assert user.sign(second, second["parties"][0])["state"] == "succeeded"
    assert user.wait_for_state(second, "completed", "failed")["state"] == "completed"
    assert user.contract(first)["annulled_by"] == [second["id"]]


def test_the_audit_trail_cannot_be_changed(postgres: Service) -> None:
    postgres.user().draft([])
    for statement in ("UPDATE audit_events SET hash = '1'", "DELETE FROM audit_events", "TRUNCATE audit_events"):
        with pytest.raises(DatabaseError, match="append-only"), postgres.context.database.write() as session:
            session.execute(text(statement))


def test_a_party_seals_and_its_grant_is_used_once(postgres: Service) -> None:
    office = Office.of(postgres)
    seal = office.granted("sm2", grant={"count": 1})
    contract = office.ann.sent({"name": "王伟", "role": "seal", "seal": seal["id"]}, held("ecdsa-p256", order=2))
    for person, party in zip((office.dan, office.ann), contract["parties"], strict=True):
        assert person.sign(contract, party)["state"] == "succeeded"
    contract = office.ann.wait_for_state(contract, "completed", "failed")
    assert contract["state"] == "completed", contract["failure"]
    assert [row["used"] for row in office.ann.get(f"/v1/seals/{seal['id']}/grants").json()["data"]] == [1]
    assert office.ann.get(f"/v1/seals/{seal['id']}/events/check").json()["intact"] is True


def test_two_who_race_for_the_last_use_of_a_seal_get_one(postgres: Service) -> None:
    office = Office.of(postgres)
    seal = office.granted("ecdsa-p256", grant={"count": 1})
    documents = [office.dan.upload()["id"] for _ in range(4)]
    ends: list[str] = []

    def seal_one(name: str) -> None:
        answer = office.dan.post(f"/v1/seals/{seal['id']}/apply", json={"document": name})
        if answer.status_code == 202:
            ends.append(office.dan.wait_for_job(answer.headers["location"])["state"])
        else:
            ends.append(answer.json()["reason"])

    threads = [threading.Thread(target=seal_one, args=(name,)) for name in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count("succeeded") == 1, ends
    assert set(ends) <= {"succeeded", "failed", "grant-used-up"}
    assert [row["used"] for row in office.ann.get(f"/v1/seals/{seal['id']}/grants").json()["data"]] == [1]


def test_the_log_of_a_seal_cannot_be_changed(postgres: Service) -> None:
    Office.of(postgres).applied("ecdsa-p256")
    for statement in ("UPDATE seal_events SET hash = '1'", "DELETE FROM seal_events", "TRUNCATE seal_events"):
        with pytest.raises(DatabaseError, match="append-only"), postgres.context.database.write() as session:
            session.execute(text(statement))


def test_an_envelope_is_sealed_handed_out_and_opened_and_its_log_does_not_change(postgres: Service) -> None:
    user = postgres.user()
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256", "sm2")))
    for recipient in envelope["recipients"]:
        assert user.get(f"/v1/envelopes/{envelope['id']}/parts/{recipient['id']}").status_code == 200
        assert open_as(user, envelope, recipient)["result"]["sender"] == "TOTAL-PASSED"
    assert user.get(f"/v1/envelopes/{envelope['id']}/events/check").json()["intact"] is True
    for statement in (
        "UPDATE envelope_events SET hash = '1'",
        "DELETE FROM envelope_events",
        "TRUNCATE envelope_events",
    ):
        with pytest.raises(DatabaseError, match="append-only"), postgres.context.database.write() as session:
            session.execute(text(statement))


def test_six_sendings_of_one_request_give_one_pair(postgres: Service) -> None:
    user, (_, body) = postgres.user(), new_request("ecdsa-p256")
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(user.post("/v1/certificates", json=body))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["pair"]["signing"]}
    assert len(user.get("/v1/certificates").json()["data"]) == 2


def test_an_encrypted_document_is_signed(postgres: Service) -> None:
    user = postgres.user()
    document = uploaded(user)
    contract = user.sent(held("sm2"), documents=[document["id"]])
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    report = user.post("/v1/verifications", data={"contract": contract["id"]})
    assert (document["encryption"], report.json()["verdict"]) == ("AES-256", "TOTAL-PASSED")


def test_an_agreement_is_signed_by_all_at_once_binds_a_contract_and_does_not_change(postgres: Service) -> None:
    user, firms = postgres.user(), [firm(suite) for suite in ("ecdsa-p256", "sm2")]
    made = offered(user, words(*(each.party() for each in firms)))
    octets, answers = octets_of(user, made), []

    def sign(cms: str) -> None:
        answers.append(user.post(at(made, "/signatures"), json={"cms": cms}).status_code)

    threads = [threading.Thread(target=sign, args=(each.cms(octets),)) for each in firms for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 201, 409, 409]
    assert user.get(at(made)).json()["state"] == "in_force"
    contract = user.sent(held("ecdsa-p256", organisation=firms[0].name), agreement=made["id"])
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    assert user.get(at(made, "/events/check")).json()["intact"] is True
    for statement in (
        "UPDATE agreement_events SET hash = '1'",
        "DELETE FROM agreement_events",
        "TRUNCATE agreement_events",
        "UPDATE agreements SET octets = '\\x00'",
        "UPDATE agreements SET sha256 = '1'",
    ):
        with (
            pytest.raises(DatabaseError, match=r"append-only|does not change"),
            postgres.context.database.write() as session,
        ):
            session.execute(text(statement))


def test_people_are_proven_and_their_records_do_not_change(postgres: Service) -> None:
    user = postgres.user()
    company = registry.organisation(user)
    human = registry.person(user, organisations=[{"organisation": company["id"]}])
    proofs = [registry.prove(user, owner) for owner in (company, human)]
    contract = user.sent({"person": human["id"], "organisation_id": company["id"], "suite": "sm2"})
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    path = f"/v1/people/{human['id']}"
    revoked = user.post(f"{path}/identity-proofs/{proofs[1]['id']}/revoke", json={"reason": "x"})
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert user.get(f"{path}/events/check").json()["intact"] is True
    for statement in (
        "UPDATE identity_proofs SET operator = 'me'",
        f"UPDATE identity_proofs SET revoked_at = NULL WHERE id = '{proofs[1]['id']}'",
        "DELETE FROM identity_proofs",
        "TRUNCATE identity_proofs",
        "UPDATE person_events SET hash = '1'",
        "DELETE FROM organisation_events",
        "TRUNCATE person_events",
    ):
        with pytest.raises(DatabaseError, match="append-only"), postgres.context.database.write() as session:
            session.execute(text(statement))


def test_a_delegate_signs_under_a_power_of_attorney_which_does_not_change(postgres: Service) -> None:
    user = postgres.user()
    row = on_record(user)
    contract = user.sent(director())
    contract = good(to_her(user, contract, row))
    assert user.sign(contract, contract["parties"][1])["state"] == "succeeded"
    good(revoke(user, row))
    for statement in REWRITING:
        with pytest.raises(DatabaseError), postgres.context.database.write() as session:
            session.execute(text(statement))


def test_a_key_is_made_used_exchanged_and_ended_with_its_user(postgres: Service) -> None:
    admin = postgres.user()
    clerk = somebody(admin, "auditor")
    key = key_for(admin, user=clerk["id"], networks=["127.0.0.0/8"])
    bearer = token_of(key)
    assert [status(key), status(bearer)] == [200, 200]
    wrong = User(admin.http, key.token[:-4] + "AAAA", admin.context, admin.tenant_id)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(asked(wrong).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {401}
    assert admin.post(f"/v1/users/{clerk['id']}/deactivate").status_code == 200
    assert [status(key), status(bearer)] == [401, 401]


def test_two_workers_on_one_database_share_the_jobs(postgres: Service) -> None:
    """The real command beside the service."""
    settings = postgres.context.settings
    command = [sys.executable, "-m", "api.cli", "worker", "--data", str(settings.data), "--database", settings.database]
    user = postgres.user()
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert second.stdout is not None
        said = second.stdout.readline()
        assert said.startswith("sealroad: working as "), said
        contracts = [user.sent(held("ecdsa-p256")) for _ in range(4)]
        jobs = [user.sign(contract, contract["parties"][0]) for contract in contracts]
        assert {job["state"] for job in jobs} == {"succeeded"}
        for contract in contracts:
            assert user.wait_for_state(contract, "completed", "failed")["state"] == "completed"
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    finally:
        second.kill()
        second.communicate()


def test_a_driver_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match="driver"):
        Database("postgresql+pg8000://localhost/x")


def test_no_octet_of_an_address_is_a_defect(postgres: Service) -> None:
    """PostgreSQL keeps no NUL in a text, and says so where one is compared with it."""
    user = postgres.user()
    lists = ("contracts?external_id", "contracts?party_email", "jobs?kind", "people?organisation", "api-keys?user")
    objects = ("contracts", "people", "documents", "jobs", "users", "api-keys", "seals", "certificates", "agreements")
    for path in (*(f"{name}=%00" for name in lists), *(f"{name}/x%00" for name in objects)):
        refused = user.get(f"/v1/{path}")
        assert (refused.status_code, refused.json()["code"]) in {(404, "not-found"), (400, "malformed-request")}, path
    made = user.post("/v1/documents", files={"file": ("a\0b.pdf", make_pdf(), "application/pdf")})
    assert made.status_code in {201, 400, 422}, made.text
    kept = user.post("/v1/agreements", json={"agreement": words({"name": "a\0b"})})
    assert kept.status_code == 422, kept.text


@pytest.mark.usefixtures("quick")
def test_factors_are_counted_and_codes_taken_by_compare_and_set(postgres: Service) -> None:
    codes.test_many_guesses_at_once_are_counted_each(postgres.user())
    codes.test_a_code_counts_once_whoever_sends_it(postgres.user())
    user = postgres.user()
    contract = user.sent(held("sm2", factors=["passphrase"]), held("ecdsa-p256", factors=["passphrase"]))
    for party in contract["parties"]:
        factor_desk.with_passphrase(user, party=party["id"])
    for party in user.contract(contract)["parties"]:
        assert party["key_locked"]
        answer = factor_desk.do(user, contract, party, "sign", factor_desk.shown("passphrase", factor_desk.WORDS))
        factor_desk.signed(user, answer)
    assert user.wait_for_state(contract, "completed", "failed")["state"] == "completed"


def test_a_table_is_sent_and_no_row_makes_two_contracts(postgres: Service) -> None:
    user = postgres.user()
    own = slot("seller", order=2, name="Anna Becker", certificate=circle_today("ecdsa-p256").bundle)
    made = template(user, own, slot("copy", role="cc"), level="B-B")
    rows = [{"copy.name": f"沈𠮷明 {number}", "external_id": f"A-{number}"} for number in range(4)]
    sent = taken(bulk(user, made, table(*rows)))
    assert ended(user, sent)["sent"] == 4
    first, second = (row["contract"] for row in results(user, sent)[:2])
    with pytest.raises(IntegrityError), postgres.context.database.write() as session:
        session.get_one(Contract, second).bulk_row = session.get_one(Contract, first).bulk_row
    with pytest.raises(DatabaseError, match="append-only"), postgres.context.database.write() as session:
        session.query(TemplateEvent).filter_by(template_id=made["id"]).update({"type": "x"})
