"""The API's description for people: one page without scripts, made from the same document."""

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from server.openapi import Document

HEAD = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Laurel, the API</title>
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="web/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="web/docs.css">
  </head>
  <body>
"""
CALLERS = {"accessToken": "access token", "apiKey": "API key"}


def page(document: Document) -> bytes:
    """The whole page, in UTF-8."""
    return "".join(_page(document)).encode()


def _page(document: Document) -> Iterator[str]:
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    info, tags = document["info"], [tag["name"] for tag in document["tags"]]
    yield HEAD
    yield f"<header><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
    yield f"<p>{escape(info['description'])} Errors are problem documents (RFC 9457); their <code>code</code> is a "
    yield 'stable word. For programs: <a href="openapi.json">openapi.json</a>. <a href="./">The live page</a></p>'
    links = "".join(f"<a href='#{tag}'>{tag}</a> " for tag in tags)
    yield f"<nav aria-label='Routes'>{links}</nav></header><main>"
    for tag in tags:
        yield f"<section id='{tag}'><h2>{escape(tag)}</h2>"
        for path, method, operation in operations:
            if tag in operation["tags"]:
                yield from _operation(path, method, operation)
        yield "</section>"
    yield "<section id='shapes'><h2>Shapes</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _shape(name, schema)
    yield "</section></main></body></html>\n"


def _operation(path: str, method: str, operation: Document) -> Iterator[str]:
    verb = f"<span class='method {method}'>{method.upper()}</span>"
    yield f"<article id='{escape(operation['operationId'])}'><h3>{verb} <code>{escape(path)}</code></h3>"
    yield f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}"
    yield f" <em>{_callers(operation)}</em></p>"
    if parameters := operation.get("parameters"):
        yield _table(("parameter", "in", "type", ""), map(_parameter, parameters))
    if body := operation.get("requestBody"):
        yield from _contents("Body", body)
    refusals = []
    for status, answer in operation["responses"].items():
        if status < "4":
            yield from _contents(f"Answer {status}", answer)
        else:
            refusals.append((status, _marked(answer["description"])))
    if refusals:
        yield _table(("refused", "code"), refusals)
    yield "</article>"


def _callers(operation: Document) -> str:
    names = [CALLERS[name] for scheme in operation["security"] for name in scheme]
    if not names:
        return "Open."
    return f"Open; an {names[0]} is looked at." if {} in operation["security"] else f"Needs an {names[0]}."


def _parameter(one: Document) -> tuple[str, ...]:
    words = _marked(one.get("description", ""))
    return _named(one["name"], one["required"]), one["in"], _type(one["schema"]), words


def _contents(title: str, described: Document) -> Iterator[str]:
    contents = described.get("content", {})
    if not contents:
        yield f"<p class='answer'><b>{title}</b> {_marked(described['description'])}</p>"
    for media_type, content in contents.items():
        yield f"<p class='answer'><b>{title}</b> {_type(content['schema'])} <small>{escape(media_type)}</small></p>"
        examples = [one["value"] for one in content.get("examples", {}).values()]
        for example in examples or ([content["example"]] if "example" in content else []):
            yield f"<pre tabindex='0'>{escape(json.dumps(example, indent=2, ensure_ascii=False))}</pre>"


def _shape(name: str, schema: Document) -> Iterator[str]:
    yield f"<article id='shape-{escape(name)}'><h3><code>{escape(name)}</code></h3>"
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    required = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    yield _table(("field", "type"), ((_named(field, field in required), _type(shape)) for field, shape in fields))
    yield "</article>"


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th scope='col'>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class='wide' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _named(name: str, required: bool) -> str:
    return f"<code>{escape(name)}</code>{'' if required else ' <small>optional</small>'}"


def _marked(text: str) -> str:
    """Text whose parts between backquotes are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _type(schema: Any) -> str:
    """A schema in a few words, with links to named shapes."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#shape-{name}'>{name}</a>"
    for either in ("anyOf", "oneOf"):
        if either in schema and "type" not in schema:
            return " or ".join(_type(one) for one in schema[either])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(word))}</code>" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}{_bounds(schema, 'Items', 'of ')}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    unit = _bounds(schema, "Length", "of ", " characters") or _bounds(schema, "imum", "")
    return escape(str(schema.get("type", "anything"))) + unit


def _bounds(schema: Document, what: str, before: str, after: str = "") -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if least is None and most is None:
        return ""
    span = f"{least} or more" if most is None else f"{least or 0}–{most}"
    return f" <small>{before}{span}{after}</small>"
