#pragma once

#include <pybind11/pybind11.h>

namespace dynaplan::bindings {

// Shows Python's garbage collector the Python objects that a C++ object refers to, so that a cycle through it, such as
// an object whose own method is the reward of its controller, is collected. `Self::visit(show)` calls `show` with each
// reference that this object owns; none may be owned by two, as the collector counts them.
//
// Such an object is made from what it refers to and never changes, like a tuple: a cycle through it holds an object of
// another kind, which the collector can clear, so that there is no tp_clear.
template <class Self>
pybind11::custom_type_setup collected() {
  return pybind11::custom_type_setup([](PyHeapTypeObject* heap_type) {
    PyTypeObject& type = heap_type->ht_type;
    type.tp_flags |= Py_TPFLAGS_HAVE_GC;
    type.tp_traverse = [](PyObject* object, visitproc visit, void* arg) -> int {
      Py_VISIT(Py_TYPE(object));
      auto place = reinterpret_cast<pybind11::detail::instance*>(object)->get_value_and_holder();
      if (!place.holder_constructed()) return 0;  // it is being made
      int result = 0;
      static_cast<const Self*>(place.value_ptr())->visit([&](const pybind11::object& owned) {
        if (result == 0 && owned) result = visit(owned.ptr(), arg);
      });
      return result;
    };
  });
}

}  // namespace dynaplan::bindings
