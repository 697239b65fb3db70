#!/usr/bin/env python3
"""Stores of earlier versions: writes one, and checks that a program answers from one as it must.

  stores.py write PROGRAM NAME.tar.xz    a store of setup.sql and rows.sql, written by PROGRAM
  stores.py check PROGRAM NAME.tar.xz    opens it, asks, appends more.sql, asks again
  stores.py answers PROGRAM              writes answers.txt and answers_more.txt from a new store

The answers are the same for all stores: what is kept may look different in each version, what comes
of it may not.
"""
import difflib
import json
import os
import subprocess
import sys
import tarfile
import tempfile

# The time of such a row is that of whichever table's change came last, and no order is promised.
WITHOUT_TIMES = ("HOMES", "HOMES_LEFT")
HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, name)


def run(program, store, *options):
    """Standard output of the program over a store."""
    words = [program, "--quiet", "--log-level", "warning", "--threads", "2", "--format", "json"]
    done = subprocess.run(words + list(options) + [store], capture_output=True, text=True,
                          timeout=300, check=False)
    if done.returncode != 0 or "error" in done.stderr:
        sys.exit(f"stores.py: {' '.join(options)} failed:\n{done.stderr}{done.stdout}")
    return done.stdout


def append(program, store, rows):
    """Appends rows while no query runs, so that all are there before one of them is read."""
    run(program, store, "--paused", "--file", path(rows))
    run(program, store, "--until-end", "--command", "SHOW TABLES")


def make(program, store):
    run(program, store, "--file", path("setup.sql"))
    append(program, store, "rows.sql")


def rows_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def columns_of(name):
    return "*" if name in WITHOUT_TIMES else "ROWTIME AS TIME_OF, *"


def answers(program, store):
    """The rows of all streams and tables, sorted, and the state of every query."""
    shown = rows_of(run(program, store, "--command",
                        "SHOW STREAMS; SHOW TABLES; SHOW QUERIES"))
    lines = [f"{row['query']} {row['state']} {row['error']}".rstrip()
             for row in shown if "query" in row]
    names = [row["name"] for row in shown
             if "name" in row and not row["name"].endswith("_GONE")]
    asked = "".join(f"SELECT '{name}' AS ROWS_OF; SELECT {columns_of(name)} FROM {name};"
                    for name in names)
    for answer in run(program, store, "--command", asked).split('{"ROWS_OF":')[1:]:
        name, *rows = answer.splitlines()
        lines += ["-- " + name.strip('"}')] + sorted(row for row in rows if row)
    return "\n".join(lines) + "\n"


def compare(name, found, expected_in):
    with open(path(expected_in), encoding="utf-8") as file:
        expected = file.read()
    if found == expected:
        return
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), found.splitlines(True),
                                               expected_in, name, n=1))
    sys.exit(f"stores.py: {name} answers otherwise than {expected_in}")


def check(program, packed):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(packed) as archive:
            archive.extractall(folder)
        store = os.path.join(folder, "store")
        compare(packed, answers(program, store), "answers.txt")
        append(program, store, "more.sql")
        compare(packed, answers(program, store), "answers_more.txt")
        # And what this version has made of it, opened once more.
        compare(packed, answers(program, store), "answers_more.txt")


def write(program, packed):
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        make(program, store)
        with tarfile.open(packed, "w:xz") as archive:
            archive.add(store, "store", filter=without_owner)


def without_owner(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def write_answers(program):
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        make(program, store)
        for name in ("answers.txt", "answers_more.txt"):
            if name == "answers_more.txt":
                append(program, store, "more.sql")
            with open(path(name), "w", encoding="utf-8") as file:
                file.write(answers(program, store))


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("write", "check", "answers"):
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[2])
    if sys.argv[1] == "answers":
        write_answers(program)
    elif sys.argv[1] == "write":
        write(program, sys.argv[3])
    else:
        check(program, sys.argv[3])


if __name__ == "__main__":
    main()
