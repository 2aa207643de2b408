"""Writes t_test.json: SciPy's t-tests of lists of 2 to 40 values, of equal and of tiny differences.

    pip install scipy==1.17.1 numpy==2.4.6
    python t_test.py
"""

import json
import random
from pathlib import Path

from scipy import stats


def case(baseline, system):
    found = stats.ttest_rel(system, baseline)
    low, high = found.confidence_interval(0.95)
    return {"baseline": baseline, "system": system, "t": found.statistic, "pValue": found.pvalue, "lower": low, "upper": high}


draw = random.Random(20220425)
cases = []
for count in (2, 3, 5, 10, 40):
    for shift, noise in ((0.0, 1.0), (0.6, 0.3), (-5.0, 0.01), (1e-9, 1.0)):
        baseline = [30 + draw.gauss(0, 1) for _ in range(count)]
        cases.append(case(baseline, [value + shift + draw.gauss(0, noise) for value in baseline]))
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(cases, indent=1) + "\n")
