"""The state machine: every pair of state and command. Random runs of commands are in test_workflow_machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.contracts import workflow as wf
from api.contracts.workflow import CONTRACT_MOVES, PARTY_MOVES, Agreement, ContractState, Party, PartyState, Role
from api.errors import NotFound, StateConflict, ValidationFailed

C, P = ContractState, PartyState

# The promise, written out by hand a second time: what each command does to a contract in each state.
PROMISED = {
    ("draft", "send"): "sent",
    ("sent", "view"): "sent",
    ("sent", "delegate"): "sent",
    ("sent", "remind"): "sent",
    ("sent", "extend"): "sent",
    ("sent", "sign"): "in_progress",
    ("sent", "approve"): "in_progress",
    ("sent", "acknowledge"): "in_progress",
    ("sent", "decline"): "declined",
    ("sent", "expire"): "expired",
    ("sent", "void"): "voided",
    ("in_progress", "view"): "in_progress",
    ("in_progress", "delegate"): "in_progress",
    ("in_progress", "remind"): "in_progress",
    ("in_progress", "extend"): "in_progress",
    ("in_progress", "sign"): "in_progress",
    ("in_progress", "approve"): "in_progress",
    ("in_progress", "acknowledge"): "in_progress",
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
    "approve": lambda a: wf.approved(a, "p1"),
    "acknowledge": lambda a: wf.acknowledged(a, "p1"),
    "view": lambda a: wf.viewed(a, "p1"),
    "delegate": lambda a: wf.delegate(a, "p1", "p3"),
    "remind": wf.remind,
    "extend": wf.extend,
    "void": wf.void,
    "expire": wf.expire,
    "complete": wf.completed,
    "fail": wf.failed,
    "retry": wf.retry,
}
CONTRACT_COMMAND = {"start": "sign", "abandon": None}
PARTYS = {"start", "abandon", "sign", "decline", "approve", "acknowledge", "view", "delegate"}
ROLES = {"approve": Role.APPROVER, "acknowledge": Role.VIEWER}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", C)
def test_every_state_and_command_moves_as_promised_or_conflicts(state: C, command: str) -> None:
    for party in P:
        role = ROLES.get(command, Role.SIGNER)
        agreement = Agreement(state, (Party("p1", 1, role, party), Party("p2", 2, Role.SIGNER, P.PENDING)))
        step = CONTRACT_COMMAND.get(command, command)
        contract_allows = step is None or (state, step) in PROMISED
        party_allows = command not in PARTYS or command in PARTY_MOVES[party]
        if command == "start" and party is P.SIGNING:
            party_allows = False  # only `again`
        if contract_allows and party_allows:
            change = COMMANDS[command](agreement)
            looked_before = command == "view" and party is not P.NOTIFIED
            assert bool(change.events) is not looked_before
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


ACTS = {
    Role.SIGNER: "sign",
    Role.SEAL: "sign",
    Role.WITNESS: "sign",
    Role.APPROVER: "approve",
    Role.VIEWER: "acknowledge",
    Role.CC: None,
}


def do_part(agreement: Agreement, name: str) -> wf.Change:
    """Let a party do what its role asks for."""
    act = ACTS[agreement.party(name).role]
    if act == "sign":
        return wf.signed(wf.start_signing(agreement, name).agreement, name)
    return wf.approved(agreement, name) if act == "approve" else wf.acknowledged(agreement, name)


def test_everybody_does_what_their_role_asks_for_and_nothing_else() -> None:
    roles = (Role.APPROVER, Role.SIGNER, Role.SEAL, Role.WITNESS, Role.VIEWER, Role.CC)
    agreement = Agreement(C.DRAFT, tuple(Party(str(role), n, role) for n, role in enumerate(roles, 1)))
    agreement = wf.send(agreement).agreement
    commands = {"sign": wf.start_signing, "approve": wf.approved, "acknowledge": wf.acknowledged}
    for role in roles[:-1]:
        for act, command in commands.items():
            if act != ACTS[role]:
                with pytest.raises(StateConflict, match="cannot") as caught:
                    command(agreement, str(role))
                assert caught.value.facts["allowed"] == [ACTS[role]]
        change = do_part(agreement, str(role))
        agreement = change.agreement
    assert agreement.state == C.FINALIZING
    assert [str(party.state) for party in agreement.parties] == [
        *("approved", "signed", "signed", "signed", "acknowledged", "pending"),
    ]
    assert change.jobs == ("finalize",)


def test_a_delegate_takes_the_turn_of_the_one_who_delegated() -> None:
    agreement = wf.send(draft(1, 2, 2)).agreement
    change = wf.delegate(agreement, "p2", "d")  # before its turn
    assert [event.type for event in change.events] == ["party.delegated"]
    assert [party.id for party in change.agreement.parties] == ["p1", "p2", "d", "p3"]
    change = do_part(change.agreement, "p1")
    assert [event.party_id for event in change.events if event.type == "party.notified"] == ["d", "p3"]
    for who, command in (("p2", wf.start_signing), ("p2", wf.decline)):
        with pytest.raises(StateConflict):
            command(change.agreement, who)
    with pytest.raises(StateConflict, match="a delegate cannot delegate"):
        wf.delegate(change.agreement, "d", "e")
    agreement = do_part(do_part(change.agreement, "p3").agreement, "d").agreement
    assert agreement.state == C.FINALIZING
    change = wf.delegate(wf.send(draft(1)).agreement, "p1", "d")  # in its turn
    assert [(event.type, event.party_id) for event in change.events] == [
        ("party.delegated", "p1"),
        ("party.notified", "d"),
    ]


def test_only_those_who_are_waited_for_are_reminded() -> None:
    agreement = wf.send(draft(1, 1, 2)).agreement
    assert [event.party_id for event in wf.remind(agreement).events] == ["p1", "p2"]
    assert [event.party_id for event in wf.remind(agreement, ["p2"]).events] == ["p2"]
    with pytest.raises(StateConflict):
        wf.remind(agreement, ["p2", "p3"])
    with pytest.raises(NotFound):
        wf.remind(agreement, ["nobody"])
    agreement = do_part(agreement, "p1").agreement
    assert [event.party_id for event in wf.remind(agreement).events] == ["p2"]


def test_agreements_are_values() -> None:
    agreement = wf.send(draft(1, 2)).agreement
    copy = replace(agreement)
    wf.void(agreement)
    assert agreement == copy
