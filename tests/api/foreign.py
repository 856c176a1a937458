"""Every operation of the OpenAPI, called with ids of somebody else's objects and with ids that never existed.

    findings(stranger, schema, theirs, own, BODIES, variants, drafts)      # [] where no answer tells the two apart

Where an id goes is read from the OpenAPI: path parameters, fields whose pattern is that of an id (however deep), and
words in queries and forms. Nothing is listed by hand, so a route that is added is walked too; a route that answers
differently for an object of another tenant, or lists it, is found.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.api.conftest import User

PUBLIC = ("/pki/", "/.well-known/", "/oauth/", "/h/", "/healthz", "/readyz", "/metrics")
ID = re.compile(r"^\^\(?([a-z|]+)\)?_\[0-9a-f\]\{32\}\$$")
TEXTS = {
    r"^[A-Z]{2}$": "DE",
    r"^[0-9a-f]{64}$": "0" * 64,
    r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$": "a@example.com",
    r"^#[0-9A-Fa-f]{6}$": "#000000",
    r"^[A-Za-z0-9+/\r\n]*={0,2}\s*$": "AAAA",
}
JSON, FORM = "application/json", "multipart/form-data"
NOISE = {"instance", "request_id"}


@dataclass(frozen=True)
class Objects:
    """Ids of one of everything: by the name of a path parameter, and by what an id begins with."""

    ids: dict[str, str]

    @property
    def by_prefix(self) -> dict[str, str]:
        return {value.partition("_")[0]: value for value in self.ids.values()}

    def absent(self) -> Objects:
        """Return ids of the same form that never existed."""
        return Objects({name: f"{value.partition('_')[0]}_{'0' * 31}1" for name, value in self.ids.items()})


@dataclass
class Schema:
    """The OpenAPI of a service."""

    document: dict[str, Any]
    operations: list[tuple[str, str, dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self.operations = [
            (verb.upper(), path, operation)
            for path, verbs in self.document["paths"].items()
            for verb, operation in verbs.items()
            if not path.startswith(PUBLIC)
        ]

    def node(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference, or the alternative that is not null, stands for."""
        while True:
            if "$ref" in node:
                node = self.document["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]]
            elif "anyOf" in node:
                node = next(each for each in node["anyOf"] if each.get("type") != "null")
            else:
                return node

    def example(self, node: dict[str, Any], ids: dict[str, str]) -> Any:
        """Return the smallest value that a schema allows."""
        node = self.node(node)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return node["enum"][0]
        kind = node.get("type")
        if kind == "object":
            properties = node.get("properties", {})
            return {name: self.example(properties[name], ids) for name in node.get("required", [])}
        if kind == "array":
            items = node.get("prefixItems") or [node.get("items", {})] * node.get("minItems", 0)
            return [self.example(item, ids) for item in items]
        if kind in {"integer", "number"}:
            return node.get("minimum", 0)
        if kind == "boolean":
            return True
        if node.get("format") == "date-time":
            return "2025-01-01T00:00:00Z"
        pattern = node.get("pattern", "")
        if (found := ID.match(pattern)) is not None:
            return ids.get(found[1].split("|")[0], f"{found[1]}_{'0' * 32}")
        return TEXTS.get(pattern, "x")

    def places(self, node: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Return where in a body an id may stand, and what it begins with."""
        node = self.node(node)
        if (found := ID.match(node.get("pattern", ""))) is not None:
            for prefix in found[1].split("|"):
                yield path, prefix
        for name, each in node.get("properties", {}).items():
            yield from self.places(each, (*path, name))
        if "items" in node:
            yield from self.places(node["items"], (*path, 0))

    def put(self, node: dict[str, Any], body: Any, path: tuple[Any, ...], value: str, ids: dict[str, str]) -> Any:
        """Return a body with a value at a place; what has to be around it is made."""
        if not path:
            return value
        node, step = self.node(node), path[0]
        if step == 0:
            first = body[0] if body else self.example(node["items"], ids)
            return [self.put(node["items"], first, path[1:], value, ids), *(body or [])[1:]]
        body = copy.deepcopy(body) if isinstance(body, dict) else {}
        inner = node["properties"][step]
        before = body.get(step, self.example(inner, ids))
        body[step] = self.put(inner, before, path[1:], value, ids)
        return body


def options_of(
    schema: Schema, operation: dict[str, Any], given: dict[str, dict[str, Any]], ids: dict[str, str]
) -> dict[str, Any]:
    """Return what an operation is called with: an example that was given, or the smallest that the schema allows."""
    name, content = operation["operationId"], operation.get("requestBody", {}).get("content", {})
    if name in given:
        return given[name]
    if JSON in content and operation["requestBody"].get("required"):
        return {"json": schema.example(content[JSON]["schema"], ids)}
    return {}


def address_of(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)


def call(user: User, verb: str, path: str, ids: dict[str, str], options: dict[str, Any]) -> Any:
    """Call an operation; changes name the version that the object has, where there is one."""
    address = address_of(path, ids)
    tag = '"v1"'
    if verb in {"PATCH", "DELETE", "PUT"}:
        tag = user.get(address).headers.get("etag", tag)
    return user.request(verb, address, headers={"if-match": tag}, **options)


def told(response: Any, objects: Objects) -> tuple[int, str]:
    """Return what an answer says, ids and what belongs to the request alone aside."""
    text = response.text
    if response.headers.get("content-type", "").startswith(("application/json", "application/problem+json")):
        body = response.json()
        body = {k: v for k, v in body.items() if k not in NOISE} if isinstance(body, dict) else body
        text = repr(body)
    for name, value in objects.ids.items():
        text = text.replace(value, f"<{name}>")
    return response.status_code, re.sub(r"[0-9a-f]{32}", "<id>", text)


def findings(
    user: User,
    schema: Schema,
    theirs: Objects,
    own: Objects,
    given: dict[str, dict[str, Any]],
    variants: dict[str, list[dict[str, Any]]],
    drafts: dict[str, str],
) -> list[str]:
    """Return each way in which an answer to `user` tells that an object of `theirs` exists.

    `own` are the user's own objects, so that what stands beside or behind the one in question is found; `variants` are
    bodies with ids of theirs that are good, so that an id in a body is looked for and not refused for something else.
    `drafts` are ids for operations that want an object which can still be changed.
    """
    found, nobodys = [], theirs.absent()

    def compare(where: str, one: Any, other: Any, *, hidden: bool) -> None:
        first, second = told(one, theirs), told(other, nobodys)
        if first != second:
            found.append(f"{where}: {first} is not {second}")
        elif hidden and first[0] != 404:
            found.append(f"{where}: {first[0]} in place of 404: {first[1][:200]}")

    for verb, path, operation in schema.operations:
        names = re.findall(r"\{(\w+)\}", path)
        options = options_of(schema, operation, given, own.by_prefix)
        where = f"{verb} {path}"
        # 1. in the path: every id, and each one below an object of the user's own
        for changed in ([names] if names else []) + ([[name] for name in names] if len(names) > 1 else []):
            ids = [own.ids | {name: side.ids[name] for name in changed} for side in (theirs, nobodys)]
            answers = [call(user, verb, path, each, options) for each in ids]
            compare(f"{where} {changed}", *answers, hidden=True)
        # 2. in the body
        content = operation.get("requestBody", {}).get("content", {})
        mine = own.ids | {name: drafts[name] for name in names if name in drafts and verb == "PATCH"}
        if JSON in content:
            node = content[JSON]["schema"]
            for body in variants.get(operation["operationId"], [options.get("json")]):
                for place, prefix in schema.places(node):
                    if prefix not in theirs.by_prefix:
                        continue
                    sides = (theirs, nobodys)
                    bodies = [schema.put(node, body, place, side.by_prefix[prefix], own.by_prefix) for side in sides]
                    answers = [call(user, verb, path, mine, {"json": each}) for each in bodies]
                    told_at = f"{where} /{'/'.join(map(str, place))} {prefix}"
                    compare(told_at, *answers, hidden=False)
                    if answers[0].status_code < 400:
                        found.append(f"{told_at}: an object of somebody else was taken")
                    if str(at(body, place)).startswith(prefix):  # an example with an object of one's own is known
                        known = call(user, verb, path, mine, {"json": body})
                        if told(known, own) == told(answers[1], nobodys):
                            found.append(f"{told_at}: the example does not get as far as the id: {known.text}")
        # 3. in forms and queries, where a word may be an id of any kind
        words = (
            [
                (FORM, name)
                for name, each in schema.node(content[FORM]["schema"]).get("properties", {}).items()
                if is_text(schema, each)
            ]
            if FORM in content
            else []
        )
        words += [
            ("query", each["name"])
            for each in operation.get("parameters", [])
            if each["in"] == "query" and each["name"] != "cursor" and is_text(schema, each["schema"])
        ]
        for kind, word in words:
            for name in theirs.ids:
                sent = [{word: side.ids[name]} for side in (theirs, nobodys)]
                if kind == FORM:
                    answers = [user.request(verb, address_of(path, own.ids), data=each) for each in sent]
                else:
                    answers = [user.request(verb, address_of(path, own.ids), params=each, **options) for each in sent]
                compare(f"{where} {word}={name}", *answers, hidden=False)
        # 4. in what is read: nothing of somebody else's shows in what the user may read
        if verb == "GET":
            text = user.get(address_of(path, own.ids)).text
            found += [f"{where}: shows their {name}" for name, value in theirs.ids.items() if value in text]
    return found


def at(body: Any, place: tuple[Any, ...]) -> Any:
    """Return what stands at a place of a body, or None."""
    for step in place:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def is_text(schema: Schema, node: dict[str, Any]) -> bool:
    node = schema.node(node)
    return node.get("type") == "string" and not {"enum", "const", "format", "contentMediaType"} & set(node)
