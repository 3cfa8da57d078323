"""Whatever happens to viewers on two pods, each holds the server's top at every version it claims."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.audience import Audience, Viewer
from actors.leaderboard import Leaderboard, Record
from actors.shown import Form, Wire
from models.board import GLOBAL, Board, Fold, Window
from models.ids import UserId
from models.players import Profile
from models.ranking import Row, text_of

USERS = [UserId(f"{number:08}-0000-4000-8000-000000000000") for number in range(13)]
SIZE = 10
BUFFER_LIMIT = 300
STALL_SECONDS = 10.0
PODS = 2
VIEWERS = 5
FORMS = [Form(wire, whole) for wire in Wire for whole in (False, True)]


class SteppedLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still until a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def run_what_is_due(self) -> None:
        for _ in range(3):
            self.run_until_complete(asyncio.sleep(0))


class Names:
    """The profiles as one pod knows them."""

    def __init__(self) -> None:
        self.known: dict[UserId, str] = {}

    def get(self, user_id: UserId) -> Profile:
        return Profile(user_id, user_id[:8], self.known.get(user_id, "first"), None)


class Wired:
    """A connection whose reader may stall: what is written then waits in the buffer."""

    def __init__(self) -> None:
        self.is_stalled = False
        self.buffer = bytearray()
        self.arrived = bytearray()

    def write(self, data: bytes) -> None:
        (self.buffer if self.is_stalled else self.arrived).extend(data)

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def is_closing(self) -> bool:
        return False

    def drain(self) -> None:
        self.is_stalled = False
        self.arrived += self.buffer
        self.buffer.clear()


def frames_in(text: bytes, wire: Wire) -> list[dict[str, Any]]:
    """The JSON of the frames on a wire, read without the server's code."""
    found = []
    while text:
        if wire is Wire.SOCKET:
            assert text[0] == 0x81
            size, head = {126: (int.from_bytes(text[2:4]), 4), 127: (int.from_bytes(text[2:10]), 10)}.get(
                text[1], (text[1], 2)
            )
            payload, text = text[head : head + size], text[head + size :]
            found.append(json.loads(payload))
        else:
            length, _, rest = text.partition(b"\r\n")
            size = int(length, 16)
            event, text = rest[:size].decode(), rest[size + 2 :]
            fields = dict(line.split(": ", 1) for line in event.split("\n") if line)
            frame = json.loads(fields["data"])
            assert frame["type"] == fields["event"]
            if frame["type"] != "scoreboardUpdate":
                assert fields["id"] == f"{frame['epoch']}:{frame['version']}"
            found.append(frame | {"id": fields["id"]})
    return found


