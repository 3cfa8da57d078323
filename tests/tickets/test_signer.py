"""Tickets as text: only what was signed, bit for bit, is a ticket."""

import base64
import string
import time

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import Signer

from models.ids import ActionId, TicketId, UserId
from tickets.errors import TicketForged
from tickets.signer import MAX_LENGTH, SALT, TicketSigner
from tickets.ticket import Ticket

OLD, NEW, OTHER = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
TICKET = Ticket(
    ticket_id=TicketId("019a0000-0000-7000-8000-000000000001"),
    user_id=UserId("11111111-1111-4111-8111-111111111111"),
    action_id=ActionId("sprint"),
    revision=3,
    issued_at=1_790_000_000_000,
    expires_at=1_790_003_600_000,
    build="1.0.2 ünï",
)
SIGNER = TicketSigner([OLD])
TEXT = SIGNER.sign(TICKET)
ALPHABET = string.ascii_letters + string.digits + "-_"


def refused(text: str, signer: TicketSigner = SIGNER) -> bool:
    try:
        signer.verify(text)
    except TicketForged:
        return True
    return False


def test_what_was_signed_comes_back():
    assert SIGNER.verify(TEXT) == TICKET
    bare = Ticket(TICKET.ticket_id, TICKET.user_id, TICKET.action_id, 1, 0, 2**53)
    assert SIGNER.verify(SIGNER.sign(bare)) == bare


def test_the_longest_ticket_is_short_enough():
    longest = Ticket(TICKET.ticket_id, TICKET.user_id, ActionId("x" * 64), 2**31, 2**52, 2**52, "\U0001f3c1" * 64)
    text = SIGNER.sign(longest)
    assert len(text) < MAX_LENGTH * 0.6
    assert SIGNER.verify(text) == longest


def test_a_flipped_bit_anywhere_is_refused():
    for position, character in enumerate(TEXT):
        for bit in range(7):
            flipped = TEXT[:position] + chr(ord(character) ^ 1 << bit) + TEXT[position + 1 :]
            assert refused(flipped), (position, bit)


def test_every_other_character_anywhere_is_refused():
    for position, character in enumerate(TEXT):
        for other in ALPHABET + "+/=.! \n\x00é\ud800":
            if other != character:
                assert refused(TEXT[:position] + other + TEXT[position + 1 :]), (position, other)


def test_anything_put_in_or_left_out_is_refused():
    for position in range(len(TEXT) + 1):
        for more in ("A", "=", "!", "!!!!", "====", "\n\n\n\n", "éééé", " " * 4, "."):
            assert refused(TEXT[:position] + more + TEXT[position:]), (position, more)
        assert position == len(TEXT) or refused(TEXT[:position] + TEXT[position + 1 :])
        assert refused(TEXT[:position][:-1])


def test_the_other_base64_alphabet_is_refused():
    for number in range(200):
        text = TicketSigner([OLD]).sign(Ticket(TICKET.ticket_id, TICKET.user_id, TICKET.action_id, 1, number, 1))
        other = text.replace("-", "+").replace("_", "/")
        assert other == text or refused(other)


def test_keys_are_rotated_without_losing_tickets():
    both = TicketSigner([OLD, NEW])
    assert both.verify(TEXT) == TICKET
    fresh = both.sign(TICKET)
    assert fresh != TEXT
    assert TicketSigner([NEW]).verify(fresh) == TICKET
    assert refused(fresh, TicketSigner([OLD]))
    assert refused(TEXT, TicketSigner([NEW]))
    assert refused(TEXT, TicketSigner([OTHER]))


@pytest.mark.parametrize("salt", [b"laurel.receipt.v1", b"", b"itsdangerous.Signer"])
def test_the_same_key_for_another_purpose_is_refused(salt: bytes):
    payload = TEXT.rpartition(".")[0]
    assert salt != SALT
    for derivation in ("hmac", "concat", "django-concat", "none"):
        text = Signer(OLD, salt=salt, key_derivation=derivation).sign(payload).decode()
        assert refused(text)


def test_a_jwt_is_no_ticket():
    claims = {"sub": TICKET.user_id, "exp": int(time.time()) + 60}
    assert refused(jwt.encode(claims, OLD, algorithm="HS256"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x80",
        b"\xc0",
        b"\x96\xa1a\xa1b\xa1c\x01\x02",
        b"\x98\xa1a\xa1b\xa1c\x01\x02\x03\xc0\xc0",
        b"\x96\xa1a\xa1b\xa1c\xa11\x02\x03",
        b"\x96\xa1a\xa1b\xa1\xff\x01\x02\x03",
        b"\x91" * 200,
    ],
)
def test_a_signed_text_that_is_not_a_ticket_is_refused(payload: bytes):
    signer = Signer(OLD, salt=SALT, key_derivation="hmac", digest_method=__import__("hashlib").sha256)
    assert refused(signer.sign(base64.urlsafe_b64encode(payload).rstrip(b"=")).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "A",
        "." * 44,
        "." + "A" * 43,
        "A" * MAX_LENGTH,
        "A" * (MAX_LENGTH + 1),
        TEXT + "A" * MAX_LENGTH,
        "é" * 60,
        "\ud800" * 60,
        "abc.\udfff" + "A" * 42,
        "\x00" * 60,
        "٠" * 60,
        "null",
        "{}",
        TEXT.upper(),
        TEXT[::-1],
        TEXT.rpartition(".")[0],
        TEXT.rpartition(".")[2],
        TEXT + TEXT,
    ],
)
def test_garbage_is_refused(text: str):
    assert refused(text)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "put", "cut", "swap"]),
        st.integers(0, len(TEXT) - 1),
        st.one_of(st.sampled_from(ALPHABET + ".=+/"), st.characters()),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=5000, deadline=None, derandomize=True, database=None)
@given(EDITS)
def test_no_mutation_of_a_ticket_is_a_ticket(edits: list[tuple[str, int, str]]):
    text = TEXT
    for edit, position, character in edits:
        match edit:
            case "set":
                text = text[:position] + character + text[position + 1 :]
            case "put":
                text = text[:position] + character + text[position:]
            case "cut":
                text = text[:position] + text[position + 1 :]
            case _:
                text = text[position:] + text[:position]
    assert (text == TEXT) is not refused(text)
