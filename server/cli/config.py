"""`laurel config`: the settings in force, and what runs."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from server.cli.servers import load_settings
from server.settings import Settings

NAME = "config"
HELP = "shows the settings in force, secrets hidden, and what runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "While `laurel up` runs, its pods and the addresses of its servers follow, whole, so that psql and redis-cli "
        "can use them: passwords of embedded servers are among them."
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = load_settings(args, environ)
    shown = {"settings": settings.redacted(), **_running(settings)}
    print(json.dumps(shown, indent=2) if args.json else _table(shown))
    return 0


def _running(settings: Settings) -> dict[str, Any]:
    """What a running `up` offers; its addresses are whole and usable."""
    from server.embedded.folder import DataFolder
    from server.embedded.runtime import running

    up = running(DataFolder(settings.data))
    if up is None:
        return {}
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
