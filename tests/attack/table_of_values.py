"""Hostile values that are not made for one kind of argument, and names of files.

How they are written: see `hostile_values`.
"""

SCALARS = r"""
None                            # none
nan                             # nan
inf                             # huge
-inf                            # huge
-1
0
1
-0.0
-1.0
2.5                             # fraction
1e308                           # huge
-1e308
1e-308
5e-324
10**400                         # huge
-10**400
2**31 - 1                       # huge
2**31                           # huge
2**32                           # huge
2**62                           # huge
2**63                           # huge
2**64 - 1                       # huge
2**64                           # huge
-2**63
1j                              # complex
1.0 + 0j                        # complex
"0.5"                           # text
"1"                             # text
""                              # text
b"1"                            # text
True                            # bool
False                           # bool
np.bool_(True)                  # bool
np.int8(1)
np.uint64(2**63)                # huge
np.float16(0.5)
np.float32(0.5)
np.longdouble(0.5)
np.longdouble("1e4000")         # huge
np.complex64(0.5)               # complex
np.str_("0.5")                  # text
np.datetime64("2020-01-01")     # time
np.timedelta64(1, "s")          # time
np.datetime64("NaT")            # time
np.array(0.5)
np.array([1.0])
np.array(1)
np.array("0.5")                 # text
np.array(None)                  # object
np.ma.masked                    # masked
np.ma.array(0.5, mask=True)     # masked
Decimal("0.5")
Decimal("nan")                  # nan
Decimal("1e1000")               # huge
Fraction(1, 2)
Fraction(10**400)               # huge
One.ONE
Whole(1)                        # huge
Text("state")                   # text
"mean"                          # text
"next_state"                    # text
"\ud800"                       # text
"a\0b"                         # text
"\x1b[31m\n\x07"             # text
"a" * 5000                      # text
"""

OBJECTS = r"""
object()
...
NotImplemented
int
float
dp.CEM
dp.LinearGaussian
dp.rewards
np
len
print_nothing
{}
{"a": 1}
{0: 1.0}
set()
{1.0}
frozenset({1})
[]
()
[[]]
[None]
[nan]
["0.5"]                         # text
[[1.0], [2.0, 3.0]]
[1.0, [2.0]]
[1, 2, 3]
[-1]
[2**63]
[10**400]
[True]
[1j]                            # complex
[Decimal("0.5")]
[object()]
[np.ma.masked]                  # masked
[[[[[1.0]]]]]
itself()
deep(100)
deep(5000)
range(3)
range(2**62)                    # huge
iter([1.0])
(x for x in (0.5, 1.0))
map(fault, [1])
slice(None)
slice(None, None, -1)
bytearray(b"12345678")
memoryview(b"12345678")
memoryview(np.zeros(2))
array("d", [0.5])
np.random.default_rng(0)
mock_of()
raising("__index__")
raising("__float__")
raising("__index__", "__float__", "__int__", "__bool__")
raising("__array__")
raising("__len__", "__getitem__")
raising("__iter__")
raising("__eq__", "__hash__")
raising("__eq__", "__lt__", "__le__", "__gt__", "__ge__")
raising("__repr__", "__str__")
raising("__getattr__")
raising("__call__")
raising("__fspath__")
answering(__index__=1)
answering(__index__=2**62)      # huge
answering(__index__=None)
answering(__float__=0.5)
answering(__float__=None)
Sequence(says=2**62, holds=1)
Sequence(says=-1, holds=1)
Sequence(says=1, holds=3)
answering(__array__=np.zeros(2))
answering(__array__=[0.0])
answering(__array__=np.array(["0.5"]))
answering(__iter__=None)
answering(__call__=0.0)
answering(__fspath__=1)
answering(__eq__=np.ones(2), __hash__=1)
answering(__bool__=1)
"""

NAMES = r"""
""
"."
"a\0b"
"\ud800"
"\x1b[31m\n"
"\u00e9\u4e2d"
" "
"a" * 300
"a" * 5000
"a/b"
"missing/b"
"~"
"a."
b"a"
b"\xff"
Path("a")
Path("missing") / "b"
answering(__fspath__="a")
answering(__fspath__=b"a")
answering(__fspath__=None)
answering(__fspath__="a\0")
raising("__fspath__")
np.str_("a")
Text("a")
["a"]
open
"""
