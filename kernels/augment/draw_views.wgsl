// draw_views.wgsl: what augmented views of the rows of a batch are like, a record each. Joined behind common.wgsl and philox.wgsl.
//
// Computes    views[v] = the record of lib/ops/augment/view-record.ts, drawn from (seed, epoch, row)
// Bindings    0 state [4] (seed low, seed high, epoch, position; u32) read   1 rows [V] (i32) read   2 means [M, C] read
//             3 channels [3, C] read: share in grey, mean and deviation   4 views [V, size] write   5 uniforms
// Launch      workgroup 64; one view an invocation; ⌈V / 64⌉ workgroups, folded at 65,535
// Cost        eight Philox blocks and some hundred operations a view, whether they are wanted or not: what is off is drawn,
//             too, and changes nothing. A batch is less than a launch costs
// Method      a homography from pixels of the view to those of the picture: places around the middle of the view, its corners
//             moved back, shift, rotation, scale and flips undone. Chances and choices are decided by whole numbers, so that
//             all devices decide alike
// Source      square to quadrilateral: Heckbert, "Fundamentals of texture mapping and image warping", 1989, 2.2.3; hue:
//             W3C, "Filter effects module level 1", feColorMatrix
// Reference   lib/ops/augment/draw-views.ts

override AUGMENT_STREAM: u32 = 0u;
override MIXES: bool = false; // colours are multiplied by a matrix

struct Uniforms {
  V: u32,
  count: u32,
  taken: u32,
  M: u32,
  C: u32,
  quads: u32, // of a record
  recolours: u32,
  unused: u32,
  chances: vec4u, // of flips across and down, perspective, noise: of 24 bits
  choices: vec4u, // places of a window across and down, of the square that is cut out
  view: vec2f, // width, height
  squeeze: vec2f,
  middle: vec2f, // of the picture, or of its first window
  rotation: vec2f, // turns: from, and how far
  scale: vec2f, // in the logarithm
  shift: vec2f, // pixels
  contrast: vec2f,
  brightness: vec2f,
  gain: vec2f,
  hue: vec2f, // turns
  fill: f32,
  cutFill: f32,
  distortion: f32,
  noise: f32,
  fillsMean: u32,
  cutsMean: u32,
  cutChance: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> means: array<f32>;
@group(0) @binding(3) var<storage, read> channels: array<f32>;
@group(0) @binding(4) var<storage, read_write> views: array<vec4f>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

fn between(bits: u32, range: vec2f) -> f32 {
  return range.x + range.y * unitFloat(bits);
}

fn happens(bits: u32, chance: u32) -> bool {
  return (bits >> 8u) < chance;
}

// Cosine and sine of 2π turns, to 1e-7: those of the language are promised to 2^-11 only. Exact for quarters.
fn circle(turns: f32) -> vec2f {
  let quarters = round(4.0 * turns);
  let a = (turns - 0.25 * quarters) * 6.2831853;
  let s = a * a;
  let sine = a * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0))));
  let cosine = 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s / 40320.0)));
  let quarter = i32(quarters) & 3;
  let turned = select(vec2f(cosine, sine), vec2f(-sine, cosine), (quarter & 1) > 0);
  return select(turned, -turned, (quarter & 2) > 0);
}

