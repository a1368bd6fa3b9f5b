"""Runs the commands that docs/mongodb.md shows for the mongo shell, on what the tool has stored. They are read as they
stand there: what they use of the shell's language is, once the keys have quotes, that of Python, too.

    test_mongo_guide.py TOOL SERVER      needs pymongo, which tools/test installs in build/python"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from types import SimpleNamespace

import pymongo

import mongo_server

GUIDE = os.path.join(mongo_server.ROOT, "docs", "mongodb.md")
QUAKES = os.path.join(mongo_server.ROOT, "examples", "data", "earthquakes.jsonl")
LIMIT = 60
BSON_TYPES = {"date": "date", "object id": "objectId", "decimal": "decimal", "binary": "binData", "int64": "long",
              "double": "double"}
TOOL = SERVER = None


def statements(text):
    """(name or None, expression of Python) of each command."""
    for block in re.findall(r"^```js\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for statement in re.split(r";\n", block):
            if not statement.strip():
                continue
            found = re.fullmatch(r"(?:const (\w+) = )?(.*)", statement.strip(), re.DOTALL)
            yield found[1], re.sub(r"([{,]\s*)([$\w]+)\s*:", r'\1"\2":', found[2])


class Collection:
    def __init__(self, real):
        self.real = real

    def findOne(self, query):
        return SimpleNamespace(**self.real.find_one(query))

    def find(self, query, projection=None):
        return list(self.real.find(query, projection))

    def aggregate(self, pipeline):
        return list(self.real.aggregate(pipeline))

    def countDocuments(self, query):
        return self.real.count_documents(query)


class Shell:
    """What is called `db` there."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return Collection(self.real[name])

    def createView(self, name, source, pipeline):
        self.real.command("create", name, viewOn=source, pipeline=pipeline)

    def getSiblingDB(self, name):
        return Shell(self.real.client[name])

    def createRole(self, what):
        self.real.command("createRole", what.pop("role"), **what)

    def createUser(self, what):
        self.real.command("createUser", what.pop("user"), **what)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = mongo_server.MongoServer(SERVER)
        cls.addClassCleanup(cls.server.close)
        cls.client = pymongo.MongoClient(cls.server.url("shop"))
        cls.addClassCleanup(cls.client.close)
        with open(QUAKES, encoding="utf-8") as quakes:
            cls.quakes = [json.loads(line) for line in quakes]
        cls.tool("append", "quakes", QUAKES)
        cls.tool("consume", "quakes", "--size", "1000", "--max-windows", "1")
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as odd:
            odd.write('{"$set":1}\n{"when":{"$date":"2026-11-23T19:36:46.5+01:00"}}\n{"when":{"$date":5}}\n')
            odd.write('{"deep":' + "[" * 96 + "]" * 96 + "}\n")
            odd.flush()
            cls.tool("append", "odd", odd.name)
            odd.truncate(0)
            odd.seek(0)
            odd.write('{"ones":[' + ",".join("1" * 7_000_000) + "]}\n")
            odd.flush()
            cls.tool("append", "large", odd.name)
        with open(GUIDE, encoding="utf-8") as guide:
            cls.answers = cls.run_all(guide.read())

    @classmethod
    def tool(cls, *arguments):
        done = subprocess.run([TOOL, *arguments, "--db", cls.server.url("shop")], capture_output=True, text=True,
                              timeout=LIMIT)
        if done.returncode != 0:
            raise RuntimeError(f"minibatch {arguments}: {done.stderr}")
        return done.stdout

    @classmethod
    def run_all(cls, text):
        known = {"db": Shell(cls.client["shop"]), "true": True, "false": False, "null": None, "__builtins__": {}}
        answers = []
        for name, code in statements(text):
            answers.append(eval(code, known))  # our own documentation
            if name:
                known[name] = answers[-1]
        return answers

    def test_all_commands(self):
        (stream, log, head, messages, view, strong, networks, texts, strings, groups, role, user) = self.answers
        self.assertEqual((view, role, user), (None, None, None))
        self.assertEqual(log, stream.incarnation + "/0000")
        floor = head.floor_offset
        self.assertGreater(floor, 0)  # some were committed, and do not count
        self.assertEqual([each["offset"] for each in messages], list(range(floor, len(self.quakes))))
        self.assertEqual([each["data"] for each in messages], self.quakes[floor:])
        there = self.quakes[floor:]
        self.assertEqual(strong, sum(quake["mag"] is not None and quake["mag"] > 5 for quake in there))
        self.assertEqual(sum(each["messages"] for each in networks), len(there))
        self.assertEqual([each["count"] for each in texts], [1])
        self.assertEqual([(each["stream"], each["offset"]) for each in strings], [("odd", 0), ("odd", 2), ("odd", 3)])
        self.assertEqual([(each["group"], each["low"], each["owner"]) for each in groups], [("default", 1000, "")])

    def test_what_comes_back(self):
        """The table of types."""
        with open(GUIDE, encoding="utf-8") as guide:
            table = re.search(r"\| In your JSON .*?\n\n", guide.read(), re.DOTALL)[0]
        rows = re.findall(r"^\| `(.*?)` \| (.*?) \| `(.*?)` \|$", table, re.MULTILINE)
        self.assertEqual(len(rows), len(table.strip().splitlines()) - 2)
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines('{"x": %s}\n' % given for given, _, _ in rows)
            file.flush()
            self.tool("append", "types", file.name)
        self.assertEqual(self.tool("peek", "types").splitlines(), ['{"x":%s}' % back for _, _, back in rows])
        self.assertEqual([each["type"] for each in self.client["shop"]["minibatch_segments"].aggregate([
            {"$match": {"count": len(rows)}}, {"$unwind": "$data"}, {"$project": {"type": {"$type": "$data.x"}}}])],
            [BSON_TYPES[stored] for _, stored, _ in rows])


if __name__ == "__main__":
    TOOL, SERVER = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
