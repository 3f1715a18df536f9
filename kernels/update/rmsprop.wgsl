// rmsprop.wgsl: RMSprop, a stage (lib/fusion/stage.ts) that writes a parameter and what is remembered of it in place.
//
// Computes    g = gradient + weightDecay · p;  v = alpha · v + (1 - alpha) · g²
//             centered: a = alpha · a + (1 - alpha) · g, and √(v - a²) stands in the place of √v
//             step = g / (√v + epsilon);  with momentum: step ← b = momentum · b + step
//             p -= rate · step
// Words       of the optimizer's state: the bits of the parameter's learning rate, its steps so far, the bits of 1 - momentum
// Cost        20 B moved an element, 8 more with momentum and 8 more if centered: bound by bandwidth
// Source      Tieleman & Hinton 2012; Graves 2013 (centered); in the form of torch.optim.RMSprop
// Reference   lib/optim/rmsprop.ts

struct RmspropStep {
  rate: f32,
  momentum: f32,
}

fn rmspropStep(
  rate: u32,
  step: u32,
  takeOfVelocity: u32,
  ahead: u32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
) -> RmspropStep {
  return RmspropStep(bitcast<f32>(rate), 1.0 - bitcast<f32>(takeOfVelocity));
}

struct RmspropMoved {
  parameter: Element,
  square: Element,
  velocity: Element,
  mean: Element,
}

fn rmspropMoved(
  p: Element,
  v: Element,
  b: Element,
  a: Element,
  gradient: Element,
  rate: f32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
  momentum: f32,
  isCentered: bool,
) -> RmspropMoved {
  let g = gradient + weightDecay * p;
  let square = v + take * (g * g - v);
  let mean = a + take * (g - a);
  let root = sqrt(select(square, square - mean * mean, isCentered));
  let velocity = momentum * b + g / (root + epsilon);
  return RmspropMoved(p - rate * velocity, square, velocity, mean);
}

fn rmsprop(
  p: Element,
  v: Element,
  gradient: Element,
  step: RmspropStep,
  ahead: u32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
) -> RmspropMoved {
  return rmspropMoved(p, v, Element(0.0), Element(0.0), gradient, step.rate, take, epsilon, weightDecay, 0.0, false);
}

fn rmspropMomentum(
  p: Element,
  v: Element,
  b: Element,
  gradient: Element,
  step: RmspropStep,
  ahead: u32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
) -> RmspropMoved {
  return rmspropMoved(p, v, b, Element(0.0), gradient, step.rate, take, epsilon, weightDecay, step.momentum, false);
}

fn rmspropCentered(
  p: Element,
  v: Element,
  a: Element,
  gradient: Element,
  step: RmspropStep,
  ahead: u32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
) -> RmspropMoved {
  return rmspropMoved(p, v, Element(0.0), a, gradient, step.rate, take, epsilon, weightDecay, 0.0, true);
}

fn rmspropCenteredMomentum(
  p: Element,
  v: Element,
  b: Element,
  a: Element,
  gradient: Element,
  step: RmspropStep,
  ahead: u32,
  take: f32,
  epsilon: f32,
  weightDecay: f32,
) -> RmspropMoved {
  return rmspropMoved(p, v, b, a, gradient, step.rate, take, epsilon, weightDecay, step.momentum, true);
}
