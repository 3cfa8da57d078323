"""Every route there is."""

from server.dialects import routes as dialects
from server.routes import (
    accounts,
    actions,
    awards,
    boards,
    challenges,
    docs,
    events,
    export,
    friends,
    groups,
    live,
    me,
    page,
    probes,
    receipts,
    subsets,
    tickets,
)
from server.routes.admin import actions as admin_actions
from server.routes.admin import api_keys as admin_api_keys
from server.routes.admin import boards as admin_boards
from server.routes.admin import groups as admin_groups
from server.routes.admin import ledger as admin_ledger
from server.routes.admin import scores as admin_scores
from server.routes.admin import users as admin_users

PLAYERS = (tickets, challenges, receipts, accounts, actions, boards, subsets, me, export, friends, groups, awards)
LIVE = (live, events)
ADMIN = (admin_boards, admin_users, admin_scores, admin_ledger, admin_actions, admin_groups, admin_api_keys)
OTHERS = (page, probes, docs, dialects)

BLUEPRINTS = tuple(module.blueprint for module in (*PLAYERS, *LIVE, *ADMIN, *OTHERS))
