// channel_sums.wgsl: Σ dy and Σ dy · x̂ of each channel in one pass, as reduce.wgsl reduces them: the gradients of what
// normalized values are added to and multiplied by. Joined into it.
//
// Computes    weightGradient[c] = Σ dy[.., c] · x̂[.., c],  biasGradient[c] = Σ dy[.., c],
//             x̂ = (x - mean[c]) / √(variance[c] + EPSILON)
// Cost        8 B read an element: bound by memory bandwidth
// Reference   lib/ops/normalize/channel-sums.ts

override EPSILON: f32;

struct Accumulator {
  sum: Element,
  product: Element, // Σ dy · (x - mean)
}

var<private> center: Element;

// The channels are the only axis that is kept, so an item begins at its first channel.
fn beginItem(start: u32) {
  center = meanAt(start);
}

fn neutral(any: f32) -> Accumulator {
  return Accumulator(Element(0.0), Element(0.0));
}

fn accumulatorAt(index: u32, place: Word) -> Accumulator {
  let dy = valueAt(index);
  return Accumulator(dy, dy * (inputAt(index) - center));
}

fn combine(a: Accumulator, b: Accumulator) -> Accumulator {
  return Accumulator(a.sum + b.sum, a.product + b.product);
}

fn scaledProduct(total: Accumulator, channel: u32) -> Element {
  return total.product * inverseSqrt(varianceAt(channel) + EPSILON);
}
