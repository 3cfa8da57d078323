"""The manifests are valid, and say what the code says."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from k8s import validate
from server.cli.main import COMMANDS
from server.settings import Settings, SettingsError, describe
from tests.laurel_process import ROOT, LaurelProcess

SETTINGS = {name: default for name, default, _ in describe()}
REQUIRED = {
    "LAUREL_DATABASE_URL",
    "LAUREL_REDIS_URL",
    "LAUREL_TICKET_KEYS",
    "LAUREL_AUDIT_KEYS",
    "LAUREL_JWT_KEYS",
    "LAUREL_RECEIPT_KEYS",
}
PROCESS_END_SECONDS = 10
"""What a pod gets beyond preStop and its own grace period."""
FROM_PROMETHEUS = {"pod", "job", "le"}
"""Labels that are not the pod's own."""
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


pytestmark = pytest.mark.skipif(
    validate.renderer() is None,
    reason="!! neither kustomize nor kubectl is here, so this was NOT tested: apt-get install kubernetes-client",
)


@cache
def manifests(overlay: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["kind"], one["metadata"]["name"]): one for one in validate.rendered(overlay)}


def laurel_containers(overlay: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every container of Laurel's own image with its pod."""
    for one in manifests(overlay).values():
        pod = one.get("spec", {}).get("template", {}).get("spec")
        for container in [*(pod or {}).get("initContainers", []), *(pod or {}).get("containers", [])]:
            if container["image"].startswith("laurel:"):
                yield pod, container


def pod_of(overlay: str) -> tuple[dict[str, Any], dict[str, Any]]:
    pod = manifests(overlay)["Deployment", "laurel"]["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


def environ(container: Mapping[str, Any]) -> dict[str, str | None]:
    """Names with their values; None for what comes from a secret."""
    return {one["name"]: one.get("value") for one in container["env"]}


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_an_overlay_is_valid(overlay: str) -> None:
    for manifest in manifests(overlay).values():
        validate.validate(manifest)


@pytest.mark.parametrize(
    ("kind", "path"),
    [("Deployment", ("spec", "template", "spec")), ("PrometheusRule", ("spec",)), ("ServiceMonitor", ("spec",))],
)
def test_a_misspelt_field_is_not_valid(kind: str, path: tuple[str, ...]) -> None:
    manifest = json.loads(json.dumps(manifests("prod")[kind, "laurel"]))
    place = manifest
    for name in path:
        place = place[name]
    place["terminationGracePeriodSecond"] = 1
    with pytest.raises(validate.Invalid, match="terminationGracePeriodSecond"):
        validate.validate(manifest)


@pytest.mark.parametrize(
    ("true", "false", "words"),
    [
        ("'768Mi'", "'768 MiB'", "no quantity"),
        ("'restartPolicy': 'OnFailure'", "'restartPolicy': 'OnFail'", "restartPolicy"),
        ("'containerPort': 8000", "'containerPort': '8000'", "not of type"),
        ("'policyTypes': ['Ingress', 'Egress']", "'policyTypes': 'Ingress'", "not of type"),
        ("'maxReplicas': 12,", "", "maxReplicas"),
        ("'apiVersion': 'policy/v1'", "'apiVersion': 'policy/v1beta1'", "no such kind"),
        ("'for': '5m'", "'for': '5 minutes'", "does not match"),
    ],
)
def test_what_the_api_server_would_refuse_is_not_valid(true: str, false: str, words: str) -> None:
    text = str(list(manifests("prod").values()))
    assert true in text
    with pytest.raises(validate.Invalid, match=words):
        for manifest in ast.literal_eval(text.replace(true, false)):
            validate.validate(manifest)


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_the_environment_is_that_of_the_settings(overlay: str) -> None:
    _, pod = pod_of(overlay)
    named = environ(pod)
    assert set(named) <= set(SETTINGS)
    assert set(named) >= REQUIRED
    assert {name for name, value in named.items() if value is None} == REQUIRED
    Settings.from_mapping({name: value for name, value in named.items() if value is not None})
    for _, container in laurel_containers(overlay):
        assert set(environ(container)) <= set(SETTINGS)
        assert "LAUREL_DATABASE_URL" in environ(container)


def test_only_the_migration_goes_past_a_pooler() -> None:
    """Everything else of the overlay is as in prod."""
    keys = {
        (one["metadata"]["name"], container["name"], variable["valueFrom"]["secretKeyRef"]["key"])
        for one in manifests("pooler").values()
        for pod in [one.get("spec", {}).get("template", {}).get("spec", {})]
        for container in [*pod.get("initContainers", []), *pod.get("containers", [])]
        for variable in container["env"]
        if variable["name"] == "LAUREL_DATABASE_URL"
    }
    assert keys == {
        ("laurel-migrate", "migrate", "DIRECT_DATABASE_URL"),
        ("laurel", "schema", "LAUREL_DATABASE_URL"),
        ("laurel", "laurel", "LAUREL_DATABASE_URL"),
    }
    prod, pooler = (dict(manifests(overlay)) for overlay in ("prod", "pooler"))
    job = ("Job", "laurel-migrate")
    assert str(pooler.pop(job)).replace("DIRECT_DATABASE_URL", "LAUREL_DATABASE_URL") == str(prod.pop(job))
    assert pooler == prod


def test_pods_reach_what_settings_can_name() -> None:
    (rule,) = [rule for rule in manifests("prod")["NetworkPolicy", "laurel"]["spec"]["egress"] if "to" not in rule]
    databases, stores, issuers = {5432, 6432}, {6379, 6380}, {443}
    assert {port["port"] for port in rule["ports"]} == databases | stores | issuers


def test_a_volume_of_ones_own_can_be_written_to() -> None:
    pod, _ = pod_of("prod")
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_every_command_exists(overlay: str) -> None:
    found = [
        word
        for _, container in laurel_containers(overlay)
        for word in (container.get("args") or re.findall(r"laurel (\w+)", container["command"][-1]))[:1]
    ]
    assert sorted(found) == ["migrate", "migrate", "serve"]
    assert set(found) <= set(COMMANDS)


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_ports_and_probes_are_those_of_a_running_pod(overlay: str, laurel: LaurelProcess) -> None:
    _, container = pod_of(overlay)
    (port,) = container["ports"]
    assert str(port["containerPort"]) == environ(container)["LAUREL_PORT"] == SETTINGS["LAUREL_PORT"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == port["name"]
        assert httpx.get(laurel.urls[0] + asked["path"], trust_env=False).status_code == 200
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "an outage must not restart pods"
    service = manifests(overlay)["Service", "laurel"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    template = manifests(overlay)["Deployment", "laurel"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= template.items()
    (endpoint,) = manifests(overlay)["ServiceMonitor", "laurel"]["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert httpx.get(laurel.urls[0] + endpoint["path"], trust_env=False).status_code == 200


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_the_grace_period_fits_the_drain(overlay: str) -> None:
    pod, container = pod_of(overlay)
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    grace = int(environ(container)["LAUREL_GRACE_SECONDS"])
    assert grace == int(SETTINGS["LAUREL_GRACE_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] == int(command[1]) + grace + PROCESS_END_SECONDS
    rolling = manifests(overlay)["Deployment", "laurel"]["spec"]["strategy"]["rollingUpdate"]
    assert rolling["maxUnavailable"] == 0


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_pods_may_do_no_more_than_they_must(overlay: str) -> None:
    user = re.search(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    for pod, container in laurel_containers(overlay):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == int(user[1])
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert container["image"] == f"laurel:{VERSION}"


def test_the_load_job_runs_a_file_that_the_image_has_against_the_service() -> None:
    pod = manifests("dev")["Job", "laurel-load"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = dict(argument.removeprefix("--").partition("=")[::2] for argument in container["args"])
    assert (ROOT / options["locustfile"]).is_file()
    assert options["host"] == f"http://{manifests('dev')['Service', 'laurel']['metadata']['name']}"
    assert container["image"] == f"laurel-load:{VERSION}"
    _, laurel_pod = pod_of("dev")
    assert environ(laurel_pod)["LAUREL_LOAD_TEST"] == "true"
    secrets = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"]}
    assert secrets == {name: {"name": "laurel", "key": name} for name in ("LAUREL_DATABASE_URL", "LAUREL_REDIS_URL")}
    assert {one["mountPath"] for one in container["volumeMounts"]} == {options["record"]}
    assert "LAUREL_LOAD_TEST" not in environ(pod_of("prod")[1])


@pytest.mark.parametrize("overlay", validate.OVERLAYS)
def test_no_service_link_can_name_a_setting(overlay: str) -> None:
    """Kubernetes would set LAUREL_PORT for the Service `laurel`, and no pod would start."""
    with pytest.raises(SettingsError):
        Settings.from_mapping({"LAUREL_PORT": "tcp://10.0.0.1:80"})
    for pod, _ in laurel_containers(overlay):
        assert pod["enableServiceLinks"] is False


def test_the_ingress_has_the_rules_of_the_proxy_that_the_tests_run() -> None:
    annotations = manifests("prod")["Ingress", "laurel"]["metadata"]["annotations"]
    lines = {line.strip() for line in (ROOT / "deploy" / "haproxy.cfg").read_text().splitlines()}
    snippet = annotations["haproxy.org/backend-config-snippet"].splitlines()
    assert [line for line in snippet if line not in lines] == []
    assert f"balance {annotations['haproxy.org/load-balance']}" in lines
    assert {line.split()[1] for line in snippet if line.startswith("timeout")} >= {"connect", "server", "tunnel"}
    assert f"option httpchk {annotations['haproxy.org/check-http']}" in lines


def queries() -> Iterator[tuple[str, str]]:
    """Where each query stands, and the query."""
    for group in manifests("prod")["PrometheusRule", "laurel"]["spec"]["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    dashboard = json.loads(manifests("prod")["ConfigMap", "laurel-dashboard"]["data"]["laurel.json"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_dashboard_and_alerts_ask_only_for_what_a_pod_tells(laurel: LaurelProcess) -> None:
    text = httpx.get(f"{laurel.urls[0]}/metrics", trust_env=False).text
    declared = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    parts = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
    told = {name + part for name, kind in declared.items() for part in parts.get(kind, ("",))}
    labels = {
        label for family in text_string_to_metric_families(text) for one in family.samples for label in one.labels
    } | FROM_PROMETHEUS
    asked = set()
    for where, query in queries():
        names = set(re.findall(r"\b(?:laurel|process|python)_\w+", query))
        assert names, where
        assert names <= told, where
        asked |= names
        grouped = {word for words in re.findall(r"by \(([^)]*)\)", query) for word in words.replace(" ", "").split(",")}
        chosen = {word for braces in re.findall(r"\{([^}]*)\}", query) for word in re.findall(r"(\w+)\s*[=!]", braces)}
        assert grouped | chosen <= labels | {"code", "loop", "method", "read", "route"}, where
        for name in names:
            counts = declared.get(name) == "counter" or name.endswith(("_bucket", "_count", "_sum"))
            assert not counts or re.search(rf"(rate|increase)\({name}", query), f"{where}: a counter without a rate"
    unused = {name for name in declared if name.startswith("laurel_")} - {
        declared_name for declared_name in declared for name in asked if name.startswith(declared_name)
    }
    assert unused <= {"laurel_build_info"}, "measured, and nobody looks"


def test_the_panels_do_not_overlap() -> None:
    dashboard = json.loads(manifests("dev")["ConfigMap", "laurel-dashboard"]["data"]["laurel.json"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)


def test_migrations_come_before_the_rest_but_not_before_their_database():
    hooks = {
        overlay: manifests(overlay)["Job", "laurel-migrate"]["metadata"]["annotations"]["argocd.argoproj.io/hook"]
        for overlay in ("prod", "pooler", "dev")
    }
    assert hooks == {"prod": "PreSync", "pooler": "PreSync", "dev": "Sync"}
