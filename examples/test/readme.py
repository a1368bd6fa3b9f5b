"""readme.py PROJECT: all C++ in README.md stands in an example, word for word, and the files it names exist."""
import pathlib
import re
import sys
import textwrap

from support import check, same

project = pathlib.Path(sys.argv[1])
readme = (project / "README.md").read_text()
blocks = re.findall(r"```cpp\n(.*?)```", readme, re.DOTALL)
program = (project / "examples/first_program.cpp").read_text()
check(program in blocks, "a block of README.md is exactly examples/first_program.cpp")
programs = [path.read_text() for path in sorted((project / "examples").glob("*.cpp"))]
for block in blocks:
    forms = [block, textwrap.indent(block, " " * 4)]
    check(any(form in text for form in forms for text in programs), f"this is in an example:\n{block}")
output = (project / "examples/first_program.expected").read_text()
check(output in readme, "README.md shows what the first program prints")
pages = [project / "README.md", *sorted((project / "docs").glob("*.md"))]
for page in pages:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        check((page.parent / link).exists(), f"{page.name} points to {link}, which does not exist")
same(len(blocks) >= 2, True, "code blocks")
