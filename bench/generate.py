"""What a call costs whoever makes it for a load: `ahoy load call` beside SIPp."""
import os
import signal
import subprocess
import tempfile
import time

ANSWERER, SIPP = 15090, 15095
CALLS = 10000
RATES = [250, 500, 1000, 2000]  # Calls a second.
PATIENCE_S = 20


class Process:
    """One that is pinned to a CPU, with what it has used of that in the end.  It inherits that from
    this one: a fork that pins itself costs a millisecond, which would be told of the program."""

    def __init__(self, command, folder, cpu):
        cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {cpu})
        try:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if command[0] == "sipp" else None)
        finally:
            os.sched_setaffinity(0, cpus)

    def end(self, number=None):
        """(exit code, seconds in user space and kernel)"""
        if number is not None:
            self.process.send_signal(number)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode, used.ru_utime + used.ru_stime


def is_taken():
    with open("/proc/net/udp") as file:
        return any(line.split()[1].endswith(f":{ANSWERER:04X}") for line in list(file)[1:])


def sipp(*words):
    return ["sipp", "-i", "127.0.0.1", "-nostdin", *words]


def commands(build, calls, rate):
    """The generators, and the answerers with the signal that ends them."""
    ahoy = os.path.join(build, "bin", "ahoy")
    makes = {"ahoy": [ahoy, "load", "call", f"sip:service@127.0.0.1:{ANSWERER}", "--user",
                      "load@127.0.0.1", "--rate", str(rate), "--calls", str(calls), "--json"],
             "sipp": sipp("-sn", "uac", "-p", str(SIPP), "-m", str(calls), "-r", str(rate), "-l",
                          "10000", "-d", "0", f"127.0.0.1:{ANSWERER}")}
    answers = {"ahoy": ([ahoy, "load", "answer", "--user", "service@127.0.0.1", "--listen",
                         f"127.0.0.1:{ANSWERER}", "--ring", "0", "--json"], signal.SIGINT),
               "sipp": (sipp("-sn", "uas", "-p", str(ANSWERER)), signal.SIGKILL)}
    return makes, answers


def cost(build, maker, answerer, rate, cpus, calls=CALLS):
    """Microseconds of CPU that a call costs its maker, and its answerer."""
    makes, answers = commands(build, calls, rate)
    with tempfile.TemporaryDirectory(prefix="ahoy-bench-") as folder:
        command, number = answers[answerer]
        answering = Process(command, folder, cpus[0])
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not is_taken() and time.monotonic() < deadline:
                time.sleep(0.01)
            code, made_s = Process(makes[maker], folder, cpus[1]).end()
        finally:
            _, answered_s = answering.end(number)
    if code != 0:
        print(f"  (note: not all calls of {maker} to {answerer} were completed)")
    return made_s / calls * 1e6, answered_s / calls * 1e6
