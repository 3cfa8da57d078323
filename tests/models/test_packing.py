"""A packed state is the same state, in a tenth of the space."""

from models.board import Board, Fold, Window
from models.ids import ActionId, BoardId, UserId
from models.packing import pack, unpack
from models.state import ActionMemory, PlayerState, Standing

BOARDS = tuple(Board(BoardId(f"board-{n}"), 1, "A board", Fold.SUM, Window.WEEK) for n in range(8))
USER = UserId("01a1fb77-6cfa-75c0-9cfa-ee5d86ba5d63")


def test_packing_keeps_everything_that_is_settled() -> None:
    state = PlayerState(
        USER,
        BOARDS,
        version=7,
        score=-(2**53) + 1,
        last_at=1_795_220_270_330,
        last_hash=bytes(range(32)),
        region="north",
        groups=("blue", "red"),
        banned_until=1_795_220_370_330,
        standings={(board.key, "2026-W47"): Standing(3, 1_795_220_270_330) for board in BOARDS},
        actions={ActionId(f"action-{n}"): ActionMemory(1_795_220_270_330, 20_778, n) for n in range(8)},
    )
    state.standings[BOARDS[0].key, "2026-W46"] = None
    content = pack(state)
    assert unpack(USER, BOARDS, content) == state
    assert len(content) < 800


def test_a_new_player_packs_too() -> None:
    state = PlayerState(USER, BOARDS)
    assert unpack(USER, BOARDS, pack(state)) == state
