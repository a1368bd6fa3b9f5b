"""Lines that are no documents: named by file, line and place; what came before them is reported and really there."""
import bz2
import gzip
import json
import lzma
import subprocess

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
    (b'{"a":"\\ud800"}', ["at byte 7", "/a", "a lone surrogate"]),
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
        def check(number, line, words):
            stream, name = f"s{number}", f"in{number}.jsonl"
            self.file(name, b"\n".join([GOOD % 1, b"", GOOD % 2, line, GOOD % 3, b""]))
            done = self.fails(2, words + [f"{name}:4: "], "append", stream, name)
            self.assertEqual(done.out, '{"appended":2,"first":0,"last":1}\n')
            self.assertEqual(done.err.count("\n"), 1, "one line says it")
            self.assertLess(len(done.err), 1000)
            self.assertEqual(self.documents(stream), [{"good": 1}, {"good": 2}])

        support.side_by_side(check, ((number, *row) for number, row in enumerate(BAD)))

    def test_each_is_skipped_when_asked(self):
        def check(number, line, words):
            stream = f"s{number}"
            lines = b"\n".join([GOOD % 1, line, GOOD % 2])
            done = self.run_tool("append", stream, "--skip-bad", input=lines)
            self.assertEqual(done.code, 0, done)
            self.assertEqual(done.out, '{"appended":2,"first":0,"last":1,"skipped":1}\n')
            for word in words + ["-:2: "]:
                self.assertIn(word, done.err)
            self.assertEqual(self.documents(stream), [{"good": 1}, {"good": 2}])

        support.side_by_side(check, ((number, *row) for number, row in enumerate(BAD)))

    def test_all_of_several_are_reported(self):
        done = self.run_tool("append", "s", "--skip-bad", input=b"x\n" + GOOD % 1 + b"\n[]\n")
        self.assertEqual((done.code, done.out), (0, '{"appended":1,"first":0,"last":0,"skipped":2}\n'))
        self.assertEqual([line[:4] for line in done.err.splitlines()], ["-:1:", "-:3:"])

    def test_all_of_them_skipped(self):
        done = self.run_tool("append", "s", "--skip-bad", input=b"x\n\n{}x\n")
        self.assertEqual((done.code, done.out), (2, '{"appended":0,"first":null,"last":null,"skipped":2}\n'))

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


class Formats(support.ToolTest):
    """Files that are no JSON lines: recognized at their start, and named once."""

    TEXT = b'{"n":1}\n{"n":2}\n'
    COMPRESSED = ((gzip.compress(TEXT), "gzip: use zcat"), (bz2.compress(TEXT), "bzip2: use bzcat"),
                  (lzma.compress(TEXT), "xz: use xzcat"), (b"\x28\xb5\x2f\xfd\x04\x58", "zstd: use zstdcat"))
    ENCODED = ((TEXT.decode().encode("utf-16"), "UTF-16: use iconv -f UTF-16 "),
               (TEXT.decode().encode("utf-16-le"), "UTF-16: use iconv -f UTF-16LE "),
               (TEXT.decode().encode("utf-16-be"), "UTF-16: use iconv -f UTF-16BE "),
               (TEXT.decode().encode("utf-32"), "UTF-32: use iconv -f UTF-32 "))
    ARRAYS = (b'[{"n":1},{"n":2}]\n', b'[\n  {"n":1},\n  {"n":2}\n]\n', b'\n \n [{"n":1}', b"[" + b"1," * 10_000_000)

    def test_compressed_and_encoded(self):
        for content, words in (*self.COMPRESSED, *self.ENCODED):
            self.file("f", content)
            for options in ([], ["--skip-bad"]):
                done = self.fails(2, "minibatch: f: this is " + words, "append", "s", *options, "f")
                self.assertEqual((json.loads(done.out)["appended"], done.err.count("\n")), (0, 1))
            self.fails(2, "minibatch: standard input: this is " + words, "append", "s", input=content)
        self.assertEqual(self.appended("s"), 0)

    def test_it_comes_byte_by_byte(self):
        process = self.start("append", "s", stdin=subprocess.PIPE)
        for byte in gzip.compress(self.TEXT)[:6]:
            process.stdin.write(bytes([byte]))
            process.stdin.flush()
        done = self.end(process)
        self.assertEqual((done.code, done.err), (2, "minibatch: standard input: this is gzip: use zcat\n"))

    def test_behind_other_files(self):
        self.file("good", self.TEXT)
        self.file("f", gzip.compress(self.TEXT))
        done = self.fails(2, "minibatch: f: this is gzip: use zcat", "append", "s", "good", "f", "good")
        self.assertEqual(done.out, '{"appended":2,"first":0,"last":1}\n')

    def test_arrays(self):
        for content in self.ARRAYS:
            done = self.fails(2, ": this is a JSON array: use jq -c '.[]'", "append", "s", input=content)
            self.assertEqual((done.out, done.err.count("\n")), (support.NOTHING, 1))
        for content in self.ARRAYS[1:]:
            done = self.fails(2, ": this is a JSON array", "append", "s", "--skip-bad", input=content)
            self.assertEqual(done.err.count("\n"), 1)

    def test_an_array_among_lines_is_a_bad_line(self):
        done = self.run_tool("append", "s", "--skip-bad", input=b"[1]\n" + self.TEXT)
        self.assertEqual((done.code, done.out), (0, '{"appended":2,"first":0,"last":1,"skipped":1}\n'))
        self.assertIn("-:1: a document is a JSON object, this is an array", done.err)

    def test_a_byte_order_mark_at_the_start_is_skipped(self):
        mark = b"\xef\xbb\xbf"
        self.file("a", mark + self.TEXT)
        self.file("empty", mark)
        done = self.ok("append", "s", "a", "empty", "-", input=mark + b"\n" + self.TEXT)
        self.assertEqual(json.loads(done.out)["appended"], 4)
        self.assertEqual(self.ok("peek", "s").raw, self.TEXT * 2)
        self.fails(2, "-:2: at byte 1: unexpected byte order mark", "append", "s", input=self.TEXT[:8] + mark + self.TEXT)


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
