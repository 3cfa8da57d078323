"""Access tokens: what is remembered is still judged by the clock."""

import base64
import time
from collections.abc import Callable

import pytest

from models.ids import UserId
from server import auth
from server.auth import Revoked, Tokens
from server.errors import TokenExpired, TokenInvalid
from server.keys import JwtKey, parse_jwt_keys
from server.pems import generate_pem
from server.settings import Settings
from server.verifying import VerifyingKey, verifying
from tests.caller import minted

USER = UserId("11111111-1111-4111-8111-111111111111")


def key(number: int) -> str:
    return base64.urlsafe_b64encode(bytes([number]) * 32).decode()


def tokens(keys: str = f"a:HS256:{key(1)}", **more: str) -> Tokens:
    environ = {f"LAUREL_{name.upper()}": value for name, value in more.items()}
    return Tokens(Settings.from_mapping({"LAUREL_JWT_KEYS": keys} | environ))


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time that remembered tokens are judged by."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(auth.time, "time", lambda: seconds)

    return set_to


def test_a_minted_token_is_its_players():
    for role in ("player", "admin"):
        session = tokens().verify(tokens().mint(USER, role))
        assert (session.user_id, session.role) == (USER, role)
        assert time.time() + 3_590 < session.expires_at <= time.time() + 3_600


def test_an_unknown_role_is_a_players():
    assert tokens().verify(tokens().mint(USER, "root")).role == "player"


def test_old_keys_verify_and_the_newest_signs():
    old, both = tokens(), tokens(f"a:HS256:{key(1)},b:HS256:{key(2)}")
    new = tokens(f"b:HS256:{key(2)}")
    assert both.verify(old.mint(USER, "player")).user_id == USER
    assert new.verify(both.mint(USER, "player")).user_id == USER
    for refuser, minter in ((old, both), (new, old)):
        with pytest.raises(TokenInvalid):
            refuser.verify(minter.mint(USER, "player"))


def test_another_key_of_the_same_name_is_refused():
    with pytest.raises(TokenInvalid):
        tokens(f"a:HS256:{key(2)}").verify(tokens().mint(USER, "player"))


@pytest.mark.parametrize("more", [{"jwt_issuer": "other"}, {"jwt_audience": "other"}])
def test_tokens_of_another_server_are_refused(more: dict[str, str]):
    with pytest.raises(TokenInvalid):
        tokens().verify(tokens(**more).mint(USER, "player"))


def test_a_remembered_token_expires(at: Callable[[float], None]):
    found = tokens()
    token = found.mint(USER, "player", 60)
    expires_at = found.verify(token).expires_at
    at(expires_at - 0.001)
    assert found.verify(token).user_id == USER
    at(expires_at)
    with pytest.raises(TokenExpired):
        found.verify(token)
    assert found._remembered == {}


def test_only_good_tokens_are_remembered_and_not_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "REMEMBERED", 20)
    found = tokens()
    for _ in range(50):
        found.verify(found.mint(USER, "player"))
        assert len(found._remembered) <= 20
    before = dict(found._remembered)
    with pytest.raises(TokenInvalid):
        found.verify("x")
    assert found._remembered == before


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800", "é.é.é", "\x00", "a" * 4_097, "e30.e30.e30", "\udcff" * 9])
def test_garbage_is_an_invalid_token(text: str):
    with pytest.raises(TokenInvalid):
        tokens().verify(text)


def outside(kid: str) -> tuple[JwtKey, dict[str, VerifyingKey]]:
    """A key of an outside issuer, and the set it is published in."""
    made = JwtKey(kid, "ES256", generate_pem("ES256"))
    return made, {kid: verifying(made)}


def test_an_outside_issuer_of_our_own_name_speaks_for_no_player_of_ours():
    found, (made, published) = tokens(), outside("out")
    found.adopt_outside(published)
    token = minted(made, USER)
    assert found.is_foreign(token)
    with pytest.raises(TokenInvalid):
        found.verify(token)
    found.admit(token, found.foreign_claims(token), UserId("22222222-2222-4222-8222-222222222222"), "player")
    assert found.verify(token).user_id != USER
    assert not found.is_foreign(token)
    found.adopt_outside(dict(published))
    assert found.verify(token).user_id != USER
    found.adopt_outside({})
    with pytest.raises(TokenInvalid):
        found.verify(token)


def test_an_outside_key_does_not_take_the_place_of_ours():
    found, (made, published) = tokens(), outside("a")
    found.adopt_outside(published)
    assert found.verify(found.mint(USER, "player")).user_id == USER
    assert not found.is_foreign(minted(made, USER))
    with pytest.raises(TokenInvalid):
        found.verify(minted(made, USER))


def test_a_remembered_token_is_refused_once_its_session_or_player_is_gone():
    revoked = Revoked()
    found = Tokens(Settings.from_mapping({"LAUREL_JWT_KEYS": f"a:HS256:{key(1)}"}), revoked)
    sid = "33333333-3333-4333-8333-333333333333"
    one, other = found.mint(USER, "player", session=sid), found.mint(USER, "player")
    assert found.verify(one).session == sid != found.verify(other).session
    revoked.sessions[sid] = time.time() + 60
    with pytest.raises(TokenInvalid):
        found.verify(one)
    assert found.verify(other).user_id == USER
    revoked.players[USER] = time.time() + 60
    with pytest.raises(TokenInvalid):
        found.verify(other)


def test_other_keys_are_taken_and_a_retired_one_is_good_no_more():
    found = tokens()
    old = found.mint(USER, "player")
    found.verify(old)
    found.adopt(parse_jwt_keys(f"a:HS256:{key(1)},b:HS256:{key(2)}"))
    new = found.mint(USER, "player")
    assert found.verify(old).user_id == found.verify(new).user_id == USER
    found.adopt(parse_jwt_keys(f"b:HS256:{key(2)}"))
    assert found.verify(new).user_id == USER
    with pytest.raises(TokenInvalid):
        found.verify(old)
