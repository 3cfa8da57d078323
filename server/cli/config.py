"""`laurel config`: the settings in force, and what runs."""

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from server.cli.servers import data_path, load_settings

if TYPE_CHECKING:
    from server.embedded.runtime import Runtime

NAME = "config"
HELP = "shows the settings in force, secrets hidden, and what runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "While `laurel up` runs, its pods and the addresses of its servers follow, whole, so that psql and redis-cli "
        "can use them: passwords of embedded servers are among them."
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from server.embedded.folder import DataFolder
    from server.embedded.runtime import running

    up = running(DataFolder(data_path(args, environ)))
    settings = load_settings(args, {**environ, **(up.options if up else {})})
    shown = {"settings": settings.redacted(), **(offers(up) if up else {})}
    print(json.dumps(shown, indent=2) if args.json else _table(shown))
    return 0


def offers(up: "Runtime") -> dict[str, Any]:
    """What a running `up` offers; its addresses are whole and usable."""
    return {
        "pods": [{"url": pod.url, "pid": pod.pid} for pod in up.pods],
        "databaseUrl": up.database_url,
        "databasePid": up.postgres.pid if up.postgres else None,
        "redisUrl": up.redis_url,
        "redisPid": up.redis.pid if up.redis else None,
    }


def _table(shown: Mapping[str, Any]) -> str:
    rows = [(name, _text(value)) for name, value in shown["settings"].items()]
    for number, pod in enumerate(shown.get("pods", ()), start=1):
        rows.append((f"pod-{number}", f"{pod['url']} (pid {pod['pid']})"))
    for title, key in (("postgres", "database"), ("redis", "redis")):
        if f"{key}Url" in shown:
            pid = shown[f"{key}Pid"]
            rows.append((title, shown[f"{key}Url"] + (f" (pid {pid})" if pid else "")))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in rows)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