// From places around the middle of the view to where they were before its corners moved inward.
fn perspective(first: vec4u, second: vec4u) -> mat3x3f {
  let half = uniforms.view * 0.5;
  let p0 = half * (vec2f(1.0) - uniforms.distortion * vec2f(unitFloat(first.x), unitFloat(first.y))) * vec2f(-1.0, -1.0);
  let p1 = half * (vec2f(1.0) - uniforms.distortion * vec2f(unitFloat(first.z), unitFloat(first.w))) * vec2f(1.0, -1.0);
  let p2 = half * (vec2f(1.0) - uniforms.distortion * vec2f(unitFloat(second.x), unitFloat(second.y)));
  let p3 = half * (vec2f(1.0) - uniforms.distortion * vec2f(unitFloat(second.z), unitFloat(second.w))) * vec2f(-1.0, 1.0);
  let sums = p0 - p1 + p2 - p3;
  let one = p1 - p2;
  let two = p3 - p2;
  let determinant = one.x * two.y - two.x * one.y;
  let g = (sums.x * two.y - two.x * sums.y) / determinant;
  let h = (one.x * sums.y - sums.x * one.y) / determinant;
  let across = p1 - p0 + g * p1; // a, d
  let down = p3 - p0 + h * p3; // b, e
  let depth = across.x * down.y - down.x * across.y;
  // The rows of the inverse, up to a factor, which is such that the middle of the view has depth 1.
  let x = vec3f(down.y - p0.y * h, p0.x * h - down.x, down.x * p0.y - p0.x * down.y) / depth;
  let y = vec3f(p0.y * g - across.y, across.x - p0.x * g, p0.x * across.y - across.x * p0.y) / depth;
  let z = vec3f(across.y * h - down.y * g, down.x * g - across.x * h, depth) / depth;
  return transpose(mat3x3f(uniforms.view.x * x - half.x * z, uniforms.view.y * y - half.y * z, z));
}

// Each channel's share of red, of green and of blue after a turn of the colour wheel: the columns of a matrix.
fn hueMatrix(turn: vec2f) -> mat3x3f {
  let c = turn.x;
  let s = turn.y;
  return mat3x3f(
    vec3f(0.213) + c * vec3f(0.787, -0.213, -0.213) + s * vec3f(-0.213, 0.143, -0.787),
    vec3f(0.715) + c * vec3f(-0.715, 0.285, -0.715) + s * vec3f(-0.715, 0.14, 0.715),
    vec3f(0.072) + c * vec3f(-0.072, -0.072, 0.928) + s * vec3f(0.928, -0.283, 0.072),
  );
}

