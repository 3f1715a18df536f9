// epilogue_sgd_sums.wgsl: the step of gradient descent on a bias that goes with that on its weight: its gradient is the sums
// that the product computes beside the weight's. Joined behind epilogue_sgd.wgsl and matmul_sum_column.wgsl.
//
// Bindings    14 velocity of the bias [M] read and write (momentum)
// Launch      none of its own: that of the matmul kernel
// Reference   lib/ops/update/sgd.ts

@group(0) @binding(14) var<storage, read_write> sumsVelocity: array<f32>;

fn descendSum(gradient: f32, row: u32) -> f32 {
  return firstOf(moved(Element(sumsOfA[row]), Element(gradient)));
}

fn descendSumWithMomentum(gradient: f32, row: u32) -> f32 {
  let next = movedWithMomentum(Element(sumsOfA[row]), Element(sumsVelocity[row]), Element(gradient));
  sumsVelocity[row] = firstOf(next.velocity);
  return firstOf(next.parameter);
}
