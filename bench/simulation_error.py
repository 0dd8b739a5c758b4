"""Free-run errors of models of one input and one output that `select` takes, beside other packages.

    python -m bench.simulation_error            # prints the table
    python -m bench.simulation_error --write    # puts it into docs/choosing-a-model.md

Each method sees the same 1,500 rows and the same three lags of output and input, may try settings
on the last fifth of them, and then runs open loop through 1,500 fresh rows under their inputs. The
error is the root mean square in standard deviations of the fresh output: always predicting its mean
has 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]
Predictor = Callable[[Array], float]  # of the lags, newest first, outputs before inputs

PAGE = Path(__file__).resolve().parents[1] / "docs/choosing-a-model.md"
BEGIN, END = "<!-- python -m bench.simulation_error -->\n", "<!-- end of simulation error -->\n"
ROWS, LAGS, SEED = 1500, 3, 0
KEPT = 0.8  # of the rows: settings are chosen on the others
AWAY = 100.0


def held(rng: np.random.Generator, rows: int, steps: int, scale: float) -> Array:
    """Returns normal inputs, each held for so many steps."""
    drawn: Array = np.repeat(scale * rng.normal(size=rows // steps + 1), steps)[:rows]
    return drawn


def duffing(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """A mass on a spring that stiffens with the cube of its place."""
    inputs, outputs, place, speed = held(rng, rows, 2, 0.6), [], 0.0, 0.0
    for push in inputs:
        for _ in range(10):
            speed += 0.0192 * (push - 0.35 * speed - 9.0 * place - 36.0 * place**3)
            place += 0.0192 * speed
        outputs.append(place)
    return inputs, noisy(rng, outputs, 1e-3)


def tanks(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """The lower of two tanks, the upper one filled by a pump; both may overflow."""
    inputs = np.repeat(rng.uniform(0.5, 3.2, rows // 20 + 1), 20)[:rows]
    outputs, upper, lower = [], 2.0, 2.0
    for pumped in inputs:
        for _ in range(4):
            flow = 0.6 * np.sqrt(upper)
            upper = float(np.clip(upper + 0.05 * (0.5 * pumped - flow), 0.0, 8.0))
            lower = float(np.clip(lower + 0.05 * (flow - 0.65 * np.sqrt(lower)), 0.0, 8.0))
        outputs.append(lower)
    return inputs, noisy(rng, outputs, 0.01)


def wiener_hammerstein(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """A diode-like curve between two filters of the first order."""
    inputs, outputs, first, second = held(rng, rows, 1, 1.0), [], 0.0, 0.0
    for value in inputs:
        first += 0.4 * (value - first)
        second += 0.3 * ((first if first > 0.0 else 0.3 * np.tanh(2.0 * first)) - second)
        outputs.append(second)
    return inputs, noisy(rng, outputs, 0.01)


def hysteresis(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """A mass on a spring with the hysteresis of Bouc and Wen, whose state nobody sees."""
    inputs, outputs, place, speed, memory = held(rng, rows, 3, 1.5), [], 0.0, 0.0, 0.0
    for push in inputs:
        for _ in range(8):
            pull = push - 0.4 * speed - 2.0 * place - 1.5 * memory
            memory += 0.02 * (speed - 0.8 * abs(speed) * memory - 0.4 * speed * abs(memory))
            speed += 0.02 * pull
            place += 0.02 * speed
        outputs.append(place)
    return inputs, noisy(rng, outputs, 0.01)


def noisy(rng: np.random.Generator, outputs: Sequence[float], share: float) -> Array:
    """Returns what a sensor reads whose noise is a share of the spread."""
    exact = np.array(outputs)
    read: Array = exact + share * exact.std() * rng.normal(size=len(exact))
    return read


SYSTEMS = {
    "stiffening spring": duffing,
    "two tanks": tanks,
    "curve between two filters": wiener_hammerstein,
    "hysteresis": hysteresis,
}


def lagged(inputs: Array, outputs: Array) -> tuple[Array, Array]:
    """Returns (N, 2 LAGS) lags and (N,) the outputs that follow."""
    places = range(LAGS, len(outputs))
    rows = [np.r_[outputs[k - LAGS : k][::-1], inputs[k - LAGS + 1 : k + 1][::-1]] for k in places]
    return np.array(rows), outputs[LAGS:]


def simulated(predict: Predictor, inputs: Array, outputs: Array) -> float:
    """Returns the error of a free run from the first lags on."""
    path = outputs[:LAGS].tolist()
    for k in range(LAGS, len(outputs)):
        lags = np.r_[path[k - LAGS : k][::-1], inputs[k - LAGS + 1 : k + 1][::-1]]
        path.append(float(np.clip(np.nan_to_num(predict(lags)), -1e6, 1e6)))
    return error_of(np.array(path), outputs)


def error_of(path: Array, outputs: Array) -> float:
    """Returns the root mean square after the first lags, in standard deviations."""
    return float(np.sqrt(np.mean((path - outputs)[LAGS:] ** 2)) / outputs.std())


def best_of(makers: Sequence[Callable[[Array, Array], Predictor]], *log: Array) -> Predictor:
    """Returns what is best on the last fifth of inputs and outputs, fitted to the others."""
    cut = int(KEPT * len(log[0]))
    first, last = ([part[some] for part in log] for some in (slice(cut), slice(cut, None)))
    predictors = [make(*first) for make in makers]
    return min(predictors, key=lambda predict: simulated(predict, *last))


def linear(inputs: Array, outputs: Array) -> Predictor:
    """Least squares on the lags, by NumPy."""
    rows, following = lagged(inputs, outputs)
    weights = np.linalg.lstsq(np.c_[rows, np.ones(len(rows))], following, rcond=None)[0]
    return lambda lags: float(lags @ weights[:-1] + weights[-1])


def pysindy(inputs: Array, outputs: Array) -> Predictor:
    """PySINDy's sequential thresholding on polynomials of the lags."""
    import pysindy as ps

    def maker(degree: int, threshold: float) -> Callable[[Array, Array], Predictor]:
        def make(inputs: Array, outputs: Array) -> Predictor:
            rows, following = lagged(inputs, outputs)
            library = ps.PolynomialLibrary(degree=degree).fit(rows)
            found = ps.STLSQ(threshold=threshold, alpha=1e-6)
            found.fit(np.asarray(library.transform(rows)), following[:, None])
            weights = np.asarray(found.coef_).ravel()
            return lambda lags: float(np.asarray(library.transform(lags[None]))[0] @ weights)

        return make

    grid = [maker(degree, bound) for degree in (1, 2, 3) for bound in (1e-4, 1e-3, 1e-2)]
    return best_of(grid, inputs, outputs)


