"""All rounds of all figures, their medians, and ratios within a round."""

import json
from statistics import median

from processes import Failure


class Results:
    def __init__(self, about, binary):
        self.about = about  # when, where and what, in sentences
        self.binary = binary  # what the program's file is like
        self.rounds = {}  # by workload and subject: the figures of each round

    def add(self, workload, subject, number, figures):
        self.rounds.setdefault((workload, subject), {})[number] = figures

    def values(self, workload, subject, figure):
        """The figure of each round in which it was measured."""
        return [figures[figure] for figures in self.rounds.get((workload, subject), {}).values() if figure in figures]

    def median(self, workload, subject, figure):
        """The median over the rounds; None if it was not measured."""
        values = self.values(workload, subject, figure)
        return median(values) if values else None

    def ratios(self, figure, one, other):
        """Round by round one's figure by the other's: both ran within minutes, so a machine's drift matters little."""
        ours, theirs = self.rounds.get(one, {}), self.rounds.get(other, {})
        pairs = [(ours[number].get(figure), theirs[number].get(figure)) for number in ours if number in theirs]
        return [mine / other for mine, other in pairs if mine and other]

    def ratio(self, figure, one, other):
        """The median of the ratios; None if one of the two was not measured."""
        values = self.ratios(figure, one, other)
        return median(values) if values else None

    def disturbance(self):
        """The median of how much others used of the two processors."""
        values = [
            figures["disturbance"]
            for rounds in self.rounds.values()
            for figures in rounds.values()
            if "disturbance" in figures
        ]
        return median(values) if values else 0

    def faults(self, workload, subject):
        """What went wrong in the rounds, added up."""
        total = {}
        for figures in self.rounds.get((workload, subject), {}).values():
            for name, count in figures.get("faults", {}).items():
                total[name] = total.get(name, 0) + count
        return total

    def write(self, path):
        rounds = [
            {"workload": workload, "program": subject, "rounds": figures}
            for (workload, subject), figures in self.rounds.items()
        ]
        path.write_text(json.dumps({"about": self.about, "binary": self.binary, "results": rounds}, indent=1) + "\n")

    @staticmethod
    def read(path):
        """What the last run has written."""
        try:
            stored = json.loads(path.read_text())
            results = Results(stored["about"], stored["binary"])
            for each in stored["results"]:
                rounds = {int(number): figures for number, figures in each["rounds"].items()}
                results.rounds[each["workload"], each["program"]] = rounds
        except (OSError, ValueError, KeyError) as error:
            raise Failure(f"{path} holds no figures: measure first ({error!r}).") from error
        return results
