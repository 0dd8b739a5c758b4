#pragma once

// The instruction-set level is part of every symbol's name, so that two levels never share one (see CMakeLists.txt).
#ifndef DYNAPLAN_LEVEL
#define DYNAPLAN_LEVEL generic
#endif