@compute @workgroup_size(64)
fn drawViews(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let v = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (v >= uniforms.V) {
    return;
  }
  let key = vec2u(state[0], state[1]);
  let row = rows[v];
  let epoch = state[2] + (state[3] + uniforms.taken + v) / uniforms.count;
  let turns = philox4x32(vec4u(0u, epoch, AUGMENT_STREAM, row), key);
  let moves = philox4x32(vec4u(1u, epoch, AUGMENT_STREAM, row), key);
  let colours = philox4x32(vec4u(2u, epoch, AUGMENT_STREAM, row), key);
  let cuts = philox4x32(vec4u(5u, epoch, AUGMENT_STREAM, row), key);
  let noise = philox4x32(vec4u(6u, epoch, AUGMENT_STREAM, row), key);

  // The inverse of flips, scale, rotation and shift, and from the middle of the view to its place in the picture.
  let isFlipped = vec2<bool>(happens(turns.x, uniforms.chances.x), happens(turns.y, uniforms.chances.y));
  let factor = select(vec2f(1.0), vec2f(-1.0), isFlipped) * uniforms.squeeze / exp(between(turns.w, uniforms.scale));
  let turn = circle(between(turns.z, uniforms.rotation));
  let x = factor.x * vec2f(turn.x, -turn.y);
  let y = factor.y * vec2f(turn.y, turn.x);
  let shift = uniforms.shift * (2.0 * vec2f(unitFloat(moves.x), unitFloat(moves.y)) - 1.0);
  let window = vec2f(f32(highProduct(moves.z, uniforms.choices.x)), f32(highProduct(moves.w, uniforms.choices.y)));
  let middle = uniforms.middle + window - vec2f(dot(x, shift), dot(y, shift));
  var matrix = mat3x3f(vec3f(x.x, y.x, 0.0), vec3f(x.y, y.y, 0.0), vec3f(middle, 1.0));
  if (happens(colours.w, uniforms.chances.z)) {
    let first = philox4x32(vec4u(3u, epoch, AUGMENT_STREAM, row), key);
    let second = philox4x32(vec4u(4u, epoch, AUGMENT_STREAM, row), key);
    matrix = matrix * perspective(first, second);
  }
  matrix[2] = matrix * vec3f(0.5 - 0.5 * uniforms.view, 1.0);

  let start = v * uniforms.quads;
  let cutAt = vec2f(f32(highProduct(cuts.y, uniforms.choices.z)), f32(highProduct(cuts.z, uniforms.choices.w)));
  let square = select(uniforms.view, cutAt, happens(cuts.x, uniforms.cutChance));
  let isNoisy = happens(cuts.w, uniforms.chances.w);
  let noiseKey = select(vec2f(0.0), vec2f(f32(noise.x >> 16u), f32(noise.y >> 16u)), isNoisy);
  views[start] = vec4f(matrix[0].x, matrix[1].x, matrix[2].x, matrix[0].y);
  views[start + 1u] = vec4f(matrix[1].y, matrix[2].y, matrix[0].z, matrix[1].z);
  views[start + 2u] = vec4f(matrix[2].z, square, select(0.0, uniforms.noise, isNoisy));
  views[start + 3u] = vec4f(noiseKey, 0.0, 0.0);

  let C = uniforms.C;
  let own = min(row, uniforms.M - 1u) * C;
  var grey = 0.0;
  for (var c = 0u; c < C; c++) {
    grey += channels[c] * (means[own + c] * channels[2u * C + c] + channels[C + c]);
  }
  let contrast = between(colours.x, uniforms.contrast);
  let brightness = between(colours.y, uniforms.brightness);
  let mix = hueMatrix(circle(between(colours.z, uniforms.hue)));
  var at = start + 4u;
  for (var first = 0u; first < C; first += 4u) {
    let gains = philox4x32(vec4u(8u + first / 4u, epoch, AUGMENT_STREAM, row), key);
    var fill = vec4f();
    var cutFill = vec4f();
    var low = vec4f();
    var high = vec4f();
    var offset = vec4f();
    var gain0 = vec4f();
    var gain1 = vec4f();
    var gain2 = vec4f();
    let lanes = min(4u, C - first);
    for (var place = 0u; place < lanes; place++) {
      let c = first + place;
      let mean = channels[C + c];
      let deviation = channels[2u * C + c];
      // value' = Σ over the channels of factor · value, and `added`.
      var factors = vec3f(brightness * between(gains[place], uniforms.gain), 0.0, 0.0);
      var blacks = vec3f(mean, 0.0, 0.0);
      var spans = vec3f(deviation, 0.0, 0.0);
      if (MIXES) {
        let drawn = vec3f(unitFloat(gains.x), unitFloat(gains.y), unitFloat(gains.z));
        factors = brightness * (uniforms.gain.x + uniforms.gain.y * drawn) * vec3f(mix[0][place], mix[1][place], mix[2][place]);
        blacks = vec3f(channels[C], channels[C + 1u], channels[C + 2u]);
        spans = vec3f(channels[2u * C], channels[2u * C + 1u], channels[2u * C + 2u]);
      }
      let added = (1.0 - contrast) * (factors.x + factors.y + factors.z) * grey;
      factors *= contrast;
      let cut = (factors.x + factors.y + factors.z) * grey + added;
      let cutGrey = select(cut, clamp(cut, 0.0, 1.0), uniforms.recolours > 0u);
      fill[place] = select((uniforms.fill - mean) / deviation, means[own + c], uniforms.fillsMean > 0u);
      cutFill[place] = (select(uniforms.cutFill, cutGrey, uniforms.cutsMean > 0u) - mean) / deviation;
      low[place] = -mean / deviation;
      high[place] = (1.0 - mean) / deviation;
      offset[place] = (dot(factors, blacks) + added - mean) / deviation;
      factors *= spans / deviation;
      gain0[place] = factors.x;
      gain1[place] = factors.y;
      gain2[place] = factors.z;
    }
    views[at] = fill;
    views[at + 1u] = cutFill;
    views[at + 2u] = low;
    views[at + 3u] = high;
    views[at + 4u] = offset;
    views[at + 5u] = gain0;
    at += 6u;
    if (MIXES) {
      views[at] = gain1;
      views[at + 1u] = gain2;
    }
  }
}
