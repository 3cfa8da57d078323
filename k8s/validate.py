"""Renders every overlay and validates all of it strictly: `make k8s`."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

FOLDER = Path(__file__).parent
OVERLAYS = ("dev", "prod", "pooler")
VERSION = "1.33"
"""Of Kubernetes: what the manifests are held against."""
RENDERERS = (("kustomize", "build"), ("kubectl", "kustomize"))


QUANTITY = re.compile(r"\d+(\.\d+)?(m|[kMGTPE]i?|e\d+)?")
WORDS = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "pathType": ("Exact", "Prefix", "ImplementationSpecific"),
    "protocol": ("TCP", "UDP", "SCTP"),
}
"""What the published schemas call any string, and the API server does not."""


class Invalid(Exception):
    """A manifest breaks its schema, or cannot be rendered."""


def renderer() -> tuple[str, ...] | None:
    """What renders here, if anything does."""
    return next((command for command in RENDERERS if shutil.which(command[0])), None)


def rendered(overlay: str) -> list[dict[str, Any]]:
    """The manifests of an overlay, as `kubectl apply -k` would send them; raises Invalid."""
    found = renderer()
    if found is None:
        raise Invalid("neither kustomize nor kubectl is here (Debian: apt-get install kubernetes-client)")
    result = subprocess.run(
        [*found, str(FOLDER / "overlays" / overlay)], capture_output=True, text=True, check=False, timeout=60
    )
    if result.returncode:
        raise Invalid(f"{overlay}: {result.stderr}")
    return list(yaml.safe_load_all(result.stdout))


def validate(manifest: dict[str, Any]) -> None:
    """Raises Invalid for a field that is unknown, missing, of the wrong kind or without meaning."""
    name = f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}"
    own = FOLDER / "schemas" / f"{str(manifest.get('kind')).lower()}.json"
    try:
        if own.exists():
            jsonschema.validate(manifest, json.loads(own.read_text()))
        else:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        raise Invalid(f"{name}: {error.message}") from error
    except kubernetes_validate.SchemaNotFoundError as error:
        raise Invalid(f"{name}: there is no such kind, nor one of our schemas") from error
    for fault in faults(manifest):
        raise Invalid(f"{name}: {fault}")


def faults(value: Any) -> Iterator[str]:
    """Quantities and words, anywhere in a manifest, that the API server refuses."""
    if isinstance(value, list):
        for one in value:
            yield from faults(one)
    if not isinstance(value, dict):
        return
    for name, one in value.items():
        if name in WORDS and isinstance(one, str) and one not in WORDS[name]:
            yield f"{name} is one of {', '.join(WORDS[name])}, not {one!r}"
        if name in ("requests", "limits") and isinstance(one, dict):
            yield from (f"{amount!r} is no quantity" for amount in one.values() if not QUANTITY.fullmatch(str(amount)))
        if name == "sizeLimit" and not QUANTITY.fullmatch(str(one)):
            yield f"{one!r} is no quantity"
        yield from faults(one)


def main() -> int:
    """Says what was valid; 1 at the first thing that is not."""
    try:
        for overlay in OVERLAYS:
            manifests = rendered(overlay)
            for manifest in manifests:
                validate(manifest)
            print(f"{overlay}: {len(manifests)} manifests are valid for Kubernetes {VERSION}")
    except Invalid as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
