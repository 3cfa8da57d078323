"""A certificate of one's own for 127.0.0.1, made by OpenSSL's command."""

import shutil
import subprocess
from pathlib import Path

import pytest

DAYS = 2


def certificate(folder: Path) -> tuple[Path, Path]:
    """The files of a self-signed certificate and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("!! openssl is missing, so this was NOT tested: apt-get install openssl")
    certificate_file, key_file = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", str(DAYS), "-subj", "/CN=laurel.test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key_file), "-out", str(certificate_file)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate_file, key_file
