// matmul_rows.wgsl: which stored rows the rows of an operand are: its own (WHOLE), as they lie or in another order ($PLACE);
// or, PICKED, rows of a table by their numbers, a gather in the loads of a matrix product. A row that the table does not
// have is NaN, as in gather.wgsl. A template: $X is A or B.
//
// Bindings    4 indices of rows of A or 5 of rows of B (i32) read
// Launch      none of its own: that of the matmul kernel
// Cost        one more index read a load, the same for all elements of a row
// Reference   lib/ops/moving/gather.ts

// each once of WHOLE
const PICKS_$X = false;

fn indexOf$X(row: u32) -> u32 {
  return $PLACE;
}
// end once
// each once of PICKED
const PICKS_$X = true;

@group(0) @binding($INDICES) var<storage, read> indices$X: array<u32>;

fn indexOf$X(row: u32) -> u32 {
  return indices$X[row];
}
// end once

// Where a row is stored, and whether it is not: indices may be anything.
fn tableRow$X(row: u32) -> u32 {
  let index = indexOf$X(row);
  return select(index, min(index, size.tableRows$X - 1u), PICKS_$X);
}

fn isMissing$X(row: u32) -> bool {
  return PICKS_$X && indexOf$X(row) >= size.tableRows$X;
}
