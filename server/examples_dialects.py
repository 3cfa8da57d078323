"""An example of every shape that the five dialects hear and say."""

from msgspec import Struct

from server.dialects import shapes
from server.dialects.writing import UPDATED
from server.examples import SIGNED, TIMES, TOKEN, USER

_ada = {"user_id": USER, "username": "ada"}

EXAMPLES: tuple[Struct, ...] = (
    shapes.DoAction(action_id=SIGNED),
    shapes.DoTypedAction(action_id=SIGNED, action_type="sprint"),
    shapes.DoTimedAction(action_id=SIGNED, timestamp=1_795_253_400),
    shapes.DoSignedAction(user_id=USER, auth_token=TOKEN, action_id=SIGNED),
    shapes.NewScore(success=True, new_score=10),
    shapes.NewPosition(success=True, new_score=10, leaderboard_position=1, message=UPDATED),
    shapes.NewStatus(status="success", user_id=USER, new_score=10),
    shapes.UpdatedScore(success=True, message=UPDATED, updated_score=10),
    shapes.Score(user_id=USER, score=10),
    shapes.Leaderboard(
        leaderboard=[shapes.RankedScore(**_ada, score=10, rank=1)],
        total_users=1,
        last_updated=TIMES[0],
        user_rank=shapes.OwnRank(rank=1, score=10),
    ),
    shapes.NumberedPage(leaderboard=[shapes.NamedScore(**_ada, score=10)], page=1, limit=10, sort="DESC"),
    shapes.TopScores(top_scores=[shapes.Score(user_id=USER, score=10)]),
)
