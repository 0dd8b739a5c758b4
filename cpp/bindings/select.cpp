#include <Python.h>

#include "processor_level.hpp"

// A module of baseline code, imported first to learn which of the compiled levels this processor runs. In Python's own
// C interface, as it has one function and pybind11's headers take longer to compile than all of it.

namespace {

PyObject* processor_level(PyObject* /*module*/, PyObject* /*none*/) {
  return PyLong_FromLong(dynaplan::processor::level());
}

PyMethodDef methods[] = {
    {"processor_level", processor_level, METH_NOARGS,
     "The x86-64 microarchitecture level (1 to 4) of this machine, 0 on other processors."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "_select",
    "Tells the processor's x86-64 level, so that the matching compiled module can be chosen.",
    0,
    methods,
    slots,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the name that Python looks for
PyMODINIT_FUNC PyInit__select() { return PyModuleDef_Init(&definition); }
