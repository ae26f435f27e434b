"""The table and the list of targets: as text, and as they stand in a page of the documentation."""

from processes import Failure
from workloads import WORKLOADS

# Where a row's memory was measured.
MEMORY = {"plain": "memory", "tls": "memory-tls"}
ROWS = [
    "limits",
    "limits-one",
    "plain",
    "tls",
    "window",
    "waiting",
    "one",
    "one-tls",
    "rate",
    "rate-tls",
    "many",
    "devices",
    "spread-1",
    "spread-64",
    "handshakes",
    "storm",
    "polling",
    "polling-each",
    "polling-aged",
    "fairness",
    "writes",
    "writes-first",
]
HEAD = [
    "",
    "req/s",
    "ratio",
    "CPU us",
    "ratio",
    "p50 us",
    "p99 us",
    "p99.9 us",
    "gap us",
    "busy %",
    "KiB/client",
    "faults",
]


def table(results):
    """One table: a heading per workload, a line per program, medians. Ratios are to the workload's first program."""
    return _aligned([HEAD, *_lines(results)])


def _lines(results):
    lines = []
    for workload in WORKLOADS:
        if workload.name not in ROWS:
            continue
        rows = [
            _row(results, workload, subject)
            for subject in workload.subjects
            if (workload.name, subject) in results.rounds
        ]
        if rows:
            lines += [[workload.title], *rows]
    return lines


def _row(results, workload, subject):
    def median(figure):
        return results.median(workload.name, subject, figure)

    def ratio(figure):
        first = (workload.name, workload.subjects[0])
        return _number(results.ratio(figure, (workload.name, subject), first), 2)

    faults = results.faults(workload.name, subject)
    return [
        "  " + subject,
        _number(median("per_second")),
        ratio("per_second"),
        _number(median("cpu_us"), 1),
        ratio("cpu_us"),
        _number(median("p50_us")),
        _number(median("p99_us")),
        _number(median("p999_us")),
        _number(median("gap_p50_us"), 1),
        _number(median("busy_percent")),
        _number(results.median(MEMORY.get(workload.name), subject, "kib_per_client"), 1),
        ", ".join(f"{count} {name}" for name, count in faults.items()) or "-",
    ]


TARGETS_HEAD = ["", "target", "figure", "bound", "", "rounds", "beside"]


def target_lines(targets, undisturbed):
    """Each target with its figure, and met or missed; with a question mark if others have disturbed the measurement."""
    lines = [_target(target, undisturbed) for target in targets]
    return _aligned([TARGETS_HEAD, *lines], left=(0, 1, 3, 4, 5, 6))


def _target(target, undisturbed):
    figure = "-" if target.figure is None else f"{_number(target.figure, 2)} {target.unit}".strip()
    bound = f"{target.bound} {target.unit}".strip()
    spread = f"{_number(min(target.spread), 2)} to {_number(max(target.spread), 2)}" if target.spread else ""
    verdict = target.verdict + ("" if undisturbed else "?")
    return [f"{target.number}", target.text, figure, bound, verdict, spread, target.beside]


# In a page, what is between these lines is written anew.
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write_page(path, results, targets, undisturbed):
    """Puts the figures into a page of Markdown, between the two lines."""
    text = path.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise Failure(f"{path} needs one line {BEGIN} and one line {END}.")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    about = "\n".join(f"- {line}" for line in results.about)
    if not undisturbed:
        about += f"\n- Other programs used {results.disturbance():.0%} of the two processors: these figures say little."
    # Those that were not measured have their line, too.
    goals = _markdown(TARGETS_HEAD, [_target(target, undisturbed) for target in targets], left=(0, 1, 4, 6))
    lines = [line if len(line) > 1 else [f"**{line[0]}**"] + [""] * (len(HEAD) - 1) for line in _lines(results)]
    figures = _markdown(HEAD, lines, left=(0, len(HEAD) - 1))
    path.write_text(f"{before}{BEGIN}\n{about}\n\n{goals}\n\n{figures}\n{END}{after}")


def _markdown(head, lines, left):
    rule = ["---" if column in left else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(text.strip() for text in line)} |" for line in (head, rule, *lines))


def _number(value, digits=0):
    if value is None:
        return "-"
    return f"{value:,.{digits}f}"


def _aligned(lines, left=(0,)):
    full = [line for line in lines if len(line) > 1]
    widths = [max(len(line[column]) for line in full) for column in range(len(full[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(widths[column]) if column in left else text.rjust(widths[column])
            for column, text in enumerate(line)
        ).rstrip()
        for line in lines
    )
