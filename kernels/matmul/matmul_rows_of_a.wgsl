// matmul_rows_of_a.wgsl: the rows of A are rows of a table, picked by their numbers: a gather in the loads of a matrix
// product. A row that the table does not have is NaN, as in gather.wgsl. Joined behind matmul_common.wgsl.
//
// Bindings    4 indices [rows of A] (i32) read
// Launch      none of its own: that of the matmul kernel
// Cost        one more index read a load, the same for all elements of a row
// Reference   lib/ops/moving/gather.ts

@group(0) @binding(4) var<storage, read> indicesA: array<u32>;

fn indexOfA(row: u32) -> u32 {
  return indicesA[row];
}
