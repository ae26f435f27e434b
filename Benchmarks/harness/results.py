"""All rounds of all figures, their medians, and ratios within a round."""

import json
from statistics import median


class Results:
    def __init__(self):
        self.rounds = {}

    def add(self, workload, subject, figures):
        self.rounds.setdefault((workload, subject), []).append(figures)

    def median(self, workload, subject, figure):
        """The median over the rounds; None if it was not measured."""
        values = [figures[figure] for figures in self.rounds.get((workload, subject), []) if figure in figures]
        return median(values) if values else None

    def ratios(self, figure, one, other):
        """Round by round one's figure by the other's: both ran within a minute, so a machine's drift matters little."""
        pairs = zip(self.rounds.get(one, []), self.rounds.get(other, []))
        return [mine[figure] / theirs[figure] for mine, theirs in pairs if mine.get(figure) and theirs.get(figure)]

    def ratio(self, figure, one, other):
        """The median of the ratios; None if one of the two was not measured."""
        values = self.ratios(figure, one, other)
        return median(values) if values else None

    def disturbance(self):
        """The median of how much others used of the two processors."""
        values = [each["disturbance"] for rounds in self.rounds.values() for each in rounds if "disturbance" in each]
        return median(values) if values else 0

    def faults(self, workload, subject):
        """What went wrong in the rounds, added up."""
        total = {}
        for figures in self.rounds.get((workload, subject), []):
            for name, count in figures.get("faults", {}).items():
                total[name] = total.get(name, 0) + count
        return total

    def write(self, path, about):
        rounds = {f"{workload}: {subject}": figures for (workload, subject), figures in self.rounds.items()}
        path.write_text(json.dumps({"about": about, "rounds": rounds}, indent=1) + "\n")
