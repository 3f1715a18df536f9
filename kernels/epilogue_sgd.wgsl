// epilogue_sgd.wgsl: the last stage behind a matrix product that is a weight's gradient: a step of gradient descent on
// the weight, which stands in the place of C. The gradient itself is never stored. Joined behind matmul_common.wgsl.
//
// Computes    as sgd.wgsl
// Bindings    8 velocity [M, N] read and write (momentum)   9 state of the optimizer (u32) read
// Launch      none of its own: that of the matmul kernel
// Cost        saves the gradient's way to memory and back: 8 B an element, and a launch
// Reference   lib/ops/sgd.ts

override RATES: u32 = 1u;
override WEIGHT_DECAY: f32 = 0.0;
override MOMENTUM: f32 = 0.0;
override DAMPENING: f32 = 0.0;
override NESTEROV: bool = false;

@group(0) @binding(8) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(9) var<storage, read> optimizer: array<u32>;

// The same for all elements: read once an invocation.
var<private> learningRate: f32;
var<private> isFirstStep: bool;

fn beginDescent() {
  let step = optimizer[0];
  learningRate = bitcast<f32>(optimizer[1u + step % RATES]);
  isFirstStep = step == 0u;
}

fn moved(p: f32, gradient: f32) -> f32 {
  return p - learningRate * (gradient + WEIGHT_DECAY * p);
}

// (parameter, velocity) after a step with momentum.
fn movedWithMomentum(p: f32, v: f32, gradient: f32) -> vec2f {
  let g = gradient + WEIGHT_DECAY * p;
  let next = select(MOMENTUM * v + (1.0 - DAMPENING) * g, g, isFirstStep);
  return vec2f(p - learningRate * select(next, g + MOMENTUM * next, NESTEROV), next);
}

fn descend(gradient: f32, row: u32, column: u32) -> f32 {
  return moved(currentC(row, column), gradient);
}

fn descendWithMomentum(gradient: f32, row: u32, column: u32) -> f32 {
  let index = row * size.N + column;
  let next = movedWithMomentum(currentC(row, column), velocity[index], gradient);
  velocity[index] = next.y;
  return next.x;
}
