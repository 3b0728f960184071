#!/usr/bin/env python3
"""tools/bootstrap on machines that are made up: dpkg-query, apt-get, id and sudo are replaced."""

import os
import pty
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOTSTRAP = os.path.join(ROOT, "tools", "bootstrap")

# Answers as dpkg-query does: a line for what is known, exit code 1 when anything is unknown.
DPKG_QUERY = """
status=0
for package; do
    case "$package" in -* ) continue ;; esac
    if grep -qx "$package" "$FAKE/installed"; then printf 'installed:%s ' "$package"
    elif grep -qx "$package" "$FAKE/removed"; then printf 'config-files:%s ' "$package"
    else status=1
    fi
done
exit $status
"""


class Machine:
    """A machine with the given packages, whose every installing command goes to a journal."""

    def __init__(self, folder, installed, removed=(), user=0, with_sudo=True):
        self.folder = folder
        self.write("installed", "".join(name + "\n" for name in installed))
        self.write("removed", "".join(name + "\n" for name in removed))
        self.write("journal", "")
        os.mkdir(os.path.join(folder, "bin"))
        self.program("dpkg-query", DPKG_QUERY)
        self.program("id", f"echo {user}")
        self.program("apt-get", 'echo "apt-get $*" >>"$FAKE/journal"')
        if with_sudo:
            self.program("sudo", 'echo "sudo" >>"$FAKE/journal"; exec "$@"')
        for name in ("awk", "env", "grep", "cat"):
            os.symlink(f"/usr/bin/{name}", os.path.join(folder, "bin", name))
        self.environment = {"PATH": os.path.join(folder, "bin"), "FAKE": folder}

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def program(self, name, body):
        self.write(os.path.join("bin", name), "#!/bin/sh\n" + body + "\n")
        os.chmod(os.path.join(self.folder, "bin", name), 0o755)

    def journal(self):
        with open(os.path.join(self.folder, "journal"), encoding="utf-8") as file:
            return file.read().splitlines()

    def run(self, *arguments, stdin=subprocess.DEVNULL):
        return subprocess.run(["/bin/sh", BOOTSTRAP, *arguments], env=self.environment, stdin=stdin,
                              capture_output=True, text=True, check=False)

    def run_on_terminal(self, answer, *arguments):
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        try:
            return self.run(*arguments, stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)


def table():
    """The packages of the table, with the groups of each."""
    text = subprocess.run(["/bin/sh", BOOTSTRAP, "--list"], capture_output=True, text=True,
                          check=True).stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    return {package: groups.split() for package, groups, why in rows if why}


class Bootstrap(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.all = table()

    def group(self, name):
        return [package for package, groups in self.all.items() if name in groups]

    def test_every_group_has_packages(self):
        for name in ("build", "test", "bench", "fuzz", "coverage"):
            self.assertTrue(self.group(name), name)

    def test_nothing_missing_is_silent(self):
        machine = Machine(self.folder, self.all)
        result = machine.run("build", "test", "bench", "fuzz", "coverage")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(machine.journal(), [])

    def test_root_is_not_asked(self):
        machine = Machine(self.folder, self.group("build"))
        result = machine.run("build", "fuzz")
        self.assertEqual(result.returncode, 0, result.stderr)
        update, install = machine.journal()
        self.assertEqual(update, "apt-get update -qq")
        self.assertEqual(install.split()[-len(self.group("fuzz")):], self.group("fuzz"))
        self.assertNotIn("gcc", install.split())
        for package in self.group("fuzz"):
            self.assertRegex(result.stderr, rf"\n  {package} +\w")

    def test_a_removed_package_is_missing(self):
        machine = Machine(self.folder, [name for name in self.all if name != "cmake"], ["cmake"])
        machine.run("build")
        self.assertEqual(machine.journal()[1].split()[-1], "cmake")

    def test_only_the_group_asked_for(self):
        machine = Machine(self.folder, [])
        machine.run("fuzz")
        self.assertNotIn("kamailio", machine.journal()[1])

    def test_another_user_is_asked(self):
        machine = Machine(self.folder, [], user=1000)
        result = machine.run_on_terminal("y\n", "fuzz")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("sudo", machine.journal())
        self.assertIn("apt-get update -qq", machine.journal())

    def test_no_means_no(self):
        machine = Machine(self.folder, [], user=1000)
        result = machine.run_on_terminal("n\n", "fuzz")
        self.assertEqual((result.returncode, machine.journal()), (1, []))
        self.assertRegex(result.stderr, "sudo apt-get install --no-install-recommends .*clang")

    def test_without_a_terminal_the_command_is_named(self):
        machine = Machine(self.folder, [], user=1000)
        result = machine.run("fuzz")
        self.assertEqual((result.returncode, machine.journal()), (1, []))
        self.assertRegex(result.stderr, "apt-get install --no-install-recommends .*clang")

    def test_without_sudo_the_command_is_named(self):
        machine = Machine(self.folder, [], user=1000, with_sudo=False)
        result = machine.run_on_terminal("y\n", "fuzz")
        self.assertEqual((result.returncode, machine.journal()), (1, []))
        self.assertRegex(result.stderr, "apt-get install --no-install-recommends .*clang")

    def test_a_failing_installation_fails(self):
        machine = Machine(self.folder, [])
        machine.program("apt-get", "exit 100")
        self.assertNotEqual(machine.run("fuzz").returncode, 0)

    def test_an_unknown_group_is_refused(self):
        machine = Machine(self.folder, [])
        self.assertEqual(machine.run("bild").returncode, 2)
        self.assertEqual(machine.run().returncode, 2)
        self.assertEqual(machine.journal(), [])

    def test_another_system_is_told_what_it_needs(self):
        machine = Machine(self.folder, [])
        os.remove(os.path.join(self.folder, "bin", "dpkg-query"))
        result = machine.run("fuzz")
        self.assertEqual((result.returncode, machine.journal()), (0, []))
        self.assertIn("clang", result.stderr)


if __name__ == "__main__":
    # The build folder that every test script is given does not matter here.
    unittest.main(argv=sys.argv[:1])
