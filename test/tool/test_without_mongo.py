"""The tool of a build without MongoDB: what it says to those who want one."""
import os

import support


class WithoutMongo(support.ToolTest):
    def test_a_url_of_mongodb(self):
        words = ["'mongodb://***@host/db'", "this build of minibatch has no MongoDB"]
        url = "mongodb://me:secret@host/db"
        for command in (["append", "s"], ["consume", "s", "--size", "1"], ["peek", "s"], ["streams"], ["info", "s"],
                        ["delete", "s"], ["groups", "delete", "s", "g"]):
            done = self.fails(2, words, "--db", url, *command)
            self.assertNotIn("secret", done.err)
            self.assertIn(done.out, ("", support.NOTHING))
        self.fails(2, ["'mongodb+srv://host/db'", "no MongoDB"], "--db", "mongodb+srv://host/db", "streams")
        for name in ("MINIBATCH_MONGO_URL", "MONGO_URL"):
            self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("MINIBATCH_", "MONGO_"))}
            self.environment[name] = url
            self.fails(2, words, "streams")

    def test_everything_else(self):
        self.assertEqual(self.append("s", [{"n": 1}])["appended"], 1)
        self.assertEqual(self.documents("s"), [{"n": 1}])


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
