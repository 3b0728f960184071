#!/usr/bin/env python3
"""The tables of the four machines against the figures of the RFCs, and against their drawings.

    test_machines.py MACHINES    the program that prints the tables
"""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DRAWINGS = os.path.join(HERE, "..", "..", "docs", "machines.md")

# What effects are in the words of the RFCs; None for what is ours alone to know.
ACTIONS = {
    "STOP": None, "FORGET": None, "TELL": "response to TU", "TELL_ACK": "ACK to TU",
    "TELL_TIMEOUT": "inform TU", "TELL_UNREACHABLE": "inform TU", "TELL_NO_ACK": "inform TU",
    "SEND_REQUEST": "send request", "SEND_ACK": "send ACK", "RESEND_ACK": "send ACK",
    "SEND": "send response", "SEND_ONCE": "send response", "RESEND": "send response",
    "START_E_AT_T2": "start E at T2",
}


def printed(form):
    return subprocess.run([PROGRAM, form], capture_output=True, text=True, check=True).stdout


def bare(name):
    """A name without its machine: INC_TIMER_A is TIMER_A."""
    return name.split("_", 1)[1]


def action(effect):
    timer = re.fullmatch(r"START_(\w)", effect)
    return f"start {timer[1]}" if timer else ACTIONS[effect]


def ours():
    """(machine, state, event): (next state, actions), of each cell that is not empty."""
    table = {}
    for line in printed("rows").splitlines():
        machine, state, event, following, effects = line.split("\t")
        actions = {action(bare(effect)) for effect in effects.split()} - {None}
        table[machine, bare(state), bare(event)] = bare(following), actions
    return table


def figures():
    """The same of the RFCs, with what differs: (next state, actions, ours or None, line)."""
    table = {}
    with open(os.path.join(HERE, "figures.tsv"), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#"):
                continue
            cells = line.rstrip("\n").split("\t")
            assert len(cells) in (6, 9) and all(cells[5::3]), f"figures.tsv:{number}"
            assert tuple(cells[:3]) not in table, f"figures.tsv:{number}: twice"
            differs = (cells[6], named(cells[7])) if len(cells) == 9 else None
            table[tuple(cells[:3])] = (cells[3], named(cells[4]), differs)
    return table


def named(actions):
    return set(filter(None, actions.split(", ")))


class Machines(unittest.TestCase):
    def test_each_arrow_is_in_the_table(self):
        table = ours()
        for cell, (following, actions, differs) in figures().items():
            with self.subTest(cell=cell):
                self.assertNotEqual(differs, (following, actions), "this is no difference")
                self.assertEqual(table.get(cell), differs or (following, actions))

    def test_the_table_has_no_other_arrow(self):
        known = figures()
        for cell, result in ours().items():
            if cell not in known:
                self.assertEqual(result, (cell[1], set()), cell)

    def test_drawings_are_of_these_tables(self):
        with open(DRAWINGS, encoding="utf-8") as file:
            self.assertEqual(file.read(), printed("drawn"), "print it again: machines drawn")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
