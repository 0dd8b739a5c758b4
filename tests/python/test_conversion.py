"""Networks to and from PyTorch and ONNX: the same outputs, the same weights, clear refusals."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from dynaplan.errors import ArgumentError, ModelFileError, ShapeError
from dynaplan.models.formats.conversion import from_onnx, from_torch, to_onnx, to_torch
from dynaplan.models.networks.arrays import NetworkArrays, NetworkUnits
from reference.network import means_and_variances, random_network

TOLERANCE = 1e-5  # float32 through four layers of outputs of about 1
NETWORKS = {
    "silu": {},
    "tanh": {"activation": "tanh"},
    "relu": {"activation": "relu", "hidden": [7]},
    "linear": {"hidden": []},
    "angles": {"angles": [0, 2], "hidden": [6]},
    "rewards": {"rewards": True},
    "all": {"angles": [1], "rewards": True, "probabilistic": True, "hidden": [9, 9, 9]},
}


@pytest.fixture(params=NETWORKS)
def numbers(request):
    return random_network(1, **NETWORKS[request.param])


def some_inputs(network):
    random = np.random.default_rng(2)
    return random.normal(size=(20, network["state_dim"])), random.normal(
        size=(20, network["action_dim"])
    )


def targets_of(network, states, actions):
    """Means (N, targets) of the changes of the states, and of the reward, by the NumPy twin."""
    return means_and_variances(SimpleNamespace(**network), states, actions)[0][0]


def expected_of(network, states, actions):
    """Next states and rewards, (N, S) and (N, 0 or 1), by the NumPy twin."""
    targets = targets_of(network, states, actions)
    dims = network["state_dim"]
    return states + targets[:, :dims], targets[:, dims:]


def assert_same_means(back: NetworkArrays, numbers: dict) -> None:
    """Weights to the bit; scaling as float32 brings it back."""
    one = NetworkArrays(**numbers).means()
    for field in fields(NetworkArrays):
        got, wanted = getattr(back, field.name), getattr(one, field.name)
        if field.name in ("weights", "biases"):
            for mine, theirs in zip(got, wanted, strict=True):
                assert mine.dtype == np.float32
                np.testing.assert_array_equal(mine, theirs)
        elif isinstance(wanted, np.ndarray):
            np.testing.assert_allclose(got, wanted, rtol=3e-7)
        elif numbers["hidden"] or field.name != "activation":
            assert got == wanted, field.name


def test_torch_gives_the_next_state_of_the_twin(numbers):
    torch = pytest.importorskip("torch")
    states, actions = some_inputs(numbers)
    module = to_torch(NetworkArrays(**numbers))
    x = torch.tensor(np.hstack([states, actions]), dtype=torch.float32)
    got = module(x)
    next_states, rewards = expected_of(numbers, states, actions)
    if numbers["rewards"]:
        np.testing.assert_allclose(got[1].detach(), rewards[:, 0], rtol=0, atol=TOLERANCE)
        got = got[0]
    np.testing.assert_allclose(got.detach(), next_states, rtol=0, atol=TOLERANCE)
    assert_same_means(from_torch(module), numbers)


def test_onnx_gives_the_next_state_of_the_twin(numbers):
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    model = to_onnx(NetworkArrays(**numbers))
    onnx.checker.check_model(model, full_check=True)
    states, actions = some_inputs(numbers)
    x = {"state_action": np.hstack([states, actions]).astype(np.float32)}
    outputs = ReferenceEvaluator(model).run(None, x)
    for got, wanted in zip(outputs, expected_of(numbers, states, actions), strict=False):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE)
    assert len(outputs) == 1 + numbers["rewards"]
    assert_same_means(from_onnx(model), numbers)


def test_onnx_runtime_agrees(numbers):
    runtime = pytest.importorskip("onnxruntime")
    model = to_onnx(NetworkArrays(**numbers)).SerializeToString()
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    states, actions = some_inputs(numbers)
    outputs = session.run(None, {"state_action": np.hstack([states, actions]).astype(np.float32)})
    for got, wanted in zip(outputs, expected_of(numbers, states, actions), strict=False):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE)


def test_a_torch_sequential_is_taken_with_its_units():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    module = nn.Sequential(
        nn.Linear(6, 16),
        nn.Tanh(),
        nn.Sequential(nn.Linear(16, 8, bias=False), nn.Tanh()),
        nn.Linear(8, 4, dtype=torch.float64).float(),
    )
    random = np.random.default_rng(3)
    scaling = {
        "input_mean": random.normal(size=6),
        "input_scale": random.uniform(0.5, 2.0, size=6),
        "target_mean": random.normal(size=4),
        "target_scale": random.uniform(0.5, 2.0, size=4),
    }
    network = from_torch(module, NetworkUnits(angles=[1], rewards=True, **scaling))
    assert (network.state_dim, network.action_dim, network.hidden) == (3, 2, [16, 8])
    states, actions = random.normal(size=(5, 3)), random.normal(size=(5, 2))
    seen = np.stack(
        [states[:, 0], np.sin(states[:, 1]), states[:, 2], np.cos(states[:, 1]), *actions.T], axis=1
    )
    x = torch.tensor((seen - scaling["input_mean"]) / scaling["input_scale"], dtype=torch.float32)
    expected = module(x).detach().numpy() * scaling["target_scale"] + scaling["target_mean"]
    numbers = {field.name: getattr(network, field.name) for field in fields(NetworkArrays)}
    got = targets_of(numbers, states, actions)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE)


def test_taking_and_making_torch_modules_draws_no_random_numbers():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    from_torch(to_torch(NetworkArrays(**random_network())))
    assert torch.rand(1) == expected


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (lambda nn: [], "must be Linear and an activation in turn"),
        (lambda nn: [nn.ReLU()], "must be Linear"),
        (lambda nn: [nn.Linear(3, 2), nn.ReLU()], r"got \(Linear, ReLU\), must be Linear"),
        (lambda nn: [nn.Linear(3, 2), nn.Linear(2, 2)], "must be Linear"),
        (lambda nn: [nn.Linear(3, 2), nn.GELU(), nn.Linear(2, 2)], "one of SiLU, Tanh, ReLU"),
        (
            lambda nn: [nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)],
            "the same activation everywhere",
        ),
        (lambda nn: [nn.Linear(2, 2)], "leave 2 states and 0 actions"),
        (lambda nn: [nn.Linear(4, 2), nn.ReLU(), nn.Linear(3, 2)], "3 inputs follows 2 outputs"),
    ],
)
def test_other_torch_modules_are_refused(layers, said):
    torch = pytest.importorskip("torch")
    with pytest.raises((ArgumentError, ShapeError), match=said):
        from_torch(torch.nn.Sequential(*layers(torch.nn)))


def test_units_must_fit():
    torch = pytest.importorskip("torch")
    with pytest.raises(ShapeError, match=r"input_mean: got shape \(2,\), must be \(3,\)"):
        from_torch(torch.nn.Sequential(torch.nn.Linear(3, 2)), NetworkUnits(input_mean=[0.0, 0.0]))
    made = to_torch(NetworkArrays(**random_network()))
    with pytest.raises(ArgumentError, match="the network has its own"):
        from_torch(made, NetworkUnits())


@pytest.mark.parametrize("make", [to_torch, to_onnx])
def test_an_ensemble_is_refused(make):
    pytest.importorskip("torch" if make is to_torch else "onnx")
    with pytest.raises(ArgumentError, match="an ensemble of 3 networks"):
        make(NetworkArrays(**random_network(members=3)))


def graph(nodes, constants, inputs=("x", ["N", 3]), output="y"):
    """An ONNX model of `(operator, inputs, output, attributes)` and named arrays."""
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper

    made = helper.make_graph(
        [helper.make_node(kind, ins, [out], **attributes) for kind, ins, out, attributes in nodes],
        "graph",
        [helper.make_tensor_value_info(inputs[0], onnx.TensorProto.FLOAT, inputs[1])],
        [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def weights(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


W = {"w": weights(3, 4), "v": weights(4, 2, seed=1), "b": weights(4, seed=2), "c": weights(2)}
# How other programs write the same network: (nodes, constants).
WRITTEN = {
    "MatMul and Add, SiLU in two nodes": [
        ("MatMul", ["x", "w"], "a", {}),
        ("Add", ["b", "a"], "h", {}),
        ("Sigmoid", ["h"], "s", {}),
        ("Mul", ["s", "h"], "g", {}),
        ("MatMul", ["g", "v"], "z", {}),
        ("Add", ["z", "c"], "y", {}),
    ],
    "Gemm with alpha and beta": [
        ("Gemm", ["x", "w", "b"], "h", {"alpha": 0.5, "beta": 2.0}),
        ("Tanh", ["h"], "g", {}),
        ("Gemm", ["g", "v"], "y", {}),
    ],
    "scaled between layers": [
        ("MatMul", ["x", "w"], "a", {}),
        ("Mul", ["a", "b"], "m", {}),
        ("Sub", ["m", "b"], "h", {}),
        ("Relu", ["h"], "g", {}),
        ("Identity", ["g"], "i", {}),
        ("Gemm", ["i", "v", "c"], "z", {}),
        ("Div", ["z", "c"], "y", {}),
    ],
    "outputs picked": [
        ("Gemm", ["x", "w", "b"], "h", {}),
        ("Relu", ["h"], "g", {}),
        ("Gemm", ["g", "w", "c3"], "z", {"transB": 1}),
        ("Slice", ["z", "start", "end", "axes"], "y", {}),
    ],
}
MORE = {
    "c3": weights(3),
    "start": np.array([-2]),
    "end": np.array([2**63 - 1]),
    "axes": np.array([1]),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", WRITTEN)
def test_graphs_of_other_programs_are_read(name, dtype, tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    used = {item for _, inputs, _, _ in WRITTEN[name] for item in inputs}
    constants = {
        key: array.astype(dtype) if array.dtype.kind == "f" else array
        for key, array in {**W, **MORE}.items()
        if key in used
    }
    model = graph(WRITTEN[name], constants)
    onnx.save(model, tmp_path / "model.onnx")
    network = from_onnx(tmp_path / "model.onnx")
    x = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    wide = {key: a.astype(np.float32) if a.dtype.kind == "f" else a for key, a in constants.items()}
    (expected,) = ReferenceEvaluator(graph(WRITTEN[name], wide)).run(None, {"x": x})
    numbers = {field.name: getattr(network, field.name) for field in fields(NetworkArrays)}
    assert (network.state_dim, network.action_dim) == (2, 1)
    np.testing.assert_allclose(
        targets_of(numbers, x[:, :2], x[:, 2:]), expected, rtol=0, atol=TOLERANCE
    )


REFUSED = {
    "an unknown operator": ([("Softmax", ["x"], "y", {})], "Softmax node '': not known, must be"),
    "no layer": ([("Identity", ["x"], "y", {})], "must be that of a linear layer"),
    "an activation at the end": (
        [("Gemm", ["x", "w"], "h", {}), ("Relu", ["h"], "y", {})],
        "must be that of a linear layer",
    ),
    "two layers in a row": (
        [("Gemm", ["x", "w"], "h", {}), ("Gemm", ["h", "v"], "y", {})],
        "must stand behind the inputs or an activation",
    ),
    "layers that do not fit": (
        [("Gemm", ["x", "w"], "h", {}), ("Relu", ["h"], "g", {}), ("Gemm", ["g", "w"], "y", {})],
        "has 3 columns for 4 inputs",
    ),
    "two activations": (
        [
            ("Gemm", ["x", "w"], "h", {}),
            ("Relu", ["h"], "g", {}),
            ("Tanh", ["g"], "i", {}),
            ("Gemm", ["i", "v"], "y", {}),
        ],
        "must stand behind a layer",
    ),
    "a gate of something else": (
        [
            ("Gemm", ["x", "w"], "h", {}),
            ("Gemm", ["x", "w"], "i", {}),
            ("Sigmoid", ["h"], "s", {}),
            ("Mul", ["s", "i"], "y", {}),
        ],
        "must be of inputs or outputs and a constant",
    ),
    "a skip past two layers": (
        [
            ("Gemm", ["x", "w"], "h", {}),
            ("Relu", ["h"], "g", {}),
            ("Add", ["g", "h"], "y", {}),
        ],
        "must be of inputs or outputs and a constant",
    ),
    "the wrong states added": (
        [
            ("Gemm", ["x", "w"], "h", {}),
            ("Relu", ["h"], "g", {}),
            ("Gemm", ["g", "v"], "z", {}),
            ("Gather", ["x", "last"], "t", {"axis": 1}),
            ("Add", ["t", "z"], "y", {}),
        ],
        "must add the first outputs to the first columns",
    ),
    "inputs left out": (
        [("Gather", ["x", "last"], "t", {"axis": 1}), ("Gemm", ["t", "v2"], "y", {})],
        "must be a bare network",
    ),
    "a value that is not there": ([("Relu", ["nothing"], "y", {})], "Relu node '': 'nothing'"),
    "an output that is not there": ([("Identity", ["x"], "z", {})], "no node computes the output"),
    "ever more columns": (
        [("Concat", [f"x{i}" if i else "x"] * 2, f"x{i + 1}", {"axis": 1}) for i in range(40)],
        "joins more than 1048576 columns",
    ),
    "weights that are not finite": ([("Gemm", ["x", "nan"], "y", {})], "'nan' are not all finite"),
    "weights of another type": ([("Gemm", ["x", "flags"], "y", {})], "neither floats nor int64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_graphs_are_refused(name):
    nodes, said = REFUSED[name]
    used = {item for _, inputs, _, _ in nodes for item in inputs}
    others = {"last": np.array([1, 2]), "nan": np.full((3, 4), np.nan, np.float32)}
    others["v2"] = weights(2, 1)
    others["flags"] = np.ones((3, 4), np.bool_)
    constants = {key: array for key, array in {**W, **others}.items() if key in used}
    with pytest.raises(ArgumentError, match=said):
        from_onnx(graph(nodes, constants))


def test_files_that_are_no_usable_model_are_refused_by_name(tmp_path):
    onnx = pytest.importorskip("onnx")
    for content in (
        b"no model",
        b"",
        onnx.helper.make_tensor_sequence_value_info("a", 1, None).SerializeToString(),
    ):
        (tmp_path / "model.onnx").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"model\.onnx: "):
            from_onnx(tmp_path / "model.onnx")
    model = to_onnx(NetworkArrays(**random_network()))
    model.graph.initializer[1].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(ArgumentError, match="are in another file"):
        from_onnx(model)
    model = to_onnx(NetworkArrays(**random_network()))
    model.graph.initializer[-1].dims[:] = [10**12]
    with pytest.raises(ArgumentError, match=r"'target_mean' are damaged"):
        from_onnx(model)
    with pytest.raises(ArgumentError, match="must have the shape"):
        from_onnx(graph([], {}, inputs=("x", ["N", "M"])))
