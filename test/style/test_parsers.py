"""Stored text has one parser, src/document/decode.cpp: all ways to read a document give the same values.

Boost.JSON 1.81 converts some doubles with a wrong last bit, and zeros with a large exponent to NaN, so that a second
parser would give other values than the first.
"""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["include", "src", "examples"]
SUFFIXES = {".cpp", ".hpp"}

PARSER = re.compile(
    r"""\bjson\s*::\s*(?:parse|parse_into|parser|stream_parser|parser_for|basic_parser|value_stack)\b
      | \#\s*include\s*<boost/json/(?:parse|parse_into|parser|stream_parser|basic_parser|basic_parser_impl|value_stack|src)\.hpp>""",
    re.VERBOSE,
)
# Where a parser of Boost.JSON may be used, and for what.
ALLOWED = {
    "src/document/decode.cpp": "the parser of stored text",
    "src/document/encode_text.cpp": "checks text that is appended, builds no values",
    "src/bson/json_writer.cpp": "writes BSON, with a conversion of doubles of its own",
    "src/tool/appender.cpp": "tells whether a line is a whole array, uses no values",
    "src/tool/key_field.cpp": "finds the text of a key as it stands in the line",
}


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def parsers(root, folders=FOLDERS):
    """The files below `root` that use a parser and may not, with the line."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in SUFFIXES or name in ALLOWED:
                continue
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
                if PARSER.search(line):
                    found.append(f"{name}:{number}: {line.strip()}")
    return found


class Parsers(unittest.TestCase):
    def test_the_source_has_one_parser_of_stored_text(self):
        self.assertEqual(parsers(ROOT), [])

    def test_the_allowed_files_exist_and_use_one(self):
        for name in ALLOWED:
            self.assertRegex((ROOT / name).read_text(), PARSER)

    def test_a_second_parser_is_found(self):
        planted = [
            "auto v = boost::json::parse(text);",
            "json::parse_into(value, text);",
            "boost::json::stream_parser reader;",
            "using parser = json::basic_parser<handler>;",
            "#include <boost/json/parse.hpp>",
            "#include <boost/json/basic_parser_impl.hpp>",
        ]
        for line in planted:
            with self.subTest(line), tempfile.TemporaryDirectory() as folder:
                source = pathlib.Path(folder) / "src"
                source.mkdir()
                (source / "second.cpp").write_text(f"int a;\n{line}\n")
                self.assertEqual(parsers(pathlib.Path(folder), ["src"]), [f"src/second.cpp:2: {line}"])

    def test_comments_and_other_words_are_no_parsers(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "src"
            source.mkdir()
            (source / "fine.cpp").write_text("// as boost::json::parse does\njson::parse_options chosen;\nparse(text);\n")
            self.assertEqual(parsers(pathlib.Path(folder), ["src"]), [])


if __name__ == "__main__":
    unittest.main()
