"""The life of a seal: every state and command, every refusal by its word, and any run of commands at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from signer.errors import SealRefused, SealStateConflict
from signer.seals import lifecycle as lc
from signer.seals.lifecycle import MOVES, Grant, Life, Purpose, SealState

S = SealState
DAY = timedelta(days=1)
START = datetime(2027, 1, 1, tzinfo=UTC)
CONTRACT = Purpose("contract", contract="ctr_1")

# The promise, written out by hand a second time.
PROMISED = {
    ("applied", "approve"): "applied",
    ("applied", "make"): "made",
    ("made", "file"): "filed",
    ("made", "use"): "active",
    ("filed", "use"): "active",
    ("active", "use"): "active",
    ("made", "suspend"): "suspended",
    ("filed", "suspend"): "suspended",
    ("active", "suspend"): "suspended",
    ("suspended", "resume"): "active",
    **{(state, "cancel"): "cancelled" for state in ("applied", "made", "filed", "active", "suspended")},
    **{(state, "expire"): "expired" for state in ("applied", "made", "filed", "active", "suspended")},
}


def life(state: SealState = S.ACTIVE, **more: Any) -> Life:
    given: dict[str, Any] = {
        "valid_from": START,
        "valid_to": START + 10 * DAY,
        "applicant": "ann",
        "state": state,
        "filing_number": None if state in {S.APPLIED, S.MADE} else "3101",
        "approvals": () if state is S.APPLIED else ("bob",),
        "was_used": state is S.ACTIVE,
    }
    return Life(**(given | more))


def grant(**more: Any) -> Grant:
    given: dict[str, Any] = {
        "id": "g1",
        "grantee": "dan",
        "granter": "ann",
        "valid_from": START,
        "valid_to": START + 5 * DAY,
    }
    return Grant(**(given | more))


def reason_of(caught: pytest.ExceptionInfo[SealRefused]) -> str:
    assert caught.value.code == "seal-refused"
    return str(caught.value.facts["reason"])


def test_the_table_is_exactly_the_promise() -> None:
    found = {(str(a), command): str(b) for a, moves in MOVES.items() for command, b in moves.items()}
    assert found == PROMISED
    assert set(MOVES) == set(SealState)


COMMANDS: dict[str, Callable[[Life], Life]] = {
    "approve": lambda seal: lc.approve(seal, "eve"),
    "make": lambda seal: lc.make(replace(seal, approvals=("bob",))),
    "file": lambda seal: lc.file(seal, "3101"),
    "use": lc.used,
    "suspend": lc.suspend,
    "resume": lc.resume,
    "cancel": lc.cancel,
    "expire": lambda seal: lc.expire(seal, START + 11 * DAY),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", S)
def test_every_state_and_command_moves_as_promised_or_conflicts(state: S, command: str) -> None:
    seal = life(state, was_used=True)
    if (state, command) in PROMISED:
        assert COMMANDS[command](seal).state == PROMISED[state, command]
    else:
        with pytest.raises(SealStateConflict) as caught:
            COMMANDS[command](seal)
        assert caught.value.facts == {"state": str(state), "allowed": sorted(MOVES[state])}


@pytest.mark.parametrize("state", [S.MADE, S.FILED, S.ACTIVE])
def test_a_seal_comes_out_of_suspension_as_it_went_in(state: S) -> None:
    seal = life(state)
    assert lc.resume(lc.suspend(seal)) == seal


def test_a_seal_does_not_expire_before_its_time() -> None:
    with pytest.raises(SealStateConflict):
        lc.expire(life(), START + 10 * DAY)
    assert lc.expire(life(), START + 10 * DAY + timedelta(seconds=1)).state is S.EXPIRED


# approvals -----------------------------------------------------------------------------------------------------------
def test_two_different_people_approve_and_the_applicant_is_none_of_them() -> None:
    seal = life(S.APPLIED, approvals_needed=2)
    with pytest.raises(SealRefused) as caught:
        lc.make(seal)
    assert (reason_of(caught), caught.value.facts["missing"]) == ("needs-approval", 2)
    with pytest.raises(SealRefused) as caught:
        lc.approve(seal, "ann")
    assert reason_of(caught) == "needs-approval"
    seal = lc.approve(seal, "bob")
    with pytest.raises(SealRefused) as caught:
        lc.approve(seal, "bob")
    assert reason_of(caught) == "needs-approval"
    with pytest.raises(SealRefused) as caught:
        lc.make(seal)
    assert caught.value.facts["missing"] == 1
    seal = lc.approve(seal, "cat")
    assert seal.approvals == ("bob", "cat")
    with pytest.raises(SealStateConflict):
        lc.approve(seal, "dan")
    assert lc.make(seal).state is S.MADE


def test_a_grant_on_a_seal_of_two_is_approved_by_a_third_person() -> None:
    waiting = grant(approvals_needed=1)
    with pytest.raises(SealRefused) as caught:
        lc.permit_use(life(), [waiting], START, "dan", CONTRACT)
    assert reason_of(caught) == "needs-approval"
    for who in ("ann", "dan"):
        with pytest.raises(SealRefused) as caught:
            lc.approve_grant(waiting, who)
        assert reason_of(caught) == "needs-approval"
    approved = lc.approve_grant(waiting, "bob")
    assert lc.permit_use(life(), [approved], START, "dan", CONTRACT) == approved
    for over in (approved, lc.revoke_grant(waiting)):
        with pytest.raises(SealRefused) as caught:
            lc.approve_grant(over, "cat")
        assert reason_of(caught) == "not-granted"


# refusals ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seal", "grants", "now", "reason"),
    [
        (life(S.CANCELLED), [grant()], START, "cancelled"),
        (life(S.EXPIRED), [grant()], START, "expired"),
        (life(), [grant()], START + 11 * DAY, "expired"),
        (life(), [grant()], START - DAY, "not-yet-valid"),
        (life(S.SUSPENDED), [grant()], START, "suspended"),
        (life(S.APPLIED), [grant()], START, "needs-approval"),
        (life(S.APPLIED, approvals=("bob",)), [grant()], START, "not-made"),
        (life(S.MADE), [grant()], START, "not-filed"),
        (life(), [], START, "not-granted"),
        (life(), [grant(grantee="eve")], START, "not-granted"),
        (life(), [grant(revoked=True)], START, "not-granted"),
        (life(), [grant(valid_from=START + DAY)], START, "not-granted"),
        (life(), [grant()], START + 6 * DAY, "grant-expired"),
        (life(), [grant(count=2, used=2)], START, "grant-used-up"),
        (life(), [grant(contracts=frozenset({"ctr_2"}))], START, "grant-scope"),
        (life(), [grant(kinds=frozenset({"document"}))], START, "grant-scope"),
        (life(), [grant(approvals_needed=1)], START, "needs-approval"),
    ],
)
def test_a_use_is_refused_with_the_reason(seal: Life, grants: list[Grant], now: datetime, reason: str) -> None:
    with pytest.raises(SealRefused) as caught:
        lc.permit_use(seal, grants, now, "dan", CONTRACT)
    assert reason_of(caught) == reason


def test_a_use_is_permitted_at_both_ends_of_a_period() -> None:
    for now in (START, START + 5 * DAY):
        assert lc.permit_use(life(), [grant()], now, "dan", CONTRACT) == grant()
    whole = grant(valid_to=START + 20 * DAY)
    assert lc.permit_use(life(), [whole], START + 10 * DAY, "dan", CONTRACT) == whole


def test_a_seal_that_need_not_be_filed_is_used_as_it_was_made() -> None:
    assert lc.permit_use(life(S.MADE, filing_required=False), [grant()], START, "dan", CONTRACT) == grant()


def test_a_grant_for_one_contract_does_not_cover_a_document_by_itself() -> None:
    narrow = grant(contracts=frozenset({"ctr_1"}))
    assert lc.permit_use(life(), [narrow], START, "dan", CONTRACT) == narrow
    with pytest.raises(SealRefused) as caught:
        lc.permit_use(life(), [narrow], START, "dan", Purpose("document"))
    assert reason_of(caught) == "grant-scope"


def test_a_contract_of_three_documents_needs_three_uses() -> None:
    with pytest.raises(SealRefused) as caught:
        lc.permit_use(life(), [grant(count=3, used=1)], START, "dan", replace(CONTRACT, times=3))
    assert reason_of(caught) == "grant-used-up"
    assert lc.permit_use(life(), [grant(count=3)], START, "dan", replace(CONTRACT, times=3)).count == 3


def test_of_several_grants_the_one_that_ends_first_is_used() -> None:
    long, short = grant(id="long", valid_to=START + 9 * DAY), grant(id="short")
    spent = grant(id="spent", count=1, used=1, valid_to=START + DAY)
    assert lc.permit_use(life(), [long, spent, short], START, "dan", CONTRACT).id == "short"


def test_where_no_grant_does_the_nearest_one_says_why() -> None:
    grants = [grant(revoked=True), grant(count=1, used=1), grant(contracts=frozenset())]
    with pytest.raises(SealRefused) as caught:
        lc.permit_use(life(), grants, START, "dan", CONTRACT)
    assert reason_of(caught) == "grant-used-up"


def test_a_use_that_is_not_there_is_not_consumed() -> None:
    once = lc.consume(grant(count=1))
    assert once.used == 1
    with pytest.raises(SealRefused) as caught:
        lc.consume(once)
    assert reason_of(caught) == "grant-used-up"
    assert lc.consume(lc.consume(grant())).used == 2


# any run of commands -------------------------------------------------------------------------------------------------
PEOPLE = st.sampled_from(["ann", "bob", "cat", "dan"])


class AnyLife(RuleBasedStateMachine):
    """Whatever is done in whatever order: the rules of the house hold at every moment."""

    grants = Bundle("grants")

    @initialize(approvals=st.sampled_from([1, 2]), filing=st.booleans(), ahead=st.sampled_from([3, 2, 0]))
    def apply(self, approvals: int, filing: bool, ahead: int) -> None:
        self.now = START
        self.seal = life(S.APPLIED, approvals_needed=approvals, filing_required=filing)
        if ahead > 0:
            for who in ("bob", "cat")[:approvals]:
                self.seal = lc.approve(self.seal, who)
        if ahead > 1:
            self.seal = lc.make(self.seal)
        if ahead > 2:
            self.seal = lc.file(self.seal, "3101")
        self.held: dict[str, Grant] = {}
        self.uses: list[tuple[str, SealState, datetime]] = []
        self.path = [S.APPLIED, self.seal.state]

    def attempt(self, action: Any) -> bool:
        before = self.seal
        try:
            self.seal = action(before)
        except (SealRefused, SealStateConflict):
            return False
        if self.seal.state is not before.state:
            self.path.append(self.seal.state)
        return True

    @rule(who=PEOPLE)
    def approve(self, who: str) -> None:
        allowed = (
            self.seal.state is S.APPLIED
            and who != "ann"
            and who not in self.seal.approvals
            and len(self.seal.approvals) < self.seal.approvals_needed
        )
        assert self.attempt(lambda seal: lc.approve(seal, who)) == allowed

    @rule(command=st.sampled_from([lc.resume, lc.resume, lc.suspend, lc.make, lambda seal: lc.file(seal, "3101")]))
    def step(self, command: Any) -> None:
        self.attempt(command)

    @rule(really=st.sampled_from([False] * 20 + [True]))
    def cancel(self, really: bool) -> None:
        if really:
            self.attempt(lc.cancel)

    @rule(hours=st.integers(1, 24))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        over = self.now > self.seal.valid_to and self.seal.state not in lc.OVER
        assert self.attempt(lambda seal: lc.expire(seal, self.now)) == over

    @rule(
        target=grants,
        who=PEOPLE,
        count=st.sampled_from([1, 2, 3, None]),
        third=st.sampled_from(["cat", None]),
        contracts=st.sampled_from([None, frozenset({"ctr_1"}), frozenset({"ctr_1", "ctr_2"})]),
    )
    def give(self, who: str, count: int | None, third: str | None, contracts: frozenset[str] | None) -> str:
        name = f"g{len(self.held)}"
        needed = self.seal.approvals_needed - 1
        self.held[name] = grant(
            id=name, grantee=who, count=count, contracts=contracts, valid_from=self.now, approvals_needed=needed
        )
        if needed and third not in {None, who}:
            self.held[name] = lc.approve_grant(self.held[name], third or "")
        return name

    @rule(name=grants, who=PEOPLE)
    def approve_grant(self, name: str, who: str) -> None:
        try:
            self.held[name] = lc.approve_grant(self.held[name], who)
        except SealRefused:
            return
        assert who not in {"ann", self.held[name].grantee}

    @rule(name=grants)
    def revoke(self, name: str) -> None:
        self.held[name] = lc.revoke_grant(self.held[name])

    @rule(name=grants, other=st.none() | PEOPLE, contract=st.sampled_from(["ctr_1", "ctr_2"]), times=st.integers(1, 2))
    def use(self, name: str, other: str | None, contract: str, times: int) -> None:
        who, what = other or self.held[name].grantee, Purpose("contract", contract=contract, times=times)
        try:
            found = lc.permit_use(self.seal, self.held.values(), self.now, who, what)
        except SealRefused:
            return
        assert found.grantee == who
        assert found.contracts is None or contract in found.contracts
        assert found.valid_from <= self.now <= found.valid_to
        assert not found.revoked
        assert len(found.approvals) == found.approvals_needed
        assert self.seal.valid_from <= self.now <= self.seal.valid_to
        for _ in range(times):
            self.uses.append((found.id, self.seal.state, self.now))
            self.held[found.id] = lc.consume(self.held[found.id])
            assert self.attempt(lc.used)

    @invariant()
    def no_grant_is_used_more_often_than_granted(self) -> None:
        for name, held in getattr(self, "held", {}).items():
            assert sum(use[0] == name for use in self.uses) == held.used
            assert held.count is None or held.used <= held.count

    @invariant()
    def nothing_is_sealed_by_a_seal_that_is_not_in_use(self) -> None:
        for _, state, _ in getattr(self, "uses", []):
            assert state in lc.USABLE
            assert self.seal.filing_number is not None or not self.seal.filing_required

    @invariant()
    def what_was_made_was_approved_and_what_is_over_stays_so(self) -> None:
        path = getattr(self, "path", [])
        if S.MADE in path:
            assert len(set(self.seal.approvals) - {"ann"}) >= self.seal.approvals_needed
        assert not lc.OVER & set(path[:-1])


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
