// upsample.wgsl: pictures in another size, and the gradient. Joined behind common.wgsl and channels_four.wgsl or
// channels_one.wgsl.
//
// Computes    upsample          output[n, row, column, c] = the input between the two elements around `row` and those around `column`
//             upsampleGradient  output[n, y, x, c] = Σ input[n, row, column, c] · the share that (y, x) has in it
// Places      Output i of `to` lies at the place numerator / denominator of `from`, in whole numbers, so that no rounding decides:
//             nearest  i · from / to      bilinear  ((2i + 1) · from - to) / (2 to)      corners aligned  i · (from - 1) / (to - 1)
//             It has a share of 1 - |place - y| in element y where that is above 0; nearest, one of 1 in ⌊place⌋.
// Bindings    0 input [N, .., C] read   1 output [N, .., C] write   2 uniforms
// Launch      workgroup 64; four channels of an output an invocation; folded at 65,535 workgroups
// Cost        4 B read and written an element of either tensor, what is read more often comes from the cache: bound by
//             bandwidth. No atomics: the gradient asks the outputs that may have a share, a few beside scale²
// Reference   lib/ops/moving/upsample.ts

override IS_NEAREST: bool = true;
override ALIGN_CORNERS: bool = false;

struct Uniforms {
  height: u32,
  width: u32,
  rows: u32,
  columns: u32,
  quads: u32,
  C: u32,
  count: u32, // invocations
}

@group(0) @binding(2) var<uniform> uniforms: Uniforms;

// The place of output i, in parts of an element.
fn numeratorOf(i: u32, size: u32, to: u32) -> u32 {
  let halves = (2u * i + 1u) * size;
  let between = select(halves - min(halves, to), i * (size - 1u), ALIGN_CORNERS);
  return select(min(between, (size - 1u) * denominatorOf(to)), i * size, IS_NEAREST);
}

fn denominatorOf(to: u32) -> u32 {
  return select(select(2u * to, max(to, 2u) - 1u, ALIGN_CORNERS), to, IS_NEAREST);
}

struct Between {
  lower: u32,
  upper: u32,
  part: f32, // of the way from the lower to the upper one
}

fn betweenOf(i: u32, size: u32, to: u32) -> Between {
  let numerator = numeratorOf(i, size, to);
  let denominator = denominatorOf(to);
  let lower = numerator / denominator;
  return Between(lower, min(lower + 1u, size - 1u), f32(numerator - lower * denominator) / f32(denominator));
}

// What has no share does not take part, be it NaN.
fn mixed(lower: vec4f, upper: vec4f, part: f32) -> vec4f {
  let mix = bitcast<vec4u>(lower * (1.0 - part) + upper * part);
  return bitcast<vec4f>(select(bitcast<vec4u>(lower), mix, vec4<bool>(part > 0.0)));
}

@compute @workgroup_size(64)
fn upsample(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= uniforms.count) {
    return;
  }
  let place = invocation / uniforms.quads;
  let quad = invocation - place * uniforms.quads;
  let line = place / uniforms.columns;
  let n = line / uniforms.rows;
  let y = betweenOf(line - n * uniforms.rows, uniforms.height, uniforms.rows);
  let x = betweenOf(place - line * uniforms.columns, uniforms.width, uniforms.columns);
  let lower = (n * uniforms.height + y.lower) * uniforms.width;
  let upper = (n * uniforms.height + y.upper) * uniforms.width;
  if (IS_NEAREST) {
    store(place, quad, inputAt(lower + x.lower, quad));
    return;
  }
  let above = mixed(inputAt(lower + x.lower, quad), inputAt(lower + x.upper, quad), x.part);
  let below = mixed(inputAt(upper + x.lower, quad), inputAt(upper + x.upper, quad), x.part);
  store(place, quad, mixed(above, below, y.part));
}

// The outputs that may have a share in element y: from x on, before y.
fn sharersOf(y: u32, size: u32, to: u32) -> vec2u {
  if (IS_NEAREST) {
    return vec2u((y * to + size - 1u) / size, ((y + 1u) * to + size - 1u) / size);
  }
  if (ALIGN_CORNERS) {
    let steps = max(size, 2u) - 1u;
    return vec2u((max(y, 1u) - 1u) * (to - 1u) / steps, min((y + 1u) * (to - 1u) / steps + 1u, to));
  }
  let first = (max((2u * max(y, 1u) - 1u) * to / size, 1u) - 1u) / 2u;
  return vec2u(select(first, 0u, y == 0u), min((2u * y + 3u) * to / size / 2u + 1u, to));
}

// The share of element y in output i.
fn shareOf(y: u32, i: u32, size: u32, to: u32) -> f32 {
  let denominator = denominatorOf(to);
  let apart = abs(i32(numeratorOf(i, size, to) - y * denominator));
  return select(1.0 - min(f32(apart) / f32(denominator), 1.0), 1.0, IS_NEAREST);
}

@compute @workgroup_size(64)
fn upsampleGradient(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (invocation >= uniforms.count) {
    return;
  }
  let place = invocation / uniforms.quads;
  let quad = invocation - place * uniforms.quads;
  let line = place / uniforms.width;
  let n = line / uniforms.height;
  let y = line - n * uniforms.height;
  let x = place - line * uniforms.width;
  let rows = sharersOf(y, uniforms.height, uniforms.rows);
  let columns = sharersOf(x, uniforms.width, uniforms.columns);
  let endRow = rows.y;
  let endColumn = columns.y;
  var sum = vec4f();
  for (var row = rows.x; row < endRow; row++) {
    let ofRow = shareOf(y, row, uniforms.height, uniforms.rows);
    for (var column = columns.x; column < endColumn; column++) {
      let share = ofRow * shareOf(x, column, uniforms.width, uniforms.columns);
      if (share > 0.0) {
        sum += share * inputAt((n * uniforms.rows + row) * uniforms.columns + column, quad);
      }
    }
  }
  store(place, quad, sum);
}
