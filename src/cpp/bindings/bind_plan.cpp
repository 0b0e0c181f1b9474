// A plan for Python to print: what is decided, and the limits that it follows from.
#include <algorithm>
#include <string>

#include "bindings/bind.hpp"
#include "bindings/core_network.hpp"
#include "ops/table.hpp"

namespace pymlp::bindings {

namespace {

py::str text(std::string_view view) { return {view.data(), view.size()}; }

// Going back costs a product for the gradient of the weights, and one for that of the inputs where
// these are not the network's.
double multiply_adds(const Operation& op, index_t rows, bool training) {
  const double products = training ? (op.layer > 0 || op.behind_embedding ? 3.0 : 2.0) : 1.0;
  return products * static_cast<double>(rows) * traits_of(op).multiply_adds(op);
}

// Of the values and gradients that an operation brings into a workspace.
index_t numbers_of_a_row(const Operation& op, const Placement& places, bool in_place) {
  const auto output = static_cast<std::size_t>(op.output);
  index_t numbers = in_place ? 0 : places.values[output].stride;
  const bool gradients = !places.gradients.empty() && !traits_of(op).gradient_in_place(op);
  return numbers + (gradients ? places.gradients[output].stride : 0);
}

py::dict operation(const Program& program, const Plan& plan, const RowCuts& cuts,
                   const Placement& places, index_t i, bool training, index_t bytes_of_a_number) {
  const Operation& op = program.operation(i);
  const auto at = [&](index_t buffer) { return places.values[static_cast<std::size_t>(buffer)]; };
  const bool in_place = op.input > 0 && at(op.output).offset == at(op.input).offset;
  py::dict row;
  row["kind"] = text(traits_of(op).name);
  const bool is_function = program.activation(op.layer).output == op.output;
  row["function"] =
      is_function ? py::object(text(traits_of(program.function(op.layer).kind).name)) : py::none();
  row["layer"] = op.layer + 1;
  row["n_in"] = op.n_in;
  row["n_out"] = op.n_out;
  row["parameters"] = op.n_parameters;
  row["multiply_adds"] = multiply_adds(op, cuts.rows, training);
  const index_t numbers =
      cuts.lanes ? (in_place ? 0 : op.n_out) : numbers_of_a_row(op, places, in_place);
  row["bytes"] = numbers * bytes_of_a_number;
  row["in_place"] = in_place;
  row["column_parts"] = cuts.kind == Blocks::of_columns ? plan.column_parts(op, cuts.rows) : 1;
  row["stretches"] = std::ranges::count(plan.stretches(), i, &Stretch::operation);
  return row;
}

// In the order of the enum.
constexpr std::string_view kBlocks[] = {"sizes", "threads", "columns"};

py::dict limits() {
  py::dict limits;
  limits["few_rows"] = PlanLimits::few_rows;
  limits["many_rows"] = PlanLimits::many_rows;
  limits["operations_of_a_block"] = PlanLimits::operations_of_a_block;
  limits["operations_worth_sharing"] = PlanLimits::operations_worth_sharing;
  limits["blocks_in_memory"] = PlanLimits::blocks_in_memory;
  limits["gradients_in_memory"] = PlanLimits::gradients_in_memory;
  limits["fewer_parameters"] = PlanLimits::fewer_parameters;
  limits["narrow"] = PlanLimits::narrow;
  limits["few_parameters"] = PlanLimits::few_parameters;
  limits["rows_of_lanes"] = PlanLimits::rows_of_lanes;
  return limits;
}

// Of the gradients of parameters: one arena, those of blocks, and what threads hold beside it.
index_t gradient_numbers(const Program& program, const Plan& plan, const RowCuts& cuts) {
  const index_t arenas = cuts.gradients_by_block ? cuts.gradients_beside() + 1 : 1;
  return program.n_parameters() * arenas + cuts.threads_for_stretches * plan.largest_update(cuts);
}

template <class T>
py::dict plan_of(const CoreNetwork<T>& core, index_t rows, bool training, int threads) {
  check(rows >= 1 && rows < index_t{1} << 40, "rows must be from 1 to 2^40, not ", rows);
  const Program& program = core.program();
  const Purpose purpose = training ? Purpose::training : Purpose::predict;
  const Plan plan(program, purpose, rows, sizeof(T), threads, false, Mode::inference,
                  core.arithmetic());
  const RowCuts cuts = plan.cut(rows);
  const Placement places = place<T>(program, keep_for(purpose, plan.mode(), program));
  const bool by_columns = cuts.kind == Blocks::of_columns;
  const index_t workers = by_columns ? cuts.threads : std::min<index_t>(cuts.threads, cuts.blocks);
  const bool apart = cuts.gradients_by_block || !training;
  const SampleLanes<T>& lanes = core.shared()->lanes();
  const index_t lane_numbers = training ? lanes.numbers() : lanes.numbers_of_a_chunk();
  const index_t workspace_rows = cuts.lanes ? lanes.samples()
                                 : apart    ? cuts.largest_block()
                                            : cuts.largest_segment();
  py::dict result;
  result["rows"] = rows;
  result["segments"] = training ? cuts.segments() : 1;
  result["segment_rows"] = training ? cuts.largest_segment() : rows;
  result["blocks"] = cuts.blocks;
  result["block_rows"] = cuts.largest_block();
  result["blocks_of"] = text(kBlocks[static_cast<std::size_t>(cuts.kind)]);
  result["workers"] = workers;
  result["gradients_by_block"] = cuts.gradients_by_block;
  result["lanes"] = cuts.lanes;
  result["stretches"] = plan.stretches().size();
  result["stretch_workers"] = std::min<index_t>(
      cuts.threads_for_stretches, std::ssize(plan.stretches()) * plan.parts_of_updates(cuts));
  result["workspaces"] = apart && !by_columns ? workers : 1;
  result["workspace_rows"] = workspace_rows;
  result["workspace_bytes"] =
      (cuts.lanes ? lane_numbers : places.size(workspace_rows)) * static_cast<index_t>(sizeof(T));
  result["gradient_bytes"] =
      training ? gradient_numbers(program, plan, cuts) * static_cast<index_t>(sizeof(T)) : 0;
  result["numbers_of_a_block"] =
      plan.cut_by_sizes(rows).largest_block() * program.numbers_of_a_sample();
  result["user_functions"] = program.has_user_functions();
  result["arithmetic"] = text(name_of(core.arithmetic()));
  result["limits"] = limits();
  result["limits"]["fewest_rows"] = plan.fewest_rows();
  py::list operations;
  for (index_t i = 0; i < program.n_operations(); ++i) {
    operations.append(operation(program, plan, cuts, places, i, training,
                                workspace_rows * static_cast<index_t>(sizeof(T))));
  }
  result["operations"] = operations;
  return result;
}

template <class T>
void bind(py::module_& module) {
  module.def("plan", &plan_of<T>, py::arg("network"), py::arg("rows"), py::arg("training"),
             py::arg("threads"));
}

}  // namespace

void bind_plan(py::module_& module) {
  bind<float>(module);
  bind<double>(module);
}

}  // namespace pymlp::bindings
