"""Every query of dashboard and alerts, answered by a real Prometheus that scrapes real pods."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from websockets.sync.client import connect

from tests.caller import Caller, assert_problem
from tests.deploy.programs import prometheus
from tests.laurel_process import ROOT, LaurelProcess, free_ports, temporary_folder, until

BASE = ROOT / "k8s" / "base"
RULES = yaml.safe_load((BASE / "alerts.yaml").read_text())["spec"]
DASHBOARD = json.loads((BASE / "dashboard.json").read_text())
WINDOW = "1m"
"""For Grafana's $__rate_interval."""
EMPTY = {
    'sum(rate(laurel_requests_total{code=~"5.."}[5m])) / sum(rate(laurel_requests_total[5m]))': "no request failed",
    f"sum by (loop) (increase(laurel_restarts_total[{WINDOW}])) > 0": "no loop was restarted",
}
"""Queries that have no answer while all is well."""
COMPARED = re.compile(r"^(.*) (?:>=|==|>) [\d.]+$", re.DOTALL)
Series: TypeAlias = list[dict[str, Any]]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="!! promtool is missing, so this was NOT tested: apt-get install prometheus",
)


def panels() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", WINDOW)


def parts() -> Iterator[tuple[str, str]]:
    """What the alerts compare, without what they compare it with."""
    for group in RULES["groups"]:
        for rule in group["rules"]:
            for part in re.split(r" (?:or|and) ", rule["expr"]):
                found = COMPARED.match(part)
                assert found, f"{rule['alert']} compares nothing: {part}"
                yield rule["alert"], found[1]


class Prometheus:
    """What one running server answers."""

    def __init__(self, url: str) -> None:
        self._url = url

    def _get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(self._url + path, params=parameters, trust_env=False, timeout=10)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def query(self, text: str) -> Series:
        """Series with values that are numbers."""
        found: Series = self._get("/api/v1/query", query=text)["result"]
        return [series for series in found if not math.isnan(float(series["value"][1]))]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def server(laurel: LaurelProcess) -> Iterator[Prometheus]:
    """Scrapes the three pods each half second, before and after some traffic."""
    folder, port = temporary_folder(), free_ports(1)
    configuration = folder / "prometheus.yml"
    jobs = [
        {
            "job_name": "laurel",
            "static_configs": [
                {"targets": [urlsplit(url).netloc], "labels": {"pod": f"laurel-{number}"}}
                for number, url in enumerate(laurel.urls)
            ],
        }
    ]
    intervals = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    (folder / "rules.yml").write_text(yaml.safe_dump(RULES))
    configuration.write_text(yaml.safe_dump({"global": intervals, "rule_files": ["rules.yml"], "scrape_configs": jobs}))
    with prometheus(folder, configuration, port):
        found = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: len(found.query("count_over_time(up[1m]) > 1")) == len(laurel.urls))
        traffic(laurel)
        yield found
    shutil.rmtree(folder)


def traffic(laurel: LaurelProcess) -> None:
    """Redemptions, a replay and a refusal, before the eyes of a viewer; reads of the board."""
    ((_, token),) = laurel.mint_tokens(1)
    with connect(laurel.urls[0].replace("http", "ws") + "/api/v1/live", proxy=None) as viewer:
        viewer.recv(timeout=10)
        for url in laurel.urls:
            with Caller(url, token) as caller:
                for _ in range(5):
                    ticket = caller.issue("sprint")["ticket"]
                    assert caller.redeem(ticket).status_code == 200
                assert caller.redeem(ticket).json()["replayed"]
                assert_problem(caller.redeem(ticket[:-6] + "AAAAAA"), 403, "ticket_forged")
                assert caller.http.get("/api/v1/boards/global/top").status_code == 200


@pytest.mark.parametrize(("where", "query"), [*panels(), *parts()])
def test_a_query_has_an_answer(server: Prometheus, where: str, query: str) -> None:
    if query in EMPTY:
        assert server.query(query) == [], EMPTY[query]
    else:
        until(lambda: server.query(query), 20)


def test_prometheus_takes_the_alerts_and_none_fires_while_all_is_well(server: Prometheus) -> None:
    rules = until(lambda: [one for one in server.rules() if one["health"] != "unknown"])
    assert len(rules) == sum(len(group["rules"]) for group in RULES["groups"])
    assert {(rule["name"], rule["health"]) for rule in rules} == {(rule["name"], "ok") for rule in rules}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False, timeout=30)


@needs_promtool
def test_promtool_finds_no_fault_in_the_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(RULES))
    done = promtool("check", "rules", "--lint-fatal", str(rules))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_no_fault_in_the_metrics(laurel: LaurelProcess) -> None:
    text = httpx.get(f"{laurel.urls[0]}/metrics", trust_env=False).text
    done = promtool("check", "metrics", text=text)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert 'laurel_restarts_total{loop="auditor"} 0.0' in text, "a counter that appears with 1 has no increase"


FIRES = {
    "LaurelFailing": {
        'laurel_requests_total{pod="a", code="503"}': "0+3x20",
        'laurel_requests_total{pod="a", code="200"}': "0+97x20",
    },
    "LaurelAnswersSlowly": {
        'laurel_redeem_seconds_bucket{le="0.25"}': "0+90x20",
        'laurel_redeem_seconds_bucket{le="0.5"}': "0+100x20",
        'laurel_redeem_seconds_bucket{le="+Inf"}': "0+100x20",
    },
    "LaurelBoardsLag": {
        'laurel_board_lag_seconds_bucket{le="0.5"}': "0+90x20",
        'laurel_board_lag_seconds_bucket{le="1.0"}': "0+100x20",
        'laurel_board_lag_seconds_bucket{le="+Inf"}': "0+100x20",
    },
    "LaurelWithoutDatabase": {'laurel_degraded{pod="b", dependency="postgresql"}': "1x20"},
    "LaurelWithoutRedis": {'laurel_degraded{pod="b", dependency="redis"}': "1x20"},
    "LaurelDiverges": {'laurel_divergent_players{pod="a"}': "3x20"},
    "LaurelDiffers": {'laurel_divergences_total{pod="a", store="redis"}': "0x10 1x10"},
    "LaurelHistoryBroke": {'laurel_history_breaks_total{pod="a"}': "0x10 1x10"},
    "LaurelLostCommits": {'laurel_rollbacks_total{pod="a"}': "0x10 1x10"},
    "LaurelWithoutCheckpoints": {
        'laurel_checkpoint_failures_total{pod="a"}': "0+4x60",
        'laurel_checkpoints_total{pod="a"}': "7x60",
    },
    "LaurelLoopFails": {'laurel_failing_loops{pod="a"}': "1x20"},
    "LaurelShortOfCpu": {'laurel_loop_lag_seconds{pod="a"}': "0.5x20"},
    "LaurelPoolExhausted": {
        'laurel_pool_connections_used{pod="a", pool="hot"}': "5x20",
        'laurel_pool_connections_limit{pod="a", pool="hot"}': "5x20",
    },
    "LaurelNotReady": {'laurel_ready{pod="a"}': "0x20"},
}
"""Series, a value a minute, that each alert is for."""


@needs_promtool
def test_each_alert_fires_when_it_should_and_alone(tmp_path: Path) -> None:
    names = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]
    assert sorted(names) == sorted(FIRES)
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(RULES))
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "45m" if any("x60" in values for values in given.values()) else "18m",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}],
                }
            ],
        }
        for alert, given in FIRES.items()
    ]
    (tmp_path / "tests.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
