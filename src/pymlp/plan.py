"""How a batch runs on this machine: what the core decided, as a table, with the reasons."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any

from pymlp import _html
from pymlp.architecture import aligned

__all__ = ["Plan", "PlanLimits", "PlannedOperation"]

_ARITHMETIC = {"exact": "exact (own kernels)", "blas": "blas"}


@dataclasses.dataclass(frozen=True)
class PlannedOperation:
    """One operation of a plan.

    Attributes
    ----------
    kind : str
        "dense", "activation", "parametric" (a learnt activation), "row_norm" (layer and RMS norm),
        "batch_norm", "dropout", "residual", "embedding" or "scale" (of the inputs).
    function : str or None
        The activation's name.
    layer : int
        Counted from 1.
    n_in, n_out : int
        Widths of what it reads and writes.
    parameters : int
        The factors of the inputs are counted with the first product, which sums their gradient.
    multiply_adds : float
        In products, for the whole batch, forth and back.
    bytes : int
        Of its values and gradients in one workspace; 0 where it works in place. In a prediction
        operations take turns with the same bytes.
    in_place : bool
        Whether its output replaces its input.
    column_parts : int
        Parts of its columns that are computed at the same time, where the rows are few.
    stretches : int
        Parts in which its parameters are updated.
    """

    kind: str
    function: str | None
    layer: int
    n_in: int
    n_out: int
    parameters: int
    multiply_adds: float
    bytes: int
    in_place: bool
    column_parts: int
    stretches: int


@dataclasses.dataclass(frozen=True)
class PlanLimits:
    """What cuts follow from: constants of the library.

    Attributes
    ----------
    few_rows, fewest_rows, many_rows : int
        The least that a block of rows has where something is summed over each, and elsewhere; the
        most.
    operations_of_a_block, operations_worth_sharing : float
        Floating-point operations that are worth a block, and a second worker.
    blocks_in_memory, gradients_in_memory : int
        Of a segment: blocks of `many_rows` where gradients are summed over it, blocks where each
        sums its own.
    fewer_parameters : int
        Blocks sum gradients of their own where they hold this many numbers for each parameter.
    narrow, few_parameters, rows_of_lanes : int
        In training samples are lanes where no layer has more units and there are not more
        parameters; the most rows of a block that then sums gradients.
    """

    few_rows: int
    fewest_rows: int
    many_rows: int
    operations_of_a_block: float
    operations_worth_sharing: float
    blocks_in_memory: int
    gradients_in_memory: int
    fewer_parameters: int
    narrow: int
    few_parameters: int
    rows_of_lanes: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a batch runs on this machine; prints as a table, with the reasons for each cut.

    Attributes
    ----------
    rows : int
        Of the batch.
    training : bool
        A training step; else a prediction.
    dtype : str
    segments, segment_rows : int
        A batch is taken by segments, one after the other; memory does not grow beyond one.
    blocks, block_rows : int
        Rows of a batch are cut into blocks, which go through all operations in parallel;
        `block_rows` is the largest.
    blocks_of : str
        What blocks follow from: "sizes" where something is summed over each, so that results do not
        depend on threads; "threads" elsewhere; "columns": there is one, as the rows are few, and
        threads share the columns of its wide operations.
    workers : int
        Threads that share the blocks, or the columns.
    gradients_by_block : bool
        Whether every block sums gradients of its own, which are added up in the order of blocks.
    lanes : bool
        Whether samples are lanes: the matrices of a narrow network have a row for each unit and a
        column for each sample, of so many samples at a time as stay in the nearest cache.
    stretches, stretch_workers : int
        Parts of the parameters whose gradients are summed, and which are updated, in parallel.
    workspaces, workspace_rows, workspace_bytes : int
        Memory for values and gradients of rows.
    gradient_bytes : int
        Memory for gradients of parameters.
    arithmetic : str
        What computes the products: "exact" or "blas".
    limits : PlanLimits
        What the cuts follow from.
    operations : tuple of PlannedOperation
    """

    rows: int
    training: bool
    dtype: str
    segments: int
    segment_rows: int
    blocks: int
    block_rows: int
    blocks_of: str
    workers: int
    gradients_by_block: bool
    lanes: bool
    stretches: int
    stretch_workers: int
    workspaces: int
    workspace_rows: int
    workspace_bytes: int
    gradient_bytes: int
    numbers_of_a_block: int
    user_functions: bool
    arithmetic: str
    limits: PlanLimits
    operations: tuple[PlannedOperation, ...]

    @property
    def n_parameters(self) -> int:
        """The number of parameters."""
        return sum(operation.parameters for operation in self.operations)

    @property
    def multiply_adds(self) -> float:
        """In products, for the whole batch."""
        return sum(operation.multiply_adds for operation in self.operations)

    def __str__(self) -> str:
        table = aligned(self._table(), right={0, 3, 4, 5, 6})
        width = max(map(len, self._decisions()))
        said = [
            textwrap.fill(f"{name:{width}}  {sentence}", 100, subsequent_indent=" " * (width + 2))
            for name, sentence in self._decisions().items()
        ]
        return "\n".join([self._head(), *table, *said])

    def _repr_html_(self) -> str:
        return _html.block(
            _html.text(self._head(), strong=True),
            _html.table(self._table(), right={0, 3, 4, 5, 6}),
            _html.items(self._decisions().items()),
        )

    def _head(self) -> str:
        kind = "training step" if self.training else "prediction"
        products = _ARITHMETIC[self.arithmetic]
        return f"{kind}, {_count(self.rows, 'row')}, {self.dtype}, products {products}"

    def _table(self) -> list[tuple[str, ...]]:
        """Return the header and a row for each operation.

        A prediction updates nothing, and its operations share the workspace: it has neither
        stretches nor bytes of each operation.
        """
        shown = range(len(_HEADER)) if self.training else (0, 1, 2, 3, 5)
        before = [0, *(operation.layer for operation in self.operations)]
        first = [one.layer > last for one, last in zip(self.operations, before, strict=False)]
        rows = [_HEADER, *map(_row, self.operations, first)]
        return [tuple(row[column] for column in shown) for row in rows]

    def _decisions(self) -> dict[str, str]:
        """Return what was decided, and why, by the name of the decision."""
        decisions = {"rows": self._said_of_rows(), "workers": self._said_of_workers()}
        if self.training:
            decisions |= {"segments": self._said_of_segments(), "gradients": self._said_of_sums()}
        return decisions | {"memory": self._said_of_memory()}

    def _said_of_rows(self) -> str:
        cache = f"{self.limits.many_rows:,} rows fit into a second-level cache"
        if self.lanes and self.training:
            cache = f"at most {self.limits.rows_of_lanes:,} have a gradient of their own"
        blocks = f"{_count(self.blocks, 'block')} of at most {_count(self.block_rows, 'row')}"
        if self.blocks_of == "columns":
            most = max(operation.column_parts for operation in self.operations)
            return (
                f"{blocks}: too few for a block of each worker, so they share the columns of wide "
                f"operations, up to {most} parts of each"
            )
        if self.blocks_of == "threads":
            least = f"{self.limits.fewest_rows} rows or more"
            return f"{blocks}: as many for each worker, of {least}; {cache}"
        return (
            f"{blocks}: at least {self.limits.few_rows:,} rows and "
            f"{self.limits.operations_of_a_block:,.0f} operations are worth a block, and {cache}"
        )

    def _said_of_workers(self) -> str:
        if self.user_functions:
            return "1: user functions run on the caller's thread"
        return (
            f"{self.workers} for {'columns' if self.blocks_of == 'columns' else 'blocks of rows'}"
            + (f", {self.stretch_workers} for stretches of parameters" if self.training else "")
            + f": work from {self.limits.operations_worth_sharing:,.0f} operations on is shared"
        )

    @property
    def _waits(self) -> bool:
        """Whether a batch waits for sums over all of its rows."""
        return self.training and any(o.kind == "batch_norm" for o in self.operations)

    def _said_of_segments(self) -> str:
        if self._waits:
            rows = _count(self.segment_rows, "row")
            return f"{self.segments} of {rows}: batch norm needs all rows of the batch at once"
        if self.gradients_by_block:
            held = f"the gradients of {self.limits.gradients_in_memory} blocks"
        else:
            most = self.limits.blocks_in_memory * self.limits.many_rows
            held = f"the values and gradients of {most:,} rows"
        rows = _count(self.segment_rows, "row")
        return f"{self.segments} of at most {rows}: {held} are held at most"

    def _said_of_sums(self) -> str:
        factor = f"{self.limits.fewer_parameters} times the parameters"
        held = f"the {self.numbers_of_a_block:,} numbers that a block by sizes alone holds"
        if self.lanes:
            return "summed by each block, in 16 lanes of each parameter, then added up"
        if self.gradients_by_block:
            return f"summed by each block, then added up: {factor} are not more than {held}"
        parts = _count(self.stretches, "stretch", "stretches")
        held = f"{factor} are more than {held}"
        reason = "a segment is the whole batch" if self._waits else held
        return f"summed over a segment, by {parts} of parameters: {reason}"

    def _said_of_memory(self) -> str:
        spaces = _count(self.workspaces, "workspace")
        rows = _count(self.workspace_rows, "row")
        text = f"{spaces} of {rows}, {self.workspace_bytes:,} bytes each"
        if self.lanes:
            text += f": samples are lanes, as no layer has more than {self.limits.narrow} units"
        if self.training:
            return f"{text}; gradients {self.gradient_bytes:,} bytes"
        return (
            text
            if self.lanes
            else f"{text}: two matrices that take turns as input and output of a layer"
        )


_HEADER = ("layer", "operation", "shape", "parameters", "stretches", "multiply-adds", "bytes")


def _row(operation: PlannedOperation, begins_a_layer: bool) -> tuple[str, ...]:
    multiplies = operation.kind in ("dense", "embedding")
    return (
        str(operation.layer) if begins_a_layer else "",
        _name(operation),
        f"{operation.n_in} -> {operation.n_out}" if multiplies else str(operation.n_out),
        f"{operation.parameters:,}" if operation.parameters else "",
        str(operation.stretches) if operation.stretches else "",
        f"{operation.multiply_adds:,.0f}" if multiplies else "",
        "in place" if operation.in_place and not operation.bytes else f"{operation.bytes:,}",
    )


def _name(operation: PlannedOperation) -> str:
    learnt = "parametric " if operation.kind == "parametric" else ""
    return learnt + (operation.function or operation.kind.replace("_", " "))


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def from_core(found: dict[str, Any], *, training: bool, dtype: str) -> Plan:
    """Return the plan that the core's answer describes."""
    operations = tuple(PlannedOperation(**operation) for operation in found.pop("operations"))
    limits = PlanLimits(**found.pop("limits"))
    return Plan(**found, limits=limits, operations=operations, training=training, dtype=dtype)
