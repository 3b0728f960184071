"""Overload: a server held to a tenth of a processor, and callers who do not wait for each other.

Calls one after the other, as fast as they end, tell its capacity; then the schedule begins: loads
around the capacity, of which the best is the peak; twice the capacity; ten times; and 0.7 of it, to
see how soon all is as before.  What is too much lasts for a minute: in the first half callers are
told to stay away, the second says what it is like in the long run.

Before that it has been overloaded for longer than it remembers a call.  Memory that is touched for
the first time takes a fourth of a server's time (more where the machine's host has to find it), and
it would be the first load that paid.

A machine's speed may change by half for half a minute, which is more than what is asked about.  So
a second server of the kind, held likewise, has one and the same load all the while, and what the
first one does is told by what the second did in the same seconds.  As each is the slower for the
other, the capacity is what it can do beside it.

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
HALF_S = 30  # Of what is too much.
PHASES = [("0.8", 0.8, 30), ("0.9", 0.9, 30), ("1.0", 1.0, 30), ("1.2", 1.2, 30),
          ("2", 2, 2 * HALF_S), ("10", 10, 2 * HALF_S), ("after", NORMAL, 30)]
LOADS = [name for name, _, _ in PHASES if name != "after"]
BESIDE = [("beside", 1.2, sum(seconds for _, _, seconds in PHASES))]
LEAD = ("lead", 1.2, 30)  # Of the server beside, until it is known what the first one can do.
WARM_UP = [("warm-up", 2, 35), ("rest", 0, 40)]  # Longer than 64*T1: by then all is given up.
CALLS = 20000  # Which tell a capacity.
PATIENCE_S = 90  # Once a schedule is over, for callers who end late.


class Quota:
    """Holds processes to one share: by cgroup v2 or v1 where they can be written, else by stopping
    and continuing them every 10 ms."""

    def __init__(self, pids):
        self.folder, self.thread = None, None
        name = f"ahoy-bench-{pids[0]}"
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


class Run:
    """Of callers, from |cpu|, through the server at |port| to |callee|."""

    def __init__(self, build, cpu, port, callee):
        self.command = [os.path.join(build, "bench", "bench-flood"), "--server", str(port),
                        "--callee", str(callee)]
        self.cpu, self.process = cpu, None

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def begin(self, capacity, schedule):
        self.schedule = schedule
        self.process = subprocess.Popen(
            [*self.command, "--callers", str(max(int(capacity * CALLERS_PER_CALL), 1)),
             *(f"{capacity * factor:.1f}x{seconds}" for _, factor, seconds in schedule)],
            stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}))

    def end(self):
        """What happened in each second of each phase."""
        lasts_s = sum(count for _, _, count in self.schedule)
        lines = self.process.communicate(timeout=lasts_s + PATIENCE_S)[0].splitlines()
        if self.process.returncode != 0:
            raise SystemExit("bench: bench-flood ended early")
        seconds = [json.loads(line) for line in lines]
        phases = {}
        for name, _, count in self.schedule:
            phases[name], seconds = seconds[:count], seconds[count:]
        return phases


def find_capacity(put_load):
    """Calls a second, of callers who wait for each other."""
    begin = time.monotonic()
    put_load(CALLS, 64)
    return CALLS / (time.monotonic() - begin)


def measure(run, beside, put_load):
    """(capacity, phases, seconds of the server beside)"""
    runs = [run, beside]
    try:
        capacity = find_capacity(put_load)
        for each in runs:
            each.begin(capacity, WARM_UP)
        for each in runs:
            each.end()
        beside.begin(capacity, [LEAD, *BESIDE])
        begin = time.monotonic() + LEAD[2]
        capacity = find_capacity(put_load)
        if time.monotonic() > begin:
            raise SystemExit(f"bench: {CALLS} calls took longer than {LEAD[2]} s")
        time.sleep(begin - time.monotonic())
        run.begin(capacity, PHASES)
        return capacity, run.end(), beside.end()["beside"]
    finally:
        for each in runs:
            each.kill()


def mean(seconds, what):
    return statistics.mean(second[what] for second in seconds)


def counted(phases, beside):
    """Of each phase, by its name: the seconds that count, and the same of the server beside."""
    pairs, at = {}, 0
    for name, _, count in PHASES:
        pairs[name] = phases[name][SETTLING_S:], beside[at + SETTLING_S:at + count]
        at += count
    return pairs


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


def part(pairs, load):
    """What the server did under |load|, in these turns, of what the one beside it did."""
    good, good_beside = (sum(mean(pair[load][side], "good") for pair in pairs) for side in (0, 1))
    return good / good_beside


def shares(turns):
    """Of several turns, each (phases, seconds of the server beside): the best mean of good calls a
    second; what is left of the peak at twice and at ten times the capacity in percent; and the
    longest time to recover."""
    pairs = [counted(*turn) for turn in turns]
    most = max(statistics.mean(mean(pair[load][0], "good") for pair in pairs) for load in LOADS)
    peak = max(part(pairs, load) for load in LOADS)
    return (most, part(pairs, "2") / peak * 100, part(pairs, "10") / peak * 100,
            max(recovery_s(phases) for phases, _ in turns))


def tell_shares(name, turns):
    """What several turns say, and how far that may be off: the standard error by what each turn
    changes (the jackknife)."""
    without = [shares(turns[:i] + turns[i + 1:]) for i in range(len(turns))]
    told = []
    for index, load in [(1, "2"), (2, "10")]:
        values = [each[index] for each in without]
        error = (statistics.pvariance(values) * (len(turns) - 1)) ** 0.5
        told.append(f"{shares(turns)[index]:.1f} % of the peak at {load} times the capacity, "
                    f"give or take {error:.1f}")
    print(f"  {name}, {len(turns)} turns: " + "; ".join(told), flush=True)


def halves(seconds, seconds_beside):
    """What the server did of that beside it, in percent: while callers were told to stay away, and
    once they had been."""
    at = HALF_S - SETTLING_S
    return [mean(half, "good") / mean(half_beside, "good") * 100
            for half, half_beside in [(seconds[:at], seconds_beside[:at]),
                                      (seconds[at:], seconds_beside[at:])]]


def is_starved(seconds, rate):
    """Whether this machine had no time to make all the calls that were wanted."""
    return mean(seconds, "wanted") < 0.95 * rate


def tell(name, phases, beside, capacity):
    print(f"  {name}: capacity {capacity:.0f} calls/s", flush=True)
    pairs = counted(phases, beside)
    for phase, factor, _ in PHASES:
        seconds, seconds_beside = pairs[phase]
        good, good_beside = mean(seconds, "good"), mean(seconds_beside, "good")
        print(f"    load {factor:4.1f}: " + ", ".join(
            f"{what} {mean(seconds, what):.0f}"
            for what in ["wanted", "withheld", "sent", "resent", "good", "late", "refused",
                         "timed_out"]) +
              f"; {good / good_beside * 100:.1f} % of the {good_beside:.0f} beside", flush=True)
        if len(phases[phase]) > HALF_S:
            first, second = halves(seconds, seconds_beside)
            print(f"      {first:.1f} % in the first {HALF_S} s, {second:.1f} % afterwards")
        print("      good, by the second: " +
              " ".join(str(second["good"]) for second in phases[phase]), flush=True)
        if is_starved(seconds, factor * capacity) or \
                is_starved(seconds_beside, BESIDE[0][1] * capacity):
            print("      (note: the callers were starved; this is no measurement)")
    print(f"    once the load is over: all who come are served after {recovery_s(phases)} s, all "
          f"come again after {return_s(phases)} s, of {len(phases['after'])}", flush=True)
