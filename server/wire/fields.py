"""The root of all bodies, and the texts that many of them hold."""

from typing import Annotated

from msgspec import Meta, Struct

END = r"$(?!\n)"
"""The end of a text: Python's `$` alone also stands before a last line break."""
TEXT = r"^[^\x00]*$"
UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Characters that no eye sees, and those that turn the direction of what follows: with them one player can look like
another. The joiners of emoji and of several scripts are none of them."""
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + END

Text = Annotated[str, Meta(max_length=200, pattern=TEXT)]
Slug = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+" + END)]
Uuid = Annotated[str, Meta(max_length=36, pattern=UUID)]
Username = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.@+-]+" + END)]
Password = Annotated[str, Meta(min_length=8, max_length=200, pattern=TEXT)]
DisplayName = Annotated[str, Meta(min_length=1, max_length=64, pattern=rf"^[^\s{UNSEEN}][^{UNSEEN}]*" + END)]
AvatarUrl = Annotated[str, Meta(max_length=500, pattern=r"^https://[^\s\x00-\x1f\x7f\"'<>]+" + END)]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+" + END)]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Root of all bodies: camelCase, unknown fields refused."""
