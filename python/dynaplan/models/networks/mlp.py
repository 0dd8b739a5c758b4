"""`MLP`: a network that predicts the mean of the next state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynaplan.data.transitions import Transitions
from dynaplan.models.formats import conversion
from dynaplan.models.interface import Model
from dynaplan.models.networks import training
from dynaplan.models.networks.arrays import NetworkUnits
from dynaplan.models.networks.network_model import NetworkModel

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["MLP"]


class MLP(NetworkModel):
    """A network that predicts the mean of the next state: s' = s + f(s, a).

    Use `MLP.fit`. For a system with noise use `GaussianMLP`; to know where the data are not enough,
    `Ensemble`.
    """

    __slots__ = ()

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: str = "silu",
        angles: Sequence[int] = (),
        rewards: bool = False,
        loss: training.MeanLoss = "squared_error",
        epochs: int = training.EPOCHS,
        batch_size: int = training.BATCH_SIZE,
        learning_rate: float = training.LEARNING_RATE,
        weight_decay: float | Sequence[float] = training.WEIGHT_DECAY,
        held_out: float | Transitions = training.HELD_OUT,
        patience: int = training.PATIENCE,
        improvement: float = training.IMPROVEMENT,
        initial: MLP | None = None,
        prior: Model | None = None,
        progress: training.Progress | None = None,
        seed: int | None = None,
        threads: int = 1,
    ) -> MLP:
        """Trains the network on the squared error, or Huber's loss, by Adam on mini-batches.

        Inputs and targets are standardised by the training rows; an input that never varies is
        harmless, and what never changes is predicted to stay, with next to no variance. Ctrl-C
        ends the training early: the model returned is the best so far, and its
        `history.interrupted` is True.

        Args:
            data: transitions, at least one.
            hidden: units of each hidden layer; () is a linear model. Default (64, 64): enough for
                ten states, and quick to plan with.
            activation: "silu" (default; smooth, so that the model has derivatives), "tanh" or
                "relu".
            angles: the states that are angles in radians, where `data` do not say it: the network
                sees their sin and cos, their change is taken the short way round, and predictions
                count turns on. Default: those of `data`, kept in their range.
            rewards: learn the reward of a step too, as one more output; `data` must have rewards.
            loss: "squared_error" (default), or "huber": rows whose error in a state is beyond 1.345
                robust standard deviations pull no harder than those at it, and wild ones are left
                out. Not for states that few rows change, as a contact does: those rows would count
                as faults.
            epochs: largest number of passes over the data. Default 400: a few hundred rows are few
                mini-batches per epoch, and `patience` stops earlier where there are many rows.
            batch_size: rows per mini-batch. Default 32: small enough for some hundred rows.
            learning_rate: of Adam, above 0. Default 3e-3: with small networks and 200 rows of a
                pendulum, predictions were twice as good as with the usual 1e-3.
            weight_decay: decoupled: each step shrinks the weights, not the biases, by the fraction
                learning_rate x weight_decay; one number, or one for each layer. Default 1e-4.
            held_out: fraction of the rows, drawn at random, that is not trained on but decides
                when to stop and which weights to keep; or transitions for that purpose, such as
                whole flights. 0: train all epochs and keep the last weights. Default 0.1.
            patience: epochs without improvement on the held-out rows after which a state (or the
                reward) is settled: from then on it trains the last layer alone, so that noise does
                not stand in the way of what can be learned. A member of an ensemble stops once all
                are. What it predicts worse than by the mean change, it predicts by that mean.
            improvement: fraction by which the held-out squared error (or variance) of a state must
                fall to count as an improvement. Default 0.01, as Chua et al.'s successors use. The
                best weights are kept however small their lead, by the mean over the states of the
                logarithm of the error, or of the likelihood where a variance is predicted.
            initial: a model of the same shape to continue from, on other or more data. Its weights
                are brought to the units of the new data first, so that it starts as the same
                function; but stretched along an input that varies many times more than before,
                since steep weights would not learn, and from its new mean where a target never
                varied before.
            prior: what is known of the system: any model of it, such as `discretise` makes of
                equations. The networks then learn the rest, by which the next states differ from
                its mean predictions, and the model predicts the sum; noise and disagreement are
                those of the rest. Default: nothing is known.
            progress: called after every epoch as `progress(epoch, training, held_out)`, with the
                losses of each member, (K,) arrays as in `history`.
            seed: of the weights, the held-out rows and the order of the rows: same seed, same
                bits, whatever `threads`. None draws anew.
            threads: threads to use, at most one per member.

        Returns:
            The trained model.

        Raises:
            ArgumentError: an argument is out of range, or `initial` has another shape or prior.
            ShapeError: `held_out` or `prior` has other dimensions.
            NumericalError: the loss stopped being finite; the message names the cause. Or a column
                varies by less than 1e-303 or more than 1e303.

        Source: Kingma & Ba 2015 (Adam); Loshchilov & Hutter 2019 (decoupled weight decay); Huber
        1981, "Robust statistics" (sec. 6.4 for the standard deviations).

        Example:
            >>> s, a = np.random.default_rng(0).normal(size=(2, 300, 1))
            >>> data = dp.Transitions(s, a, s + 0.1 * np.sin(3.0 * a))
            >>> model = dp.MLP.fit(data, seed=0)
            >>> bool(abs(model.predict([0.0], [0.5]).mean[0, 0] - 0.1 * np.sin(1.5)) < 0.01)
            True
        """
        return cls._fit(
            data,
            hidden=hidden,
            activation=activation,
            angles=angles,
            rewards=rewards,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            held_out=held_out,
            patience=patience,
            improvement=improvement,
            initial=initial,
            prior=prior,
            progress=progress,
            seed=seed,
            threads=threads,
        )

    @classmethod
    def from_torch(cls, module: torch.nn.Module, units: NetworkUnits | None = None) -> MLP:
        """Takes the weights of a `torch.nn.Sequential`, or of what `to_torch` made.

        Args:
            module: Linear layers with SiLU, Tanh or ReLU between them, the same everywhere, whose
                outputs are the change of the state. Weights are rounded to float32.
            units: of the inputs and outputs of a Sequential; what `to_torch` made has its own.
                Default: not scaled.

        Raises:
            ArgumentError, ShapeError: the module has other parts, or `units` do not fit it.
            ImportError: PyTorch is not installed.
        """
        return cls(training.untrained(conversion.from_torch(module, units)))

    @classmethod
    def from_onnx(
        cls, model: onnx.ModelProto | str | os.PathLike[str], units: NetworkUnits | None = None
    ) -> MLP:
        """Takes the weights of an ONNX graph that is a multilayer perceptron.

        The operators may be Gemm, MatMul and Add; Relu, Tanh, and x * Sigmoid(x) for SiLU; before
        them the sines and cosines of angles, and shifts and scales by constants; after them shifts
        and scales, and the addition of the state. A graph that adds the state gives the next state
        and has its own units; any other gives the change of the state in `units`.

        Args:
            model: the model, or the name of its file; weights in files beside it are not read.
                They are rounded to float32.
            units: of the inputs and outputs of a graph that does not add the state. Default: not
                scaled.

        Raises:
            ArgumentError, ShapeError: the graph does anything else, or `units` do not fit it.
            ModelFileError: the file is no ONNX model.
            ImportError: onnx is not installed.
        """
        return cls(training.untrained(conversion.from_onnx(model, units)))
