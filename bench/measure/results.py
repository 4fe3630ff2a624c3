"""The results as Markdown: printed, and written between an area's marks in bench/RESULTS.md.

What stands outside the marks (explanations of misses, say) is written by hand and kept.
"""

import datetime
import os
import platform
import re
import statistics
import subprocess
import sys

from .rounds import shown

FILE = "bench/RESULTS.md"


def table(outcomes):
    """The table, line by line."""
    yield "| what | ours | peer | bar | median | spread | by processor time | ours, absolute | processor used, ours / peer | |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for outcome in outcomes:
        row = outcome.row
        unit = "×" if row.peer else row.unit
        busy = f"{outcome.ours['busy']:.0%}" + (f" / {outcome.peer['busy']:.0%}" if row.peer else "")
        if not row.timed:
            busy = ""
        cells = [
            row.name,
            row.ours.name,
            row.peer.name if row.peer else "",
            row.bar_text(),
            f"{shown(outcome.median)} {unit}",
            f"{shown(min(outcome.values))}–{shown(max(outcome.values))}",
            f"{statistics.median(outcome.by_time):.2f} ×" if outcome.by_time else "",
            f"{outcome.ours[row.figure]:,.4g} {row.unit}" if outcome.ours[row.figure] < 1000
            else f"{outcome.ours[row.figure]:,.0f} {row.unit}",
            busy,
            row.verdict(outcome.median).replace("MISS", "**miss**"),
        ]
        yield "| " + " | ".join(cells) + " |"


def write(area, outcomes, options, idle):
    """Replaces the area's part of the results file."""
    begin, end = f"<!-- {area}: begin, written by bench/run {area} -->", f"<!-- {area}: end -->"
    part = "\n".join([begin, *section(outcomes, options, idle), end])
    text = open(FILE, encoding="utf-8").read() if os.path.exists(FILE) else HEAD
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    # A function, so that backslashes in a command line stay as they are.
    text = pattern.sub(lambda _: part, text) if pattern.search(text) else f"{text}\n## {area}\n\n{part}\n"
    with open(FILE, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"\nwritten to {FILE}")


HEAD = """# Results

Ratios against the peers, measured by `bench/run AREA` side by side on one machine: server on one processor, load on another,
A B A B. Absolute figures vary from machine to machine and stand here only to give the scale.
"""


def section(outcomes, options, idle):
    """One area: when, where, the table, the command lines."""
    date = datetime.date.today().isoformat()
    yield f"{date}, commit {commit()}, {options.rounds} rounds of {options.seconds:g} s each, alternated. {machine()}"
    if not idle:
        yield "**The machine was not idle**: the spread is wide, and the figures are to be taken again."
    yield ""
    yield from table(outcomes)
    yield ""
    yield "A figure is the median over the rounds; the spread is the smallest and the largest. “Processor used” is the"
    yield "server's own time on its processor: well below 100 % the load, or another process there, was the limit, and the"
    yield "ratio of what was done in a second of that time (“by processor time”) says more than the ratio of rates."
    yield ""
    yield "<details><summary>Command lines</summary>"
    yield ""
    yield "```text"
    for outcome in outcomes:
        yield f"# {outcome.row.name}"
        yield from (re.sub(r"/\S*/sockeye-bench-\w+", "WORK", line.replace(sys.executable, "python3")) for line in outcome.commands)
    yield "```"
    yield ""
    yield "</details>"


def machine():
    """The machine in general terms, and the versions that matter."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split(".")[:2])
    versions = [
        f"Python {platform.python_version()}",
        said("rustc", "--version"),
        said("gcc", "--version"),
        said("nginx", "-v"),
    ]
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {memory:.0f} GiB, Linux {kernel}; "
        + ", ".join(version for version in versions if version)
        + "."
    )


def said(*command):
    """The name and version in the first line that a program prints about itself."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    version = re.search(r"\d+\.\d+(\.\d+)?", done.stdout.splitlines()[0])
    return f"{command[0]} {version[0]}" if version else ""


def commit():
    """The commit that was measured, and whether the tree had been changed since."""
    def git(*arguments):
        return subprocess.run(("git", *arguments), capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{FILE}")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
