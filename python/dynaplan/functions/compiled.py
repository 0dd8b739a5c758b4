"""The address of a compiled function, from whatever holds it: numba, ctypes, cffi, SciPy, Cython.

None of these packages is imported: an object is recognised by its type's name and module.
"""

from __future__ import annotations

import ctypes
import re
import sys
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError
from dynaplan.functions.signatures import Signature

Kind: TypeAlias = Literal["reward", "termination", "dynamics"]

# What C calls the types of our signatures, `const` and spaces left out.
_NAMES = {
    "float32": {"float", "float32", "single"},
    "float64": {"double", "float64"},
    "int64": {"int64", "int64_t", "longlong", "longlongint", "intp"}
    | ({"long", "longint", "ptrdiff_t", "ssize_t"} if ctypes.sizeof(ctypes.c_long) == 8 else set()),
    "int32": {"int", "int32", "int32_t"},
    "uint8": {"uint8", "uint8_t", "unsignedchar", "ubyte", "char", "int8", "int8_t", "signedchar"}
    | {"bool", "_Bool", "boolean", "byte", "bint"},
    "void": {"void", "none"},
}
_MAX_ADDRESS = 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1
_CANONICAL = {name: kind for kind, names in _NAMES.items() for name in names}


class Address(NamedTuple):
    """Where a compiled function is, and of which type, as its holder describes it.

    Attributes:
        address: of the function.
        types: of its result and its arguments, or None where its holder has none.
        user_data: the pointer that goes with it, or 0.
    """

    address: int
    types: tuple[str, ...] | None
    user_data: int = 0


class CompiledFunction(NamedTuple):
    """A compiled function as the core takes it, first arguments of `_core.compiled_...`."""

    address: int
    float64: bool
    user_data: int
    owner: object


def compiled_function(
    kind: Kind, function: Any, dtype: Any, user_data: Any, owner: Any
) -> CompiledFunction:
    """Returns a compiled function, checked against its own type where it has one.

    Args:
        kind: what it computes.
        function: what holds it.
        dtype: numpy.float32 or numpy.float64, or None: its own type has it.
        user_data: passed to it, or None.
        owner: what must stay alive besides.

    Raises:
        TypeError: `function` is no compiled function.
        ArgumentError: its type is another one, or is unknown and `dtype` is None.
    """
    found = _find(function)
    if dtype is not None:
        dtype = _arrays.float_name("dtype", dtype)
    if found.types is None:
        if dtype is None:
            raise ArgumentError(
                "dtype: got None, must be numpy.float32 or numpy.float64, since the function does "
                "not carry its own type"
            )
    else:
        dtype = _checked(kind, found.types, dtype)
    data = found.user_data
    if user_data is not None:
        if data:
            raise ArgumentError("user_data: got some, must be None: the function has its own")
        data = _data_address(user_data)
    return CompiledFunction(found.address, dtype == "float64", data, (function, user_data, owner))


def _checked(kind: Kind, types: tuple[str, ...], dtype: str | None) -> str:
    """Returns the dtype of the signature that a function's own types are."""
    number = types[1][:-1] if len(types) > 1 else ""
    if number not in ("float32", "float64"):
        number = dtype or "float32"
    wanted = Signature(kind, number)  # type: ignore[arg-type]
    # User data may be a pointer to anything.
    place = wanted.types.index("void*") + 1
    got = list(types)
    if len(got) > place and got[place].endswith("*"):
        got[place] = "void*"
    if tuple(got) != ("void", *wanted.types):
        raise ArgumentError(
            f"function: got type {_text(types)}, must be {_text(('void', *wanted.types))} "
            f"(dp.signatures.{kind.upper()}_{number.upper()})"
        )
    if dtype is not None and dtype != number:
        raise ArgumentError(f"dtype: got {dtype}, must be {number} as the function's own type")
    return number


def _text(types: tuple[str, ...]) -> str:
    return f"{types[0]}({', '.join(types[1:])})"


def _canonical(name: str) -> str:
    """Returns a C type by its NumPy name, such as "float32*"; any other type as it is."""
    bare = re.sub(r"\bconst\b|\brestrict\b|\b__restrict\b|\s", "", name)
    stem = bare.rstrip("*")
    return _CANONICAL.get(stem, stem) + "*" * (len(bare) - len(stem))


