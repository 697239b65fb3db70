#!/usr/bin/env python3
"""Kills the program in the middle of a replacement: a table is then the old one or the new, whole.

  replace_test.py PROGRAM
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

SETUP = """
CREATE STREAM rides (id INT KEY, zone STRING, price INT)
  WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', PARTITIONS=3);
CREATE TABLE totals AS SELECT zone, SUM(price) AS price FROM rides GROUP BY zone;
CREATE TABLE again AS SELECT zone, price FROM totals;
""" + "".join(f"INSERT INTO rides VALUES ({i}, 'z{i % 7}', {i});" for i in range(40))
REPLACE = ("CREATE OR REPLACE TABLE totals AS SELECT zone, MAX(price) AS price FROM rides"
           " WHERE zone <> 'z3' GROUP BY zone;")
OLD = {f"z{z}": sum(i for i in range(40) if i % 7 == z) for z in range(7)}
NEW = {f"z{z}": max(i for i in range(40) if i % 7 == z) for z in range(7) if z != 3}


def run(program, store, *options, fault=None):
    environment = dict(os.environ)
    if fault:
        environment["WEIR_FAULT"] = fault
    return subprocess.run([program, "--quiet", "--format", "json", *options, store],
                          env=environment, capture_output=True, text=True, timeout=300,
                          check=False)


def rows(program, store, table, *options):
    done = run(program, store, *options, "--command", f"SELECT * FROM {table};")
    if done.returncode != 0:
        sys.exit(f"replace_test: {done.stderr}")
    return {row["ZONE"]: row["PRICE"] for row in map(json.loads, done.stdout.splitlines())}


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"replace_test: {what}: {found}, not {expected}")


def check(program, fault, left):
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        made = run(program, store, "--until-end", "--command", SETUP)
        if made.returncode != 0:
            sys.exit(f"replace_test: {made.stderr}")
        killed = run(program, store, "--until-end", "--command", REPLACE, fault=fault)
        if killed.returncode != -signal.SIGKILL:
            sys.exit(f"replace_test: {fault} was not passed: {killed.stderr}")
        expect(f"after {fault}", rows(program, store, "totals", "--paused"), left)
        run(program, store, "--until-end", "--command", "SHOW TABLES;")
        expect(f"once opened after {fault}", rows(program, store, "totals"), NEW)
        expect(f"what reads it, after {fault}", rows(program, store, "again"), NEW)


def main():
    program = os.path.abspath(sys.argv[1])
    check(program, "before_swap:1", OLD)
    check(program, "after_swap:1", NEW)


if __name__ == "__main__":
    main()
