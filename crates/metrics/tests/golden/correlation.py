"""Writes correlation.json: SciPy's correlations of random, tied, ill-scaled and constant variables, and Pearson's in exact arithmetic.

    pip install scipy==1.17.1 numpy==2.4.6
    python correlation.py

A case holds its variables as lists, or the number of samples of `long` below and the offset that is added to the first variable. What is not
finite is text; what SciPy has no value for is null. `exact` is Pearson's correlation of the very same doubles, rounded once, at the end:
where the offset is large SciPy itself is away from it.
"""

import json
import math
import random
import warnings
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy import stats

warnings.simplefilter("ignore")


def long(count, offset):
    """Two correlated variables that any language can make: whole numbers, one division, one sum."""
    x = [(index * 7919 % 100_003) / 97 for index in range(count)]
    y = [value + (index * 104_729 % 99_991) / 89 for index, value in enumerate(x)]
    return [value + offset for value in x], y


def deviations(values):
    mean = sum(values) / len(values)
    return [value - mean for value in values]


def exact(x, y):
    if not all(map(math.isfinite, x + y)) or len(set(x)) == 1 or len(set(y)) == 1:
        return None
    x, y = [list(map(Fraction, values)) for values in (x, y)]
    x, y = deviations(x), deviations(y)
    covariance, of_x, of_y = [sum(a * b for a, b in zip(one, other)) for one, other in ((x, y), (x, x), (y, y))]
    with localcontext() as context:
        context.prec = 60
        square = covariance**2 / (of_x * of_y)
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    return float(root) if covariance >= 0 else -float(root)


def number(value):
    return None if math.isnan(value) else float(value)


def text(values):
    names = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return [value if math.isfinite(value) else names.get(value, "NaN") for value in values]


def scored(x, y):
    return {
        "pearson": number(stats.pearsonr(np.array(x), np.array(y)).statistic),
        "exact": exact(x, y),
        "spearman": number(stats.spearmanr(x, y).statistic),
    }


def case(name, x, y):
    x, y = list(map(float, x)), list(map(float, y))
    return {"name": name, "x": text(x), "y": text(y), **scored(x, y)}


def long_case(count, offset):
    return {"name": f"{count} samples at {offset}", "samples": count, "offset": offset, **scored(*long(count, offset))}


draw = random.Random(20220425)


def noisy(count, slope, noise):
    x = [draw.gauss(0, 1) for _ in range(count)]
    return x, [slope * value + noise * draw.gauss(0, 1) for value in x]


cases = []
for count in (2, 3, 10, 129, 300):
    for slope, noise in ((1, 0), (1, 0.5), (-2, 1), (0, 1)):
        cases.append(case(f"{count} samples, slope {slope}, noise {noise}", *noisy(count, slope, noise)))
for levels in (2, 3, 6):
    x = [draw.randrange(levels) for _ in range(120)]
    cases.append(case(f"ties of {levels} levels", x, [value + draw.randrange(levels) for value in x]))
graded = [round(5 * draw.random(), 1) for _ in range(150)]
cases += [
    case("graded from 0 to 5", graded, [round(min(5, max(0, value + draw.gauss(0, 0.7))) * 5) / 5 for value in graded]),
    case("all tied but one", [3] * 49 + [4], [draw.random() for _ in range(50)]),
    case("zeros of both signs", [-0.0, 0.0, 1, 2, -0.0], [1, 1, 2, 3, 4]),
    case("grows, but not along a line", range(1, 41), [math.exp(value / 3) for value in range(1, 41)]),
    case("falls", range(30), [-(value**3) for value in range(30)]),
]
for offset in (1e3, 1e6, 1e8, 1e11, 1e14):
    x, y = noisy(200, 1, 0.8)
    cases.append(case(f"offset {offset:g}", [value + offset for value in x], [value - offset for value in y]))
    x, y = noisy(200, 1, 0.8)
    cases.append(case(f"one offset {offset:g}", [value + offset for value in x], y))
for scale in (1e-300, 1e-150, 1e150, 1e300):
    x, y = noisy(50, 1, 0.8)
    cases.append(case(f"scale {scale:g}", [value * scale for value in x], y))
cases += [
    case("large values of both signs", [1.7e308, -1.7e308, 3e200, 0], [2, 1, 5, 3]),
    case("neighbouring doubles", [1, 1 + 2**-52, 1 + 2**-51, 1], [1, 2, 3, 1.5]),
    case("constant first", [0.1] * 7, range(7)),
    case("constant second", range(7), [0.1] * 7),
    case("constant both", [2, 2], [3, 3]),
    case("NaN first", [1, math.nan, 3], [1, 2, 3]),
    case("NaN second", [1, 2, 3], [math.nan, 2, 3]),
    case("infinite first", [1, 2, math.inf, 0], [1, 2, 3, 4]),
    case("infinite both", [1, 2, math.inf, -math.inf], [1, -math.inf, 3, 4]),
    case("constant infinity", [math.inf] * 3, [1, 2, 3]),
    long_case(20_000, 0),
    long_case(20_000, 1e7),
]
path = Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(one, allow_nan=False) for one in cases) + "\n]\n")
