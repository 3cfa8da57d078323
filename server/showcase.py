"""Shapes as the API's description shows them, with their examples."""

from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from server import examples, examples_admin, examples_dialects, examples_people
from server.documented import alternatives

Document = dict[str, Any]

EXAMPLES = (*examples.EXAMPLES, *examples_people.EXAMPLES, *examples_admin.EXAMPLES, *examples_dialects.EXAMPLES)

_by_shape: dict[Any, Any] = {type(example): msgspec.to_builtins(example) for example in EXAMPLES}


def example_of(shape: Any) -> Any:
    """The example of a shape as it stands on the wire, or None."""
    if shape in _by_shape:
        return _by_shape[shape]
    if getattr(shape, "__origin__", None) is list:
        (part,) = get_args(shape)
        return [_by_shape[part]] if part in _by_shape else None
    return next((_by_shape[part] for part in get_args(shape)[:1] if part in _by_shape), None)


def content(shape: Any, schemas: dict[int, Document]) -> Document:
    """What a body or an answer holds: a shape with its example, or one of several with theirs."""
    shapes = alternatives(shape)
    if len(shapes) > 1:
        named = {one.__name__: {"value": example_of(one)} for one in shapes}
        return {"schema": {"oneOf": [schemas[id(one)] for one in shapes]}, "examples": named}
    (one,) = shapes
    shown: Document = {"schema": schemas[id(one)]}
    example = example_of(one)
    if example is not None:
        shown["example"] = example
    return shown


def header_references(names: Iterable[str]) -> Document:
    """Headers by name, as they are described once for all answers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
