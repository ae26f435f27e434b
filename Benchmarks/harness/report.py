"""The table, and the list of targets."""

from workloads import WORKLOADS

# Where a row's memory was measured.
MEMORY = {"plain": "memory", "tls": "memory-tls"}
ROWS = [
    "plain",
    "tls",
    "window",
    "one",
    "one-tls",
    "rate",
    "rate-tls",
    "many",
    "handshakes",
    "storm",
    "polling",
    "polling-each",
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
    lines = [HEAD]
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
    return _aligned(lines)


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


def target_lines(targets, undisturbed):
    """Each target with its figure, and met or missed; with a question mark if others have disturbed the measurement."""
    lines = [["target", "", "figure", "bound", "", "rounds"]]
    for target in targets:
        figure = "-" if target.figure is None else f"{_number(target.figure, 2)} {target.unit}".strip()
        bound = f"{target.bound} {target.unit}".strip()
        spread = f"{min(target.spread):.2f} to {max(target.spread):.2f}" if target.spread else ""
        lines.append(
            [f"{target.number}", target.text, figure, bound, target.verdict + ("" if undisturbed else "?"), spread]
        )
    return _aligned(lines, left=(0, 1, 3, 4, 5))


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
