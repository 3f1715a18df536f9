// running_average.wgsl: an average that moves on, as a stage (lib/fusion/stage.ts) behind what computes the new value.
//
// Computes    average ← (1 - momentum) · average + momentum · scale · value
// Reference   lib/ops/normalize/running-average.ts

fn runningAverage(average: Element, value: Element, momentum: f32, scale: f32) -> Element {
  return average * (1.0 - momentum) + value * (momentum * scale);
}
