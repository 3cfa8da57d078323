"""`laurel serve`: one pod against configured servers."""

import argparse
from collections.abc import Mapping

from server.cli.servers import load_settings
from server.embedded.ports import refuse_taken

NAME = "serve"
HELP = "runs one pod against configured servers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # everything is a setting


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = load_settings(args, environ)
    settings.require_servers()
    settings.require_secrets()
    refuse_taken(settings.host, [settings.port])
    from server.pod import serve

    # Keys that stand in the data folder may change there; a setting in the environment wins as ever.
    serve(settings, lambda: load_settings(args, environ))
    return 0
