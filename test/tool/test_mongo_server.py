"""The server that tests of the tool start, and the choice of a database for them."""
import argparse
import os
import socket
import subprocess
import sys
import unittest
from unittest import mock
from urllib.parse import urlsplit

import mongo_server
import support

PROGRAM = None


def answers(port):
    """A `hello` as MongoDB's drivers send it, and whether there is an answer."""
    body = b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0"
    message = b"\0\0\0\0" + b"\0" + (len(body) + 4).to_bytes(4, "little") + body
    header = (16 + len(message)).to_bytes(4, "little") + b"\x01\0\0\0" + b"\0\0\0\0" + (2013).to_bytes(4, "little")
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(header + message)
        return b"isWritablePrimary" in connection.recv(65536)


class Server(unittest.TestCase):
    def setUp(self):
        self.server = mongo_server.MongoServer(PROGRAM)
        self.addCleanup(self.server.close)

    def test_killed_stopped_and_started_again(self):
        for end in (self.server.kill, self.server.stop):
            self.assertTrue(answers(self.server.port))
            end()
            with self.assertRaises(ConnectionRefusedError):
                answers(self.server.port)
            self.server.start()
        self.assertTrue(answers(self.server.port))

    def test_paused(self):
        self.server.pause()
        with self.assertRaises(TimeoutError):
            answers(self.server.port)
        self.server.resume()
        self.assertTrue(answers(self.server.port))

    def test_it_leaves_nothing(self):
        process = self.server.process
        self.server.close()
        self.assertIsNotNone(process.returncode)
        self.assertFalse(os.path.exists(self.server.directory))

    def test_it_dies_with_the_test(self):
        code = ("import mongo_server, os; server = mongo_server.MongoServer(os.sys.argv[1]);"
                "print(server.port, server.directory, flush=True); os.kill(os.getpid(), 9)")
        other = subprocess.run([sys.executable, "-c", code, self.server.program], capture_output=True, text=True,
                               cwd=os.path.dirname(os.path.abspath(__file__)), timeout=support.LIMIT)
        port, directory = other.stdout.split()
        self.addCleanup(mongo_server.shutil.rmtree, directory, ignore_errors=True)
        with self.assertRaises(OSError):
            for _ in range(100_000):
                answers(int(port))


class Databases(unittest.TestCase):
    def test_each_is_fresh(self):
        databases = mongo_server.FreshDatabases(PROGRAM)
        self.addCleanup(databases.close)
        self.assertNotEqual(databases.url(), databases.url())

    def test_on_a_named_server(self):
        with mock.patch.dict(os.environ, MINIBATCH_TEST_MONGO_URL="mongodb://me:secret@h1,h2:3/x?replicaSet=y"):
            self.assertRegex(mongo_server.FreshDatabases(PROGRAM).url(),
                             r"^mongodb://me:secret@h1,h2:3/minibatch_test_\w+\?replicaSet=y$")

    def test_what_was_made_on_a_named_server_is_dropped(self):
        server = mongo_server.MongoServer(PROGRAM, auth=True)
        self.addCleanup(server.close)
        with mock.patch.dict(os.environ, MINIBATCH_TEST_MONGO_URL=server.url("x")):
            databases = mongo_server.FreshDatabases(PROGRAM)
        made = [urlsplit(databases.url()).path[1:] for _ in range(2)]
        for name in (*made, "other"):
            server.command(name, {"insert": "c", "documents": [{}]})

        def there():
            all_of_them = server.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
            return {each["name"] for each in all_of_them}.intersection((*made, "other"))
        self.assertEqual(there(), {*made, "other"})
        databases.close()
        self.assertEqual(there(), {"other"})

    def test_a_program_that_is_missing_is_named(self):
        with mock.patch.dict(os.environ, MINIBATCH_TEST_MONGO_SERVER="/none/server"):
            with self.assertRaisesRegex(FileNotFoundError, "'/none/server': run tools/test once"):
                mongo_server.FreshDatabases(PROGRAM)

    def test_a_program_that_is_no_server(self):
        with mock.patch.dict(os.environ, MINIBATCH_TEST_MONGO_SERVER="/bin/false"):
            with self.assertRaisesRegex(RuntimeError, "does not listen"):
                mongo_server.MongoServer(PROGRAM)

    def test_what_is_about_files_is_left_out(self):
        class Some(unittest.TestCase):
            @support.sqlite_only
            def test_file(self):
                pass

            def test_any(self):
                pass

        @support.sqlite_only
        class Files(Some):
            pass

        self.assertEqual(list(support.Loader("sqlite").getTestCaseNames(Some)), ["test_any", "test_file"])
        self.assertEqual(list(support.Loader("mongo").getTestCaseNames(Some)), ["test_any"])
        self.assertEqual(list(support.Loader("mongo").getTestCaseNames(Files)), [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--mongo-server")
    options, others = parser.parse_known_args()
    PROGRAM = options.mongo_server
    unittest.main(argv=[sys.argv[0], *others], verbosity=2)
