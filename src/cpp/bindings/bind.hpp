// One function per concept; each lives in the file of its name.
#pragma once

#include <pybind11/pybind11.h>

namespace pymlp::bindings {

void bind_arithmetic(pybind11::module_& module);
void bind_config(pybind11::module_& module);
void bind_catalog(pybind11::module_& module);
void bind_schedules(pybind11::module_& module);
void bind_architecture(pybind11::module_& module);
void bind_networks(pybind11::module_& module);
void bind_predict(pybind11::module_& module);  // after the networks
void bind_plan(pybind11::module_& module);     // after the networks
void bind_stack(pybind11::module_& module);    // after the networks
void bind_optimizers(pybind11::module_& module);
void bind_trainers(pybind11::module_& module);

}  // namespace pymlp::bindings
