// epilogue_sgd.wgsl: the last stage behind a matrix product that is a weight's gradient: a step of gradient descent on
// the weight, which stands in the place of C. The gradient itself is never stored. Joined behind matmul_common.wgsl.
//
// Computes    as sgd.wgsl
// Bindings    8 velocity [M, N] read and write (momentum)   9 state of the optimizer (u32) read
// Launch      none of its own: that of the matmul kernel
// Cost        saves the gradient's way to memory and back: 8 B an element, and a launch
// Reference   lib/ops/update/sgd.ts

override RATES: u32 = 1u;
override WEIGHT_DECAY: f32 = 0.0;
override MOMENTUM: f32 = 0.0;
override DAMPENING: f32 = 0.0;
override NESTEROV: bool = false;

@group(0) @binding(8) var<storage, read_write> velocity: array<Element>;
@group(0) @binding(9) var<storage, read> optimizer: array<u32>;

// The same for all elements: read once an invocation.
var<private> learningRate: f32;
var<private> isFirstStep: bool;

fn beginDescent() {
  let step = optimizer[0];
  learningRate = bitcast<f32>(optimizer[1u + step % RATES]);
  isFirstStep = step == 0u;
}

fn moved(p: Element, gradient: Element) -> Element {
  return p - learningRate * (gradient + WEIGHT_DECAY * p);
}

struct Moved {
  parameter: Element,
  velocity: Element,
}

fn movedWithMomentum(p: Element, v: Element, gradient: Element) -> Moved {
  let g = gradient + WEIGHT_DECAY * p;
  let next = select(MOMENTUM * v + (1.0 - DAMPENING) * g, g, isFirstStep);
  return Moved(p - learningRate * select(next, g + MOMENTUM * next, NESTEROV), next);
}

fn descend(gradient: Element, row: u32, column: u32) -> Element {
  return moved(currentC(row, column), gradient);
}

fn descendWithMomentum(gradient: Element, row: u32, column: u32) -> Element {
  let index = (row * size.N + column) / WIDTH;
  let next = movedWithMomentum(currentC(row, column), velocity[index], gradient);
  velocity[index] = next.velocity;
  return next.parameter;
}
