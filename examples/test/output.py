"""output.py PROGRAM EXPECTED [fresh]: the program prints exactly what the file holds, also the second time: on the same
database, or with `fresh` on another, for programs that show offsets and have a database in memory."""
import pathlib
import sys

from support import output_of, own_directory, same, url_of

program, expected = sys.argv[1:3]
fresh = sys.argv[3:] == ["fresh"]
with own_directory():
    for run in ("first run", "second run"):
        same(output_of(program, database=url_of(run if fresh else "both")), pathlib.Path(expected).read_text(), run)
