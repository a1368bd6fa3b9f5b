"""Lines that are no documents: named by file, line and place; what came before them is reported and really there."""
import json
import unittest

import support

GOOD = b'{"good":%d}'
MIB = 1 << 20
MOST = 15 * MIB


def nested(levels):
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def padded(size):
    """A document of exactly so many bytes."""
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


BAD = [
    (b"nope", ["at byte 1", "'n'"]),
    (b"[1,2]", ["JSON object", "an array"]),
    (b"1", ["JSON object", "a number"]),
    (b'"x"', ["JSON object", "a string"]),
    (b"null", ["JSON object", "null"]),
    (b'{"a":1', ["at byte 7", "ends too early"]),
    (b'{"a":1}}', ["at byte 8", "more text"]),
    (b'{"a":1} {"b":2}', ["at byte 9", "more text"]),
    (b'{"a":1,}', ["at byte 8", "'}'"]),
    (b"{'a':1}", ["at byte 2", "'''"]),
    (b'{"a":01}', ["at byte 7", "'1'"]),
    (b'{"a":{"b":[1,NaN]}}', ["/a/b/1", "'N'"]),
    (nested(101), ["/a/a/a", "deeper than 100 levels"]),
    (b'{"a":{"b":[1,9223372036854775808]}}', ["at /a/b/1", "9223372036854775808", "64-bit"]),
    (b'{"a":-9223372036854775809}', ["at /a", "-9223372036854775809", "64-bit"]),
    (b'{"a":1e999}', ["at /a", "1e999", "double"]),
    (b'{"a":"\xff"}', ["at byte 7", "invalid UTF-8"]),
    (b'{"\xc3":1}', ["invalid UTF-8"]),
    (b'{"a":"\xed\xa0\x80"}', ["invalid UTF-8"]),
    (b'{"a":"\\ud800"}', ["/a"]),
    (b'{"a":"\0"}', ["at byte 7", "code 0"]),
    (b"\0", ["at byte 1", "code 0"]),
    (b'{"a\\u0000b":1}', ["key", "NUL"]),
    (b'{"a":"\x1b[31m"}', ["at byte 7", "code 27"]),
    (b'\xef\xbb\xbf{"a":1}', ["at byte 1", "byte order mark"]),
    (padded(MOST + 1), ["15 MiB", "15728640"]),
    (padded(20_000_000), ["15 MiB", "15728640"]),
    (b"x" * 20_000_000, ["15 MiB", "15728640"]),
]


def values(lines):
    """What they say, without how it is written: the text of each value as Python writes it, so that 1 is not 1.0; keys in
    their order, and all of those that occur twice."""
    return [repr(json.loads(line, object_pairs_hook=lambda pairs: ("object", pairs))) for line in lines.splitlines()]


class BadLines(support.ToolTest):
    def test_each_is_named_and_ends_the_input_after_what_came_before(self):
        for number, (line, words) in enumerate(BAD):
            with self.subTest(line=line[:40]):
                stream = f"s{number}"
                self.file("in.jsonl", b"\n".join([GOOD % 1, b"", GOOD % 2, line, GOOD % 3, b""]))
                done = self.fails(2, words + ["in.jsonl:4: "], "append", stream, "in.jsonl")
                self.assertEqual(done.out, '{"appended":2,"first":0,"last":1}\n')
                self.assertEqual(done.err.count("\n"), 1, "one line says it")
                self.assertLess(len(done.err), 1000)
                self.assertEqual(self.documents(stream), [{"good": 1}, {"good": 2}])

    def test_each_is_skipped_when_asked(self):
        for number, (line, words) in enumerate(BAD):
            with self.subTest(line=line[:40]):
                stream = f"s{number}"
                lines = b"\n".join([GOOD % 1, line, GOOD % 2])
                done = self.run_tool("append", stream, "--skip-bad", input=lines)
                self.assertEqual(done.code, 0, done)
                self.assertEqual(done.out, '{"appended":2,"first":0,"last":1,"skipped":1}\n')
                for word in words + ["-:2: "]:
                    self.assertIn(word, done.err)
                self.assertEqual(self.documents(stream), [{"good": 1}, {"good": 2}])

    def test_all_of_several_are_reported(self):
        done = self.run_tool("append", "s", "--skip-bad", input=b"x\n" + GOOD % 1 + b"\n[]\n")
        self.assertEqual((done.code, done.out), (0, '{"appended":1,"first":0,"last":0,"skipped":2}\n'))
        self.assertEqual([line[:4] for line in done.err.splitlines()], ["-:1:", "-:3:"])

    def test_lines_are_counted_in_each_file(self):
        self.file("a.jsonl", GOOD % 1 + b"\n" + GOOD % 2)
        self.file("b.jsonl", GOOD % 3 + b"\nbad")
        self.fails(2, "b.jsonl:2: ", "append", "s", "a.jsonl", "b.jsonl")
        self.assertEqual(self.appended("s"), 3)

    def test_a_bad_line_behind_many_good_ones(self):
        self.file("in.jsonl", b"".join(GOOD % n + b"\n" for n in range(25_000)) + b"bad\n" + GOOD % 0)
        done = self.fails(2, "in.jsonl:25001: ", "append", "s", "in.jsonl")
        self.assertEqual(done.out, '{"appended":25000,"first":0,"last":24999}\n')
        self.assertEqual(self.appended("s"), 25_000)


class GoodLines(support.ToolTest):
    def stored(self, text):
        """What is in the stream after this input, which holds no mistake."""
        self.ok("append", "s", input=text)
        return self.ok("peek", "s").raw

    def check_stored(self, text):
        """On SQLite the text is kept byte for byte. MongoDB keeps the values, and the keys in their order, also those
        that occur twice; spacing, escapes and ways to write a number are lost (1e2 comes back as 100.0)."""
        stored = self.stored(text)
        if self.on_sqlite():
            self.assertTrue(stored == text)
        else:
            self.assertTrue(values(stored) == values(text), stored[:1000])

    def test_the_limits_themselves(self):
        largest = padded(MOST)
        for line in (nested(100), largest, b'{"a":[9223372036854775807,-9223372036854775808,1.7976931348623157e308]}'):
            text = GOOD % 1 + b"\n" + line + b"\n" + GOOD % 2 + b"\n"
            self.check_stored(text)
            done = self.ok("consume", "s", "--size", "3", "--max-windows", "1")
            self.assertEqual(done.windows()[0]["data"][1], json.loads(line))
            self.ok("delete", "s")

    def test_line_breaks_of_other_systems_empty_lines_and_a_missing_last_one(self):
        self.assertEqual(self.stored(b'{"n":1}\r\n\r\n  \t \n\n {"n":2} \n{"n":3}'), b'{"n":1}\n{"n":2}\n{"n":3}\n')

    def test_text_is_kept_as_it_came(self):
        self.check_stored('{"ä":"\\u00e4 \\u0000 🌍","a":1.50,"b":[1e2,-0]}\n'.encode())
        self.ok("delete", "s")
        self.check_stored(b'{"z": {"y" :1, "x":[ ]}, "a":{ }, "$oid":"x", "b":[0.1,1E-7,-0.0,true,null,1,1.0]}\n')

    def test_a_key_that_occurs_twice_stays(self):
        text = b'{"a":1,"a":2}\n'
        self.assertEqual(self.stored(text), text)
        done = self.ok("consume", "s", "--size", "1", "--max-windows", "1")
        self.assertIn('"data":[{"a":1,"a":2}]', done.out)


if __name__ == "__main__":
    support.main()
