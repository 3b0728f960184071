"""Overload: a server held to a tenth of a processor, and callers who do not wait for each other.

First calls one after the other, as fast as they end, tell its capacity; then the schedule begins:
loads around the capacity, of whose means the best is the peak; twice the capacity; ten times; and
0.7 of it, to see how soon all is as before.  One second differs from the next by a sixth, as the
quota is measured in slices: of means over few seconds the best would be chance.

The callers are phones (bench-flood): what is not answered they send again, and who is refused with
a Retry-After makes no call before it is over.  So after the load there are two ends.  The server
has recovered when all who come are served; the callers, when all come again who want to.
"""
import json
import os
import signal
import statistics
import subprocess
import threading
import time

SHARE = 0.1  # Of one processor.
PERIOD_US = 100000  # As Docker and systemd have it: the server runs for 10 ms, then rests for 90.
CALLERS_PER_CALL = 20  # Each caller would make a call every so many seconds at the capacity.
SETTLING_S = 5  # At the beginning of a load, not looked at.
NORMAL = 0.7
PHASES = [("0.8", 0.8, 30), ("0.9", 0.9, 30), ("1.0", 1.0, 30), ("1.2", 1.2, 30), ("2", 2, 30),
          ("10", 10, 30), ("after", NORMAL, 30)]


class Quota:
    """Holds processes to one share: by cgroup v2 or v1 where they can be written, else by stopping
    and continuing them every 10 ms."""

    def __init__(self, pids):
        self.folder, self.thread = None, None
        name = f"ahoy-bench-{os.getpid()}"
        quota = str(int(PERIOD_US * SHARE))
        for root, files in [("/sys/fs/cgroup", [("cpu.max", f"{quota} {PERIOD_US}")]),
                            ("/sys/fs/cgroup/cpu", [("cpu.cfs_period_us", str(PERIOD_US)),
                                                    ("cpu.cfs_quota_us", quota)])]:
            if self._hold(os.path.join(root, name), files, pids):
                self.how = f"{files[0][0]} in {root}"
                return
        self.how = "SIGSTOP and SIGCONT, in turns of 10 ms"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._stop_and_go, args=(pids,))
        self.thread.start()

    def _hold(self, folder, files, pids):
        try:
            os.mkdir(folder)
        except OSError:
            return False
        try:
            for file, text in files:
                with open(os.path.join(folder, file), "r+") as out:  # Where it is a cgroup's.
                    out.write(text)
            for pid in pids:
                with open(os.path.join(folder, "cgroup.procs"), "r+") as out:
                    out.write(str(pid))
        except OSError:
            os.rmdir(folder)
            return False
        self.folder = folder
        return True

    def _stop_and_go(self, pids):
        while not self.over.is_set():
            for sign, seconds in [(signal.SIGCONT, 0.01 * SHARE),
                                  (signal.SIGSTOP, 0.01 * (1 - SHARE))]:
                for pid in pids:
                    os.kill(pid, sign)
                time.sleep(seconds)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def release(self):
        """Before the process is ended."""
        if self.thread is not None:
            self.over.set()
            self.thread.join()

    def remove(self):
        """Once it has ended."""
        for _ in range(50):
            try:
                if self.folder is not None:
                    os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.1)


def find_capacity(put_load, calls):
    """Calls a second, of callers who wait for each other."""
    begin = time.monotonic()
    put_load(calls, 64)
    return calls / (time.monotonic() - begin)


def flood(build, cpu, port, capacity):
    """Runs the schedule; returns what happened in each second of each phase."""
    callers = max(int(capacity * CALLERS_PER_CALL), 1)
    words = [f"{capacity * factor:.1f}x{seconds}" for _, factor, seconds in PHASES]
    done = subprocess.run(
        [os.path.join(build, "bench", "bench-flood"), "--server", str(port), "--callers",
         str(callers)] + words, stdout=subprocess.PIPE, text=True, check=True, timeout=300,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    seconds = [json.loads(line) for line in done.stdout.splitlines()]
    phases = {}
    for name, _, count in PHASES:
        phases[name], seconds = seconds[:count], seconds[count:]
    return phases


def mean(seconds, what):
    return statistics.mean(second[what] for second in seconds)


def goodput(phases, name):
    return mean(phases[name][SETTLING_S:], "good")


def first_s(seconds, is_well):
    """After how many seconds all are well."""
    for index in range(len(seconds)):
        if all(is_well(later) for later in seconds[index:]):
            return index
    return len(seconds)


def recovery_s(phases):
    """After how many seconds no call of those who come goes wrong.  (That as many end well in a
    second as began in it says nothing: calls last for a while, and come by chance.)"""
    return first_s(phases["after"], lambda second: second["refused"] + second["failed"] +
                   second["timed_out"] + second["late"] == 0)


def return_s(phases):
    """After how many seconds hardly anybody waits for a Retry-After to be over."""
    return first_s(phases["after"], lambda second: second["withheld"] <= 0.05 * second["wanted"])


def shares(turns):
    """Of the phases of several turns: the peak, what is left of it at twice and at ten times the
    capacity in percent, and the longest time to recover."""
    means = {name: statistics.mean(goodput(phases, name) for phases in turns)
             for name in turns[0] if name != "after"}
    peak = max(means.values())
    return (peak, means["2"] / peak * 100, means["10"] / peak * 100,
            max(recovery_s(phases) for phases in turns))


def is_starved(seconds, rate):
    """Whether this machine had no time to make all the calls that were wanted."""
    return mean(seconds, "wanted") < 0.95 * rate


def tell(name, phases, capacity):
    print(f"  {name}: capacity {capacity:.0f} calls/s", flush=True)
    for phase, factor, _ in PHASES:
        seconds = phases[phase][SETTLING_S:]
        print(f"    load {factor:4.1f}: " + ", ".join(
            f"{what} {mean(seconds, what):.0f}"
            for what in ["wanted", "withheld", "sent", "resent", "good", "late", "refused",
                         "timed_out"]), flush=True)
        print("      good, by the second: " +
              " ".join(str(second["good"]) for second in phases[phase]), flush=True)
        if is_starved(phases[phase], factor * capacity):
            print("      (note: the callers were starved; this is no measurement)")
    print(f"    once the load is over: all who come are served after {recovery_s(phases)} s, all "
          f"come again after {return_s(phases)} s, of {len(phases['after'])}", flush=True)
