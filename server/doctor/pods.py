"""Whether the pods of a running `laurel up` are ready."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from server.doctor.finding import Finding, ok, weak, wrong
from server.embedded.folder import DataFolder
from server.embedded.runtime import running

ASK_SECONDS = 3.0


def examine(folder: DataFolder) -> Iterator[Finding]:
    """Asks each pod; elsewhere than under `up` nobody here knows them."""
    up = running(folder)
    if up is None:
        yield ok("pods", "no `laurel up` runs on this data folder")
        return
    for pod in up.pods:
        yield _asked(pod.url, pod.pid)


def _asked(url: str, pid: int) -> Finding:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = json.loads(connection.getresponse().read())
        missing, degraded = answer["missing"], answer["degraded"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return wrong("pods", f"{url} (pid {pid}) does not answer: {error}")
    finally:
        connection.close()
    if missing:
        return wrong("pods", f"{url} (pid {pid}) is not ready: {', '.join(missing)}")
    if degraded:
        return weak("pods", f"{url} (pid {pid}) is ready, but does without {', '.join(degraded)}")
    return ok("pods", f"{url} (pid {pid}) is ready")
