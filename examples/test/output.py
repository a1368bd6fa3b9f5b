"""output.py PROGRAM EXPECTED: the program prints exactly what the file holds, also the second time."""
import pathlib
import sys

from support import output_of, own_directory, same

program, expected = sys.argv[1:]
with own_directory():
    for run in ("first run", "second run, on the same database"):
        same(output_of(program), pathlib.Path(expected).read_text(), run)
