"""Tortoise models of what lies off the redemption path.

The schema itself stands in `models/migrations`; a test holds the two together. Rows never leave this package.
"""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Account(Model):
    """Who a player is: everything that can be erased."""

    user_id = fields.UUIDField(primary_key=True)
    username = fields.TextField()
    username_key = fields.CharField(max_length=64, unique=True)
    display_name = fields.TextField()
    avatar_url = fields.TextField(null=True)
    password_hash = fields.TextField(null=True)
    issuer = fields.TextField(null=True)
    subject = fields.TextField(null=True)
    role = fields.CharField(max_length=16, default="player")
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "accounts"


class HeldTicket(Model):
    """A signed ticket kept for a client that can only send its id."""

    ticket_id = fields.UUIDField(primary_key=True)
    user_id = fields.UUIDField()
    ticket = fields.TextField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "held_tickets"


class BoardRow(Model):
    """A board's present rules."""

    board_id = fields.CharField(max_length=64, primary_key=True)
    revision = fields.IntField()
    title = fields.TextField()
    fold = fields.TextField()
    window = fields.TextField()
    time_zone = fields.TextField(default="UTC")
    season = fields.TextField(null=True)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    actions = ArrayField("text", null=True)
    region = fields.TextField(null=True)
    group = fields.TextField(null=True)
    top_size = fields.IntField(default=10)
    position = fields.IntField(default=0)
    hidden = fields.BooleanField(default=False)
    filled = fields.IntField(default=0)
    frozen_key = fields.TextField(null=True)
    frozen_period = fields.TextField(null=True)
    frozen_at = fields.DatetimeField(null=True)

    class Meta:
        table = "boards"


class Control(Model):
    """Something every pod must hear, also without Redis."""

    id = fields.BigIntField(primary_key=True, generated=True)
    at = fields.DatetimeField(auto_now_add=True)
    topic = fields.TextField()
    subject = fields.TextField()

    class Meta:
        table = "control"
