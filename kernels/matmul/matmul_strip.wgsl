// matmul_strip.wgsl: the strip of an operand in workgroup memory, for matmul_tiled.wgsl. A template: $X is A or B, TILE is
// rows or columns of the workgroup's tile. Joined once for each operand.
//
// Layout      A vec4 is stored as it lies in the operand, which is along k or across it (along m for A, along n for B).
//             Along k      [4, TILE/4, PITCH] vec4s: places t, t + 4, t + 8, … of the tile follow each other, then those
//                          from the next t on. PITCH is one more than the vec4s of a place, which makes it odd: eight
//                          neighbouring blocks are read from different banks.
//             Across k     [DEPTH, TILE/4] vec4s
//             In both a block of 4 places x 4 steps of k is four vec4s at one distance.
// Bindings    none of its own
// Launch      none of its own: that of the matmul kernel

const PITCH_$X = DEPTH / 4u + 1u;
const STRIP_$X = select(DEPTH * QUADS_$X, TILE_$X * PITCH_$X, IS_$X_ALONG_K);

// Distances: of the four vec4s of a block, of neighbouring blocks, of a block and that of the next four steps of k.
const PART_$X = select(QUADS_$X, QUADS_$X * PITCH_$X, IS_$X_ALONG_K);
const BLOCK_$X = select(1u, PITCH_$X, IS_$X_ALONG_K);
const STEP_$X = select(4u * QUADS_$X, 1u, IS_$X_ALONG_K);
// And of the vec4s that an invocation stores.
const LOAD_$X = select(INVOCATIONS, INVOCATIONS / DEPTH * PITCH_$X, IS_$X_ALONG_K);

var<workgroup> strip$X: array<vec4f, STRIP_$X>;

// Where the vec4 that is loaded lane-th is stored.
fn placeInStrip$X(lane: u32) -> u32 {
  if (IS_$X_ALONG_K) {
    let place = lane / (DEPTH / 4u);
    return (place % 4u * QUADS_$X + place / 4u) * PITCH_$X + lane % (DEPTH / 4u);
  }
  return lane;
}

// A vec4 of the block at `at`: four steps of k of its i-th place, or four places at its i-th step.
fn partOfStrip$X(at: u32, i: u32) -> vec4f {
  return strip$X[at + i * PART_$X];
}

// The block at `at`: four places at a step of k in each column.
fn blockOfStrip$X(at: u32) -> mat4x4f {
  let block = mat4x4f(
    partOfStrip$X(at, 0u),
    partOfStrip$X(at, 1u),
    partOfStrip$X(at, 2u),
    partOfStrip$X(at, 3u),
  );
  if (IS_$X_ALONG_K) {
    return transpose(block);
  }
  return block;
}