def _find(function: Any) -> Address:
    kind, module = type(function), type(function).__module__
    if isinstance(function, bool):
        raise TypeError("function: got a bool, must be a compiled function or its address")
    if _is_integer(function):
        if not 0 < function <= _MAX_ADDRESS:
            got = _texts.shown(function)
            raise ArgumentError(f"function: got {got}, must be the address of a function")
        return Address(int(function), None)
    if module.startswith("numba"):
        return _find_numba(function)
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        return _find_ctypes(function)
    if module.startswith("scipy") and isinstance(function, tuple):  # LowLevelCallable
        return _find_capsule(tuple.__getitem__(function, 0))
    if kind.__name__ == "PyCapsule":
        return _find_capsule(function)
    if module == "_cffi_backend":
        return _find_cffi(function)
    raise TypeError(
        f"function: got {kind.__name__}, must be a compiled function: numba's @cfunc, a ctypes or "
        "cffi function pointer (of a compiled cffi module: ffi.addressof(lib, name)), a "
        "scipy.LowLevelCallable, or an address; a Python function goes without, a scalar one "
        "by from_numba"
    )


def _find_numba(function: Any) -> Address:
    if not hasattr(function, "address") or not hasattr(function, "_sig"):
        raise TypeError(
            f"function: got numba's {type(function).__name__}, must be made by @numba.cfunc; "
            "a scalar function goes by from_numba"
        )
    signature = function._sig
    types = (signature.return_type, *signature.args)
    return Address(int(function.address), tuple(_canonical(str(kind)) for kind in types))


def _find_ctypes(function: Any) -> Address:
    address = ctypes.cast(function, ctypes.c_void_p).value
    if not address:
        raise ArgumentError("function: got a null pointer, must be a function")
    if function.argtypes is None:
        return Address(address, None)
    types = (function.restype, *function.argtypes)
    return Address(address, tuple(_ctypes_name(kind) for kind in types))


def _ctypes_name(kind: Any) -> str:
    if kind is None:
        return "void"
    if kind is ctypes.c_void_p:
        return "void*"
    if issubclass(kind, ctypes._Pointer):
        return _ctypes_name(kind._type_) + "*"
    return _canonical(kind.__name__.removeprefix("c_"))


def _find_capsule(capsule: Any) -> Address:
    python = ctypes.pythonapi
    name_of, pointer_of, context_of = (
        ctypes.PYFUNCTYPE(result, *arguments)((name, python))
        for result, arguments, name in (
            (ctypes.c_char_p, (ctypes.py_object,), "PyCapsule_GetName"),
            (ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p), "PyCapsule_GetPointer"),
            (ctypes.c_void_p, (ctypes.py_object,), "PyCapsule_GetContext"),
        )
    )
    name = name_of(capsule)
    return Address(
        int(pointer_of(capsule, name)),
        _parsed(name.decode()) if name else None,
        context_of(capsule) or 0,
    )


def _find_cffi(function: Any) -> Address:
    ffi = sys.modules["_cffi_backend"].FFI()
    kind = ffi.typeof(function)
    types = None
    if kind.kind == "function":
        names = (kind.result.cname, *(argument.cname for argument in kind.args))
        types = tuple(_canonical(name) for name in names)
    elif kind.cname != "void *":
        raise TypeError(f"function: got cffi's {kind.cname}, must be a pointer to a function")
    return Address(int(ffi.cast("intptr_t", function)), types)


def _parsed(signature: str) -> tuple[str, ...]:
    """Returns the types of a signature such as "void (float *, long)"."""
    result, _, rest = signature.partition("(")
    arguments = rest.rstrip().removesuffix(")")
    return tuple(_canonical(kind) for kind in (result, *arguments.split(",")) if kind.strip())


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def _data_address(data: Any) -> int:
    """Returns the address of user data."""
    if _is_integer(data):
        if not 0 <= data <= _MAX_ADDRESS:
            raise ArgumentError(f"user_data: got {_texts.shown(data)}, must be an address")
        return int(data)
    if isinstance(data, np.ndarray):
        if isinstance(data, np.ma.MaskedArray):
            raise TypeError(f"user_data: got {_texts.shown(data)}, must be a plain array")
        if not data.flags.c_contiguous or data.dtype.hasobject:
            raise ArgumentError(
                "user_data: got objects or a strided array, must be a C-contiguous array of numbers"
            )
        return int(data.ctypes.data)
    if isinstance(data, ctypes.c_void_p):
        return data.value or 0
    if isinstance(data, ctypes._Pointer):
        return ctypes.cast(data, ctypes.c_void_p).value or 0
    if isinstance(data, (ctypes.Array, ctypes.Structure, ctypes.Union, ctypes._SimpleCData)):
        return ctypes.addressof(data)
    if type(data).__module__ == "_cffi_backend":
        return int(sys.modules["_cffi_backend"].FFI().cast("intptr_t", data))
    raise TypeError(
        f"user_data: got {_texts.shown(data)}, must be a NumPy array, an object of ctypes or "
        "cffi, or an address"
    )
