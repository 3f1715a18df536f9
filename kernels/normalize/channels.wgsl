// channels.wgsl: what normalizes the values of channels, and the gradient of it, as stages (lib/fusion/stage.ts). The
// channels are the last axis: each function is given the statistics and parameters of the channels of its values.
//
// Computes    normalizeChannels: (x - mean) / √(variance + epsilon) · weight + bias
//             normalizeBatchInputGradient, where mean and variance are those of the n values of the channel themselves:
//             weight / √(variance + epsilon) · (dy - Σ dy / n - x̂ · Σ dy · x̂ / n),  x̂ = (x - mean) / √(variance + epsilon)
// Reference   lib/ops/normalize/channels.ts

fn normalizeChannels(
  x: Element,
  mean: Element,
  variance: Element,
  weight: Element,
  bias: Element,
  epsilon: f32,
) -> Element {
  return (x - mean) * (inverseSqrt(variance + epsilon) * weight) + bias;
}

// The sums are the gradients of the parameters: Σ dy · x̂ that of the weight, Σ dy that of the bias.
fn normalizeBatchInputGradient(
  dy: Element,
  x: Element,
  mean: Element,
  variance: Element,
  weight: Element,
  weightGradient: Element,
  biasGradient: Element,
  epsilon: f32,
  share: f32, // 1 / n
) -> Element {
  let inverse = inverseSqrt(variance + epsilon);
  let projected = (x - mean) * (inverse * weightGradient);
  return (dy - (biasGradient + projected) * share) * (inverse * weight);
}
