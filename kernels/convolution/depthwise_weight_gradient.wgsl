// depthwise_weight_gradient.wgsl: the gradient of a depthwise convolution's weight, in parts that depthwise_add_parts.wgsl adds
// up. Joined behind common.wgsl, element_one.wgsl or element_four.wgsl, and stored_elements.wgsl for Picture and Output. A
// template: lib/graph/template.ts repeats the lines between `each` and `end`.
//
// Computes    parts[part, r, s, c] = Σ picture[n, v, u, c] · output[n, y, x, c]  over the n, y, x of the part, with
//             v = STRIDE_Y · y - top + DILATION_Y · r,  u = STRIDE_X · x - left + DILATION_X · s
// Bindings    0 uniforms   1 picture [N, V, U, C] read   2 output, the gradient [N, Y, X, C] read; both f32 or f16
//             3 parts [parts, R, S, C] write
// Method      An invocation has an Element of channels, four or one, a block of TAP_ROWS x TAP_COLUMNS taps of the window, whose
//             sums stay in registers, and a row of tiles of TILE neighbouring places of the output. For each tile it loads
//             those and, for each row of taps, the places of the picture under them, each of which is multiplied by all
//             that it meets: a row of a 3x3 at stride 1, three places: 8 loads for 9 products. Hardware gets a row of taps (of all of
//             them: 22 loads for 36, but 144 registers, with which Intel spills), adapters on the CPU all of a 3x3.
// Lanes       neighbouring invocations have neighbouring channels, so that loads are coalesced: QUADS_TOGETHER of them in a
//             workgroup. The others of it have other tiles, and their sums meet in workgroup memory (SHARED); without, which
//             is for adapters that run on the CPU, an invocation is a part of its own.
// Launch      workgroup 64; SHARED: ⌈C / QUADS_TOGETHER⌉ · blocks of taps · parts workgroups, folded at 65,535
// Memory      64 Elements a tap of the block: 3 KiB for a row of 3x3
// Cost        2 · R · S flop and 8 B (f16: 4 B) read an element of the output (stride 1), both tensors once from memory, and R times
//             from a cache: bound by bandwidth on every GPU. Parts add 36 · C B each (3x3), a few percent of what is read.
// Registers   (Element of four) 4 for each tap's sum, place of the output, and column: 44 for a row of 3x3
// Edges       zeros stand around the picture and the output: places outside are read as the first place and made 0
// Accuracy    one chain of sums a lane, lanes and parts added in order: the same bits in every run
// Reference   lib/ops/convolution/depthwise-operations.ts

