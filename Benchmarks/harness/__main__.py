"""Runs the benchmark: see Benchmarks/README.md. "make bench" calls this with everything built."""

import argparse
import datetime
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

from processes import Failure, may_be_urgent, stop_all
from programs import BUILD, ROOT, Place, versions, write_leaf
from report import table, target_lines, write_page
from results import Results
from targets import targets
from thresholds import read_thresholds
from workloads import WORKLOADS, look_for_lies, measurable

THRESHOLDS = Path(__file__).resolve().parents[1] / "thresholds.toml"
RESULTS = BUILD / "results.json"


def main():
    arguments = _parse()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        return run(arguments)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        stop_all()


def _parse():
    parser = argparse.ArgumentParser(prog="bench", description="Compares tcp-multiplexer with its peers, on loopback.")
    parser.add_argument(
        "--server", type=Path, default=ROOT / ".build/dist/tcp-multiplexer", help="the program under test"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often all is measured (5)")
    parser.add_argument("--seconds", type=float, default=2, help="how long each measurement takes (2)")
    parser.add_argument("--only", default="", metavar="NAME,...", help=", ".join(each.name for each in WORKLOADS))
    parser.add_argument(
        "--subjects", default="", metavar="NAME,...", help="only programs whose names contain one of these"
    )
    parser.add_argument(
        "--check",
        type=Path,
        nargs="?",
        const=THRESHOLDS,
        metavar="FILE",
        help="hold figures against thresholds (thresholds.toml); fails if one is not kept",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="measure nothing, put the last figures into a page of Markdown"
    )
    arguments = parser.parse_args()
    names = {each.name for each in WORKLOADS}
    arguments.only = [name for name in arguments.only.split(",") if name]
    arguments.subjects = [name for name in arguments.subjects.split(",") if name]
    unknown = [name for name in arguments.only if name not in names]
    if unknown or arguments.rounds < 1 or arguments.seconds < 0.1:
        parser.error(f"no workload {unknown[0]}" if unknown else "there is nothing to measure")
    return arguments


def run(arguments):
    if arguments.report:
        results = Results.read(RESULTS)
        write_page(arguments.report, results, targets(results), _undisturbed(results))
        return 0

    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        raise Failure("Two processors are needed: one for the load, one for what is measured.")
    if not arguments.server.exists():
        raise Failure(f"{arguments.server} is not there; make release builds it.")
    place = Place(arguments.server.resolve(), processors[0], processors[1])
    # We only read and write lines; what is measured must not share its processor with us.
    os.sched_setaffinity(0, {place.load_processor})

    thresholds = read_thresholds(arguments.check, WORKLOADS) if arguments.check else []
    wanted = {each.one for each in thresholds} | {each.other for each in thresholds if each.other}
    pairs, missing = measurable(place, [name for name, _ in wanted] or arguments.only)
    if thresholds:
        pairs = [pair for pair in pairs if (pair[0].name, pair[1].name) in wanted]
    if arguments.subjects:
        pairs = [pair for pair in pairs if any(part in pair[1].name for part in arguments.subjects)]
    results = Results(_about(place, arguments), _binary(place.server))
    print("\n".join(results.about))
    for name, reason in missing.items():
        print(f"not measured: {name}: {reason}")
    print(flush=True)
    write_leaf()
    look_for_lies(place)

    for number in range(arguments.rounds):
        # There and back again, so that nobody is always measured after the same other.
        for index, (workload, subject) in enumerate(pairs if number % 2 == 0 else reversed(pairs)):
            _say(
                f"round {number + 1} of {arguments.rounds}, {index + 1} of {len(pairs)}: "
                f"{workload.name}, {subject.name}"
            )
            try:
                figures = workload.measure(place, workload, subject, arguments.seconds)
            except Failure as failure:
                _say("")
                print(f"{workload.name}, {subject.name}: {failure}", flush=True)
                # It must not look better for the rounds in which it failed.
                figures = {"faults": {"failed": 1}}
            finally:
                stop_all()
            results.add(workload.name, subject.name, number, figures)
    _say("")
    results.write(RESULTS)
    print(table(results))
    print()
    undisturbed = _undisturbed(results)
    if not undisturbed:
        print(
            f"Other programs used {results.disturbance():.0%} of the two processors meanwhile: "
            "take these figures for nothing.\n"
        )
    if not thresholds:
        print(target_lines(targets(results), undisturbed))
        return 0
    broken = [sentence for each in thresholds if (sentence := each.broken(results))]
    print("\n".join(broken) if broken else f"All {len(thresholds)} thresholds are kept.")
    return 1 if broken else 0


def _undisturbed(results):
    return results.disturbance() <= 0.03


def _binary(path):
    """What the program's file is like."""
    sections = subprocess.run(["readelf", "--wide", "--sections", path], capture_output=True, text=True).stdout
    needed = subprocess.run(["readelf", "--wide", "--dynamic", path], capture_output=True, text=True).stdout
    return {
        "megabytes": path.stat().st_size / 1e6,
        "static": "NEEDED" in needed and "libswift" not in needed,
        "stripped": ".text" in sections and ".symtab" not in sections,
    }


def _about(place, arguments):
    """When, where and what: figures mean nothing without it."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    now = datetime.datetime.now(datetime.timezone.utc)
    about = [
        f"{now:%Y-%m-%d %H:%M} UTC, {cpu}, Linux {platform.release()}, load average {os.getloadavg()[0]:.1f}",
        f"{arguments.rounds} rounds, {arguments.seconds:g} s each",
        f"tcp-multiplexer {commit}; {'; '.join(versions())}",
    ]
    if not may_be_urgent():
        about.append("no real-time priority for a client beside others: it waits for their load generator, too")
    return about


def _say(text):
    """One line that is written over, for those who watch."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
