// pad.wgsl: a block in a larger shape, with one value around it. Joined behind common.wgsl and element_four.wgsl or
// element_one.wgsl: rows whose three parts are divisible by four are moved four elements at a time.
//
// Computes    output[i, j, ..] = block[i - before i, j - before j, ..] where there is such an element, else the value
// Bindings    0 block read   1 output write   2 uniforms          (words of 32 bits, whatever they mean)
// Launch      workgroup 64; one element, or four, an invocation; ⌈count / 64⌉ workgroups, folded at 65,535
// Cost        8 B moved an element and a division for each axis but one, fewer for four: bound by bandwidth
// Reference   lib/ops/moving/slice.ts

struct Uniforms {
  count: u32,
  rank: u32,
  value: u32, // its bits
  axes: array<vec4u, 6>, // sizes of the output, elements before the block, sizes of the block
}

@group(0) @binding(0) var<storage, read> block: array<Word>;
@group(0) @binding(1) var<storage, read_write> output: array<Word>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn pad(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.count) {
    return;
  }
  var rest = i;
  var place = 0u;
  var stride = 1u;
  var isInside = true;
  for (var axis = uniforms.rank; axis > 1u; axis--) {
    let quad = (axis - 1u) / 4u;
    let along = (axis - 1u) % 4u;
    let size = uniforms.axes[quad + 4u][along];
    let next = rest / uniforms.axes[quad][along];
    // What is before the block is beyond it, too: numbers wrap around.
    let own = rest - next * uniforms.axes[quad][along] - uniforms.axes[quad + 2u][along];
    isInside &= own < size;
    place += own * stride;
    stride *= size;
    rest = next;
  }
  let own = rest - uniforms.axes[2].x;
  var word = Word(uniforms.value);
  if (isInside & (own < uniforms.axes[4].x)) {
    word = block[place + own * stride];
  }
  output[i] = word;
}
