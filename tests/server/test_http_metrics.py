"""What a pod counts after known traffic, and that Prometheus can read it."""

import re
import socket
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess, until

POD = 1
Scrape: TypeAlias = dict[tuple[str, frozenset[tuple[str, str]]], float]
HISTOGRAM_PARTS = ("_bucket", "_count", "_sum")


def text_of(laurel: LaurelProcess) -> str:
    answer = httpx.get(f"{laurel.urls[POD]}/metrics", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def scrape(laurel: LaurelProcess) -> Scrape:
    families = text_string_to_metric_families(text_of(laurel))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(found: Scrape, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


@pytest.fixture
def caller(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel, pod=POD) as found:
        yield found


def test_known_traffic_is_counted(laurel: LaurelProcess, caller: Caller) -> None:
    before = scrape(laurel)
    tickets = [caller.issue("sprint")["ticket"] for _ in range(5)]
    for ticket in tickets:
        assert caller.redeem(ticket).status_code == 200
    assert caller.redeem(tickets[0]).json()["replayed"]
    assert_problem(caller.redeem(tickets[0][:-6] + "AAAAAA"), 403, "ticket_forged")
    assert caller.http.get("/nowhere").status_code == 404
    assert caller.http.get("/api/v1/boards/global/top").status_code == 200
    assert caller.http.get("/api/v1/boards/nowhere/top").status_code == 404
    after = scrape(laurel)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    redeem = {"route": "/api/v1/tickets/redeem", "method": "POST"}
    assert grown("laurel_requests_total", **redeem, code="200") == 6
    assert grown("laurel_requests_total", **redeem, code="403") == 1
    assert grown("laurel_requests_total", route="/api/v1/tickets", method="POST", code="201") == 5
    assert grown("laurel_requests_total", route="unmatched", method="", code="404") == 1
    assert grown("laurel_refusals_total", code="ticket_forged") == 1
    assert grown("laurel_replays_total") == 1
    assert grown("laurel_redeem_seconds_count") == 6
    assert grown("laurel_read_seconds_count", read="top") == 2
    assert grown("laurel_commit_batch_size_sum") >= 5
    stages = {stage: grown("laurel_redeem_stage_seconds_count", stage=stage) for stage in ("verify", "wait", "commit")}
    assert stages["verify"] == 6
    assert stages["wait"] == stages["commit"] == grown("laurel_commit_batch_size_sum")
    assert grown("laurel_redeem_stage_seconds_count", stage="mirror") >= 5
    assert value(after, "laurel_ready") == 1
    assert value(after, "laurel_degraded", dependency="redis") == 0
    assert value(after, "laurel_pool_connections_limit", pool="hot") == 5
    assert value(after, "laurel_user_actors") >= 1


def test_who_goes_away_is_no_failure_of_ours(laurel: LaurelProcess) -> None:
    before = scrape(laurel)
    address = urlsplit(laurel.urls[POD])
    body = b'{"username": "nobody", "password": "wrong horse"}'
    head = (
        f"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    login = {"route": "/api/v1/auth/login", "method": "POST"}

    def went_away() -> bool:
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(head.encode() + b"\r\n\r\n" + body)
        name = "laurel_requests_total"
        return value(scrape(laurel), name, **login, code="499") > value(before, name, **login, code="499")

    until(went_away)
    failed = {"name": "laurel_requests_total", **login, "code": "500"}
    assert value(scrape(laurel), **failed) == value(before, **failed)


def test_viewers_and_what_they_are_sent_are_counted(laurel: LaurelProcess, caller: Caller) -> None:
    before = scrape(laurel)
    address = urlunsplit(urlsplit(laurel.urls[POD])._replace(scheme="ws", path="/api/v1/live"))
    with connect(address, proxy=None) as socket:
        socket.recv(timeout=10)
        during = scrape(laurel)
        assert value(during, "laurel_viewers", board="global") == value(before, "laurel_viewers", board="global") + 1
        assert value(during, "laurel_connections") == value(before, "laurel_connections") + 1
        delivered = {"name": "laurel_deliveries_total", "board": "global"}
        assert value(during, **delivered) == value(before, **delivered) + 1
    until(lambda: value(scrape(laurel), "laurel_connections") == value(before, "laurel_connections"))


def test_the_page_keeps_to_the_conventions(laurel: LaurelProcess) -> None:
    text = text_of(laurel)
    families = list(text_string_to_metric_families(text))
    assert text.endswith("\n")
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert len({name for name, _ in declared}) == len(declared), "a TYPE stands twice"
    assert [name for name, _ in declared] == re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE)
    series = [(sample.name, *sorted(sample.labels.items())) for family in families for sample in family.samples]
    assert len(set(series)) == len(series), "a series stands twice"
    for family in families:
        if family.name.startswith("laurel_"):
            assert problems(family) == [], family.name


def problems(family: Any) -> list[str]:
    """What `promtool check metrics` would say, and one thing more: an own unit only where there is one."""
    found = []
    if not re.fullmatch(r"[a-z][a-z0-9_]*", family.name):
        found.append("characters")
    if re.search(r"_(ms|millis|milliseconds|minutes|kilobytes|percent|count|sum|bucket)$", family.name):
        found.append("not a base unit, or a reserved ending")
    if not family.documentation.endswith("."):
        found.append("help is no sentence")
    for sample in family.samples:
        if (family.type == "counter") != sample.name.endswith("_total"):
            found.append("_total belongs to counters")
        if family.type == "histogram" and not sample.name.endswith(HISTOGRAM_PARTS):
            found.append("histogram's parts")
        if sample.value < 0 and family.name != "laurel_clock_offset_seconds":
            found.append("below nothing")
    if family.type == "histogram":
        if not family.name.endswith(("_seconds", "_size")):
            found.append("no unit")
        for labels in {frozenset(s.labels.items()) - {("le", s.labels.get("le"))} for s in family.samples}:
            ours = [s for s in family.samples if frozenset(s.labels.items()) - {("le", s.labels.get("le"))} == labels]
            buckets = [(float(s.labels["le"]), s.value) for s in ours if s.name.endswith("_bucket")]
            count = next(s.value for s in ours if s.name.endswith("_count"))
            rising = [number for _, number in buckets]
            if rising != sorted(rising) or buckets[-1] != (float("inf"), count):
                found.append("buckets")
    return found


@pytest.mark.parametrize(
    ("sent", "taken"), [("abc-1.2:3", True), ("x" * 65, False), ("a b", False), ('"}\\', False), ("", False)]
)
def test_a_harmless_request_id_comes_back_and_no_other(laurel: LaurelProcess, sent: str, taken: bool) -> None:
    answer = httpx.get(f"{laurel.urls[POD]}/healthz", headers={"X-Request-Id": sent}, trust_env=False)
    assert (answer.headers["x-request-id"] == sent) is taken
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", answer.headers["x-request-id"])


def test_every_refusal_has_a_request_id(laurel: LaurelProcess) -> None:
    answers = [httpx.get(f"{laurel.urls[POD]}/nowhere", trust_env=False) for _ in range(2)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 2
