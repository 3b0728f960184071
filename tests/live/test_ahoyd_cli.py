#!/usr/bin/env python3
"""ahoyd as a person or systemd meets it: options, exit codes, faults, signals, the log."""
import os
import pathlib
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from peer import PATIENCE, free_port

AHOYD = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoyd"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def options_request(transport, port, number):
    return (
        f"OPTIONS sip:atlanta.example SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bKcli{number}\r\n"
        f"From: <sip:alice@atlanta.example>;tag=1\r\nTo: <sip:atlanta.example>\r\n"
        f"Call-ID: cli-{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
        f"Content-Length: 0\r\n\r\n"
    ).encode()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ahoyd-cli-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.port = free_port()

    def write(self, text, name="ahoyd.lua"):
        (self.path / name).write_text(text)
        return str(self.path / name)

    def config(self, more="", listens=("udp:127.0.0.1", "tcp:127.0.0.1")):
        lines = [f'listen "{listen}:{self.port}"' for listen in listens]
        return self.write("\n".join(lines) + '\ndomain "atlanta.example"\nstore "memory:"\n' + more)

    def run_ahoyd(self, *arguments):
        return subprocess.run([AHOYD, *arguments], cwd=self.path, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def start(self, *arguments, **settings):
        """Starts ahoyd and waits until it says that it is ready."""
        process = subprocess.Popen([AHOYD, *arguments], cwd=self.path, stderr=subprocess.PIPE,
                                   text=True, **settings)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.log = []
        for line in process.stderr:
            self.log.append(line.rstrip("\n"))
            if line.rstrip().endswith("ready"):
                return process
        self.fail(f"never ready: {self.log}")

    def end(self, process, number=signal.SIGTERM):
        begin = time.monotonic()
        process.send_signal(number)
        code = process.wait(timeout=PATIENCE)
        self.log += process.stderr.read().splitlines()
        return code, time.monotonic() - begin


class CommandLine(Case):
    def test_version_and_help(self):
        version = self.run_ahoyd("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^ahoyd \d+\.\d+\.\d+\n$")
        shown = self.run_ahoyd("--help")
        self.assertEqual(shown.returncode, 0)
        for option in ("--config", "--check", "--version", "--help"):
            self.assertIn(option, shown.stdout)

    def test_faults_of_the_command_line(self):
        for arguments in (["--frobnicate"], ["-x"], ["--config"], ["--check"], ["serve"],
                          ["--config", "a", "--config", "b"], ["--check", "a", "--config", "b"]):
            result = self.run_ahoyd(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertEqual(result.stdout, "")
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn("--help", result.stderr)

    def test_the_usual_place(self):
        if not os.path.exists("/etc/ahoyd/ahoyd.lua"):
            result = self.run_ahoyd()  # Nor is there one in this folder.
            self.assertEqual(result.returncode, 2)
            self.assertIn("ahoyd.lua", result.stderr)
        self.config()
        process = self.start()
        self.assertEqual(self.end(process)[0], 0)


class Check(Case):
    def test_a_sound_file(self):
        path = self.config()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", self.port))  # Nothing is opened, so this does not matter.
            result = self.run_ahoyd("--check", path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"{path}: ok\n")
        self.assertEqual(sorted(os.listdir(self.path)), ["ahoyd.lua"])

    def test_every_fault_has_its_line(self):
        path = self.write('listen "udp:127.0.0.1:5060"\nlisn "x"\n\ndomain(7)\nstore "memory:"\n')
        result = self.run_ahoyd("--check", path)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        lines = [line for line in result.stderr.splitlines() if line.startswith(path + ":")]
        self.assertEqual(lines, result.stderr.splitlines())
        self.assertTrue(any(line.startswith(f"{path}:2: ") for line in lines), lines)
        self.assertTrue(any(line.startswith(f"{path}:4: ") for line in lines), lines)
        self.assertEqual(self.run_ahoyd("--config", path).returncode, 2)  # Nor does it serve.

    def test_the_example(self):
        example = pathlib.Path(__file__).resolve().parents[2] / "docs" / "ahoyd.lua"
        result = self.run_ahoyd("--check", str(example))
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_all_of_the_example(self):
        """What is commented out in it can be used, each for itself; and nothing is missing."""
        text = (ROOT / "docs" / "ahoyd.lua").read_text()
        source = "".join(path.read_text() for path in (ROOT / "ahoyd").glob("config_*.c"))
        words = set(re.findall(r"\bWORD\((\w+)\)", source)) - {"name"}
        options = set(re.findall(r'\.name = "([a-z_]+)"', source))
        self.assertGreater(len(words), 20)
        self.assertEqual({name for name in words | options if not re.search(rf"\b{name}\b", text)},
                         set())
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=atlanta.example", "-days", "60"]
        for name in "atlanta", "biloxi", "partners":
            subprocess.run([*make, "-keyout", f"{name}.key", "-out", f"{name}.pem"], cwd=self.path,
                           capture_output=True, check=True)
            os.chmod(self.path / f"{name}.key", 0o600)
        examples = re.findall(rf"^-- (?:{'|'.join(words)}) ?[({{\"](?:.*\n--  )*.*$", text,
                              re.MULTILINE)
        self.assertGreater(len(examples), 40)
        for example in examples:
            used = re.sub("^-- ", "", example, flags=re.MULTILINE)
            word = re.match(r"\w+", used)[0]
            # Some stand once, and some lean on others.
            base = [] if word in ("store", "control") else ['store "sqlite:ahoy.db"']
            if "redis" in used or "postgresql" in used and word == "store":
                base.append('node "sip:127.0.0.1:5060;transport=tcp"')
            if word == "node":
                used, base = used.replace("10.0.0.1", "127.0.0.1"), base[1:] + [
                    'store "postgresql://ahoy:password@10.0.1.1/ahoy"']
            if word == "user":
                base.append('domain "miami.example"')
            if word == "route":
                base += ['trunk("carrier", { "sip:192.0.2.10" })',
                         'group("sales", { "alice@atlanta.example" })']
            if word == "process":
                used = used.replace('"ahoyd"', f'"{pwd.getpwuid(65534).pw_name}"')
            base += ['listen "udp:127.0.0.1:5060"', 'listen "tcp:127.0.0.1:5060"',
                     'listen("tls:127.0.0.1:5061", { verify = "optional", certificate = '
                     '"atlanta.pem", key = "atlanta.key", authorities = "partners.pem" })',
                     'domain "atlanta.example"']
            path = self.write("\n".join([*base, used, ""]))
            result = self.run_ahoyd("--check", path)
            self.assertEqual((result.returncode, result.stderr), (0, ""), used)

    def test_a_file_that_is_not_there(self):
        result = self.run_ahoyd("--check", "nowhere.lua")
        self.assertEqual(result.returncode, 2)
        self.assertIn("nowhere.lua: ", result.stderr)


class Addresses(Case):
    def in_use(self, kind, workers):
        path = self.config(f"workers({workers})\n")
        line = 1 if kind == socket.SOCK_DGRAM else 2
        with socket.socket(socket.AF_INET, kind) as holder:
            # Another server that shares its port must not be joined either.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind(("127.0.0.1", self.port))
            if kind == socket.SOCK_STREAM:
                holder.listen()
            result = self.run_ahoyd("--config", path)
        self.assertEqual(result.returncode, 2)
        faults = result.stderr.splitlines()
        self.assertEqual(len(faults), 1, faults)
        self.assertTrue(faults[0].startswith(f"{path}:{line}: "), faults)
        self.assertRegex(faults[0], rf"127\.0\.0\.1:{self.port}.*in use; .*port")

    def test_an_address_in_use(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            for workers in (1, 2):
                with self.subTest(kind=kind, workers=workers):
                    self.in_use(kind, workers)

    def test_an_address_of_others(self):
        path = self.config(listens=("udp:192.0.2.77",))
        result = self.run_ahoyd("--config", path)
        self.assertEqual(result.returncode, 2)
        self.assertTrue(result.stderr.startswith(f"{path}:1: "), result.stderr)

    def test_a_second_ahoyd(self):
        path = self.config("workers(2)\n")
        process = self.start("--config", path)
        self.assertEqual(self.run_ahoyd("--config", path).returncode, 2)
        self.ask_udp(1)  # The first one did not notice.
        self.assertEqual(self.end(process)[0], 0)

    def ask_udp(self, number):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.bind(("127.0.0.1", 0))
            port = client.getsockname()[1]
            client.sendto(options_request("UDP", port, number), ("127.0.0.1", self.port))
            self.assertTrue(client.recv(4096).startswith(b"SIP/2.0 200 "))


class Signals(Case):
    def ask(self, number):
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            port = client.getsockname()[1]
            client.sendall(options_request("TCP", port, number))
            self.assertTrue(client.recv(4096).startswith(b"SIP/2.0 200 "))

    def test_it_says_where_it_listens_and_ends(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("--config", self.config("workers(3)\n"))
            self.assertTrue(any(f"listening on udp:127.0.0.1:{self.port} tcp:127.0.0.1:{self.port}"
                                in line for line in self.log), self.log)
            self.ask(1)
            code, seconds = self.end(process, number)
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5)
            self.assertEqual(os.listdir(self.path), ["ahoyd.lua"])  # No socket is left behind.

    def test_it_ends_in_the_middle_of_a_call(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as callee, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            callee.bind(("127.0.0.1", 0))
            caller.bind(("127.0.0.1", 0))
            callee.settimeout(PATIENCE)
            path = self.config(
                f'trunk("callee", {{ "sip:127.0.0.1:{callee.getsockname()[1]}" }})\n'
                'route { domain = "far.example", to = "callee", from = "anyone" }\n')
            process = self.start("--config", path)
            invite = options_request("UDP", caller.getsockname()[1], 1)
            invite = invite.replace(b"OPTIONS", b"INVITE").replace(b"sip:atlanta", b"sip:x@far")
            invite = invite.replace(b"alice@atlanta", b"alice@other")
            caller.sendto(invite, ("127.0.0.1", self.port))
            self.assertTrue(callee.recv(4096).startswith(b"INVITE "))
            code, seconds = self.end(process)  # Nobody answers: it does not wait for good.
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)

    def test_it_outlives_hangup_and_broken_pipes(self):
        process = self.start("--config", self.config())
        process.send_signal(signal.SIGHUP)
        line = process.stderr.readline()
        self.assertIn("is in force, with 0 changes", line)
        for number in range(5):  # Who resets before the answer comes makes it write into nothing.
            client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(options_request("TCP", 9, number) * 20)
            client.close()
        process.send_signal(signal.SIGPIPE)
        self.ask(9)
        self.assertEqual(self.end(process)[0], 0)


class Process(Case):
    def test_the_log_is_a_line_an_event(self):
        process = self.start("--config", self.config())
        self.end(process)
        for line in self.log:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                                   r"(error|warning|notice|info): \S")

    def test_the_journal_gets_levels_instead_of_time(self):
        reading, writing = os.pipe()
        status = os.fstat(writing)
        environment = dict(os.environ, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
        process = subprocess.Popen([AHOYD, "--config", self.config()], cwd=self.path,
                                   stderr=writing, env=environment)
        os.close(writing)
        with os.fdopen(reading) as log:
            first = log.readline()
            process.terminate()
            self.assertEqual(process.wait(timeout=PATIENCE), 0)
        self.assertRegex(first, r"^<[3-7]>listening on ")

    def test_systemd_is_told(self):
        for name in (str(self.path / "notify.sock"), f"\0ahoyd-cli-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(name)
                manager.settimeout(PATIENCE)
                environment = {**os.environ, "NOTIFY_SOCKET": name.replace("\0", "@")}
                process = self.start("--config", self.config(), env=environment)
                self.assertEqual(manager.recv(64), b"READY=1")
                process.send_signal(signal.SIGHUP)
                self.assertRegex(manager.recv(64), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.assertEqual(manager.recv(64), b"READY=1")
                self.end(process)
                self.assertEqual(manager.recv(64), b"STOPPING=1")

    def test_the_watchdog_is_fed(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.path / "notify.sock"))
            manager.settimeout(PATIENCE)
            environment = {**os.environ, "NOTIFY_SOCKET": str(self.path / "notify.sock")}
            for pid, is_fed in (None, True), ("1", False):
                environment.update({"WATCHDOG_USEC": "100000"}, **({"WATCHDOG_PID": pid}
                                                                   if pid else {}))
                process = self.start("--config", self.config(), env=environment)
                self.assertEqual(manager.recv(64), b"READY=1")
                if is_fed:
                    for _ in range(3):
                        self.assertEqual(manager.recv(64), b"WATCHDOG=1")
                self.end(process)
                told = manager.recv(64)
                while is_fed and told == b"WATCHDOG=1":
                    told = manager.recv(64)
                self.assertEqual(told, b"STOPPING=1")

    def test_a_manager_that_is_gone_is_a_warning(self):
        for name in (str(self.path / "nobody.sock"), "/" + "long" * 40, "elsewhere"):
            process = self.start("--config", self.config(),
                                 env={**os.environ, "NOTIFY_SOCKET": name})
            code, _ = self.end(process)
            self.assertEqual(code, 0)
            told = [line for line in self.log if "NOTIFY_SOCKET" in line]
            self.assertEqual(len(told), 2, self.log)

    def test_limits(self):
        process = self.start("--config", self.config('trace "trace.json"\n'),
                             preexec_fn=lambda: os.umask(0))
        limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
        soft, hard = re.search(r"Max open files\s+(\S+)\s+(\S+)", limits).groups()
        self.assertEqual(soft, hard)
        self.assertRegex(limits, r"Max core file size\s+0\s+0")
        self.assertEqual(stat.S_IMODE(os.stat(self.path / "trace.json").st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path / "ahoyd.sock").st_mode), 0o600)
        self.assertEqual(self.end(process)[0], 0)

    def test_a_trace_that_cannot_be_opened(self):
        path = self.config('trace "nowhere/trace.json"\n')
        result = self.run_ahoyd("--config", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn("nowhere/trace.json", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
