"""An idle player's state in few bytes."""

from collections.abc import Sequence

import msgspec

from models.board import Board
from models.ids import ActionId, UserId
from models.state import ActionMemory, PlayerState, Standing


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """What a state holds, as plain values in one array."""

    version: int
    score: int
    last_at: int
    last_hash: bytes | None
    region: str | None
    groups: tuple[str, ...]
    banned_until: int | None
    standings: list[tuple[str, str, Standing | None]]
    actions: dict[ActionId, ActionMemory]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Packed).decode


def pack(state: PlayerState) -> bytes:
    """A settled state as bytes: with 8 boards and 8 actions about 500 of them."""
    standings = [(key, period, standing) for (key, period), standing in state.standings.items()]
    return _encode(
        Packed(
            state.version,
            state.score,
            state.last_at,
            state.last_hash,
            state.region,
            state.groups,
            state.banned_until,
            standings,
            state.actions,
        )
    )


def unpack(user_id: UserId, boards: Sequence[Board], content: bytes) -> PlayerState:
    """The state that was packed, with the boards it was folded for."""
    packed = _decode(content)
    return PlayerState(
        user_id=user_id,
        boards=tuple(boards),
        version=packed.version,
        score=packed.score,
        last_at=packed.last_at,
        last_hash=packed.last_hash,
        region=packed.region,
        groups=packed.groups,
        banned_until=packed.banned_until,
        standings={(key, period): standing for key, period, standing in packed.standings},
        actions=packed.actions,
    )
