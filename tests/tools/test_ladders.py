#!/usr/bin/env python3
"""A ladder notices what is missing, late, extra or different: those of RFC 3665 and RFC 5407 are
spoiled in every line of a server or a phone, and none of them may hold then."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LADDERS = os.path.join(ROOT, "tests", "ladder")
FOLDERS = ["rfc3665", "rfc5407"]
SIM = os.path.join(sys.argv.pop(1), "bin", "ahoy-sim")

MESSAGE = re.compile(r"\[ *(\d+)\] (\S+) +> +(\S+) +(.*)")
ROW = re.compile(r" +([\w-]+):(.*)")


def scenes(text):
    """The ladders of a file, each whole."""
    first, *rest = re.split(r"^scene (?:.*)\n", text, flags=re.MULTILINE)
    return [first + scene for scene in rest] or [text]


def later(line):
    """The same line, a millisecond later."""
    return re.sub(r"\d+", lambda number: str(int(number[0]) + 1), line, count=1)


def spoil_message(lines, number):
    """The lines, with what is foreseen in one of them taken out, too late, twice, another one."""
    before, line, after = lines[:number], lines[number], lines[number + 1:]
    rows = 0
    while rows < len(after) and ROW.match(after[rows]):
        rows += 1
    yield "missing", before + after[rows:]
    yield "twice", before + [line, line] + after
    yield "late", before + [later(line)] + after
    other = line.replace("sdp", "") if " sdp" in line else line.replace(" (", " sdp (") + " sdp"
    yield "described otherwise", before + [other] + after


def spoil(text):
    """What is wrong, and a ladder that must not hold."""
    lines = text.splitlines()
    played = set(re.findall(r"^party (\S+)", text, flags=re.MULTILINE))
    expected = False
    for number, line in enumerate(lines):
        message, row = MESSAGE.match(line), ROW.match(line)
        if message:
            expected = message[2] not in played
        if message and expected:
            for fault, spoiled in spoil_message(lines, number):
                yield f"{fault}: {line}", spoiled
        elif row and expected:
            wrong = f" {row[1]}: no such value" if row[2].strip() else " Via:"
            yield f"row: {line}", lines[:number] + [wrong] + lines[number + 1:]


class Ladders(unittest.TestCase):
    def test_spoiled(self):
        faults = {}
        with tempfile.TemporaryDirectory() as folder:
            for path in self.files():
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                for scene in scenes(text):
                    for fault, lines in spoil(scene):
                        name = os.path.join(folder, f"{len(faults)}.ladder")
                        faults[name] = f"{os.path.basename(path)}: {fault}"
                        with open(name, "w", encoding="utf-8") as file:
                            file.write("\n".join(lines) + "\n")
            result = subprocess.run([SIM, "ladder", *faults], capture_output=True, text=True)
        noticed = set(re.findall(r"^(\S+\.ladder):\d", result.stderr, flags=re.MULTILINE))
        self.assertGreater(len(faults), 100)
        self.assertEqual([faults[name] for name in faults if name not in noticed], [])

    def files(self):
        for folder in FOLDERS:
            for name in sorted(os.listdir(os.path.join(LADDERS, folder))):
                yield os.path.join(LADDERS, folder, name)


if __name__ == "__main__":
    if not os.path.exists(SIM):
        print(f"{SIM} is not built")
        sys.exit(77)
    unittest.main()
