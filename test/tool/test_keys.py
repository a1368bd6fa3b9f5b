"""`append --key`: which field gives the key, and what becomes of documents without it."""
import json

import support


class Keys(support.ToolTest):
    def result(self, done):
        told = json.loads(done.out)
        return told["appended"], told["without_key"]

    def test_documents_without_the_field_are_counted_and_said(self):
        done = self.run_tool("append", "s", "--key", "n", input='{"n":0}\n{"m":1}\n{"n":null}\n{"n":""}\n{"n":false}\n')
        self.assertEqual((done.code, self.result(done)), (0, (5, 3)), done)
        self.assertEqual(done.err, "minibatch: lines without a key in 'n': 3 (the first: -:2); they go to the partitions "
                                   "in turn\n")

    def test_all_have_it(self):
        done = self.ok("append", "s", "--key", "n", input='{"n":0}\n{"n":"x"}\n{"n":true}\n{"n":1.50}\n')
        self.assertEqual(done.out, '{"appended":4,"first":0,"last":3,"without_key":0}\n')

    def test_a_field_inside_another_one(self):
        lines = '{"user":{"id":7}}\n{"user.id":7}\n{"user":[{"id":1}]}\n'
        done = self.run_tool("append", "s", "--key", "/user/id", input=lines)
        self.assertEqual((done.code, self.result(done)), (0, (3, 2)))
        done = self.run_tool("append", "s", "--key", "user.id", input=lines)
        self.assertEqual((done.code, self.result(done)), (0, (3, 2)))
        for word in ("'user.id'", "-:1", "JSON Pointer"):
            self.assertIn(word, done.err)
        self.assertEqual(self.result(self.run_tool("append", "s", "--key", "/user/0/id", input=lines)), (3, 2))

    def test_what_cannot_be_a_key_is_a_bad_line(self):
        for value, kind in ((b'{"x":1}', "an object"), (b"[1]", "an array")):
            line = b'{"n":0}\n{"n":%s}\n' % value
            done = self.fails(2, [f"-:2: at /n: the key is {kind}"], "append", "s", "--key", "n", input=line)
            self.assertEqual(self.result(done), (1, 0))
            done = self.run_tool("append", "s", "--key", "n", "--skip-bad", input=line)
            self.assertEqual((done.code, json.loads(done.out)["skipped"]), (0, 1))

    def test_pointers_that_cannot_be_read(self):
        for field in ("/a~", "/a~2"):
            self.fails(2, ["--key", "JSON Pointer", "~0"], "append", "s", "--key", field)
        self.fails(2, "--key: the name of the field is empty", "append", "s", "--key", "")


if __name__ == "__main__":
    support.main()
