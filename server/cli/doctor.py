"""`laurel doctor`: a readable report of a deployment."""

import argparse
import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from server.cli.servers import servers
from server.settings import Settings

if TYPE_CHECKING:
    from server.doctor.finding import Finding

NAME = "doctor"
HELP = "reports how a deployment is; fails when something is wrong"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "One line a finding: `ok`, `weak` (could be better) or `wrong` (must be mended; exit code 1). Looks at "
        "settings, migrations, both servers and their settings, connections, clocks, months of the ledger, how far "
        "standings, boards and checkpoints are, samples of players in ledger, standings and Redis, and the pods: "
        "those of a running `laurel up`, and any that --pod names. Nothing is written."
    )
    parser.add_argument("--pod", metavar="URL", action="append", default=[], help="a pod to ask too; may be repeated")
    parser.add_argument("--json", action="store_true", help="as JSON: {healthy, findings: [{topic, level, text}]}")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    import msgspec

    from server.doctor.finding import is_healthy, report

    with servers(args, environ) as settings:
        findings = asyncio.run(_examine(settings, args.pod))
    healthy = is_healthy(findings)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode({"healthy": healthy, "findings": findings})).decode())
    else:
        print(report(findings))
    return 0 if healthy else 1


async def _examine(settings: Settings, urls: Sequence[str]) -> "list[Finding]":
    from server.doctor import configuration, pods
    from server.doctor.finding import ok
    from server.doctor.stores import Stores
    from server.embedded.folder import DataFolder
    from server.embedded.runtime import running

    folder = DataFolder(settings.data)
    if (up := running(folder)) and up.load_test:  # an option of `up`, which no variable of ours shows
        settings = replace(settings, load_test=True)
    found = [ok("laurel", f"{version('laurel')}, Python {platform.python_version()}")]
    found += configuration.examine(settings)
    found += [finding async for finding in Stores(settings).examine()]
    return found + list(await asyncio.to_thread(lambda: list(pods.examine(folder, urls))))
