"""Whether one player's history holds together; pure."""

from collections.abc import Iterable

from models.audit import Fault, Link, Mark, Subject
from models.base import Base
from models.board import Board
from models.chain import HASH_VERSION, Chain
from models.entry import MAX_SCORE, SCORING, Entry, Kind
from models.state import HistoryFold, Standing

STILL = frozenset({Kind.BAN, Kind.UNBAN, Kind.MOVE, Kind.ERASE})
"""Kinds that never move a score."""


class History:
    """Takes a player's entries in version order and says what is wrong first, if anything.

    The history is judged by itself, then against the player's row, the standings and a checkpoint's mark. It begins
    where the player's base ends, or with version 1 when the archived entries are given too.
    """

    def __init__(
        self, subject: Subject, boards: Iterable[Board], chain: Chain, mark: Mark | None, *, whole: bool = True
    ) -> None:
        self.count = 0
        self._subject = subject
        self._boards = tuple(boards)
        self._chain = chain
        self._mark = mark
        self._base = subject.base
        start = None if whole or self._base is None else self._base.state(self._boards)
        self._fold = HistoryFold(subject.user_id, self._boards, subject.voided, start)
        self._seal: bytes | None = None
        self._place: tuple[str | None, tuple[str, ...]] | None = None
        self._erased = False
        self._targets: dict[str, Entry] = {}
        self._reversed: set[str] = set()
        self._whole = start is None
        if start is not None:
            self.count, self._seal = start.version, start.last_hash

    def base_fault(self) -> Fault | None:
        """Says what is wrong with the base, as far as it shows without the entries before it."""
        base, mark = self._base, self._mark
        if base is None:
            return None
        text = None
        if not base.holds(self._chain):
            text = "the base of what is archived is not sealed by us"
        elif mark is not None and mark.version == base.version and mark.seal != base.state(()).last_hash:
            text = "the archive does not end with the entry that the checkpoint has"
        return None if text is None else Fault(self._subject.user_id, base.version, None, text)

    def add(self, link: Link) -> Fault | None:
        """Takes the next entry."""
        if link.user_version > self.count + 1:
            return self.reached(link.user_version)
        text = self._link_fault(link) or self._mark_fault(link)
        if text is not None or link.entry is None:
            return Fault(self._subject.user_id, link.user_version, link.entry_id, text or "it cannot be read")
        self._fold.add(link.entry)
        if link.entry_id in self._subject.voided:
            self._targets[link.entry_id] = link.entry
        self._seal = link.seal
        self.count += 1
        if self._base is not None and self.count == self._base.version and not self._fits(self._base):
            text = "the base is not what the archived entries fold to"
            return Fault(self._subject.user_id, link.user_version, link.entry_id, text)
        return None

    def _fits(self, base: Base) -> bool:
        """Whether a base is the state up to here, on the boards that both know."""
        has, state = base.state(self._boards), self._fold.state
        known = set(base.boards)
        folded = {place: standing for place, standing in state.standings.items() if place[0] in known}
        facts = (has.score, has.last_at, has.last_hash, has.banned_until, has.actions, has.standings)
        return facts == (state.score, state.last_at, self._seal, state.banned_until, state.actions, folded)

    def reached(self, version: int) -> Fault | None:
        """Says so when the entries taken do not reach a version that should be there."""
        if self.count >= version:
            return None
        return Fault(self._subject.user_id, self.count + 1, None, "the entry of this version is missing")

    def end(self) -> Fault | None:
        """Says what does not fit the complete history."""
        subject = self._subject
        if subject.stray is not None:
            version, entry_id = subject.stray
            return Fault(subject.user_id, version, entry_id, f"the player's version is {subject.version}")
        text = self._row_fault() or self._memo_fault()
        return None if text is None else Fault(subject.user_id, subject.version, None, text)

    def _link_fault(self, link: Link) -> str | None:
        entry = link.entry
        if link.user_version <= self.count:
            return "a second entry of this version"
        if entry is None:
            return "it cannot be read: its kind or its facts are none of Laurel's"
        if link.hash_version != HASH_VERSION:
            return f"it is sealed in an unknown way, {link.hash_version}"
        if link.audit_key not in self._chain.keys:
            return f"it is sealed with the audit key {link.audit_key!r}, which is not among the keys given"
        if not self._chain.holds(self._seal, entry, link.audit_key, link.seal):
            return "its hash does not follow from what it says and from the entry before it"
        return self._score_fault(entry) or self._kind_fault(entry) or self._place_fault(entry)

    def _score_fault(self, entry: Entry) -> str | None:
        state = self._fold.state
        if entry.score_after != state.score + entry.delta:
            return f"the score after it is {entry.score_after}, but {state.score} and {entry.delta} make another"
        if abs(entry.score_after) > MAX_SCORE:
            return "the score after it is out of bounds"
        return "its stamp lies before that of the entry before it" if entry.at < state.last_at else None

    def _kind_fault(self, entry: Entry) -> str | None:
        if entry.kind is Kind.VOID:
            return self._void_fault(entry)
        if entry.target_id is not None:
            return "only a void has a target"
        if entry.kind in STILL and entry.delta != 0:
            return f"an entry of the kind {entry.kind} must not move the score"
        if entry.kind in (Kind.REDEEM, Kind.AWARD) and entry.action_id is None:
            return "it names no action"
        if entry.kind is Kind.BAN and not isinstance(entry.meta.get("until", 0), int):
            return "the end of the ban is no time"
        return None

    def _void_fault(self, entry: Entry) -> str | None:
        target = self._targets.get(entry.target_id or "")
        if target is None and not self._whole:
            return None  # its target may be in the archive
        if target is None:
            return f"it voids {entry.target_id}, which is no earlier entry of this player"
        if target.entry_id in self._reversed:
            return f"it voids {target.entry_id} a second time"
        self._reversed.add(target.entry_id)
        if target.kind not in SCORING:
            return f"it voids {target.entry_id}, which moved no score"
        if entry.delta != -target.delta or _facts(entry) != _facts(target):
            return f"it does not reverse {target.entry_id} as it stands"
        return None

    def _place_fault(self, entry: Entry) -> str | None:
        """Region and groups change by moves alone; those before the first entry are not known."""
        place = (entry.region, entry.groups)
        if entry.kind is Kind.ERASE:
            self._erased = True
        elif entry.kind is Kind.MOVE or self._place is None:
            self._place = place
        elif entry.kind is not Kind.VOID and place != self._place and not self._erased:
            return "region or groups are not those that the entries before it left"
        return None

    def _mark_fault(self, link: Link) -> str | None:
        mark = self._mark
        if mark is None or link.user_version != mark.version or link.seal == mark.seal:
            return None
        return "it is not the entry that the checkpoint has"

    def _row_fault(self) -> str | None:
        subject, state = self._subject, self._fold.state
        pairs = (
            ("version", subject.version, self.count),
            ("score", subject.score, state.score),
            ("time of the last entry", subject.last_at, state.last_at if self.count else None),
            ("last hash", _hex(subject.last_hash), _hex(self._seal)),
            ("end of a ban", subject.banned_until, state.banned_until),
        )
        for name, has, should in pairs:
            if has != should:
                return f"the player's {name} is {has}, the entries say {should}"
        if self._place not in (None, (subject.region, subject.groups)) and not self._erased:
            return "the player's region or groups are not those that the entries left"
        if self._mark is not None and self.count < self._mark.version:
            return f"the player was rolled back: the checkpoint has version {self._mark.version}"
        return None

    def _memo_fault(self) -> str | None:
        subject = self._subject
        if subject.memo is not None and subject.memo.version > self.count:
            return f"the memo is of version {subject.memo.version}, which the player has not reached"
        for (board, period), written in subject.standings.items():
            if not 1 <= written.version <= self.count:
                return f"the standing on {board} in {period} is of version {written.version}"
        if subject.memo is None or not subject.settled:
            return None
        if subject.memo.actions != self._fold.state.actions:
            return "the memory of actions is not what the entries fold to"
        known = [board for board in self._boards if board.key in subject.memo.boards]
        return next((text for board in known if (text := self._board_fault(board))), None)

    def _board_fault(self, board: Board) -> str | None:
        """What is wrong on one board; whether a row is hidden counts in the present period only."""
        subject, folded = self._subject, self._fold.state.standings
        now = board.period_at(subject.now_ms)
        for place in sorted({place for place in (*folded, *subject.standings) if place[0] == board.key}):
            should, has = folded.get(place), subject.standings.get(place)
            shown = has.standing if has is not None and has.present else None
            where = f"the standing on {place[0]} in {place[1]}"
            if shown != should:
                return f"{where} is {_points(shown)}, the entries fold to {_points(should)}"
            if has is None or now is None or place[1] != now.period_id:
                continue
            if has.hidden != (subject.banned_until is not None):
                return f"{where} is {'hidden' if has.hidden else 'shown'}, which the player's ban contradicts"
        return None


def _facts(entry: Entry) -> tuple[object, ...]:
    """What a void copies from its target."""
    return (entry.effective_at, entry.action_id, entry.action_revision, entry.region, entry.groups)


def _hex(seal: bytes | None) -> str | None:
    return None if seal is None else seal.hex()


def _points(standing: Standing | None) -> str:
    return "none" if standing is None else f"{standing.score} reached at {standing.reached_at}"
