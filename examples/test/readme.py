"""readme.py PROJECT: the first program in README.md is examples/first_program.cpp, and the files it names exist."""
import pathlib
import re
import sys

from support import check, same

project = pathlib.Path(sys.argv[1])
readme = (project / "README.md").read_text()
blocks = re.findall(r"```cpp\n(.*?)```", readme, re.DOTALL)
program = (project / "examples/first_program.cpp").read_text()
check(program in blocks, "a block of README.md is exactly examples/first_program.cpp")
output = (project / "examples/first_program.expected").read_text()
check(output in readme, "README.md shows what the first program prints")
pages = [project / "README.md", *sorted((project / "docs").glob("*.md"))]
for page in pages:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        check((page.parent / link).exists(), f"{page.name} points to {link}, which does not exist")
same(len(blocks) >= 1, True, "code blocks")
