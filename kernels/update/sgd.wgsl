// sgd.wgsl: stochastic gradient descent, a stage (lib/fusion/stage.ts) that writes a parameter and its velocity in place.
//
// Computes    g = gradient + weightDecay · p
//             v = step = 0 ? g : momentum · v + (1 - dampening) · g
//             p -= learningRate · (nesterov ? g + momentum · v : v);  without momentum: p -= learningRate · g
// Words       of the optimizer's state: the bits of the parameter's learning rate, its steps so far, the bits of 1 - momentum
// Cost        12 B moved an element (20 with momentum), 2 to 6 flop: bound by bandwidth; behind a product that computes
//             the gradient, 8 B less
// Source      Sutskever, Martens, Dahl, Hinton 2013, in the form of torch.optim.SGD
// Reference   lib/optim/sgd.ts

fn sgdRate(rate: u32, step: u32, take: u32, ahead: u32, weightDecay: f32) -> f32 {
  return bitcast<f32>(rate);
}

fn sgd(p: Element, gradient: Element, rate: f32, ahead: u32, weightDecay: f32) -> Element {
  return p - rate * (gradient + weightDecay * p);
}

struct SgdStep {
  rate: f32,
  momentum: f32,
  isFirst: bool,
}

fn sgdStep(
  rate: u32,
  step: u32,
  take: u32,
  ahead: u32,
  weightDecay: f32,
  dampening: f32,
  nesterov: u32,
) -> SgdStep {
  return SgdStep(bitcast<f32>(rate), 1.0 - bitcast<f32>(take), step + ahead == 0u);
}

struct SgdMoved {
  parameter: Element,
  velocity: Element,
}

fn sgdMomentum(
  p: Element,
  v: Element,
  gradient: Element,
  step: SgdStep,
  ahead: u32,
  weightDecay: f32,
  dampening: f32,
  nesterov: u32,
) -> SgdMoved {
  let g = gradient + weightDecay * p;
  let next = select(step.momentum * v + (1.0 - dampening) * g, g, step.isFirst);
  return SgdMoved(p - step.rate * select(next, g + step.momentum * next, nesterov != 0u), next);
}
