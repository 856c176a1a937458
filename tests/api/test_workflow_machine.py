"""The state machine under any run of commands, against a second, simpler account of what should be true.

The account knows who was to do what, and who has done it; it does not know the tables. After every command:

- nothing happens to a contract that is over, and nobody signs, approves or acknowledges then;
- nobody acts out of turn, nor in another role than its own;
- finalisation begins exactly when everybody who has to has done its part, and exactly once;
- whoever delegated is replaced by exactly one delegate, and never acts again.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.contracts import workflow as wf
from api.contracts.workflow import Agreement, ContractState, Party, PartyState, Role
from api.errors import NotFound, StateConflict, ValidationFailed
from tests.api.test_workflow import ACTS

C, P = ContractState, PartyState
DID = {"sign": P.SIGNED, "approve": P.APPROVED, "acknowledge": P.ACKNOWLEDGED}
COMMANDS = {"sign": wf.signed, "approve": wf.approved, "acknowledge": wf.acknowledged}
SEVERAL = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(Role)), min_size=1, max_size=6)
NUMBERS = st.integers(0, 11)
"""A party by its place in the list; beyond its end: one that does not exist."""
SELDOM = st.integers(0, 19).map(lambda number: number == 0)
"""What ends a contract is done seldom, or no run would get far."""


class Contract(RuleBasedStateMachine):
    """One contract, and what is known of it apart from its states."""

    over: ClassVar = frozenset({C.COMPLETED, C.DECLINED, C.EXPIRED, C.VOIDED})

    @initialize(parties=SEVERAL)
    def draft(self, parties: list[tuple[int, Role]]) -> None:
        """Begin with any parties at all."""
        self.agreement = Agreement(C.DRAFT, tuple(Party(f"p{n}", *each) for n, each in enumerate(parties)))
        self.todo: dict[str, int] = {}
        """Who still has to do its part, and in which group."""
        self.parts = {f"p{n}": ACTS[role] for n, (_, role) in enumerate(parties)}
        self.groups = {f"p{n}": order for n, (order, _) in enumerate(parties)}
        self.done: set[str] = set()
        self.delegated: set[str] = set()
        self.delegates = (f"d{n}" for n in itertools.count())
        self.finalisations = 0

    def name(self, number: int) -> str:
        """Return the name of a party by its number."""
        names = [party.id for party in self.agreement.parties] * (2 if number < 10 else 1)
        return names[number] if number < len(names) else "nobody"

    def turn(self) -> set[str]:
        """Return who may act, by the account: the lowest group with something to do in an open contract."""
        if self.agreement.state not in {C.SENT, C.IN_PROGRESS}:
            return set()
        return {name for name, group in self.todo.items() if group == min(self.todo.values())}

    def take(self, change: wf.Change, *, retry: bool = False) -> None:
        """Go on with what a command returned."""
        assert self.agreement.state not in self.over
        began = change.jobs.count("finalize")
        assert began == [event.type for event in change.events].count("contract.finalizing")
        if not retry:
            self.finalisations += began
        self.agreement = change.agreement

    def refused(self, command: object, *arguments: object) -> None:
        """Expect a refusal."""
        try:
            command(*arguments)  # type: ignore[operator]
        except (StateConflict, NotFound, ValidationFailed):
            return
        raise AssertionError(f"{command} was not refused: {self.agreement}")

    @rule()
    def send(self) -> None:
        binding = any(party.role in {Role.SIGNER, Role.SEAL} for party in self.agreement.parties)
        if self.agreement.state != C.DRAFT or not binding:
            return self.refused(wf.send, self.agreement)
        self.todo = {name: self.groups[name] for name, part in self.parts.items() if part}
        return self.take(wf.send(self.agreement))

    @rule(number=NUMBERS, again=st.booleans())
    def start(self, number: int, again: bool) -> None:
        self.start_one(self.name(number), again)

    def start_one(self, name: str, again: bool) -> None:
        if name not in self.turn() or self.parts[name] != "sign":
            return self.refused(lambda: wf.start_signing(self.agreement, name, again=again))
        if self.agreement.party(name).state is P.SIGNING and not again:
            return self.refused(wf.start_signing, self.agreement, name)
        return self.take(wf.start_signing(self.agreement, name, again=again))

    @rule(number=NUMBERS)
    def abandon(self, number: int) -> None:
        name = self.name(number)
        if name not in self.parts or self.agreement.party(name).state is not P.SIGNING:
            return self.refused(wf.abandon_signing, self.agreement, name)
        return self.take(wf.abandon_signing(self.agreement, name))

    @rule(number=NUMBERS, act=st.sampled_from(["sign", "sign", "approve", "acknowledge"]))
    def act(self, number: int, act: str) -> None:
        self.act_of_one(self.name(number), act)

    def act_of_one(self, name: str, act: str) -> None:
        able = name in self.turn() and self.parts[name] == act
        signing = able and self.agreement.party(name).state is P.SIGNING
        if not able or signing is not (act == "sign"):
            return self.refused(COMMANDS[act], self.agreement, name)
        change = COMMANDS[act](self.agreement, name)
        del self.todo[name]
        self.done.add(name)
        assert change.agreement.party(name).state == DID[act]
        assert (change.agreement.state == C.FINALIZING) is (not self.todo)
        return self.take(change)

    @rule(data=st.data())
    @precondition(lambda self: self.turn())
    def do_a_part(self, data: st.DataObject) -> None:
        """Go forward: of random commands alone few runs would reach an end."""
        name = data.draw(st.sampled_from(sorted(self.turn())))
        if self.parts[name] == "sign" and self.agreement.party(name).state is not P.SIGNING:
            self.start_one(name, again=False)
        self.act_of_one(name, self.parts[name] or "")

    @rule(number=NUMBERS)
    def view(self, number: int) -> None:
        name = self.name(number)
        known = {P.NOTIFIED, P.VIEWED, P.IDENTIFIED, P.SIGNING}
        if name not in self.turn() or self.agreement.party(name).state not in known:
            return self.refused(wf.viewed, self.agreement, name)
        before = self.agreement
        change = wf.viewed(self.agreement, name)
        assert bool(change.events) is (before.party(name).state is P.NOTIFIED)
        self.take(change)
        assert self.agreement.party(name).state is not P.NOTIFIED
        assert [party.id for party in before.parties] == [party.id for party in self.agreement.parties]
        return None

    @rule(number=NUMBERS)
    def delegate(self, number: int) -> None:
        name = self.name(number)
        able = name in self.todo and self.agreement.state in {C.SENT, C.IN_PROGRESS}
        if not able or name.startswith("d") or self.agreement.party(name).state is P.SIGNING:
            return self.refused(wf.delegate, self.agreement, name, "x")
        successor = next(self.delegates)
        self.take(wf.delegate(self.agreement, name, successor))
        self.todo[successor] = self.groups[successor] = self.todo.pop(name)
        self.parts[successor] = self.parts[name]
        self.delegated.add(name)
        return None

    @rule(number=st.one_of(st.none(), NUMBERS))
    def remind(self, number: int | None) -> None:
        name = None if number is None else self.name(number)
        wanted = self.turn() if name is None else {name}
        if not wanted or not wanted <= self.turn():
            return self.refused(wf.remind, self.agreement, None if name is None else [name])
        change = wf.remind(self.agreement, None if name is None else [name])
        assert {event.party_id for event in change.events} == wanted
        assert change.agreement == self.agreement
        return None

    @rule(number=NUMBERS, really=SELDOM)
    def decline(self, number: int, really: bool) -> None:
        name = self.name(number)
        if not really and self.turn():
            return None
        if name not in self.todo or self.agreement.state not in {C.SENT, C.IN_PROGRESS}:
            return self.refused(wf.decline, self.agreement, name)
        return self.take(wf.decline(self.agreement, name))

    @rule(command=st.sampled_from([wf.void, wf.expire, wf.extend]), really=SELDOM)
    def close(self, command: object, really: bool) -> None:
        if not really and command is not wf.extend and self.turn():
            return None
        if self.agreement.state not in {C.SENT, C.IN_PROGRESS}:
            return self.refused(command, self.agreement)
        return self.take(command(self.agreement))  # type: ignore[operator]

    @rule(command=st.sampled_from([wf.completed, wf.failed]))
    def finalised(self, command: object) -> None:
        if self.agreement.state != C.FINALIZING:
            return self.refused(command, self.agreement)
        return self.take(command(self.agreement))  # type: ignore[operator]

    @rule()
    def retry(self) -> None:
        if self.agreement.state != C.FAILED:
            return self.refused(wf.retry, self.agreement)
        return self.take(wf.retry(self.agreement), retry=True)

    @invariant()
    def finalisation_begins_when_everybody_is_done_and_once(self) -> None:
        beyond = self.agreement.state in {C.FINALIZING, C.FAILED, C.COMPLETED}
        sent = self.agreement.state != C.DRAFT and self.agreement.state not in {C.DECLINED, C.EXPIRED, C.VOIDED}
        assert beyond is (sent and not self.todo)
        assert self.finalisations == int(beyond)

    @invariant()
    def turns_are_as_the_account_says(self) -> None:
        assert wf.whose_turn(self.agreement) == self.turn()
        for name in self.turn():
            assert self.agreement.party(name).state in {P.NOTIFIED, P.VIEWED, P.SIGNING}

    @invariant()
    def nobody_has_done_a_part_but_those_who_did(self) -> None:
        states = {party.id: party.state for party in self.agreement.parties}
        assert {name for name, state in states.items() if state in DID.values()} == self.done
        assert {name for name, state in states.items() if state is P.DELEGATED} == self.delegated
        heirs = [party.delegate_of for party in self.agreement.parties if party.delegate_of is not None]
        assert sorted(heirs) == sorted(self.delegated)
        assert (self.agreement.state == C.IN_PROGRESS) <= bool(self.done)

    @invariant()
    def a_contract_that_was_closed_waits_for_nobody(self) -> None:
        if self.agreement.state in {C.DECLINED, C.EXPIRED, C.VOIDED}:
            waiting = {P.NOTIFIED, P.VIEWED, P.SIGNING, P.PENDING}
            assert not any(party.state in waiting for party in self.agreement.parties)


# derandomised: the same runs every time, so that a red build is red again
Contract.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestContract = Contract.TestCase
