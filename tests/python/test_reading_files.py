"""`Transitions.read` of frames, and of Parquet, Arrow and HDF5 files: the same as of arrays."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import dynaplan as dp

NAMES = {
    "states": ["x", "pose"],
    "actions": ["u"],
    "episode": "run",
    "time": "t",
    "rewards": "r",
    "terminations": "done",
}


def columns():
    """Every kind of column that a robot logs."""
    rng = np.random.default_rng(0)
    i = np.arange(20)
    start = np.datetime64("2024-01-01T00:00:00", "us")
    return {
        "t": start + 50_000 * i.astype("timedelta64[us]"),
        "x": rng.normal(size=20).astype(np.float32),
        "pose": rng.normal(size=(20, 3)),
        "u": i % 3,
        "r": rng.normal(size=20),
        "done": i == 9,
        "run": np.repeat(["a", "b", "c"], [10, 4, 6]),
    }


def expected():
    return dp.Transitions.read(columns(), **NAMES)


def same(data, units=None):
    assert data == expected()
    assert data.time_step == pytest.approx(0.05, rel=1e-12)
    assert data.state_names == ("x", "pose[0]", "pose[1]", "pose[2]")


def test_the_reference_is_what_is_meant():
    data, log = expected(), columns()
    kept = [*range(9), 10, 11, 12, 14, 15, 16, 17, 18]
    np.testing.assert_array_equal(data.states[:, 1:], log["pose"][kept])
    np.testing.assert_array_equal(data.next_states[:, 0], log["x"][np.array(kept) + 1])
    np.testing.assert_array_equal(data.rewards, log["r"][kept])
    assert data.groups.tolist() == [0] * 9 + [1] * 3 + [2] * 5


def arrow_table():
    pa = pytest.importorskip("pyarrow")
    log = columns()
    pose = pa.FixedSizeListArray.from_arrays(pa.array(log.pop("pose").ravel()), 3)
    log["run"] = pa.array(log["run"]).dictionary_encode()
    return pa.table({**log, "pose": pose})


# --- frames


def test_a_table_of_pyarrow():
    same(dp.Transitions.read(arrow_table(), **NAMES))


def test_what_streams_arrow_batches():
    table = arrow_table()
    same(dp.Transitions.read(table.to_reader(max_chunksize=7), **NAMES))


def test_a_frame_of_pandas():
    pandas = pytest.importorskip("pandas")
    log = columns()
    frame = pandas.DataFrame({**log, "pose": list(log["pose"])})
    same(dp.Transitions.read(frame, **NAMES))
    frame["run"] = frame["run"].astype("category")
    frame["u"] = frame["u"].astype("Int64")
    frame["done"] = frame["done"].astype("boolean")
    frame["t"] = frame["t"].dt.tz_localize("Europe/Berlin")
    same(dp.Transitions.read(frame, **NAMES))
    frame.loc[3, "u"] = pandas.NA
    with pytest.raises(dp.ArgumentError, match="actions: column 'u', row 3 of source is missing"):
        dp.Transitions.read(frame, **NAMES)
    twice = pandas.DataFrame(np.zeros((3, 2)), columns=["x", "x"])
    with pytest.raises(dp.ArgumentError, match="states: 'x' is the name of 2 columns"):
        dp.Transitions.read(twice, states="x")


def test_a_frame_of_polars():
    polars = pytest.importorskip("polars")
    log = columns()
    frame = polars.DataFrame({**log, "pose": log["pose"].tolist()})
    same(dp.Transitions.read(frame, **NAMES))
    frame = frame.with_columns(polars.col("run").cast(polars.Categorical))
    same(dp.Transitions.read(frame, **NAMES))
    frame = frame.with_columns(polars.when(polars.col("t").is_not_null()).then(None).alias("r"))
    with pytest.raises(dp.ArgumentError, match="rewards: column 'r', row 0 of source is missing"):
        dp.Transitions.read(frame, **NAMES)


# --- files


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "stream.arrow"])
@pytest.mark.parametrize("size", [3, 7, 100])
def test_files_of_pyarrow(tmp_path, ending, size):
    table = arrow_table()
    import pyarrow.feather
    import pyarrow.parquet

    path = tmp_path / f"log.{ending}"
    if ending == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=size)
    elif ending == "feather":
        pyarrow.feather.write_feather(table, path, chunksize=size)
    else:
        is_stream = ending.startswith("stream")
        open_file = pyarrow.ipc.new_stream if is_stream else pyarrow.ipc.new_file
        with open_file(path, table.schema) as file:
            file.write_table(table, max_chunksize=size)
    same(dp.Transitions.read(path, **NAMES))
    parts = list(dp.Transitions.read_batches(path, rows=5, **NAMES))
    joined = dp.Transitions.concatenate(parts)
    for name in ("states", "actions", "next_states", "rewards"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(expected(), name))
    with pytest.raises(dp.ArgumentError, match=r"states: .*log\..* has no column 'y'"):
        dp.Transitions.read(path, states="y")


def test_the_fit_to_batches_is_that_to_all_rows(tmp_path):
    pa = pytest.importorskip("pyarrow")

    rng = np.random.default_rng(0)
    run = np.repeat(np.arange(40), 50)
    path = np.cumsum(rng.normal(size=(2000, 3)), axis=0) + 100.0
    table = {f"x{i}": path[:, i] for i in range(3)} | {"u": rng.normal(size=2000), "run": run}
    pa.parquet.write_table(pa.table(table), tmp_path / "log.parquet", row_group_size=333)
    names = {"states": ["x0", "x1", "x2"], "actions": "u", "episode": "run"}
    whole = dp.LinearGaussian.fit(dp.Transitions.read(tmp_path / "log.parquet", **names))
    parts = dp.Transitions.read_batches(tmp_path / "log.parquet", rows=128, **names)
    model = dp.LinearGaussian.fit(next(parts))
    for part in parts:
        model = model.updated(part)
    assert model.rows == whole.rows == 40 * 49
    np.testing.assert_allclose(model.coefficients, whole.coefficients, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(model.noise_covariance, whole.noise_covariance, rtol=1e-10)


def d4rl(path, **more):
    h5py = pytest.importorskip("h5py")
    i = np.arange(8.0)
    with h5py.File(path, "w") as file:
        file["observations"] = np.column_stack([i, -i]).astype(np.float32)
        file["actions"] = i[:, None]
        file["rewards"] = i
        file["terminals"] = i == 2
        file["timeouts"] = i == 5
        file["infos/qpos"] = i[:, None]
        file["metadata/algorithm"] = "SAC"
        for name, values in more.items():
            file[name] = values
    return path


def test_the_flat_layout_of_d4rl(tmp_path):
    data = dp.Transitions.read(d4rl(tmp_path / "log.hdf5"))
    assert data.states[:, 0].tolist() == [0.0, 1.0, 3.0, 4.0, 6.0]
    assert data.next_states[:, 0].tolist() == [1.0, 2.0, 4.0, 5.0, 7.0]
    assert data.rewards.tolist() == data.actions.ravel().tolist() == data.states[:, 0].tolist()
    assert data.groups.tolist() == [0, 0, 1, 1, 2]
    assert data.state_names is None
    named = dp.Transitions.read(tmp_path / "log.hdf5", states="infos/qpos", truncations="timeouts")
    assert named.state_names == ("infos/qpos",)
    assert len(named) == 6


def test_next_observations_keep_the_last_row_of_an_episode(tmp_path):
    i = np.arange(8.0) + 1.0
    path = d4rl(tmp_path / "log.h5", next_observations=np.column_stack([i, -i]))
    data = dp.Transitions.read(path)
    assert len(data) == 8
    assert data.terminations.tolist() == [False, False, True] + [False] * 5
    assert data.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_data_sets_of_unequal_length_are_refused(tmp_path):
    path = d4rl(tmp_path / "log.h5", short=np.zeros(3))
    with pytest.raises(dp.ShapeError, match=r"log\.h5: columns have .* equally many"):
        dp.Transitions.read(path, states="observations", actions="short")


def test_data_sets_that_lie_in_another_file_are_not_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    d4rl(tmp_path / "other.h5")
    raw = tmp_path / "raw.bin"
    raw.write_bytes(np.arange(8.0).tobytes())
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "rewards", (8,))
    with h5py.File(tmp_path / "log.h5", "w") as file:
        file["observations"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "observations")
        file.create_dataset("x", (8,), "f8", external=[(str(raw), 0, 64)])
        file.create_virtual_dataset("v", layout)
    for name in ("x", "v"):
        with pytest.raises(dp.ModelFileError, match=rf"log\.h5: {name} lies in another file"):
            dp.Transitions.read(tmp_path / "log.h5", states=name)
    with pytest.raises(dp.ArgumentError, match=r"states: .* has no column 'obs"):
        dp.Transitions.read(tmp_path / "log.h5", states="observations")


def test_a_folder_of_minari(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(0)
    lengths = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]  # more than ten: episode_10 comes after episode_9
    states = [rng.normal(size=(length + 1, 2)) for length in lengths]
    actions = [rng.normal(size=(length, 1)) for length in lengths]
    with h5py.File(tmp_path / "data" / "main_data.hdf5", "w") as file:
        for number, (path, applied) in enumerate(zip(states, actions, strict=True)):
            group = file.create_group(f"episode_{number}")
            group["observations"], group["actions"] = path, applied
            group["rewards"] = applied[:, 0]
            group["terminations"] = np.arange(len(applied)) == len(applied) - 1
            group["truncations"] = np.zeros(len(applied), bool)
    data = dp.Transitions.read(tmp_path)
    assert data == dp.Transitions.from_trajectories(
        states, actions, rewards=[a[:, 0] for a in actions], terminations=np.ones(len(lengths))
    )
    with pytest.raises(dp.ArgumentError, match="states: a folder of Minari has no columns"):
        dp.Transitions.read(tmp_path, states="x")
    with h5py.File(tmp_path / "data" / "main_data.hdf5", "a") as file:
        del file["episode_3/observations"]
        file["episode_3/observations/goal"] = np.zeros((2, 1))
    with pytest.raises(dp.ModelFileError, match="episode_3/observations is a group of several"):
        dp.Transitions.read(tmp_path)


@pytest.mark.parametrize(("ending", "package"), [("parquet", "pyarrow"), ("h5", "h5py")])
def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path, monkeypatch, ending, package):
    monkeypatch.setattr("dynaplan.data.readers.source.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=rf'{package}; install it with .*"dynaplan\[data\]"'):
        dp.Transitions.read(tmp_path / f"log.{ending}", states="x")


def test_dates_of_one_time_zone_may_be_objects():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    times = [datetime.datetime(2024, 1, 1, 0, 0, s, tzinfo=zone) for s in range(4)]
    assert (
        dp.Transitions.read({"x": [0.0, 1.0, 2.0, 3.0], "t": times}, states="x", time="t").time_step
        == 1.0
    )


@pytest.mark.parametrize("form", ["table", "parquet", "arrow"])
def test_integers_beside_missing_ones_keep_all_their_digits(tmp_path, form):
    pa = pytest.importorskip("pyarrow")
    first = 2**53 + 1  # which float64 cannot tell from the one before
    episodes = [first, first, first - 1, first - 1, None]
    table = pa.table({"x": np.arange(5.0), "run": episodes, "t": [*range(first, first + 4), None]})
    source = table
    if form != "table":
        source = tmp_path / f"log.{form}"
        if form == "parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, source)
        else:
            pytest.importorskip("pyarrow.feather").write_feather(table, source)
    names = {"states": "x", "drop_nonfinite": True}
    data = dp.Transitions.read(source, episode="run", **names)
    np.testing.assert_array_equal(data.states[:, 0], [0.0, 2.0])
    assert data.groups.tolist() == [first, first - 1]
    assert dp.Transitions.read(source, time="t", **names).time_step == 1.0