struct Sizes {
  quads: u32, // Elements of a pixel
  quadGroups: u32,
  tapBlocks: u32,
  blocksAcross: u32, // of taps
  parts: u32,
  tiles: u32, // of the output, in all
  tilesOfLane: u32,
  tilesAcross: u32,
  pictureHeight: u32,
  pictureWidth: u32,
  outputHeight: u32,
  outputWidth: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read_write> parts: array<Element>;

const TAPS = $tapRows * $tapColumns; // of a block
// each once of SHARED
const LANES = $lanes; // of a workgroup that have the same channels
const QUADS_TOGETHER = 64u / LANES;

var<workgroup> sums: array<Element, 64u * TAPS>;
// end once

// The value, or 0 outside; by its bits, because it may be NaN.
fn within(value: Element, isInside: bool) -> Element {
  return bitcast<Element>(select(Word(), bitcast<Word>(value), isInside));
}

// Where the sum of a tap of the block belongs; nowhere, where the window ends within the block.
fn storePart(part: u32, block: u32, tap: u32, quad: u32, sum: Element) {
  let r = block / sizes.blocksAcross * $tapRows + tap / $tapColumns;
  let s = block % sizes.blocksAcross * $tapColumns + tap % $tapColumns;
  if (r < $R && s < $S) {
    parts[((part * $R + r) * $S + s) * sizes.quads + quad] = sum;
  }
}

@compute @workgroup_size(64)
fn depthwiseWeightGradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroupIndex(workgroupId, workgroups);
  // each once of SHARED
  let quad = group % sizes.quadGroups * QUADS_TOGETHER + lane % QUADS_TOGETHER;
  let block = group / sizes.quadGroups % sizes.tapBlocks;
  let part = group / sizes.quadGroups / sizes.tapBlocks;
  let exists = quad < sizes.quads && part < sizes.parts;
  let firstTile = (part * LANES + lane / QUADS_TOGETHER) * sizes.tilesOfLane;
  // end once
  // each once of FLAT
  let invocation = group * 64u + lane;
  let quad = invocation % sizes.quads;
  let block = invocation / sizes.quads % sizes.tapBlocks;
  let part = invocation / sizes.quads / sizes.tapBlocks;
  let exists = part < sizes.parts;
  let firstTile = part * sizes.tilesOfLane;
  // end once
  let endTile = select(0u, min(firstTile + sizes.tilesOfLane, sizes.tiles), exists);
  let count = select(0u, endTile - firstTile, firstTile < endTile);
  let above = i32(block / sizes.blocksAcross * $tapRows * $dilationY) - $top;
  let before = i32(block % sizes.blocksAcross * $tapColumns * $dilationX) - $left;
  // Rows of the output are counted on over all pictures; y and n are the row's own.
  var x = firstTile % sizes.tilesAcross * $tile;
  var row = firstTile / sizes.tilesAcross;
  var y = row % sizes.outputHeight;
  var n = row / sizes.outputHeight;
  // each r of TAP_ROWS
  // each s of TAP_COLUMNS
  var sum_$r_$s = Element();
  // end s
  // end r
  for (var tile = 0u; tile < count; tile++) {
    let atOutput = row * sizes.outputWidth + x;
    // each p of TILE
    let isPlace_$p = x + $p < sizes.outputWidth;
    let factor_$p = within(storedOutput(select(0u, atOutput + $p, isPlace_$p) * sizes.quads + quad), isPlace_$p);
    // end p
    let u = i32(x * $strideX) + before;
    let v = i32(y * $strideY) + above;
    // each j of COLUMNS
    // each use of USES_COLUMN_$j
    let isColumn_$j = u32(u + $j) < sizes.pictureWidth;
    let column_$j = select(0u, u32(u + $j), isColumn_$j);
    // end use
    // end j
    // each r of TAP_ROWS
    {
      let rowOfPicture = v + $r * $tapStep;
      let isRow = u32(rowOfPicture) < sizes.pictureHeight;
      let start = (n * sizes.pictureHeight + select(0u, u32(rowOfPicture), isRow)) * sizes.pictureWidth;
      // each j of COLUMNS
      // each use of USES_COLUMN_$j
      let value_$j = within(storedPicture((start + column_$j) * sizes.quads + quad), isRow && isColumn_$j);
      // end use
      // end j
      // each j of COLUMNS
      // each p of TILE
      // each s of TAP_COLUMNS
      // each place of COLUMN_$j_MEETS_$p_$s
      sum_$r_$s += value_$j * factor_$p;
      // end place
      // end s
      // end p
      // end j
    }
    // end r
    x += $tile;
    if (x >= sizes.outputWidth) {
      x = 0u;
      row++;
      y++;
      if (y == sizes.outputHeight) {
        y = 0u;
        n++;
      }
    }
  }
  // each once of SHARED
  // each r of TAP_ROWS
  // each s of TAP_COLUMNS
  sums[($r * $tapColumns + $s) * 64u + lane] = sum_$r_$s;
  // end s
  // end r
  workgroupBarrier();
  for (var i = lane; i < TAPS * QUADS_TOGETHER; i += 64u) {
    let tap = i / QUADS_TOGETHER;
    let quadOfGroup = i % QUADS_TOGETHER;
    var sum = Element();
    for (var other = 0u; other < LANES; other++) {
      sum += sums[tap * 64u + other * QUADS_TOGETHER + quadOfGroup];
    }
    let ownQuad = group % sizes.quadGroups * QUADS_TOGETHER + quadOfGroup;
    if (ownQuad < sizes.quads && part < sizes.parts) {
      storePart(part, block, tap, ownQuad, sum);
    }
  }
  // end once
  // each once of FLAT
  if (exists) {
    // each r of TAP_ROWS
    // each s of TAP_COLUMNS
    storePart(part, block, $r * $tapColumns + $s, quad, sum_$r_$s);
    // end s
    // end r
  }
  // end once
}
