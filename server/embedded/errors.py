"""What can go wrong around the embedded servers.

EmbeddedError
└── FolderInUse: another process holds the data folder
"""


class EmbeddedError(Exception):
    """One line that an operator can act on."""


class FolderInUse(EmbeddedError):
    """Another process runs the servers of this folder."""
