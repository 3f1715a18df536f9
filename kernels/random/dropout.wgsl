// dropout.wgsl: a stage (lib/fusion/stage.ts): kept ? value · scale : 0. Joined behind common.wgsl, philox.wgsl and
// element_one.wgsl or element_four.wgsl.
//
// Computes    kept(i) = (24 random bits of element i) >= threshold, threshold = round(probability · 2^24), compared as
//             integers, so that every device keeps the same elements. The backward pass draws the same mask again.
// Words       of a generator's state: seed low, seed high, step
// Cost        a Philox block, ten rounds, of about 40 integer operations each, for four elements; where they are stored
//             one by one, for each, of whose four words one is used. A stored mask would cost 8 B an element
// Reference   lib/ops/random/dropout.ts

fn generatorAt(seedLow: u32, seedHigh: u32, step: u32, stream: u32, use_: u32, threshold: u32, scale: f32) -> vec3u {
  return vec3u(seedLow, seedHigh, step);
}

fn dropOut(
  value: Element,
  generator: vec3u,
  index: u32,
  stream: u32,
  use_: u32,
  threshold: u32,
  scale: f32,
) -> Element {
  let bits = philox4x32(vec4u(index / 4u, generator.z, stream, use_), generator.xy);
  let isKept = (wordsAt(bits, index) >> Word(8u)) >= Word(threshold);
  return select(Element(0.0), value * scale, isKept);
}
