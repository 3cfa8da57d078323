"""`python -m loadtests.load`: pods of its own, people from locust, a verdict, and all stopped again."""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from loadtests.load.outages import outages
from server.embedded.ports import LOOPBACK, any_free, is_free
from server.embedded.processes import end_child

ROOT = Path(__file__).parent.parent.parent
OUTAGE_BUDGETS = ROOT / "loadtests" / "outages.toml"
LOCUSTFILE = "loadtests/locustfile.py"
FILES = 16_384
STOP_STEPS = ((signal.SIGTERM, 30.0), (signal.SIGKILL, 5.0))
TOKENS_PER_PERSON = 3
"""A cheater has two accounts, and people come and go."""
TOKEN_SECONDS = 86_400
WEB_PORT = 8089
"""Locust's own, unless --web-port names another."""
RUNNING = "Laurel is running"


class LoadError(Exception):
    """The run could not be made."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the verdict: 0, or 1 when something broke."""
    parser = _parser()
    args, rest = parser.parse_known_args(arguments)
    if args.outages and (args.url or args.web or not args.seconds):
        parser.error("--outages are for pods that are started for a run of a certain length")
    signal.signal(signal.SIGTERM, _leave)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))
    args.report.mkdir(parents=True, exist_ok=True)
    try:
        if args.url:
            return _locust(args, [*_given(args), "--host", args.url, *rest])
        with tempfile.TemporaryDirectory(prefix="laurel-load-") as root:
            data = Path(root) / "data"
            with _pods(data, args.pods) as config:
                urls = [pod["url"] for pod in config["pods"]]
                tokens = _mint(data, Path(root) / "tokens", "--users", str(args.people * TOKENS_PER_PERSON))
                admins = _mint(data, Path(root) / "admins", "--user", "load-admin", "--admin")
                own = ["--data", str(data), "--tokens", str(tokens), "--admin-tokens", str(admins)]
                with outages(config, args.seconds) if args.outages else nullcontext():
                    return _locust(args, [*_given(args), "--host", ",".join(urls), *own, *rest])
    except LoadError as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _given(args: argparse.Namespace) -> list[str]:
    given = ["--users", str(args.people), "--spawn-rate", str(max(1, args.people // 5)), "--record", str(args.report)]
    if args.outages:
        given += ["--budgets", str(OUTAGE_BUDGETS)]
    if args.seconds:
        given += ["--run-time", f"{args.seconds}s"]
    if not args.web:
        given += ["--headless", "--only-summary", "--html", str(args.report / "locust.html")]
    return given


def _locust(args: argparse.Namespace, options: Sequence[str]) -> int:
    if args.web:
        port = options[options.index("--web-port") + 1] if "--web-port" in options else WEB_PORT
        print(f"load: the web page is on http://{LOOPBACK}:{port}; the verdict comes with Ctrl-C", file=sys.stderr)
    command = [sys.executable, "-m", "locust", "-f", LOCUSTFILE, "--loglevel", "WARNING", *options]
    if args.web:
        command += ["--web-host", LOOPBACK]
    process = subprocess.Popen(command, cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # locust got it too, and now judges
            continue
        except SystemExit:
            end_child(process, STOP_STEPS)
            raise


@contextmanager
def _pods(data: Path, count: int) -> Iterator[dict[str, Any]]:
    """What `laurel config` says of a `laurel up` on a folder of its own, stopped afterwards."""
    port = _ports(count)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    log = data.parent / "up.log"
    command = [*_laurel("up", data), "--pods", str(count), "--port", str(port), "--load-test"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    try:
        assert process.stdout is not None
        if not any(line.startswith(RUNNING) for line in iter(process.stdout.readline, "")):
            raise LoadError(f"`laurel up` did not start\n{log.read_text()}")
        found = subprocess.run(
            [*_laurel("config", data), "--json"], cwd=ROOT, env=environ, capture_output=True, check=True
        )
        yield msgspec.json.decode(found.stdout)
        if process.poll() is not None:
            raise LoadError(f"`laurel up` ended\n{log.read_text()}")
    finally:
        end_child(process, STOP_STEPS)
        assert process.stdout is not None
        process.stdout.close()


def _mint(data: Path, path: Path, *who: str) -> Path:
    command = [*_laurel("token", data, "mint"), *who, "--ttl", str(TOKEN_SECONDS)]
    with path.open("wb") as file:
        path.chmod(0o600)
        subprocess.run(command, cwd=ROOT, stdout=file, check=True)
    return path


def _laurel(name: str, data: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "server", name, *words, "--data", str(data)]


def _ports(count: int) -> int:
    while True:
        first = any_free()
        if all(is_free(LOOPBACK, first + number) for number in range(count)):
            return first


def _leave(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make load",
        description="Loads Laurel with people that play, watch, poll, cheat and administrate, then compares what they "
        "were told with ledger, scores, Redis and screens. Exit code 1 lists what broke.",
        epilog="Everything else is passed on to locust, such as --shape spike (steady, waves, spike, stairs), "
        "--processes 2, --budgets FILE, or names of kinds: Player Viewer Poller Cheater Administrator.",
        allow_abbrev=False,
    )
    parser.add_argument("--seconds", type=int, default=120, help="length of the run, 0 for no end (default 120)")
    parser.add_argument("--people", type=int, default=150, help="how many at most (default 150)")
    parser.add_argument("--pods", type=int, default=2, help="pods that are started for it (default 2)")
    parser.add_argument("--url", metavar="URL[,URL…]", help="pods that run already; none are started")
    parser.add_argument(
        "--outages",
        action="store_true",
        help="meanwhile Redis hangs, PostgreSQL hangs, and a pod is killed; judged by loadtests/outages.toml",
    )
    parser.add_argument("--web", action="store_true", help="locust's web page instead of starting at once")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path(".laurel/load"),
        metavar="DIR",
        help="for report.html, locust.html and all that was told (default .laurel/load)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
