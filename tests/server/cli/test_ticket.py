"""`laurel ticket mint`: for load tests only, players in turn, redeemable now."""

import time
from collections.abc import Mapping

import httpx
import pytest

from models.catalogue_file import SAMPLE
from server.auth import Tokens
from server.settings import Settings
from tests.laurel_process import LaurelProcess
from tickets.signer import TicketSigner


@pytest.fixture
def mint(run):
    run("actions", "import", SAMPLE)
    return lambda *arguments: run("ticket", "mint", *arguments, load_test="true")


def test_minting_is_for_load_tests_only(run):
    assert "for load tests only" in run("ticket", "mint", "--count", "1").complaint


def test_players_take_turns(mint, environ: Mapping[str, str]):
    settings = Settings.from_mapping(environ)
    tokens, signer = Tokens(settings), TicketSigner([key.secret for key in settings.ticket_keys])
    minted = mint("--count", "7", "--users", "3").pairs
    read = [(tokens.verify(token), signer.verify(ticket)) for token, ticket in minted]
    users = [session.user_id for session, _ in read]
    assert users == [ticket.user_id for _, ticket in read]
    assert len(set(users)) == 3
    assert users == (users[:3] * 3)[:7]
    assert len({ticket.ticket_id for _, ticket in read}) == 7
    assert {ticket.action_id for _, ticket in read} == {"sprint"}


def test_ticket_of_a_slow_action_was_issued_long_enough_ago(mint, environ: Mapping[str, str]):
    signer = TicketSigner([key.secret for key in Settings.from_mapping(environ).ticket_keys])
    ((_, text),) = mint("--count", "1", "--action", "treasure").pairs
    ticket = signer.verify(text)
    assert 59_000 < time.time() * 1000 - ticket.issued_at < 70_000
    assert ticket.expires_at - ticket.issued_at == 1_800_000


@pytest.mark.parametrize(
    ("action", "words"), [("nothing", "there is no action 'nothing'"), ("cheer", "is instant and needs no ticket")]
)
def test_action_without_tickets_is_refused(mint, action: str, words: str):
    assert words in mint("--count", "1", "--action", action).complaint


@pytest.mark.parametrize("arguments", [[], ["--count", "0"], ["--count", "1", "--action", "A/B"]])
def test_wrong_usage_is_2(mint, arguments: list[str]):
    assert mint(*arguments).code == 2


def test_tickets_of_a_running_up_are_redeemed(laurel: LaurelProcess):
    minted = laurel.mint_tickets(count=4, users=2)
    answers = []
    for number, (token, ticket) in enumerate(minted):
        url = f"{laurel.urls[number % len(laurel.urls)]}/api/v1/tickets/redeem"
        answers.append(httpx.post(url, json={"ticket": ticket}, headers={"Authorization": f"Bearer {token}"}))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json()["change"] == 10 and not answer.json()["replayed"] for answer in answers)
