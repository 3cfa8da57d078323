"""Commands to drafts, or to refusals; without a clock, a database or a loop."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.decisions import VOID_SCOPE, decide, key_of, question_of
from actors.errors import EntryUnknown, PlayerUnknown, ScoreExists, ScoreOutOfRange, TooManyGroups, Unchanged
from actors.messages import (
    AdjustScore,
    Award,
    BanPlayer,
    Command,
    ErasePlayer,
    Expected,
    JoinGroup,
    LeaveGroup,
    MoveRegion,
    RecallTicket,
    RedeemInstant,
    RedeemTicket,
    SetScore,
    UnbanPlayer,
    VoidEntry,
)
from models.board import GLOBAL, Board, Fold, Window
from models.catalogue import Action, Catalogue, Revised
from models.entry import ERASED_MS, MAX_SCORE, Entry, Kind
from models.groups import MAX_GROUPS
from models.ids import ActionId, EntryId, TicketId, UserId
from models.proposal import Draft, IdempotencyKey
from models.state import ActionMemory, PlayerState, Standing
from tickets.errors import ActionDisabled, ActionUnknown, Cooldown, NotInstant, PlayerBanned, TicketExpired
from tickets.ticket import Ticket

NOW = 1_790_000_000_000
USER = UserId("u")
RUN = ActionId("run")
OLD = Action(action_id=RUN, title="Run", points=5, overlap="allow")
NEW = Action(action_id=RUN, title="Run", points=9, overlap="allow", cooldown_seconds=60)
AT_ONCE = replace(NEW, ticket="instant")
KNOWN = Catalogue({RUN: Revised(NEW, 2)}, {(RUN, 1): OLD, (RUN, 2): NEW})
KEY = IdempotencyKey("s", "k", b"h")
NEW_ID = EntryId("n")


def state(**more: Any) -> PlayerState:
    return PlayerState(USER, **({"version": 3, "score": 20, "region": "north", "groups": ("red",)} | more))


def ticket(revision: int = 1, action: ActionId = RUN, build: str | None = None) -> Ticket:
    return Ticket(TicketId("t"), USER, action, revision, NOW - 1_000, NOW + 60_000, build)


def entry(kind: Kind = Kind.REDEEM, user: UserId = USER, delta: int = 7) -> Entry:
    return Entry(
        entry_id=EntryId("target"),
        kind=kind,
        user_id=user,
        user_version=2,
        action_id=RUN,
        action_revision=1,
        delta=delta,
        score_after=20,
        at=NOW - 9,
        effective_at=NOW - 9,
        target_id=None,
        region="south",
        groups=("blue",),
        caller=None,
        meta={},
    )


def decided(command: Command, player: PlayerState | None = None, known: Catalogue = KNOWN) -> Draft:
    return decide(command, player or state(), NOW, known)


def test_a_ticket_scores_by_its_own_revision():
    draft = decided(RedeemTicket(ticket(1)))
    assert (draft.entry_id, draft.kind, draft.delta) == ("t", Kind.REDEEM, 5)
    assert (draft.action_id, draft.action_revision, draft.key) == (RUN, 1, None)
    assert (draft.region, draft.groups, draft.banned_until) == ("north", ("red",), None)
    assert draft.meta == {"issuedAt": NOW - 1_000}
    assert (draft.effective_at, draft.target_id, draft.caller) == (None, None, None)
    assert decided(RedeemTicket(ticket(2, build="7"))).meta == {"issuedAt": NOW - 1_000, "build": "7"}


@pytest.mark.parametrize("unknown", [ticket(3), ticket(1, ActionId("swim"))])
def test_a_ticket_of_an_unknown_revision_is_refused(unknown: Ticket):
    with pytest.raises(ActionUnknown) as refusal:
        decided(RedeemTicket(unknown))
    assert refusal.value.facts == {"actionId": unknown.action_id}


def test_policy_refuses():
    recently = state(actions={RUN: ActionMemory(NOW - 1, 0, 1)})
    with pytest.raises(Cooldown):
        decided(RedeemTicket(ticket(2)), recently)
    assert decided(RedeemTicket(ticket(1)), recently).delta == 5
    with pytest.raises(TicketExpired):
        decide(RedeemTicket(ticket()), state(), NOW + 3_600_000, KNOWN)
    with pytest.raises(Cooldown):
        decided(RedeemInstant(NEW_ID, Revised(AT_ONCE, 2), None), recently)
    with pytest.raises(NotInstant):
        decided(RedeemInstant(NEW_ID, Revised(NEW, 2), KEY))
    off = Action(action_id=RUN, title="Run", points=9, enabled=False)
    with pytest.raises(ActionDisabled):
        decided(RedeemTicket(ticket(1)), None, Catalogue({RUN: Revised(off, 2)}, KNOWN.revisions))


def test_an_instant_action_scores_under_a_new_id():
    draft = decided(RedeemInstant(NEW_ID, Revised(AT_ONCE, 2), KEY))
    assert (draft.entry_id, draft.kind, draft.delta, draft.key) == (NEW_ID, Kind.REDEEM, 9, KEY)
    assert (draft.action_id, draft.action_revision, draft.meta) == (RUN, 2, {})


def test_an_award_knows_no_pace_but_bans_and_disabled_actions():
    hasty = state(actions={RUN: ActionMemory(NOW, 0, 9)})
    award = decided(Award(NEW_ID, Revised(NEW, 2), -4, "why", "caller", KEY), hasty)
    assert (award.kind, award.delta, award.action_id, award.banned_until) == (Kind.AWARD, -4, RUN, None)
    assert (award.caller, award.meta, award.key) == ("caller", {"reason": "why"}, KEY)
    with pytest.raises(PlayerBanned):
        decided(Award(NEW_ID, Revised(NEW, 2), 4, "why", "caller", KEY), state(banned_until=NOW + 1))
    off = Action(action_id=RUN, title="Run", points=9, enabled=False)
    with pytest.raises(ActionDisabled):
        decided(Award(NEW_ID, Revised(off, 2), 4, "why", "caller", KEY))


def test_an_adjustment_knows_no_policy():
    banned = state(banned_until=NOW + 1, actions={RUN: ActionMemory(NOW, 0, 9)})
    adjust = decided(AdjustScore(NEW_ID, -4, "why", "caller"), banned)
    assert (adjust.kind, adjust.delta, adjust.action_id, adjust.key) == (Kind.ADJUST, -4, None, None)


@pytest.mark.parametrize(
    ("score", "delta", "fits"),
    [
        (MAX_SCORE, 0, True),
        (MAX_SCORE - 1, 1, True),
        (MAX_SCORE, 1, False),
        (-MAX_SCORE, -1, False),
        (-MAX_SCORE + 1, -1, True),
        (MAX_SCORE, -2 * MAX_SCORE, True),
    ],
)
def test_a_score_stays_exact(score: int, delta: int, fits: bool):
    command = AdjustScore(NEW_ID, delta, "why", "caller")
    if fits:
        assert decided(command, state(score=score)).delta == delta
    else:
        with pytest.raises(ScoreOutOfRange):
            decided(command, state(score=score))


def test_a_void_copies_its_target_and_takes_effect_then():
    target = entry()
    draft = decided(VoidEntry(NEW_ID, target, "why", "caller"))
    assert (draft.kind, draft.delta, draft.target_id, draft.effective_at) == (Kind.VOID, -7, "target", NOW - 9)
    assert (draft.action_id, draft.action_revision, draft.region, draft.groups) == (RUN, 1, "south", ("blue",))
    assert draft.key is not None
    assert (draft.key.scope, draft.key.key) == (VOID_SCOPE, "target")


@pytest.mark.parametrize("target", [entry(user=UserId("v")), *(entry(kind) for kind in list(Kind)[3:])])
def test_only_ones_own_scoring_entries_are_voided(target: Entry):
    with pytest.raises(EntryUnknown):
        decided(VoidEntry(NEW_ID, target, "why", "caller"))


def test_bans_and_moves_change_no_score():
    ban = decided(BanPlayer(NEW_ID, NOW + 5, "why", "caller"))
    assert (ban.kind, ban.delta, ban.banned_until) == (Kind.BAN, 0, NOW + 5)
    assert ban.meta == {"reason": "why", "until": NOW + 5}
    assert (ban.region, ban.groups) == ("north", ("red",))
    unban = decided(UnbanPlayer(NEW_ID, "caller"), state(banned_until=NOW + 5))
    assert (unban.kind, unban.delta, unban.banned_until, unban.region) == (Kind.UNBAN, 0, None, "north")
    move = decided(MoveRegion(NEW_ID, None, "caller"), state(banned_until=NOW + 5))
    assert (move.kind, move.region, move.groups, move.banned_until) == (Kind.MOVE, None, ("red",), NOW + 5)
    joined = decided(JoinGroup(NEW_ID, "blue", "caller"))
    assert (joined.kind, joined.region, joined.groups) == (Kind.MOVE, "north", ("red", "blue"))
    left = decided(LeaveGroup(NEW_ID, "red", "caller"))
    assert (left.kind, left.region, left.groups) == (Kind.MOVE, "north", ())
    gone = decided(ErasePlayer(NEW_ID, "caller"))
    assert (gone.kind, gone.delta, gone.banned_until, gone.region, gone.groups) == (Kind.ERASE, 0, ERASED_MS, None, ())


UNCHANGED = [
    (UnbanPlayer(NEW_ID, "c"), {}),
    (UnbanPlayer(NEW_ID, "c", ended_only=True), {"banned_until": NOW + 1}),
    (BanPlayer(NEW_ID, NOW, "why", "c"), {}),
    (MoveRegion(NEW_ID, "north", "c"), {}),
    (JoinGroup(NEW_ID, "red", "c"), {}),
    (LeaveGroup(NEW_ID, "blue", "c"), {}),
]


@pytest.mark.parametrize(("command", "facts"), UNCHANGED)
def test_what_is_so_already_is_no_entry(command: Command, facts: dict[str, Any]):
    with pytest.raises(Unchanged):
        decided(command, state(**facts))


def test_a_ban_that_has_run_out_is_taken_back():
    assert decided(UnbanPlayer(NEW_ID, "c", ended_only=True), state(banned_until=NOW)).kind is Kind.UNBAN


def test_one_may_be_in_so_many_groups():
    full = state(groups=tuple(f"g{number}" for number in range(MAX_GROUPS)))
    with pytest.raises(TooManyGroups):
        decided(JoinGroup(NEW_ID, "blue", "c"), full)
    with pytest.raises(Unchanged):
        decided(JoinGroup(NEW_ID, "g1", "c"), full)
    assert len(decided(JoinGroup(NEW_ID, "blue", "c"), state(groups=full.groups[1:])).groups) == MAX_GROUPS


def test_nothing_is_decided_for_the_erased():
    erased = state(banned_until=ERASED_MS)
    for command in (ErasePlayer(NEW_ID, "c"), UnbanPlayer(NEW_ID, "c"), AdjustScore(NEW_ID, 1, "why", "c")):
        with pytest.raises(PlayerUnknown):
            decided(command, erased)


GLOBAL_BOARD = Board(GLOBAL, 3, "All", Fold.SUM, Window.ALL)


def scored(score: int) -> PlayerState:
    """A state with a score that counts on `global`."""
    standings = {("global/3", "all"): Standing(score, 1), ("weekly/1", "2026-W01"): None}
    return state(score=score, boards=(GLOBAL_BOARD,), standings=standings)


@pytest.mark.parametrize("expected", list(Expected))
@pytest.mark.parametrize("held", [None, 0, 40])
def test_a_score_is_set_on_the_present_one(expected: Expected, held: int | None):
    """A score of 0 is one; a score that no entry counts for is none."""
    before = state(score=0, boards=(GLOBAL_BOARD,)) if held is None else scored(held)
    command = SetScore(NEW_ID, 25, expected, "why", "caller", KEY)
    refusals = {(Expected.ABSENT, True): ScoreExists, (Expected.PRESENT, False): EntryUnknown}
    if refusal := refusals.get((expected, held is not None)):
        with pytest.raises(refusal):
            decided(command, before)
        return
    draft = decided(command, before)
    assert (draft.kind, draft.delta, draft.caller, draft.meta) == (
        Kind.ADJUST,
        25 - (held or 0),
        "caller",
        {"reason": "why"},
    )
    assert draft.key == KEY


def test_recalling_finds_nothing_to_do():
    with pytest.raises(EntryUnknown):
        decided(RecallTicket(TicketId("t")))


def test_what_is_asked_before_a_refusal():
    held = state()
    assert question_of(RedeemTicket(ticket()), USER, held).asked == "t"
    assert question_of(RecallTicket(TicketId("x")), USER, None).asked == "x"
    keyed = question_of(Award(NEW_ID, Revised(NEW, 2), 1, "why", "caller", KEY), USER, held)
    assert (keyed.asked, keyed.scope, keyed.key, keyed.state) == (None, "s", "k", held)
    void = question_of(VoidEntry(NEW_ID, entry(), "why", "caller"), USER, held)
    assert (void.scope, void.key) == (VOID_SCOPE, "target")
    for plain in (RedeemInstant(NEW_ID, Revised(NEW, 2), None), UnbanPlayer(NEW_ID, "c")):
        asked = question_of(plain, USER, held)
        assert (asked.asked, asked.scope, asked.key) == (None, None, None)


def test_voids_of_one_target_share_a_key_and_others_have_none():
    first, second = (VoidEntry(EntryId(name), entry(), "why", name) for name in "ab")
    assert key_of(first) == key_of(second)
    assert key_of(RedeemTicket(ticket())) is None
    assert key_of(MoveRegion(NEW_ID, None, "c")) is None
    assert key_of(SetScore(NEW_ID, 1, Expected.ANYTHING, "why", "c", KEY)) == KEY
    assert key_of(BanPlayer(NEW_ID, NOW + 1, "why", "c", KEY)) == KEY
    assert key_of(AdjustScore(NEW_ID, 1, "why", "c", KEY)) == KEY
