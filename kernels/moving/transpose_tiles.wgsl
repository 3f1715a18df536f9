// transpose_tiles.wgsl: a block of one tensor moved into another, whose innermost axis is another one. Joined behind
// common.wgsl and walk_two.wgsl.
//
// Computes    output[outputStart + walk(i, outputStrides)] = input[inputStart + walk(i, inputStrides)] for all
//             i of [.., rows, columns]: neighbours along rows lie side by side in the input, along columns in the output
// Bindings    0 input read   1 output write   2 uniforms          (words of 32 bits, whatever they mean)
// Launch      workgroup 256; a tile of 32 · 32 a workgroup, ⌈rows / 32⌉ · ⌈columns / 32⌉ of them for each place along the
//             other axes, folded at 65,535
// Memory      32 · 33 words: a column more, so that neither rows nor columns of a tile fall on one bank
// Cost        8 B moved an element, 128 B side by side both ways: bound by memory bandwidth. Each lane has four loads under
//             way, and divides for its tile, not for its elements.
// Used by     transpose, where both axes are long enough; strided_copy.wgsl elsewhere
// Reference   lib/ops/moving/moving.ts

struct Uniforms {
  rows: u32,
  columns: u32,
  outer: u32, // places along the other axes
  rank: u32, // of them
  inputStart: u32,
  outputStart: u32,
  inputPitch: u32, // from one column to the next
  outputPitch: u32, // from one row to the next
  axes: array<vec4u, 6>, // sizes, strides of the input and of the output along the other axes
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

var<workgroup> tile: array<u32, 1056>; // [32, 33]

@compute @workgroup_size(256)
fn transposeTiles(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tilesAlong = (uniforms.rows + 31u) / 32u;
  let tiles = tilesAlong * ((uniforms.columns + 31u) / 32u);
  let number = workgroupIndex(workgroupId, workgroups);
  let own = number % tiles;
  let firstRow = own % tilesAlong * 32u;
  let firstColumn = own / tilesAlong * 32u;

  let exists = number / tiles < uniforms.outer;
  let places = vec2u(uniforms.inputStart, uniforms.outputStart) + walked(number / tiles);

  let along = index % 32u;
  let across = index / 32u;
  for (var part = 0u; part < 4u; part++) {
    let row = firstRow + along;
    let column = firstColumn + across + 8u * part;
    if (exists && row < uniforms.rows && column < uniforms.columns) {
      tile[(across + 8u * part) * 33u + along] = input[places.x + column * uniforms.inputPitch + row];
    }
  }
  workgroupBarrier();
  for (var part = 0u; part < 4u; part++) {
    let row = firstRow + across + 8u * part;
    let column = firstColumn + along;
    if (exists && row < uniforms.rows && column < uniforms.columns) {
      output[places.y + row * uniforms.outputPitch + column] = tile[along * 33u + across + 8u * part];
    }
  }
}
