"""A row of the table, and how it is measured: A B A B, a ratio each round, the median of them."""

import dataclasses
import statistics

from . import loads


@dataclasses.dataclass(frozen=True)
class Row:
    """What is compared and what must be reached. Without a peer the bar is on the figure itself; without a bar it is
    only reported. Without a load, `ours` is a program that is measured by itself."""

    name: str
    ours: object
    peer: object
    load: object
    bar: float | None
    at_least: bool = True
    figure: str = "per_second"
    unit: str = "/s"
    # Whether the server's processor time is known in full; not where nobody waits for its children.
    timed: bool = True
    # What the peer is asked, where that is not the same.
    peer_load: object = None
    # How often it is measured, where the program itself repeats and compares.
    rounds: int | None = None
    # Bytes that it makes the server keep in memory.
    keeps: int = 0

    def passes(self, value):
        return self.bar is None or (value >= self.bar if self.at_least else value <= self.bar)

    def verdict(self, value):
        return "reported" if self.bar is None else "pass" if self.passes(value) else "MISS"

    def bar_text(self):
        if self.bar is None:
            return "none"
        sign = "≥" if self.at_least else "≤"
        bar = f"{self.bar:,.0f}" if self.bar >= 1000 else f"{self.bar:g}"
        return f"{sign} {bar} {'×' if self.peer else self.unit}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A measured row: one value a round (a ratio, or the figure itself), and the medians behind it.

    `by_time` are the ratios of what was done in a second of processor time: they compare the servers also
    where the load, or something else on the machine, was the limit.
    """

    row: Row
    values: tuple
    by_time: tuple
    ours: dict
    peer: dict
    commands: tuple

    @property
    def median(self):
        return statistics.median(self.values)


def measure(row, rounds, seconds, measured):
    """Measures a row in so many rounds; prints as it goes. Rows that look at different figures of the same are measured
    once: `measured` has what was."""
    print(f"{row.name}: {row.ours.name}" + (f" vs {row.peer.name}" if row.peer else ""), flush=True)
    ours, peers, values, by_time = [], [], [], []
    known = measured.setdefault((row.ours, row.load), []) if not row.peer else []
    for index in range(row.rounds or rounds):
        if index == len(known):
            known.append(loads.run(row.load, row.ours, seconds, row.keeps) if row.load else loads.run_alone(row.ours))
        ours.append(known[index])
        value = ours[-1][row.figure]
        line = f"  {value:,.1f} {row.unit} ({ours[-1]['busy']:.0%} used)"
        if row.peer:
            peers.append(loads.run(row.peer_load or row.load, row.peer, seconds, row.keeps))
            other = peers[-1][row.figure]
            line += f"   {other:,.1f} {row.unit} ({peers[-1]['busy']:.0%} used)   {value / other:.2f} ×"
            value /= other
            if row.timed and row.unit == "/s":
                by_time.append(value * peers[-1]["busy"] / ours[-1]["busy"])
        values.append(value)
        print(line, flush=True)
    median = statistics.median(values)
    same = f" ({statistics.median(by_time):.2f} by processor time)" if by_time else ""
    print(f"  median {shown(median)}{same}, bar {row.bar_text()}: {row.verdict(median)}\n", flush=True)
    return Outcome(row, tuple(values), tuple(by_time), middle(ours), middle(peers), commands(row, seconds))


def shown(value):
    """A figure with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}"


def middle(results):
    """The median of each figure."""
    return {key: statistics.median(each[key] for each in results) for key in (results[0] if results else ())}


def commands(row, seconds):
    """The command lines, as somebody else would type them."""
    if not row.load:
        return (f"{row.ours.name}: taskset -c {row.ours.cpus} {' '.join(row.ours.command)}",)
    load = " ".join(row.load.command("ADDR", "PID", seconds))
    lines = [f"{row.ours.name}: {' '.join(row.ours.command)}"]
    if row.peer:
        lines.append(f"{row.peer.name}: {' '.join(row.peer.command)}")
    if row.peer_load:
        lines.append(f"load of the peer: {' '.join(row.peer_load.command('ADDR', 'PID', seconds))}")
    return (*lines, f"load: {load}")
