"""A month of the ledger as a file: entries in the order of players and versions, signed."""

import gzip
import hmac
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from pathlib import Path
from typing import IO

import msgspec

from models.audit import Fault, Link
from models.chain import Chain
from models.drafts import draft_of, sweep
from models.errors import ArchiveInvalid, ArchiveRefused
from models.ledger import decode_entry

PURPOSE = b"laurel.archive.v1"
"""Ties a signature to this purpose: no hash of the ledger verifies as one."""
SIGNATURE = "signature "


class Header(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The first line: which month, how many entries, and the audit key whose like signs them."""

    month: str
    entries: int
    audit_key: str
    format: int = 1


class Line(msgspec.Struct, frozen=True, array_like=True):
    """An entry as the ledger had it, with its seal in hexadecimal."""

    user_id: str
    version: int
    entry_id: str
    entry: str
    seal: str
    hash_version: int
    audit_key: str

    def link(self) -> Link:
        """What an audit walks over."""
        try:
            entry = decode_entry(self.entry)
        except msgspec.MsgspecError:
            entry = None
        return Link(self.version, self.entry_id, entry, bytes.fromhex(self.seal), self.hash_version, self.audit_key)


_encode = msgspec.json.Encoder().encode
_line = msgspec.json.Decoder(Line).decode
_header = msgspec.json.Decoder(Header).decode


class Writer:
    """Writes a draft line by line; `finish` signs it and gives it its name.

    All of it raises ArchiveRefused when the disk does not take it.
    """

    def __init__(self, path: Path, header: Header, chain: Chain) -> None:
        self._path = path
        self._draft = draft_of(path)
        with self._writing():
            sweep(path)
            self._raw = os.fdopen(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._file = gzip.GzipFile(fileobj=self._raw, mode="wb", mtime=0)
        self._signature = hmac.new(_key(chain, chain.newest), digestmod=sha256)
        try:
            self._put(_encode(header))
        except BaseException:
            self.discard()
            raise

    def add(self, line: Line) -> None:
        """Writes the next entry."""
        self._put(_encode(line))

    def finish(self) -> str:
        """Signs, waits for the disk, and names the file; the signature."""
        signature = self._signature.hexdigest()
        with self._writing():
            self._file.write(f"{SIGNATURE}{signature}\n".encode())
            self._file.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            self._draft.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return signature

    def discard(self) -> None:
        """Removes what was not finished."""
        for file in (self._file, self._raw):
            with suppress(OSError, ValueError):  # what is left to be written has no room either
                file.close()
        self._draft.unlink(missing_ok=True)

    def _put(self, line: bytes) -> None:
        self._signature.update(line + b"\n")
        with self._writing():
            self._file.write(line + b"\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tells a disk that is full from a database that does not answer."""
        try:
            yield
        except OSError as error:
            raise ArchiveRefused(f"cannot write {self._path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Archive:
    """A file that is ours and whole."""

    path: Path
    header: Header
    signature: str

    @classmethod
    def open(cls, path: Path, chain: Chain) -> "Archive":
        """Reads a file to its end; raises ArchiveInvalid unless we signed exactly this."""
        try:
            with gzip.open(path, "rb") as file:
                return cls._verified(path, file, chain)
        except (OSError, EOFError, zlib.error, msgspec.MsgspecError, UnicodeError) as error:
            raise ArchiveInvalid(f"{path}: it is no archive of the ledger, or was cut off: {error}") from error

    @classmethod
    def _verified(cls, path: Path, file: "gzip.GzipFile | IO[bytes]", chain: Chain) -> "Archive":
        first = file.readline()
        header = _header(first)
        if header.audit_key not in chain.keys:
            raise ArchiveInvalid(f"{path}: it is signed with the audit key {header.audit_key!r}, which is not given")
        made = hmac.new(_key(chain, header.audit_key), first, sha256)
        mark = SIGNATURE.encode()
        for count, line in enumerate(file):
            if line.startswith(mark):
                given = line[len(mark) :].decode().strip()
                if count == header.entries and hmac.compare_digest(made.hexdigest(), given) and not file.readline():
                    return cls(path, header, given)
                break
            made.update(line)
        raise ArchiveInvalid(f"{path}: its signature does not fit: it was changed, or cut off")

    def lines(self) -> Iterator[Line]:
        """Every entry, by player and version."""
        with gzip.open(self.path, "rb") as file:
            file.readline()
            for line in file:
                if not line.startswith(SIGNATURE.encode()):
                    yield _line(line)


class Archives:
    """Several months, read along players in the order of their ids."""

    def __init__(self, archives: Sequence[Archive]) -> None:
        self.given = bool(archives)
        lines: Iterable[Line] = merge(*(one.lines() for one in archives), key=_place)
        self._lines = iter(lines)
        self._next = next(self._lines, None)

    def of(self, user_id: str, *, skipping: bool) -> list[Line] | Fault:
        """A player's entries; a fault when players come before who are nowhere else, unless they are skipped."""
        found: list[Line] = []
        while self._next is not None and self._next.user_id <= user_id:
            if self._next.user_id == user_id:
                found.append(self._next)
            elif not skipping:
                return self._stranger(self._next)
            self._next = next(self._lines, None)
        return found

    def rest(self) -> Fault | None:
        """Says so when entries are left whose player was never come by."""
        return None if self._next is None else self._stranger(self._next)

    @staticmethod
    def _stranger(line: Line) -> Fault:
        return Fault(line.user_id, line.version, line.entry_id, "it is archived, but its player does not exist")


def _place(line: Line) -> tuple[str, int]:
    return line.user_id, line.version


def _key(chain: Chain, key_id: str) -> bytes:
    return hmac.digest(chain.keys[key_id], PURPOSE, sha256)
