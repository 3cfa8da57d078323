"""What a pod does not do before it serves."""

import subprocess
import sys

from server.blueprints import ERRORS_AS
from server.routing import BLUEPRINTS
from tests.laurel_process import ROOT

SELDOM_NEEDED = ("aiohttp", "sanic_ext")
"""A fifth of the time that all imports take."""


def test_a_pod_imports_nothing_that_few_need():
    script = f"import sys, server.pod; print(*(set(sys.modules) & {set(SELDOM_NEEDED)}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_no_handler_is_parsed_to_guess_its_errors():
    formats = {route.error_format for blueprint in BLUEPRINTS for route in blueprint._future_routes}
    assert formats == {ERRORS_AS}
