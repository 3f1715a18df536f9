// adam.wgsl: Adam and AdamW, a stage (lib/fusion/stage.ts) that writes a parameter and its moments in place.
//
// Computes    g = gradient + weightDecay · p;  decoupled (AdamW): g = gradient, p ← p - rate · weightDecay · p
//             m = beta1 · m + (1 - beta1) · g;  v = beta2 · v + (1 - beta2) · g²
//             p -= rate / (1 - beta1^t) · m / (√v / √(1 - beta2^t) + epsilon), t counted from 1
//             with amsgrad the largest v so far stands in the place of v there
// Words       of the optimizer's state: the bits of the parameter's learning rate, its steps so far, the bits of 1 - beta1
// Accuracy    1 - beta is computed in double precision by the host: 1 - 0.999 loses five digits in float32, and 1 - beta^t
//             as many while t is small
// Cost        28 B moved an element (36 with amsgrad), about 15 flop: bound by bandwidth
// Source      Kingma & Ba 2015; Loshchilov & Hutter 2019; Reddi, Kale, Kumar 2018; in the form of torch.optim.Adam
// Reference   lib/optim/adam.ts

struct AdamStep {
  rate: f32,
  take1: f32, // 1 - beta1
  stepSize: f32, // rate / (1 - beta1^t)
  scale: f32, // 1 / √(1 - beta2^t)
}

// 1 - e^-x for x > 0: the series, where the subtraction would cost digits.
fn oneMinusExp(x: f32) -> f32 {
  let s = min(x, 0.3); // what is not used must not overflow either
  let series = s * (1.0 - s / 2.0 * (1.0 - s / 3.0 * (1.0 - s / 4.0 * (1.0 - s / 5.0 * (1.0 - s / 6.0)))));
  return select(1.0 - exp(-x), series, x < 0.3);
}

// -log(1 - x) for 0 < x <= 1: the series of 2 artanh(x / (2 - x)), where the subtraction would cost digits.
fn minusLogOneMinus(x: f32) -> f32 {
  let s = x / (2.0 - x);
  let q = s * s;
  let series = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q / 9.0))));
  return select(-log(max(1.0 - x, 1e-37)), series, x < 0.3);
}

fn adamStep(
  rate: u32,
  step: u32,
  take: u32,
  ahead: u32,
  logBeta2: f32,
  take2: f32,
  epsilon: f32,
  weightDecay: f32,
  decoupled: u32,
) -> AdamStep {
  let t = f32(step + ahead + 1u);
  let r = bitcast<f32>(rate);
  let take1 = bitcast<f32>(take);
  let correction1 = oneMinusExp(t * minusLogOneMinus(take1)); // 1 - beta1^t
  return AdamStep(r, take1, r / correction1, inverseSqrt(oneMinusExp(-t * logBeta2)));
}

struct AdamMoved {
  parameter: Element,
  mean: Element,
  square: Element,
  largest: Element,
}

fn adamMoved(
  p: Element,
  m: Element,
  v: Element,
  largest: Element,
  gradient: Element,
  step: AdamStep,
  take2: f32,
  epsilon: f32,
  weightDecay: f32,
  decoupled: u32,
  isAmsgrad: bool,
) -> AdamMoved {
  let g = select(gradient + weightDecay * p, gradient, decoupled != 0u);
  let decayed = select(p, p - step.rate * weightDecay * p, decoupled != 0u);
  let mean = m + step.take1 * (g - m);
  let square = v + take2 * (g * g - v);
  let next = select(largest, square, square > largest);
  let root = sqrt(select(square, next, isAmsgrad));
  return AdamMoved(decayed - step.stepSize * mean / (root * step.scale + epsilon), mean, square, next);
}

fn adam(
  p: Element,
  m: Element,
  v: Element,
  gradient: Element,
  step: AdamStep,
  ahead: u32,
  logBeta2: f32,
  take2: f32,
  epsilon: f32,
  weightDecay: f32,
  decoupled: u32,
) -> AdamMoved {
  return adamMoved(p, m, v, v, gradient, step, take2, epsilon, weightDecay, decoupled, false);
}

fn adamAmsgrad(
  p: Element,
  m: Element,
  v: Element,
  largest: Element,
  gradient: Element,
  step: AdamStep,
  ahead: u32,
  logBeta2: f32,
  take2: f32,
  epsilon: f32,
  weightDecay: f32,
  decoupled: u32,
) -> AdamMoved {
  return adamMoved(p, m, v, largest, gradient, step, take2, epsilon, weightDecay, decoupled, true);
}