def torch_network(inputs: Array, outputs: Array) -> Predictor:
    """A network of 64 x 64 on the lags by PyTorch, the best of 300 epochs by the last fifth."""
    import torch

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rows, following = lagged(inputs, outputs)
    change = following - rows[:, 0]
    centre, spread, mean, deviation = rows.mean(0), rows.std(0), change.mean(), change.std()
    seen, wanted = (
        torch.tensor(part, dtype=torch.float32)
        for part in ((rows - centre) / spread, (change[:, None] - mean) / deviation)
    )
    layers: list[torch.nn.Module] = []
    for width_in, width in ((2 * LAGS, 64), (64, 64)):
        layers += [torch.nn.Linear(width_in, width), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers, torch.nn.Linear(64, 1))
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    kept, best, weights = int(KEPT * len(rows)), np.inf, network.state_dict()
    for _ in range(300):
        order = torch.randperm(kept)
        for start in range(0, kept, 32):
            batch = order[start : start + 32]
            optimiser.zero_grad()
            ((network(seen[batch]) - wanted[batch]) ** 2).mean().backward()
            optimiser.step()
        with torch.no_grad():
            loss = float(((network(seen[kept:]) - wanted[kept:]) ** 2).mean())
        if loss < best:
            best, weights = loss, {k: v.clone() for k, v in network.state_dict().items()}
    network.load_state_dict(weights)

    @torch.no_grad()
    def predict(lags: Array) -> float:
        given = torch.tensor((lags - centre) / spread, dtype=torch.float32)
        return float(lags[0] + mean + deviation * float(network(given)))

    return predict


