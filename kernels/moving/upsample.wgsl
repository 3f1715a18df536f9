// upsample.wgsl: pictures in another size, and the gradient. Joined behind common.wgsl and channels_four.wgsl or
// channels_one.wgsl.
//
// Computes    upsample          output[n, row, column, c] = the input between the elements around `row` and those around `column`
//             upsampleGradient  output[n, y, x, c] = Σ input[n, row, column, c] · the share that (y, x) has in it
// Places      output i along an axis lies at the place (i · step + start) / denominator of the input, in whole numbers, so
//             that no rounding decides: nearest, the element is the one before it; else element y has a share of 1 - |place - y|
//             where that is above 0
// Bindings    0 input [N, .., C] read   1 output [N, .., C] write   2 uniforms
// Launch      workgroup 64; four channels of an output an invocation; folded at 65,535 workgroups
// Cost        4 B read and written an element of either tensor, what is read more often comes from the cache: bound by
//             bandwidth. No atomics: the gradient asks the outputs that have a share, about scale² or (2 scale)²
// Reference   lib/ops/moving/upsample.ts

override IS_NEAREST: bool = true;

struct Axis {
  size: i32, // of the input, or of its gradient
  to: i32, // of the output
  step: i32,
  start: i32,
  denominator: i32,
}

struct Uniforms {
  rows: Axis,
  columns: Axis,
  quads: u32,
  C: u32,
  count: u32, // invocations
}

@group(0) @binding(2) var<uniform> uniforms: Uniforms;

// Where output i lies, in parts of an element: those beyond the first and the last element lie on it.
fn placeOf(i: i32, axis: Axis) -> i32 {
  return clamp(i * axis.step + axis.start, 0, (axis.size - 1) * axis.denominator);
}

struct Between {
  lower: u32,
  upper: u32,
  part: f32, // of the way from the lower to the upper one
}

// On an element, it is both of them, so that no other takes part, be it NaN.
fn betweenOf(i: u32, axis: Axis) -> Between {
  let place = placeOf(i32(i), axis);
  let lower = place / axis.denominator;
  let rest = place - lower * axis.denominator;
  let part = f32(rest) / f32(axis.denominator);
  return Between(u32(lower), u32(select(lower + 1, lower, rest == 0)), select(part, 0.5, rest == 0));
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
  let columns = u32(uniforms.columns.to);
  let line = place / columns;
  let n = line / u32(uniforms.rows.to);
  let y = betweenOf(line - n * u32(uniforms.rows.to), uniforms.rows);
  let x = betweenOf(place - line * columns, uniforms.columns);
  let lower = (n * u32(uniforms.rows.size) + y.lower) * u32(uniforms.columns.size);
  if (IS_NEAREST) {
    store(place, quad, inputAt(lower + x.lower, quad));
    return;
  }
  let upper = (n * u32(uniforms.rows.size) + y.upper) * u32(uniforms.columns.size);
  let above = inputAt(lower + x.lower, quad) * (1.0 - x.part) + inputAt(lower + x.upper, quad) * x.part;
  let below = inputAt(upper + x.lower, quad) * (1.0 - x.part) + inputAt(upper + x.upper, quad) * x.part;
  store(place, quad, above * (1.0 - y.part) + below * y.part);
}

// The outputs that have a share in element y: from x on, before y. A step of 0 has all of them at one place.
fn sharersOf(y: i32, axis: Axis) -> vec2i {
  let step = max(axis.step, 1);
  // Places from here on, and before there; shares end where the next element is reached.
  let first = select((y - 1) * axis.denominator + 1, y * axis.denominator, IS_NEAREST) - axis.start;
  let end = (y + 1) * axis.denominator - axis.start;
  return vec2i(
    select((max(first, 0) + step - 1) / step, 0, y == 0),
    select(min((max(end, 0) + step - 1) / step, axis.to), axis.to, y == axis.size - 1),
  );
}

fn shareOf(y: i32, i: i32, axis: Axis) -> f32 {
  let apart = abs(placeOf(i, axis) - y * axis.denominator);
  return select(1.0 - f32(apart) / f32(axis.denominator), 1.0, IS_NEAREST);
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
  let width = u32(uniforms.columns.size);
  let line = place / width;
  let n = line / u32(uniforms.rows.size);
  let y = i32(line - n * u32(uniforms.rows.size));
  let x = i32(place - line * width);
  let rows = sharersOf(y, uniforms.rows);
  let columns = sharersOf(x, uniforms.columns);
  let endRow = rows.y;
  let endColumn = columns.y;
  var sum = vec4f();
  for (var row = rows.x; row < endRow; row++) {
    let ofRow = shareOf(y, row, uniforms.rows);
    let start = (n * u32(uniforms.rows.to) + u32(row)) * u32(uniforms.columns.to);
    for (var column = columns.x; column < endColumn; column++) {
      sum += ofRow * shareOf(x, column, uniforms.columns) * inputAt(start + u32(column), quad);
    }
  }
  store(place, quad, sum);
}
