"""URLs of MongoDB that cannot be used, and what is said about them; no server is needed."""
import support

NOBODY = "mongodb://127.0.0.1:1/db"  # nobody listens at port 1


class Urls(support.ToolTest):
    def test_wrong_ones_are_named(self):
        for url, word in (("mongodb://host", "no database is named; write mongodb://HOST/DATABASE"),
                          ("mongodb://host/", "no database is named"),
                          ("mongodb:host/db", "expecting 'mongodb://'"),
                          ("mongodb://host/db?colour=red", "unknown parameter 'colour'"),
                          ("mongodb://host/db?w=0", "w=0"),
                          ("mongodb://host/a b", "database name"),
                          ("mongodb://host:99999/db", "host")):
            for arguments in (["--db", url, "streams"], ["append", "s", "--db", url]):
                # The value of what nobody knows may be a secret under a misspelt name.
                shown = url.replace("=red", "=***")
                self.fails(2, [f"the database URL '{shown}'", word], *arguments)

    def test_no_password_is_shown(self):
        for url, code, words in (("mongodb://me:secret@127.0.0.1:1/db", 75, ["MongoDB at 127.0.0.1:1", "'db'"]),
                                 ("mongodb://me:secret@host", 2, ["'mongodb://***@host'", "no database is named"]),
                                 ("mongodb://me:se@cret@host/db", 2, ["'mongodb://***@host/db'", "%40"]),
                                 ("mongodb://me@host/db", 2, ["'mongodb://***@host/db'", "a password is missing"])):
            done = self.fails(code, words, "--db", url, "--timeout", "0.5", "streams")
            self.assertNotIn("cret", done.err)

    def test_nobody_listens(self):
        done = self.fails(75, ["MongoDB at 127.0.0.1:1, database 'db'", "can be reached"], "--db", NOBODY, "append", "s",
                          "--timeout", "0.5", input=b'{"n":1}\n')
        self.assertEqual(done.out, support.NOTHING)

    def test_from_the_environment(self):
        for name, later in (("MINIBATCH_MONGO_URL", "MONGO_URL"), ("MONGO_URL", None)):
            for key in ("MINIBATCH_URL", "MINIBATCH_MONGO_URL", "MONGO_URL"):
                self.environment.pop(key, None)
            self.environment[name] = "mongodb://first"
            if later:
                self.environment[later] = "mongodb://second"
            self.fails(2, ["'mongodb://first'", "no database is named"], "streams")
            self.environment["MINIBATCH_URL"] = "sqlite:test.db"
            self.ok("append", "s")


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
