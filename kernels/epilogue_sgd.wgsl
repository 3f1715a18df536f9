// epilogue_sgd.wgsl: the last stage behind a matrix product that is a weight's gradient: a step of gradient descent on
// the weight, which stands in the place of C. The gradient itself is never stored. Joined behind matmul_common.wgsl.
//
// Computes    as sgd.wgsl
// Bindings    8 velocity [M, N] read and write (momentum)   9 learningRate read   10 step (u32) read (momentum)
// Launch      none of its own: that of the matmul kernel
// Cost        saves the gradient's way to memory and back: 8 B an element, and a launch
// Reference   lib/ops/sgd.ts

override WEIGHT_DECAY: f32 = 0.0;
override MOMENTUM: f32 = 0.0;
override DAMPENING: f32 = 0.0;
override NESTEROV: bool = false;

@group(0) @binding(8) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(9) var<storage, read> learningRate: array<f32>;
@group(0) @binding(10) var<storage, read> step_: array<u32>;

fn descend(gradient: f32, row: u32, column: u32) -> f32 {
  let p = currentC(row, column);
  return p - learningRate[0] * (gradient + WEIGHT_DECAY * p);
}

fn descendWithMomentum(gradient: f32, row: u32, column: u32) -> f32 {
  let index = row * size.N + column;
  let p = currentC(row, column);
  let g = gradient + WEIGHT_DECAY * p;
  let v = select(MOMENTUM * velocity[index] + (1.0 - DAMPENING) * g, g, step_[0] == 0u);
  velocity[index] = v;
  return p - learningRate[0] * select(v, g + MOMENTUM * v, NESTEROV);
}
