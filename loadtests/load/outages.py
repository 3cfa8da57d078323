"""Outages of a running `laurel up`, while people are loose on it."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psutil

PLAN = (("redisPid", "Redis", 0.25, 0.12), ("databasePid", "PostgreSQL", 0.5, 0.08))
"""Who hangs, from which part of the run on, for which part of it."""
KILLED_AT = 0.75


def steps(config: Mapping[str, Any], seconds: float) -> list[tuple[float, str, Callable[[], None]]]:
    """When something is done to the servers and pods that `laurel config` names, and what."""
    planned: list[tuple[float, str, Callable[[], None]]] = []
    for key, name, at, length in PLAN:
        stop, resume = (_signalled(config[key], number) for number in (signal.SIGSTOP, signal.SIGCONT))
        planned.append((at * seconds, f"{name} hangs for {length * seconds:.0f} s", stop))
        planned.append(((at + length) * seconds, f"{name} goes on", resume))
    kill = _signalled(config["pods"][-1]["pid"], signal.SIGKILL)
    planned.append((KILLED_AT * seconds, "a pod is killed", kill))
    return planned


@contextmanager
def outages(config: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """Works the plan off beside whatever is inside; afterwards nobody hangs."""
    ended = threading.Event()
    began = time.monotonic()

    def work() -> None:
        for at, what, do in steps(config, seconds):
            if ended.wait(max(0.0, began + at - time.monotonic())):
                return
            do()
            print(f"load: {time.monotonic() - began:4.0f} s  {what}", file=sys.stderr, flush=True)

    worker = threading.Thread(target=work, name="outages")
    with ExitStack() as stack:
        for key, *_ in PLAN:
            stack.callback(_signalled(config[key], signal.SIGCONT))
        worker.start()
        stack.callback(worker.join)
        stack.callback(ended.set)
        yield


def _signalled(pid: int, number: signal.Signals) -> Callable[[], None]:
    """Tells a server and its children."""

    def tell() -> None:
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(pid)
            for process in (*server.children(recursive=True), server):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    return tell
