// adagrad.wgsl: Adagrad, a stage (lib/fusion/stage.ts) that writes a parameter and the sum of its squares in place.
//
// Computes    g = gradient + weightDecay · p;  s = s + g²
//             p -= rate / (1 + t · learningRateDecay) · g / (√s + epsilon), t counted from 0
// Words       of the optimizer's state: the bits of the parameter's learning rate, its steps so far
// Cost        20 B moved an element: bound by bandwidth
// Source      Duchi, Hazan, Singer 2011, in the form of torch.optim.Adagrad
// Reference   lib/optim/adagrad.ts

fn adagradRate(
  rate: u32,
  step: u32,
  take: u32,
  ahead: u32,
  learningRateDecay: f32,
  epsilon: f32,
  weightDecay: f32,
) -> f32 {
  return bitcast<f32>(rate) / (1.0 + f32(step + ahead) * learningRateDecay);
}

struct AdagradMoved {
  parameter: Element,
  sum: Element,
}

fn adagrad(
  p: Element,
  s: Element,
  gradient: Element,
  rate: f32,
  ahead: u32,
  learningRateDecay: f32,
  epsilon: f32,
  weightDecay: f32,
) -> AdagradMoved {
  let g = gradient + weightDecay * p;
  let sum = s + g * g;
  return AdagradMoved(p - rate * g / (sqrt(sum) + epsilon), sum);
}
