"""Hostile arrays and functions.

How they are written: see `hostile_values`.
"""

ARRAYS = r"""
a * nan                         # nan
with_entry(a, nan)              # nan
with_entry(a, inf)
with_entry(a, -inf)
with_entry(a, 1e308)
a + 1e308
a - 1e308
a + 1e39
a + 1e-308
a * 0 + 5e-324
a * 0
-1.0 - a
a.astype(complex)               # complex
a + 1j                          # complex
a.astype(object)                # object
with_entry(a, 0.0).astype(object) + Fraction(1, 2)  # object
a.astype(str)                   # text
a.astype("S8")                  # text
a.astype("M8[s]")               # time
a.astype("m8[s]")               # time
a.astype(bool)
a.astype(np.int8)
a.astype(np.int64)
a.astype(np.uint8)
a.astype(np.float16)
a.astype(np.float32)
a.astype(np.longdouble)
a.astype(np.longdouble) * np.longdouble("1e4000")
a.astype(">f8")
a.astype(">i4")
a.astype([("x", float)])        # object
np.ma.array(a, mask=True)       # masked
np.ma.array(a, mask=with_entry(a * 0, 1.0).astype(bool))  # masked
np.ma.array(a, mask=False)
np.asmatrix(a) if a.ndim <= 2 else a[None]
a.view(Kind)
np.atleast_1d(a).view(Short)
read_only(a)
strided(a)
unaligned(a)
np.asfortranarray(np.atleast_2d(a))
np.atleast_1d(a)[::-1]
np.atleast_1d(a)[..., ::-1]
a.T
a[None]
a[..., None]
a[None, None, None]
a.ravel()
a.sum()
np.atleast_1d(a)[:0]
np.atleast_1d(a)[..., :0]
np.atleast_1d(a)[:-1]
np.atleast_1d(a)[..., :-1]
np.concatenate([np.atleast_1d(a)] * 2)
np.concatenate([np.atleast_1d(a)] * 2, axis=-1)
np.concatenate([np.atleast_2d(a)] * 3)
np.zeros(0)
np.zeros((0, 2))
np.zeros((2, 0))
np.zeros((0, 2**40))
np.zeros((2**40, 0))
np.zeros((1,) * 33)
np.broadcast_to(a, (2, *a.shape))
np.broadcast_to(a, (2**18, *a.shape))   # huge
np.broadcast_to(np.uint8(1), (2**31, *a.shape[1:]))     # huge
np.broadcast_to(np.uint8(1), (2**33, 2))        # huge
np.broadcast_to(0.5, (3, 2**33))        # huge
np.broadcast_to(0.5, (2**17, 2**17))    # huge
as_strided(np.zeros(1), (2**40, 2), (0, 0))     # huge
a.tolist()
tuple(np.atleast_1d(a).tolist())
[*np.atleast_1d(a).tolist(), None]
[*np.atleast_1d(a).tolist(), "0.5"]
[*np.atleast_1d(a).tolist()[:-1], "0.5"]        # text
[*np.atleast_1d(a).tolist()[:-1], [1.0, 2.0, 3.0]]
[*np.atleast_1d(a).tolist()[:-1], 10**400]
[*np.atleast_1d(a).tolist()[:-1], Decimal("0.5")]
[*np.atleast_1d(a).tolist()[:-1], np.ma.masked] # masked
list(np.ma.array(np.atleast_1d(a), mask=True))  # masked
list(np.atleast_1d(a))
(row for row in np.atleast_1d(a))
answering(__array__=a)
memoryview(np.ascontiguousarray(a))
"""

