// binary.wgsl: functions of two values: stages (lib/fusion/stage.ts) of elementwise.wgsl and of other kernels. Joined
// behind common.wgsl.
//
// Reference   lib/ops/pointwise/binary.ts, rows in arithmetic.ts and losses.ts

fn add(a: f32, b: f32) -> f32 { return a + b; }
fn subtract(a: f32, b: f32) -> f32 { return a - b; }
fn multiply(a: f32, b: f32) -> f32 { return a * b; }
fn divide(a: f32, b: f32) -> f32 { return a / b; }
fn maximum(a: f32, b: f32) -> f32 { return maximumOf(a, b); }
fn minimum(a: f32, b: f32) -> f32 { return minimumOf(a, b); }
fn equal(a: f32, b: f32) -> f32 { return select(0.0, 1.0, a == b); }

// The share of the gradient that the larger one gets: 1 where a > b, a half where they are equal.
fn greaterShare(a: f32, b: f32) -> f32 { return select(select(0.0, 0.5, a == b), 1.0, a > b); }

fn squaredError(a: f32, b: f32) -> f32 { return (a - b) * (a - b); }

// -(t · log σ(x) + (1 - t) · log(1 - σ(x))) = max(x, 0) - x · t + log(1 + exp(-|x|)): no overflow, no log of 0.
fn binaryCrossEntropy(x: f32, t: f32) -> f32 {
  return select(x, 0.0, x < 0.0) - x * t + log(1.0 + expOf(-abs(x)));
}
