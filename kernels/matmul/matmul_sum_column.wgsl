// matmul_sum_column.wgsl: the block `sums` of matmul_common.wgsl for products that compute the sums of A beside C:
// sums[m] = Σ_k op(A)[m, k], the column behind the last one of C.
//
// Bindings    13 sums [M] write
// Launch      none of its own: that of the matmul kernel
// Cost        one quad of columns more: nothing, unless N is a multiple of the tile
// Reference   lib/ops/matmul/fused-matmul.ts

@group(0) @binding(13) var<storage, read_write> sumsOfA: array<f32>;

// What becomes of a sum before it is stored: nothing, or a stage.
// begin finish sum
fn finishSum(value: f32, row: u32) -> f32 {
  return value;
}
// end finish sum

fn storeSum(row: u32, sum: f32) {
  sumsOfA[row] = finishSum(sum, row);
}
