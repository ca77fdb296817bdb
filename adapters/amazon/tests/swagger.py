"""Amazon's Swagger 2.0 models, asked by method and path."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from hub.sdk.wire import Request, Response


class Models:
    """Several models, each of some paths."""

    def __init__(self, *files: Path) -> None:
        self.documents = {file.name: json.loads(file.read_text("utf-8")) for file in files}
        registry: Registry[Any] = Registry()
        for name, document in self.documents.items():
            registry = registry.with_resource(f"urn:{name}", Resource(contents=document, specification=DRAFT4))
        self.registry = registry

    def operation(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The model's name and the operation of a request; AssertionError when no model has it."""
        path = urlsplit(request.path).path
        for name, document in self.documents.items():
            for template, methods in sorted(document["paths"].items(), key=lambda found: found[0].count("{")):
                pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
                if re.fullmatch(pattern, path) and request.method.lower() in methods:
                    return name, methods[request.method.lower()]
        raise AssertionError(f"{request.method} {request.path} is in no model")

    def errors(self, name: str, schema: dict[str, Any], body: bytes) -> list[str]:
        """What is wrong with a body, by a schema of a model."""
        whole = {"$ref": f"urn:{name}{schema['$ref']}"} if "$ref" in schema else schema
        validator = Draft4Validator(whole, registry=self.registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(json.loads(body))]

    def request_faults(self, request: Request) -> list[str]:
        """What the model does not allow of a request: query, enumerations, body."""
        name, operation = self.operation(request)
        declared = {one["name"]: one for one in operation.get("parameters", ()) if one.get("in") == "query"}
        faults = [f"query {key} is not declared" for key in request.query if key not in declared]
        needed = (key for key, one in declared.items() if one.get("required"))
        faults += [f"query {key} is missing" for key in needed if key not in request.query]
        for key, value in request.query.items():
            allowed = (declared.get(key, {}).get("items") or declared.get(key, {})).get("enum")
            faults += [f"{key}: {word} is no value" for word in value.split(",") if allowed and word not in allowed]
        bodies = [one for one in operation.get("parameters", ()) if one.get("in") == "body"]
        if (request.body is not None) != bool(bodies):
            faults.append("a body where none belongs, or none where one does")
        elif request.body is not None:
            faults += self.errors(name, bodies[0]["schema"], request.body)
        return faults

    def answer_faults(self, request: Request, response: Response) -> list[str]:
        """What the model does not allow of an answer."""
        name, operation = self.operation(request)
        declared = operation["responses"].get(str(response.status))
        if declared is None:
            return [f"{request.operation} never answers {response.status}"]
        if "schema" not in declared:
            return [] if not response.body else ["a body where none belongs"]
        return self.errors(name, declared["schema"], response.body)
