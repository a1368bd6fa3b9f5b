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
os.environ["MONGOC_DISABLE_SHM"] = "1"  # as in support.py


def guide():
    with open(GUIDE, encoding="utf-8") as file:
        return file.read()


def statements(text):
    """(name or None, expression of Python) of each command."""
    for block in re.findall(r"^```js\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for statement in re.split(r";\n", block):
            if not statement.strip():
                continue
            found = re.fullmatch(r"(?:const (\w+) = )?(.*)", statement.strip(), re.DOTALL)
            yield found[1], re.sub(r"([{,]\s*)([$\w]+)\s*:", r'\1"\2":', found[2])


def answers(client, text):
    """What the commands answer, one after the other."""
    known = {"db": Shell(client["shop"]), "true": True, "false": False, "null": None, "__builtins__": {}}
    given = []
    for name, code in statements(text):
        given.append(eval(code, known))  # our own documentation
        if name:
            known[name] = given[-1]
    return given


def run_tool(url, *arguments, input=None):
    return subprocess.run([TOOL, *arguments, "--db", url], capture_output=True, text=True, timeout=LIMIT, input=input)


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
        cls.answers = answers(cls.client, guide())

    @classmethod
    def tool(cls, *arguments):
        done = run_tool(cls.server.url("shop"), *arguments)
        if done.returncode != 0:
            raise RuntimeError(f"minibatch {arguments}: {done.stderr}")
        return done.stdout

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
        table = re.search(r"\| In your JSON .*?\n\n", guide(), re.DOTALL)[0]
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


class Security(unittest.TestCase):
    """The user of the guide, on a server that lets in users only. That one heeds for which database and action a role
    is, but not for which collection, and lets everybody who may read open change streams."""

    @classmethod
    def setUpClass(cls):
        cls.server = mongo_server.MongoServer(SERVER, auth=True)
        cls.addClassCleanup(cls.server.close)
        cls.client = pymongo.MongoClient(cls.server.url("shop"))
        cls.addClassCleanup(cls.client.close)
        cls.section = re.search(r"^## Security\n.*?(?=^## )", guide(), re.DOTALL | re.MULTILINE)[0]
        answers(cls.client, cls.section)
        cls.url = cls.server.url_for("shop", "a secret", "shop")

    def ok(self, *arguments, **how):
        done = run_tool(self.url, *arguments, **how)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def refused(self, operation, action, url, *arguments, **how):
        done = run_tool(url, *arguments, **how)
        self.assertEqual(done.returncode, 1, (arguments, done.stdout))
        self.assertIn(f", {operation}: not authorized", done.stderr)
        self.assertIn(action, done.stderr)

    def without(self, action):
        """The URL of a user whose role is that of the guide without an action."""
        (_, role), _ = statements(self.section)
        less, count = re.subn(rf'"{action}"(, )?', "", role)
        self.assertGreater(count, 0)
        answers(self.client, f"```js\n{less.replace('minibatch', f'without_{action}', 1)};\n```\n")
        self.client["admin"].command("createUser", f"no-{action}", pwd="x", roles=[f"without_{action}"])
        return self.server.url_for(f"no-{action}", "x", "shop")

    def groups(self, stream):
        return [(each["name"], each["lag"]) for each in json.loads(self.ok("info", stream, "--json"))["groups"]]

    def test_the_role_suffices(self):
        documents = [{"n": n} for n in range(4)]
        self.ok("append", "orders", input="".join(json.dumps(each) + "\n" for each in documents))
        window = json.loads(self.ok("consume", "orders", "--size", "3", "--max-windows", "1"))
        self.assertEqual(window["data"], documents[:3])
        self.assertEqual(self.groups("orders"), [("default", 1)])
        self.ok("groups", "delete", "orders", "default")
        self.assertEqual(self.groups("orders"), [])
        self.assertIn("orders\n", self.ok("streams"))
        self.ok("delete", "orders")
        self.assertNotIn("orders\n", self.ok("streams"))

    def test_and_for_this_database_alone(self):
        self.refused("connect", "find", self.server.url_for("shop", "a secret", "elsewhere"), "streams")

    def test_without_the_role(self):
        self.client["admin"].command("createUser", "stranger", pwd="x", roles=[])
        for command in (["append", "s"], ["consume", "s", "--size", "1"], ["info", "s"], ["delete", "s"]):
            self.refused("connect", "find", self.server.url_for("stranger", "x", "shop"), *command, input="{}\n")

    def test_each_right_is_needed(self):
        self.ok("append", "s", input="{}\n{}\n{}\n")
        self.ok("consume", "s", "--size", "1", "--max-windows", "1")
        for action, commands in (("find", [("connect", "info", "s")]),
                                 ("insert", [("create stream", "append", "new"), ("append", "append", "s")]),
                                 ("update", [("acquire lease", "consume", "s", "--size", "1", "--max-windows", "1"),
                                             ("delete stream", "delete", "s")]),
                                 ("remove", [("delete group", "groups", "delete", "s", "default")])):
            url = self.without(action)
            for operation, *command in commands:
                with self.subTest(action=action, command=command):
                    self.refused(operation, action, url, *command, input="{}\n")
        self.assertEqual(self.groups("s"), [("default", 2)])


if __name__ == "__main__":
    TOOL, SERVER = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