def sysidentpy(log: tuple[Array, Array], fresh: tuple[Array, Array]) -> float:
    """Returns the error of SysIdentPy's FROLS; its own simulation runs free."""
    from sysidentpy.basis_function import Polynomial
    from sysidentpy.model_structure_selection import FROLS
    from sysidentpy.parameter_estimation import LeastSquares

    cut, tried = int(KEPT * len(log[0])), []
    for degree in (1, 2, 3):
        for terms in (8, 15, 25):
            model = FROLS(
                order_selection=True,
                n_info_values=terms,
                ylag=LAGS,
                xlag=LAGS,
                estimator=LeastSquares(),
                basis_function=Polynomial(degree=degree),
            )
            model.fit(X=log[0][:cut, None], y=log[1][:cut, None])

            def error(inputs: Array, outputs: Array, model: FROLS = model) -> float:
                path = model.predict(X=inputs[:, None], y=outputs[:, None])[:, 0]
                return error_of(np.nan_to_num(path), outputs)

            tried.append((error(log[0][cut:], log[1][cut:]), error(*fresh)))
    return min(tried)[1]


def ours(log: tuple[Array, Array], fresh: tuple[Array, Array]) -> tuple[float, str]:
    """Returns the error of the model that `select` takes, and its kind."""

    def with_lags(inputs: Array, outputs: Array) -> dp.Transitions:
        states, actions = outputs[:-1, None], inputs[1:, None]
        one = np.zeros(len(states), int)
        data = dp.Transitions(states, actions, outputs[1:, None], episodes=one)
        return data.with_history(states=LAGS - 1, actions=LAGS - 1)

    choice = dp.select(with_lags(*log), seed=SEED)
    if choice.model is None:
        return np.nan, "none"
    data = with_lags(*fresh)
    path = dp.rollout(choice.model, data.states[:1], data.actions[None])[0, 1:, 0]
    return error_of(np.r_[fresh[1][:LAGS], path], fresh[1]), str(choice.chosen)


METHODS = {"NumPy, linear": linear, "PySINDy": pysindy, "PyTorch network": torch_network}
PACKAGES = {"PySINDy": "pysindy", "PyTorch network": "torch", "SysIdentPy": "sysidentpy"}


def row_of(name: str) -> str:
    """Measures one system; what is not installed is left out."""
    record = SYSTEMS[name]
    log, fresh = (record(np.random.default_rng(seed), ROWS) for seed in (SEED, SEED + 100))
    error, kind = ours(log, fresh)
    cells = [name, f"{error:.2g}, {kind}"]
    for method in (*METHODS, "SysIdentPy"):
        package = PACKAGES.get(method)
        if package is not None and importlib.util.find_spec(package) is None:
            cells.append("-")
            continue
        if method in METHODS:
            error = simulated(METHODS[method](*log), *fresh)
        else:
            error = sysidentpy(log, fresh)
        cells.append(f"{error:.2g}" if error < AWAY else "runs away")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Prints the table, or writes it into the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    write = parser.parse_args().write
    heads = ["system", "dynaplan `select`", *METHODS, "SysIdentPy"]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of free runs that overflow
        for name in SYSTEMS:
            lines.append(row_of(name))
            print(lines[-1], flush=True)
    if write:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        table = "\n".join(lines) + "\n"
        PAGE.write_text(before + BEGIN + table + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
