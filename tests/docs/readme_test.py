#!/usr/bin/env python3
"""Runs the README's blocks of commands: `$ weir …` as it stands, the `weir>` lines below it as its input.

  readme_test.py PROGRAM README

Blocks that need Kafka are left out. Fails where a command does, or where a SELECT shows nothing.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

RIDES = """VendorID,tpep_pickup_datetime,total_amount
1,2024-01-01 00:00:05,12.5
2,2024-01-01 00:00:40,30.0
1,2024-01-01 00:01:10,7.25
"""


def commands_of(page):
    """(words, input lines) of each `$ weir` line in the page's fences."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page, re.M | re.S):
        commands = []
        for line in block.splitlines():
            if line.startswith("$ weir"):
                commands.append((shlex.split(line[2:]), []))
            elif line.startswith("weir> ") and commands:
                commands[-1][1].append(line[len("weir> "):])
        if not any("-b" in words for words, _ in commands):
            yield from commands


def main():
    program, readme = sys.argv[1:]
    with open(readme, encoding="utf-8") as file:
        commands = list(commands_of(file.read()))
    if len(commands) < 3:
        sys.exit("readme_test: the README has no commands to run")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "rides.csv"), "w", encoding="utf-8") as file:
            file.write(RIDES)
        for words, lines in commands:
            text = "\n".join(lines) + "\n"
            # What follows for ever ends with what is there.
            run = subprocess.run([program, "--until-end"] + words[1:] if lines else
                                 [program] + words[1:], input=text, capture_output=True, text=True,
                                 cwd=folder, timeout=120, check=False)
            shown = f"$ {' '.join(words)}\n{text if lines else ''}{run.stdout}{run.stderr}"
            print(shown)
            if run.returncode != 0 or "error" in run.stderr:
                sys.exit(f"readme_test: a command failed with {run.returncode}")
            if any("SELECT" in line for line in lines) and not run.stdout.strip():
                sys.exit("readme_test: the SELECT shows nothing")


if __name__ == "__main__":
    main()
