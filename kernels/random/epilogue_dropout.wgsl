// epilogue_dropout.wgsl: a stage behind a matrix product: dropout with the mask that dropout.wgsl draws for the same
// element. Joined behind philox.wgsl and matmul_common.wgsl.
//
// Bindings    5 state [4] (seed low, seed high, step, -) read
// Launch      none of its own: that of the matmul kernel
// Cost        a Philox block for each element, of whose four words it uses one, or for four in a row: cheap beside K
//             multiply-adds
// Reference   lib/ops/random/dropout.ts

override DROPOUT_STREAM: u32 = 0u;
override DROPOUT_USE: u32 = 0u;
override DROPOUT_THRESHOLD: u32 = 0u;
override DROPOUT_SCALE: f32 = 1.0;

@group(0) @binding(5) var<storage, read> generator: array<u32>;

fn drop(value: Element, row: u32, column: u32) -> Element {
  let index = row * size.N + column;
  let counter = vec4u(index / 4u, generator[2], DROPOUT_STREAM, DROPOUT_USE);
  let bits = philox4x32(counter, vec2u(generator[0], generator[1]));
  let isKept = (wordsAt(bits, index) >> Word(8u)) >= Word(DROPOUT_THRESHOLD);
  return select(Element(0.0), value * DROPOUT_SCALE, isKept);
}
