"""Arrays as the compiled module takes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Float64 = NDArray[np.float64]
_Float32 = NDArray[np.float32]
# float32 or float64, the same for all arrays of a call.
_Floats = NDArray[Any]
# (S,) float64 each: the lowest and the highest state of a rollout.
_Limits = tuple[_Float64, _Float64]
