"""The state machine: every pair of state and command, and every run of random commands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.contracts import workflow as wf
from api.contracts.workflow import CONTRACT_MOVES, PARTY_MOVES, Agreement, ContractState, Party, PartyState, Role
from api.errors import NotFound, StateConflict, ValidationFailed
from certs.errors import SealroadError

C, P = ContractState, PartyState

# The promise, written out by hand a second time: what each command does to a contract in each state.
PROMISED = {
    ("draft", "send"): "sent",
    ("sent", "sign"): "in_progress",
    ("sent", "decline"): "declined",
    ("sent", "expire"): "expired",
    ("sent", "void"): "voided",
    ("in_progress", "sign"): "in_progress",
    ("in_progress", "finalize"): "finalizing",
    ("in_progress", "decline"): "declined",
    ("in_progress", "expire"): "expired",
    ("in_progress", "void"): "voided",
    ("finalizing", "complete"): "completed",
    ("finalizing", "fail"): "failed",
    ("failed", "retry"): "finalizing",
}


def test_the_contract_table_is_exactly_the_promise() -> None:
    found = {(str(a), command): str(b) for a, moves in CONTRACT_MOVES.items() for command, b in moves.items()}
    assert found == PROMISED
    assert set(CONTRACT_MOVES) == set(ContractState)
    assert set(PARTY_MOVES) == set(PartyState)


def test_nothing_leaves_a_terminal_state() -> None:
    for state in wf.TERMINAL:
        assert CONTRACT_MOVES[state] == {}
    for state in (P.SIGNED, P.APPROVED, P.ACKNOWLEDGED, P.DECLINED, P.DELEGATED, P.EXPIRED, P.SKIPPED):
        assert PARTY_MOVES[state] == {}


COMMANDS = {
    "send": lambda a: wf.send(a),
    "start": lambda a: wf.start_signing(a, "p1"),
    "abandon": lambda a: wf.abandon_signing(a, "p1"),
    "sign": lambda a: wf.signed(a, "p1"),
    "decline": lambda a: wf.decline(a, "p1"),
    "void": wf.void,
    "expire": wf.expire,
    "complete": wf.completed,
    "fail": wf.failed,
    "retry": wf.retry,
}
CONTRACT_COMMAND = {"start": "sign", "abandon": None}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", C)
def test_every_state_and_command_moves_as_promised_or_conflicts(state: C, command: str) -> None:
    for party in P:
        agreement = Agreement(state, (Party("p1", 1, Role.SIGNER, party), Party("p2", 2, Role.SIGNER, P.PENDING)))
        step = CONTRACT_COMMAND.get(command, command)
        contract_allows = step is None or (state, step) in PROMISED
        party_allows = command not in {"start", "abandon", "sign", "decline"} or command in PARTY_MOVES[party]
        if command == "start" and party is P.SIGNING:
            party_allows = False  # only `again`
        if contract_allows and party_allows:
            change = COMMANDS[command](agreement)
            assert change.events
            if command not in {"start", "abandon"}:
                assert change.agreement.state == PROMISED[state, command]
        else:
            with pytest.raises(StateConflict) as caught:
                COMMANDS[command](agreement)
            assert caught.value.facts["state"] in {str(state), str(party)}


def draft(*orders: int) -> Agreement:
    return Agreement(C.DRAFT, tuple(Party(f"p{index}", order) for index, order in enumerate(orders, 1)))


def test_ordered_parties_are_notified_one_group_after_the_other() -> None:
    change = wf.send(draft(1, 2, 2, 3))
    assert [event.party_id for event in change.events if event.type == "party.notified"] == ["p1"]
    with pytest.raises(StateConflict):
        wf.start_signing(change.agreement, "p2")
    agreement = wf.signed(wf.start_signing(change.agreement, "p1").agreement, "p1").agreement
    assert agreement.state == C.IN_PROGRESS
    assert wf.whose_turn(agreement) == {"p2", "p3"}
    for party in ("p3", "p2"):  # any order within a group
        change = wf.signed(wf.start_signing(agreement, party).agreement, party)
        agreement = change.agreement
    assert wf.whose_turn(agreement) == {"p4"}
    change = wf.signed(wf.start_signing(agreement, "p4").agreement, "p4")
    assert change.agreement.state == C.FINALIZING
    assert change.jobs == ("finalize",)
    assert wf.completed(change.agreement).agreement.state == C.COMPLETED


def test_nobody_waits_for_a_party_that_receives_a_copy() -> None:
    agreement = Agreement(C.DRAFT, (Party("p1", 5), Party("copy", 1, Role.CC)))
    agreement = wf.send(agreement).agreement
    assert wf.whose_turn(agreement) == {"p1"}
    agreement = wf.signed(wf.start_signing(agreement, "p1").agreement, "p1").agreement
    change = wf.completed(agreement)
    assert change.agreement.party("copy").state == P.NOTIFIED
    with pytest.raises(StateConflict):
        wf.decline(Agreement(C.SENT, change.agreement.parties), "copy")


def test_a_contract_without_a_signer_is_not_sent() -> None:
    for parties in ((), (Party("w", 1, Role.WITNESS),), (Party("c", 1, Role.CC),)):
        with pytest.raises(ValidationFailed):
            wf.send(Agreement(C.DRAFT, parties))


def test_an_unknown_party_is_not_found() -> None:
    with pytest.raises(NotFound):
        wf.decline(wf.send(draft(1)).agreement, "nobody")


party_lists = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(Role)), min_size=1, max_size=6)
runs = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "send",
                "start",
                "again",
                "abandon",
                "sign",
                "sign",
                "start",
                "decline",
                "void",
                "expire",
                "complete",
                "fail",
                "retry",
            ]
        ),
        st.integers(0, 6),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(parties=party_lists, run=runs)
def test_any_run_of_commands_keeps_the_invariants(parties: list[tuple[int, Role]], run: list[tuple[str, int]]) -> None:
    agreement = Agreement(C.DRAFT, tuple(Party(f"p{i}", order, role) for i, (order, role) in enumerate(parties)))
    finalisations = 0
    for command, number in run:
        party = f"p{number}"
        commands = {
            "start": lambda a, p=party: wf.start_signing(a, p),
            "again": lambda a, p=party: wf.start_signing(a, p, again=True),
            "abandon": lambda a, p=party: wf.abandon_signing(a, p),
            "sign": lambda a, p=party: wf.signed(a, p),
            "decline": lambda a, p=party: wf.decline(a, p),
        }
        before = agreement
        try:
            change = (commands.get(command) or COMMANDS[command])(agreement)
        except SealroadError:
            assert agreement == before  # values never change under a refused command
            continue
        agreement = change.agreement
        finalisations += change.jobs.count("finalize") if command != "retry" else 0
        assert before.state not in wf.TERMINAL
        check(agreement)
    assert finalisations <= 1


def check(agreement: Agreement) -> None:
    required = [party for party in agreement.parties if party.required]
    done = [party for party in required if party.state in wf.DONE]
    if agreement.state in {C.FINALIZING, C.COMPLETED, C.FAILED}:
        assert len(done) == len(required)
    if agreement.state == C.IN_PROGRESS:
        assert 0 < len(done) < len(required)
    if agreement.state in {C.DRAFT, C.SENT}:
        assert not done
    turn = wf.whose_turn(agreement)
    if agreement.state in wf.OPEN:
        assert turn
        for party in required:  # nobody acts before everybody of a lower order has finished
            if party.id in turn or party.state in wf.DONE:
                assert all(other.state in wf.DONE for other in required if other.order < party.order)
        assert all(agreement.party(name).state is not P.PENDING for name in turn)
    else:
        assert not turn
    if agreement.state in wf.TERMINAL - {C.COMPLETED}:
        assert not any(party.state in {P.PENDING, P.NOTIFIED, P.SIGNING} for party in agreement.parties)


def test_agreements_are_values() -> None:
    agreement = wf.send(draft(1, 2)).agreement
    copy = replace(agreement)
    wf.void(agreement)
    assert agreement == copy
