"""The smallest plugin in Python: upper-cases a name, and raises when it is told to."""

import json
import random
import time

from wit_world import exports
from wit_world.exports import mapping
from wit_world.imports import types


class Mapping(exports.Mapping):
    def describe(self):
        asks = [mapping.Ask(mapping.Capability.INDEX, "rogues", mapping.Access.WRITE, False)]
        definition = json.dumps({"settings": {}, "mappings": {}})
        return mapping.Description("rogues", asks, [mapping.IndexDefinition("rogues", definition)])

    def transform(self, batch):
        return [outcome(item.id, json.loads(item.body)) for item in batch]


def outcome(id, item):
    if item["do"] == "trap":
        raise ValueError("thrown on request")
    if item["do"] == "clock":
        return types.Outcome_Skip(f"{int(time.time() * 1000)} {random.random()}")
    body = json.dumps({"name": item["with"].upper()})
    return types.Outcome_Effects([types.Effect_PutDocument(types.DocumentWrite("rogues", id, None, body))])
