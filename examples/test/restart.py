"""restart.py PROGRAM: killed in the middle of a window, the program gets the same window again and loses nothing."""
import subprocess
import sys

from support import output_of, own_directory, same, url_of

program = sys.argv[1]
with own_directory():
    victim = subprocess.Popen([program, url_of("orders"), "--hang"], stdout=subprocess.PIPE, text=True)
    seen = []
    for line in victim.stdout:
        seen.append(line.rstrip("\n"))
        if "in the middle" in line:
            break
    victim.kill()
    victim.wait()
    victim.stdout.close()
    same(seen, ["appended 12 orders",
                "window billing/0/0-3, attempt 1: 0 1 2 3, committed",
                "window billing/0/4-7, attempt 1: 4 5 6 … in the middle of it"], "before it was killed")
    same(output_of(program, url_of("orders")).splitlines(),
         ["window billing/0/4-7, attempt 2: 4 5 6 7, committed",
          "window billing/0/8-11, attempt 1: 8 9 10 11, committed"], "after the restart")