class Client:
    """Folds as `server/web/laurel/fold.js` does."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.connection: Wired | None = None
        self.viewer: Viewer | None = None
        self.pod = 0
        self.position: tuple[str, int] | None = None
        self.rows: dict[str, dict[str, Any]] = {}
        self.missed_something = False
        self.is_ahead = False
        self.whole: list[dict[str, Any]] | None = None
        self.is_cut = False

    def read(self) -> list[tuple[str, int]]:
        """Takes what has arrived; the positions it went through."""
        assert self.connection is not None
        frames = frames_in(bytes(self.connection.arrived), self.form.wire)
        self.connection.arrived.clear()
        return [self.position for frame in frames if self._take(frame) and self.position]

    def _take(self, frame: dict[str, Any]) -> bool:
        if frame["type"] == "scoreboardUpdate":
            self.whole = frame["data"]["topScores"]
            if self.form.wire is Wire.EVENTS:
                epoch, _, version = frame["id"].rpartition(":")
                self.position = (epoch, int(version))
            return False
        position = (frame["epoch"], frame["version"])
        is_known = self.position is not None and self.position[0] == position[0]
        if frame["type"] == "leaderboard.snapshot":
            if is_known and position[1] < self.position[1]:
                return False
            self.rows = {row["userId"]: row for row in frame["data"]["entries"]}
        else:
            if is_known and position[1] <= self.position[1]:
                return False
            if self.position != (frame["epoch"], frame["previous"]):
                assert self.is_ahead, "a delta is lost"
                self.missed_something = True
                return False
            for user_id in frame["data"]["removed"]:
                self.rows.pop(user_id, None)
            self.rows |= {row["userId"]: row for row in frame["data"]["updatedPositions"]}
        self.position = position
        return True

    def ranked(self) -> list[tuple[str, str, int, int]]:
        rows = sorted(self.rows.values(), key=lambda row: row["rank"])
        return [(row["userId"], row["displayName"], row["score"], row["rank"]) for row in rows]


class LiveBoard(RuleBasedStateMachine):
    """One numbered history in Redis, two pods that read it at their own pace, viewers that come, stall and go."""

    @initialize()
    def begin(self) -> None:
        self.loop = SteppedLoop()
        asyncio.set_event_loop(self.loop)
        self.scores: dict[UserId, int] = {}
        self.names: dict[UserId, str] = {}
        self.number = 0
        self.clients = [Client(FORMS[number % len(FORMS)]) for number in range(VIEWERS)]
        self.loop.run_until_complete(self._build())
        self.new_epoch()
        for pod in range(PODS):
            self.read_on(pod, 1_000)

    async def _build(self) -> None:
        board = Board(GLOBAL, 1, "All time", Fold.SUM, Window.ALL)
        self.known = [Names() for _ in range(PODS)]
        self.boards = [Leaderboard(board, names, Audience(BUFFER_LIMIT, STALL_SECONDS)) for names in self.known]  # type: ignore[arg-type]

    def _top(self) -> list[Row]:
        ordered = sorted(self.scores, key=lambda user: (-self.scores[user], user))[:SIZE]
        return [Row(user, self.scores[user], 0) for user in ordered]

    def _append(self, renamed: UserId | None = None) -> None:
        self.version += 1
        self.history.append((self.version, self._top(), renamed))
        self._remember()

    def _remember(self) -> None:
        self.truth[self.epoch, self.version] = [
            (row.user_id, row.score, rank) for rank, row in enumerate(self._top(), 1)
        ]

    @rule()
    def new_epoch(self) -> None:
        self.number += 1
        self.epoch, self.version = f"e{self.number}", self.number % 3
        if self.number == 1:
            self.truth: dict[tuple[str, int], list[tuple[UserId, int, int]]] = {}
        self.history: list[tuple[int, list[Row], UserId | None]] = []
        self.first = (self.epoch, self.version, self._top())
        self.adopted = [False] * PODS
        self.at = [0] * PODS
        self._remember()

    @rule(user=st.sampled_from(USERS), score=st.integers(-2, 5))
    def score(self, user: UserId, score: int) -> None:
        before = self._top()
        self.scores[user] = score
        if self._top() != before:
            self._append()

    @rule(user=st.sampled_from(USERS))
    def take_off(self, user: UserId) -> None:
        before = self._top()
        self.scores.pop(user, None)
        if self._top() != before:
            self._append()

    @rule(user=st.sampled_from(USERS), name=st.sampled_from(["ann", "ben"]), early=st.integers(0, PODS))
    def rename(self, user: UserId, name: str, early: int) -> None:
        """Some pods hear of it before they read the step."""
        self.names[user] = name
        for names in self.known[:early]:
            names.known[user] = name
        if any(row.user_id == user for row in self._top()):
            self._append(user)
        else:
            for names in self.known:
                names.known[user] = name

    @rule(pod=st.integers(0, PODS - 1), count=st.integers(1, 4))
    def read_on(self, pod: int, count: int) -> None:
        self.loop.run_until_complete(self._read(pod, count))

    async def _read(self, pod: int, count: int) -> None:
        board, names = self.boards[pod], self.known[pod]
        if not self.adopted[pod]:
            self.adopted[pod] = True
            epoch, version, rows = self.first
            names.known.update(self.names)
            board.adopt("all", Record(epoch, version, 0, text_of(rows)))
            return
        for version, rows, renamed in self.history[self.at[pod] : self.at[pod] + count]:
            if renamed is not None:
                names.known[renamed] = self.names[renamed]
            board.advance([(Record(self.first[0], version, 0, text_of(rows)), renamed)])
            self.at[pod] += 1

    @rule(user=st.sampled_from(USERS), scores=st.lists(st.integers(-2, 5), min_size=1, max_size=4))
    def all_goes_well(self, user: UserId, scores: list[int]) -> None:
        for score in scores:
            self.score(user, score)
            for pod in range(PODS):
                self.read_on(pod, 1_000)
            self.time_passes(60)

    @rule(milliseconds=st.sampled_from([1, 20, 60, 12_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.loop.now += milliseconds / 1000
        self.loop.run_what_is_due()
        for board in self.boards:
            board.keep_up()  # as after every read of the stream
            board.audience.sweep(board)

    @rule(who=st.integers(0, VIEWERS - 1), pod=st.integers(0, PODS - 1))
    def connect(self, who: int, pod: int) -> None:
        """Anew or, with a position, to go on from there."""
        client = self.clients[who]
        self.disconnect(who)
        board = self.boards[pod]
        connection = client.connection = Wired()
        shown = board.snapshot() if client.position is None else board.since(*client.position)
        there = board.shown and (board.shown.epoch, board.shown.version)
        client.is_ahead = bool(there and client.position and there[0] == client.position[0] and there < client.position)
        client.viewer, client.pod = Viewer(connection, lambda: setattr(client, "is_cut", True), client.form), pod
        board.audience.join(client.viewer)
        board.audience.start(client.viewer, shown)

    @rule(who=st.integers(0, VIEWERS - 1))
    def disconnect(self, who: int) -> None:
        client = self.clients[who]
        if client.viewer is not None:
            self.boards[client.pod].audience.leave(client.viewer)
        client.viewer = client.connection = None
        client.is_cut = client.missed_something = False

    @rule(who=st.integers(0, VIEWERS - 1))
    def stall(self, who: int) -> None:
        if self.clients[who].connection is not None:
            self.clients[who].connection.is_stalled = True

    @rule(who=st.integers(0, VIEWERS - 1))
    def drain(self, who: int) -> None:
        if self.clients[who].connection is not None:
            self.clients[who].connection.drain()

    @precondition(lambda self: any(client.missed_something for client in self.clients))
    @rule()
    def ask_for_what_is_missing(self) -> None:
        for client in self.clients:
            if client.missed_something and client.viewer is not None and client.position is not None:
                client.missed_something = False
                board = self.boards[client.pod]
                board.audience.start(client.viewer, board.since(*client.position))

    @invariant()
    def every_claim_is_true(self) -> None:
        for client in getattr(self, "clients", []):
            if client.connection is None:
                continue
            before = client.position
            for position in client.read():
                if before is not None and before[0] == position[0]:
                    assert position[1] >= before[1], "a version went back"
                before = position
            if client.position is not None and not client.form.whole:
                assert [(user, score, rank) for user, _, score, rank in client.ranked()] == self.truth[client.position]

    def teardown(self) -> None:
        """At the end everybody who is still connected comes to hold the newest top, names and all."""
        if not hasattr(self, "clients"):
            return
        for who, client in enumerate(self.clients):
            if client.connection is None or client.is_cut:
                self.connect(who, client.pod)
        for pod in range(PODS):
            self.read_on(pod, 1)
            self.read_on(pod, 10_000)
        for _ in range(4):
            for client in self.clients:
                assert client.connection is not None
                client.connection.drain()
            self.time_passes(60)
            self.every_claim_is_true()
            self.ask_for_what_is_missing()
        newest = [
            (row.user_id, self.names.get(row.user_id, "first"), row.score, rank)
            for rank, row in enumerate(self._top(), 1)
        ]
        for client in self.clients:
            if client.form.whole:
                assert client.whole is not None
                shown = [(row["userId"], row["displayName"], row["score"], row["rank"]) for row in client.whole]
                assert shown == newest
            else:
                assert client.position == (self.epoch, self.version)
                assert client.ranked() == newest
        asyncio.set_event_loop(None)
        self.loop.close()


def test_a_new_name_crosses_pods_that_heard_of_it_at_different_times() -> None:
    """A viewer has a version with the old name, and goes on at a pod that had the new one by then."""
    machine = LiveBoard()
    machine.begin()
    machine.connect(0, 0)
    machine.score(USERS[0], 1)
    machine.read_on(0, 1)
    machine.time_passes(60)
    machine.rename(USERS[0], "ann", 0)
    machine.known[1].known[USERS[0]] = "ann"
    machine.read_on(1, 1)
    machine.time_passes(60)
    machine.every_claim_is_true()
    assert machine.clients[0].ranked() == [(USERS[0], "first", 1, 1)]
    machine.connect(0, 1)
    machine.read_on(1, 1)
    machine.time_passes(60)
    machine.every_claim_is_true()
    assert machine.clients[0].ranked() == [(USERS[0], "ann", 1, 1)]
    machine.teardown()


LiveBoard.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestLiveBoard = LiveBoard.TestCase
