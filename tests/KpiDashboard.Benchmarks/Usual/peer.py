"""The peer of the benchmark 'usual': exponential smoothing and theta of statsmodels, measured by the same protocol on the same days.

Writes one JSON line per series to standard output. Without numpy or statsmodels it says so and ends with 3.
    apt-get install python3-statsmodels, or pip install statsmodels
"""
import csv
import json
import sys
import warnings

try:
    import numpy as np
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel
    from statsmodels.tsa.forecasting.theta import ThetaModel
    import statsmodels
except ImportError as missing:
    print(f"statsmodels is missing ({missing}): the peer was not measured.", file=sys.stderr)
    sys.exit(3)

warnings.simplefilter("ignore")
MASK = (1 << 64) - 1
SEED, FIRST_FAULT = 20261130, 63            # BandProtocol
WINDOW, MONTH = 396, 28                     # 13 months are learned from; parameters are fitted anew every four weeks
AHEAD, FIRST_ORIGIN, FORECAST_WINDOW = 28, 56, 760  # ForecastProtocol
Z_BAND, Z80 = 2.394, 1.2816                 # two-sided 1 in 60; 80 %


class SplitMix:
    """SplitMix64, as in BandProtocol.cs."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)


def ets(days):
    return ETSModel(days, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=7)


class EtsBand:
    """ETS(A,Ad,A) of log(1 + value): fitted on the 13 months before the four weeks of a day, then followed day by day.

    The band comes from the fitted variance.
    """

    def __init__(self):
        self.fits = {}

    def fit(self, values, block):
        if block not in self.fits:
            start = max(0, block - WINDOW)
            result = ets(np.log1p(values[start:block])).fit(disp=False, maxiter=60)
            self.fits[block] = start, result.params, float(np.sqrt(np.mean(result.resid ** 2)))
        return self.fits[block]

    def judge(self, values, days, untouched):
        """What is said of days of one block, the faults in values known; fitted on the untouched days before the block."""
        block = max(35, (days[0] - 35) // MONTH * MONTH + 35)
        start, params, deviation = self.fit(untouched, block)
        logs = np.log1p(values[start:days[-1] + 1])
        expected = ets(logs).smooth(params).fittedvalues
        return [int(np.sign(error)) if abs(error) > Z_BAND * deviation else 0
                for error in (logs[day - start] - expected[day - start] for day in days)]


class ThetaBand:
    """Theta of log(1 + value), fitted anew for each day; the band from its own prediction interval one day ahead."""

    def judge(self, values, days, untouched):
        said = []
        for day in days:
            logs = np.log1p(values[max(0, day - WINDOW):day])
            result = ThetaModel(logs, period=7, deseasonalize=True, method="additive").fit()
            expected = float(np.asarray(result.forecast(1))[0])
            deviation = float(np.sqrt(result.sigma2))
            error = np.log1p(values[day]) - expected
            said.append(int(np.sign(error)) if abs(error) > Z_BAND * deviation else 0)
        return said


def band(values, method, faults, every):
    judged = alarms = 0
    for block in range(35, len(values), MONTH):
        days = list(range(block, min(block + MONTH, len(values))))
        if every > 1:
            days = [day for day in days if day % every == 0]
        if not days:
            continue
        said = method.judge(values, days, values)
        judged += len(said)
        alarms += sum(1 for one in said if one != 0)
    random = SplitMix(SEED)
    zero = half = double = 0
    for _ in range(faults):
        day = FIRST_FAULT + random.next() % (len(values) - FIRST_FAULT - 7)
        planted = values.copy()
        planted[day] = 0
        zero += method.judge(planted, [day], values) == [-1]
        planted[day] = values[day] * 2
        double += method.judge(planted, [day], values) == [1]
        planted[day:day + 3] = np.floor(values[day:day + 3] / 2)
        half += any(method.judge(planted, [fallen], values) == [-1] for fallen in range(day, day + 3))
    return {"judged": judged, "alarms": alarms, "zero": zero / faults, "half": half / faults, "double": double / faults, "faults": faults}


def ets_ahead(known):
    result = ets(pd.Series(known)).fit(disp=False, maxiter=60)
    made = result.get_prediction(start=len(known), end=len(known) + AHEAD - 1).summary_frame(alpha=0.2)
    return made["mean"].to_numpy(), made["pi_lower"].to_numpy(), made["pi_upper"].to_numpy()


def theta_ahead(known):
    result = ThetaModel(known, period=7, deseasonalize=True, method="auto" if known.min() > 0 else "additive").fit()
    made = np.asarray(result.forecast(AHEAD))
    ends = np.asarray(result.prediction_intervals(AHEAD, alpha=0.2))
    return made, ends[:, 0], ends[:, 1]


def forecast(values, method, step):
    own = naive = scaled = own_sum = naive_sum = 0.0
    origins = days = within = 0
    for known in range(FIRST_ORIGIN, len(values) - AHEAD + 1, step):
        start = max(0, known - FORECAST_WINDOW)
        made, low, high = method(values[start:known])
        made = np.maximum(made, 0)
        actual = values[known:known + AHEAD]
        before = np.resize(values[known - 7:known], AHEAD)
        begin = max(7, known - FORECAST_WINDOW)
        scale = np.mean(np.abs(values[begin:known] - values[begin - 7:known - 7]))
        origins += 1
        own += np.abs(actual - made).sum()
        naive += np.abs(actual - before).sum()
        scaled += np.abs(actual - made).mean() / scale
        own_sum += abs((actual - made).sum())
        naive_sum += abs((actual - before).sum())
        days += AHEAD
        within += int(((actual >= low) & (actual <= high)).sum())
    return {"origins": origins, "againstNaive": own / naive, "mase": scaled / origins, "sumAgainstNaive": own_sum / naive_sum,
            "dayCoverage80": within / days}


def main():
    path, faults, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    print(json.dumps({"statsmodels": statsmodels.__version__, "numpy": np.__version__}), flush=True)
    for name in [column for column in rows[0] if column != "date"]:
        values = np.array([float(row[name]) for row in rows])
        print(json.dumps({
            "series": name,
            "etsBand": band(values, EtsBand(), faults, 1), "thetaBand": band(values, ThetaBand(), faults, 3),
            "etsForecast": forecast(values, ets_ahead, step), "thetaForecast": forecast(values, theta_ahead, step),
        }), flush=True)


if __name__ == "__main__":
    main()
