// depthwise.wgsl: a window of its own for each channel, over channels-last pictures: depthwise convolution and its input
// gradient. Joined behind depthwise_common.wgsl. A template: lib/graph/template.ts repeats the lines between `each` and `end`.
//
// Computes    sums[n, y, x, c] = Σ_{r, s} source[n, v, u, c] · weight[r, s, c]
//             for the v that fulfil  SOURCE_STEP · v = TARGET_STEP · y + FIRST + TAP_STEP · r,  and u and s alike along x.
//             Convolution: v = stride · y - top + dilation · r. Its input gradient: stride · v = y + top - dilation · r, so
//             that the window is turned around, and at stride 2 every other row and column of it is met.
// Bindings    those of depthwise_common.wgsl
//                    u ─→            An invocation computes TILE_ROWS x TILE_COLUMNS places of the target, of an Element of
//                  ┌─────────────┐   channels: four, or one where C is no multiple of four. It reads each place of the
//              v ↓ │ ▒ ▒ ▒ ▒ ▒   │   source that those meet once, row by row, and the taps of that row: 3x3 at stride 1, 1 x 3
//                  │ ▒ ■ ■ ■ ▒   │   places: 3 x 5 loads (▒) for three sums (■) of nine products, 5 for one in place of 9.
//                  │ ▒ ▒ ▒ ▒ ▒   │   Which place, which tap and which sum meet is known when the template is filled in, at
//                  └─────────────┘   every stride: there is no test and no division. The tiles of a gradient are multiples of
//                                    the stride, so all of them are alike. Neighbouring invocations have neighbouring
//                                    channels: loads and stores are coalesced.
// Launch      workgroup 64; ⌈tiles · channels / 64⌉ workgroups, folded at 65,535
// Cost        2 · R · S flop an element of the output; 4 B (f16: 2 B) read and as many written an element, weights aside;
//             source and target once. 3x3: 18 flop for 8 B, 2.3 flop/B: bound by bandwidth on every GPU (balance 10 flop/B or more)
// Caches      3x3, stride 1: 5 loads of the source an element, and 3 of the weight; all but one come from a cache, of which
//             every GPU has ten times the bandwidth of its memory
// Registers   (Element of four) 4 for each sum, and for each column and tap of a row: 44 for 1 x 3 places of 3x3, of the 64 that a
//             lane of Intel has where 16 compute at once; 1 x 4 places would spill there. AMD: 60, NVIDIA: 71 (docs/hardware.md)
//             An adapter that runs on the CPU gets 8 places.
// Edges       zeros stand around the source: places outside are read as its first place and made 0; stores are guarded
// Reference   lib/ops/convolution/depthwise-operations.ts
// Variants    by tile; depthwise_any.wgsl for windows that are too large to be written out

// The value, or 0 outside of the source; by its bits, because it may be NaN.
fn within(value: Element, isInside: bool) -> Element {
  return bitcast<Element>(select(Word(), bitcast<Word>(value), isInside));
}

@compute @workgroup_size(64)
fn depthwise(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= sizes.invocations) {
    return;
  }
  let quad = invocation % sizes.quads;
  let tile = invocation / sizes.quads;
  let tileColumn = tile % sizes.tilesAcross;
  let tilesAbove = tile / sizes.tilesAcross;
  let tileRow = tilesAbove % sizes.tilesDown;
  let picture = tilesAbove / sizes.tilesDown;
  let v = i32(tileRow * $rowsOfTile) + $firstRow;
  let u = i32(tileColumn * $columnsOfTile) + $firstColumn;
  // each j of COLUMNS
  // each use of USES_COLUMN_$j
  let isColumn_$j = u32(u + $j) < sizes.sourceWidth;
  let column_$j = select(0u, u32(u + $j), isColumn_$j);
  // end use
  // end j
  // each o of TILE_ROWS
  // each p of TILE_COLUMNS
  var sum_$o_$p = Element();
  // end p
  // end o
  // each i of ROWS
  // each row of USES_ROW_$i
  {
    let isRow = u32(v + $i) < sizes.sourceHeight;
    let row = (picture * sizes.sourceHeight + select(0u, u32(v + $i), isRow)) * sizes.sourceWidth;
    // each j of COLUMNS
    // each use of USES_COLUMN_$j
    let value_$j = within(storedSource((row + column_$j) * sizes.quads + quad), isRow && isColumn_$j);
    // end use
    // end j
    // each o of TILE_ROWS
    // each r of R
    // each meeting of ROW_$i_MEETS_$o_$r
    {
      // each s of S
      let weight_$s = storedWeight(($r * $S + $s) * sizes.quads + quad);
      // end s
      // each j of COLUMNS
      // each p of TILE_COLUMNS
      // each s of S
      // each place of COLUMN_$j_MEETS_$p_$s
      sum_$o_$p += value_$j * weight_$s;
      // end place
      // end s
      // end p
      // end j
    }
    // end meeting
    // end r
    // end o
  }
  // end row
  // end i
  beginStages();
  // A loop, because compilers inline: stages would stand here once for each place. It chooses by a switch, not by an index.
  for (var place = 0u; place < $places; place++) {
    var sum = Element();
    switch place {
      // each o of TILE_ROWS
      // each p of TILE_COLUMNS
      case $o * $columns + $p: {
        sum = sum_$o_$p;
      }
      // end p
      // end o
      default: {
      }
    }
    let y = tileRow * $rows + place / $columns;
    let x = tileColumn * $columns + place % $columns;
    if (y < sizes.targetHeight && x < sizes.targetWidth) {
      let pixel = (picture * sizes.targetHeight + y) * sizes.targetWidth + x;
      put(sum, (pixel * sizes.quads + quad) * WIDTH, quad * WIDTH);
    }
  }
}
