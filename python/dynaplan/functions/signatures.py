"""The types of compiled functions, for ctypes, cffi, numba and C.

A compiled function works on many trajectories side by side, its lanes: entry i of lane k is at
`[i * stride + k]`. The C header in `get_include()` documents each argument.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dynaplan import _arrays

__all__ = [
    "C_DECLARATIONS",
    "DYNAMICS_FLOAT32",
    "DYNAMICS_FLOAT64",
    "REWARD_FLOAT32",
    "REWARD_FLOAT64",
    "TERMINATION_FLOAT32",
    "TERMINATION_FLOAT64",
    "Signature",
    "get_include",
]

_OF_STEP = ("F state", "F action", "F next_state", "stride", "lanes", "step", "user_data")
_ARGUMENTS = {
    "reward": (*_OF_STEP, "F reward"),
    "termination": (*_OF_STEP, "B ended"),
    "dynamics": ("F state", "F action", "stride", "lanes", "user_data", "F next_state"),
}
_CTYPES = {"float32": ctypes.c_float, "float64": ctypes.c_double}
_C = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class Signature:
    """The type of a compiled function; the six that exist are constants of this module.

    Args:
        kind: what the function computes.
        dtype: of the numbers it reads and writes.

    Raises:
        ArgumentError: there is no such kind or dtype.

    Attributes:
        name: of the C type, in the header and in `C_DECLARATIONS`.
        ctypes: the type for ctypes: `REWARD_FLOAT32.ctypes(("cost", library))` is the function
            `cost` of a `ctypes.CDLL`.
        numba: the signature for numba: `@numba.cfunc(REWARD_FLOAT32.numba)`.
        types: each argument's type by its NumPy name, such as "float32*".

    Example:
        >>> dp.signatures.DYNAMICS_FLOAT64.name
        'dynaplan_dynamics_float64'
        >>> dp.signatures.DYNAMICS_FLOAT64.types
        ('float64*', 'float64*', 'int64', 'int64', 'void*', 'float64*')
    """

    kind: Literal["reward", "termination", "dynamics"]
    dtype: Literal["float32", "float64"]
    name: str = field(init=False)
    ctypes: Any = field(init=False, repr=False)
    numba: str = field(init=False, repr=False)
    types: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _arrays.choice("kind", self.kind, *_ARGUMENTS)
        _arrays.choice("dtype", self.dtype, *_C)
        types = tuple(self._type_of(argument) for argument in _ARGUMENTS[self.kind])
        of_ctypes: dict[str, Any] = {
            "int64": ctypes.c_int64,
            "void*": ctypes.c_void_p,
            "uint8*": ctypes.POINTER(ctypes.c_uint8),
            f"{self.dtype}*": ctypes.POINTER(_CTYPES[self.dtype]),
        }
        of_numba = {"int64": "int64", "void*": "voidptr"}
        arguments = [of_numba.get(kind, f"CPointer({kind[:-1]})") for kind in types]
        for name, value in {
            "name": f"dynaplan_{self.kind}_{self.dtype}",
            "types": types,
            "ctypes": ctypes.CFUNCTYPE(None, *(of_ctypes[kind] for kind in types)),
            "numba": f"void({', '.join(arguments)})",
        }.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Signature, (self.kind, self.dtype)

    def _type_of(self, argument: str) -> str:
        if argument == "user_data":
            return "void*"
        return {"F": f"{self.dtype}*", "B": "uint8*"}.get(argument.partition(" ")[0], "int64")

    def _declaration(self) -> str:
        """Returns the C type as it is in the header, on one line."""
        number, arguments = _C[self.dtype], []
        for position, argument in enumerate(_ARGUMENTS[self.kind]):
            mark, _, name = argument.partition(" ")
            is_result = position == len(self.types) - 1
            if mark == "F":
                arguments.append(f"{'' if is_result else 'const '}{number} *{name}")
            elif mark == "B":
                arguments.append(f"uint8_t *{name}")
            else:
                arguments.append("void *user_data" if mark == "user_data" else f"int64_t {mark}")
        return f"typedef void {self.name}({', '.join(arguments)});"


REWARD_FLOAT32 = Signature("reward", "float32")
REWARD_FLOAT64 = Signature("reward", "float64")
TERMINATION_FLOAT32 = Signature("termination", "float32")
TERMINATION_FLOAT64 = Signature("termination", "float64")
DYNAMICS_FLOAT32 = Signature("dynamics", "float32")
DYNAMICS_FLOAT64 = Signature("dynamics", "float64")

# For cffi: `ffi.cdef(C_DECLARATIONS)`, then `ffi.cast("dynaplan_reward_float32 *", address)`.
C_DECLARATIONS = "\n".join(
    signature._declaration()
    for signature in (
        REWARD_FLOAT32,
        REWARD_FLOAT64,
        TERMINATION_FLOAT32,
        TERMINATION_FLOAT64,
        DYNAMICS_FLOAT32,
        DYNAMICS_FLOAT64,
    )
)


def get_include() -> str:
    """Returns the folder of `dynaplan_functions.h`, the C header with the functions' types.

    Example:
        >>> from pathlib import Path
        >>> (Path(dp.get_include()) / "dynaplan_functions.h").exists()
        True
    """
    return str(Path(__file__).parent / "include")