FUNCTIONS = r"""
lambda *_, **__: None                   # none
lambda *_, **__: "a"                    # text
lambda *_, **__: 1j                     # complex
lambda *_, **__: nan
lambda *_, **__: 0.5
lambda *_, **__: -1
lambda *_, **__: 0
lambda *_, **__: 2.5
lambda *_, **__: True
lambda *_, **__: 10**400                # huge
lambda *_, **__: 2**62                  # huge
lambda *_, **__: object()
lambda *_, **__: {}
lambda *_, **__: dp.CEM
lambda *_, **__: []
lambda *_, **__: (y for y in (1.0,))
lambda *_, **__: itself()
lambda *_, **__: np.ma.masked           # masked
lambda *_, **__: raising("__array__", "__index__", "__float__", "__bool__")
lambda x, *_, **__: x
lambda x, *_, **__: x * nan
lambda x, *_, **__: x * 1e308
lambda x, *_, **__: x * 1j              # complex
lambda x, *_, **__: x > 0
lambda x, *_, **__: np.zeros(length(x))
lambda x, *_, **__: np.zeros(length(x), bool)
lambda x, *_, **__: np.zeros(length(x) + 1)
lambda x, *_, **__: np.zeros(max(length(x) - 1, 0))
lambda x, *_, **__: np.zeros((length(x), 1))
lambda x, *_, **__: np.zeros((length(x), 2))
lambda x, *_, **__: np.zeros((length(x), 7))
lambda x, *_, **__: np.zeros((1, length(x)))
lambda x, *_, **__: np.full(length(x), nan)
lambda x, *_, **__: np.full(length(x), inf)
lambda x, *_, **__: np.full(length(x), -inf)
lambda x, *_, **__: np.full(length(x), 1e308)
lambda x, *_, **__: np.full(length(x), 5e-324)
lambda x, *_, **__: np.full(length(x), 0.5)
lambda x, *_, **__: np.full(length(x), 1j)      # complex
lambda x, *_, **__: np.full((length(x), 1), 1j) # complex
lambda x, *_, **__: np.full(length(x), "0.5")   # text
lambda x, *_, **__: np.full((length(x), 1), "0.5")      # text
lambda x, *_, **__: np.full(length(x), None)    # none
lambda x, *_, **__: np.full((length(x), 1), None)       # none
lambda x, *_, **__: np.full(length(x), b"1")    # text
lambda x, *_, **__: np.zeros(length(x), "M8[s]")        # time
lambda x, *_, **__: np.zeros((length(x), 1), "M8[s]")   # time
lambda x, *_, **__: np.full((length(x), 1), nan)
lambda x, *_, **__: np.full((length(x), 2), nan)
lambda x, *_, **__: np.full((length(x), 1), inf)
lambda x, *_, **__: np.full((length(x), 2), 1e308)
lambda x, *_, **__: np.ma.masked_all(length(x)) # masked
lambda x, *_, **__: np.ma.masked_all((length(x), 1))    # masked
lambda x, *_, **__: np.ma.masked_all((length(x), 2))    # masked
lambda x, *_, **__: np.zeros(length(x), np.float16)
lambda x, *_, **__: np.zeros(length(x), ">f8")
lambda x, *_, **__: np.zeros((length(x), 2), np.longdouble)
lambda x, *_, **__: [0.0] * length(x)
lambda x, *_, **__: [[0.0], [1.0, 2.0]]
lambda x, *_, **__: ["0.5"] * length(x) # text
lambda x, *_, **__: np.broadcast_to(0.5, (length(x),))
lambda x, *_, **__: np.broadcast_to(0.5, (2**33,))      # huge
lambda x, *_, **__: kept(x, np.zeros(length(x)))
lambda x, *_, **__: kept(x, x)
lambda x, *_, **__: written(x, np.zeros(length(x)))
lambda x, *_, **__: written(x, x)
lambda x, *_, **__: fault()
lambda x, *_, **__: fault_at_exit()
lambda: 0.0
lambda x: x
lambda x, y: x
lambda x, y, z: z
lambda x, y, z, step: step
lambda x, y, z, data: z
lambda x, *_, step: step
lambda *_, **__: linear()
lambda *_, **__: wide_model()
lambda *_, **__: reward()
lambda *_, **__: Model(state_dim=5)
lambda *_, **__: mock_of(dynamics=linear().dynamics)
lambda *_, **__: dp.LinearGaussian
dp.CEM
print_nothing
np.sum
partial(fault)
mock_of(return_value=0.0)
mock_of(side_effect=Fault("of the attack"))
"""
