#!/usr/bin/env python3
"""Spin looks at every run of the four machines, and at runs of broken ones, which it must catch.

    test_spin.py MACHINES    the program that prints the tables

The models say what must hold: tests/model/wire.pml, invite.pml and noninvite.pml.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))

MODELS = ["noninvite", "invite"]
WORLDS = [["-DRELIABLE"], [], ["-DHASTY", "-DRELIABLE"], ["-DHASTY"]]

# Tables that are broken at one edge: the model and the world that must show it, the edge, and what
# takes its place; a state and effects as tables.pml has them.
BROKEN = [
    ("invite", [], "state == INC_COMPLETED && event == INC_FAILURE", "INC_COMPLETED", "0"),
    ("invite", ["-DHASTY", "-DRELIABLE"], "state == INC_PROCEEDING && event == INC_CANCEL_SENT",
     "INC_PROCEEDING", "0"),
    ("invite", ["-DHASTY", "-DRELIABLE"], "state == INS_COMPLETED && event == INS_SUCCESS",
     "INS_ACCEPTED", "INS_SEND_ONCE | INS_START_L"),
    ("noninvite", [], "state == NIS_COMPLETED && event == NIS_REQUEST", "NIS_COMPLETED", "0"),
    ("noninvite", ["-DHASTY", "-DRELIABLE"], "state == NIC_TRYING && event == NIC_TIMER_F",
     "NIC_TERMINATED", "NIC_TELL_TIMEOUT | NIC_SEND_REQUEST"),
]


def run(folder, *command):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def said(model, world, tables, search=("-DSAFETY",), how=()):
    """What Spin says of |model| in |world| with these tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(HERE):
            if name.endswith(".pml"):
                shutil.copy(os.path.join(HERE, name), folder)
        with open(os.path.join(folder, "tables.pml"), "w", encoding="utf-8") as file:
            file.write(tables)
        run(folder, "spin", "-a", *world, model + ".pml")
        run(folder, "gcc", "-O0", "-w", *search, "-DMEMLIM=1024", "-o", "pan", "pan.c")
        return run(folder, "./pan", "-m100000", "-w22", *how)


class Spin(unittest.TestCase):
    def setUp(self):
        self.tables = run(HERE, PROGRAM, "promela")

    def check_all(self, arguments, expected):
        """Each of |arguments| to said() makes Spin say what is expected."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for answer, case in zip(pool.map(lambda case: said(*case), arguments), arguments):
                with self.subTest(model=case[0], world=case[1]):
                    self.assertIn(expected, answer)
                    self.assertEqual("search not completed" in answer.lower(),
                                     expected != "errors: 0")

    def test_the_machines_hold(self):
        self.check_all([(model, world, self.tables) for model in MODELS for world in WORLDS],
                       "errors: 0")

    def test_every_run_ends(self):
        self.check_all([(model, ["-DHASTY"], self.tables, ("-DNP",), ("-l",)) for model in MODELS],
                       "errors: 0")

    def test_broken_machines_are_caught(self):
        self.check_all([(model, world, self.broken(edge, f"state = {state}; effects = {effects}"))
                        for model, world, edge, state, effects in BROKEN], "errors: 1")

    def broken(self, edge, step):
        """The tables with another step at one edge."""
        head = f":: {edge} -> "
        self.assertEqual(self.tables.count(head), 1)
        before, after = self.tables.split(head)
        return before + head + step + "\n" + after.split("\n", 1)[1]


if __name__ == "__main__":
    if not shutil.which("spin") or not shutil.which("gcc"):
        print("no Spin, or no gcc for what it makes: tools/bootstrap test")
        sys.exit(77)
    PROGRAM = sys.argv.pop(1)
    unittest.main()
