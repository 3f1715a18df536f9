// metered.wgsl: how a running mean takes in a value. Joined behind common.wgsl.
//
// Computes    Σ weight · value and Σ weight, how many updates, and which of them, counted from 1, was the first that is not
//             finite, or 0
// Accuracy    each sum is two floats, the second what rounding left out of the first: as good as one of 48 bits
// Source      the error of a sum: Knuth, "The Art of Computer Programming", volume 2, 4.2.2, theorem B
// Reference   lib/ops/state/meter.ts

struct Meter {
  sums: vec3f, // Σ weight · value, Σ weight, updates
  rests: vec3f, // what was left out of them
  first: vec2f, // the first that is not finite, and what was left out of it
  zero: f32, // always 0, which compilers do not know
}

// The value, which compilers do not look through: some would take (a + b) - a for b.
fn opaque(value: vec3f, zero: f32) -> vec3f {
  return bitcast<vec3f>(bitcast<vec3u>(value) ^ vec3u(bitcast<u32>(zero)));
}

fn metered(state: Meter, value: f32, weight: f32) -> Meter {
  let zero = state.zero;
  let added = opaque(vec3f(weight * value, weight, 1.0), zero);
  let sum = opaque(state.sums + added, zero);
  let taken = opaque(sum - state.sums, zero);
  let leftOut = (state.sums - opaque(sum - taken, zero)) + (added - taken) + state.rests;
  let sums = opaque(sum + leftOut, zero);
  let rests = leftOut - opaque(sums - sum, zero);
  let isFirst = state.first.x == 0.0 && !isFinite(value);
  return Meter(sums, rests, select(state.first, vec2f(sums.z, rests.z), isFirst), zero);
}
