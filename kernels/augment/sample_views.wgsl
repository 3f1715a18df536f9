// sample_views.wgsl: augmented views of the rows of a table of pictures. Joined behind common.wgsl and philox.wgsl.
//
// Computes    output[v, y, x, :] = the colour of picture rows[v] at H_v · (x, y, 1), between its four pixels around, recoloured:
//             clamp(gain · colour + offset, low, high), gain a vector or a matrix; noise makes it black or white, a square is
//             cut out. PLANAR: output[v, :, y, x]. NaN for a row that does not exist
// Bindings    0 table [R, h, w, C] (f32, or four bytes a word) read   1 rows [V] (i32) read
//             2 views [V, size] (lib/ops/augment/view-record.ts) read   3 output [V, H, W, C] write   4 uniforms
// Launch      workgroup 64; four pixels of a view an invocation, 64 apart, so that what is read of a record is read once;
//             V · ⌈H · W / 256⌉ workgroups, folded at 65,535
// Cost        4 B written an element, and about as much read: neighbours find their taps in the cache. Bound by bandwidth and
//             by how coalesced the taps are; rotated views read along a slant. Some 60 operations a pixel; noise adds a Philox
//             block to it
// Edges       a tap outside of the picture is read within it with weight 0, and the record's fill takes its part
// Reference   lib/ops/augment/sample-views.ts

override BYTES: bool = false;
override CHANNELS: u32 = 3u;
override QUADS: u32 = 1u; // of channels
override PLANAR: bool = false;
override WARPS: bool = true;
override RECOLOURS: bool = true;
override MIXES: bool = false;
override NOISE: bool = false;
override CUTS: bool = false;
override NOISE_STREAM: u32 = 0u;

struct Uniforms {
  R: u32,
  h: u32,
  w: u32,
  H: u32,
  W: u32,
  V: u32,
  parts: u32, // workgroups of a view
  quads: u32, // of a record
  edge: u32,
  scale: f32, // of bytes
  cutOut: f32,
}

@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> views: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

const LEAST_DEPTH = 1e-3;

const PIXELS = 4u; // an invocation, a workgroup apart

fn numberAt(i: u32) -> f32 {
  if (BYTES) {
    return f32(extractBits(table[i / 4u], 8u * (i % 4u), 8u)) * uniforms.scale;
  }
  return bitcast<f32>(table[i]);
}

// Up to four channels of a pixel of the picture.
fn quadAt(pixel: u32, quad: u32) -> vec4f {
  let c = 4u * quad;
  let at = pixel * CHANNELS + c;
  var colour = vec4f(numberAt(at), 0.0, 0.0, 0.0);
  if (c + 1u < CHANNELS) { colour.y = numberAt(at + 1u); }
  if (c + 2u < CHANNELS) { colour.z = numberAt(at + 2u); }
  if (c + 3u < CHANNELS) { colour.w = numberAt(at + 3u); }
  return colour;
}

// The pixels of the picture around a place, and how much of each: what is outside is read within, with weight 0.
struct Taps {
  pixels: vec4u,
  weights: vec4f,
  outside: f32,
}

fn tapsOf(place: vec2f) -> Taps {
  let last = vec2i(vec2u(uniforms.w, uniforms.h)) - 1;
  let corner = select(floor(place + 0.5), floor(place), WARPS);
  let part = select(vec2f(0.0), place - corner, WARPS);
  let tap = vec2i(corner);
  let near = clamp(tap, vec2i(0), last);
  let far = clamp(tap + 1, vec2i(0), last);
  let nearShare = select(vec2f(0.0), 1.0 - part, near == tap);
  let farShare = select(vec2f(0.0), part, far == tap + 1);
  let weights = vec4f(nearShare.x, farShare.x, nearShare.x, farShare.x) * vec4f(nearShare.yy, farShare.yy);
  let lines = vec2u(u32(near.y), u32(far.y)) * uniforms.w;
  let columns = vec2u(u32(near.x), u32(far.x));
  let pixels = vec4u(columns, columns) + vec4u(lines.xx, lines.yy);
  return Taps(pixels, weights, 1.0 - dot(weights, vec4f(1.0)));
}

@compute @workgroup_size(64)
fn sampleViews(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let workgroup = workgroupIndex(workgroupId, workgroups);
  let v = workgroup / uniforms.parts;
  if (v >= uniforms.V) {
    return;
  }
  let pixels = uniforms.H * uniforms.W;
  let begin = (workgroup - v * uniforms.parts) * 64u * PIXELS + lane;
  let row = rows[v];
  let exists = row < uniforms.R;
  let first = select(0u, row, exists) * uniforms.h * uniforms.w;
  let record = v * uniforms.quads;
  let head0 = views[record];
  let head1 = views[record + 1u];
  let head2 = views[record + 2u];
  let head3 = views[record + 3u];
  let size = vec2f(f32(uniforms.w), f32(uniforms.h));
  let least = select(vec2f(-1.0), vec2f(0.0), uniforms.edge > 0u);
  let most = select(size, size - 1.0, uniforms.edge > 0u);

  for (var quad = 0u; quad < QUADS; quad++) {
    let own = record + 4u + 6u * quad;
    let fill = views[own];
    let cutFill = views[own + 1u];
    let low = views[own + 2u];
    let high = views[own + 3u];
    let offset = views[own + 4u];
    let gain = views[own + 5u];
    let lanes = min(4u, CHANNELS - 4u * quad);
    for (var k = 0u; k < PIXELS; k++) {
      let pixel = begin + 64u * k;
      if (pixel >= pixels) {
        break;
      }
      let y = pixel / uniforms.W;
      let at = vec2f(f32(pixel - y * uniforms.W), f32(y));
      var place = vec2f(dot(head0.xy, at) + head0.z, dot(vec2f(head0.w, head1.x), at) + head1.y);
      if (WARPS) {
        place /= max(dot(head1.zw, at) + head2.x, LEAST_DEPTH);
      }
      let taps = tapsOf(clamp(place, least, most));
      var colour = taps.outside * fill + taps.weights.x * quadAt(first + taps.pixels.x, quad);
      if (WARPS) {
        colour += taps.weights.y * quadAt(first + taps.pixels.y, quad);
        colour += taps.weights.z * quadAt(first + taps.pixels.z, quad);
        colour += taps.weights.w * quadAt(first + taps.pixels.w, quad);
      }
      if (MIXES) {
        colour = gain * colour.x + views[own + 6u] * colour.y + views[own + 7u] * colour.z;
      } else if (RECOLOURS) {
        colour *= gain;
      }
      if (RECOLOURS) {
        colour = min(max(colour + offset, low), high);
      }
      if (NOISE && head2.w > 0.0) {
        let bits = philox4x32(vec4u(pixel / 4u, 0u, NOISE_STREAM, 0u), vec2u(head3.xy))[pixel % 4u];
        colour = select(colour, select(low, high, (bits & 1u) > 0u), f32(bits >> 8u) < head2.w);
      }
      if (CUTS) {
        let cut = at - head2.yz;
        colour = select(colour, cutFill, all(cut >= vec2f(0.0)) && all(cut < vec2f(uniforms.cutOut)));
      }
      for (var c = 0u; c < lanes; c++) {
        let channel = 4u * quad + c;
        let to = select((v * pixels + pixel) * CHANNELS + channel, (v * CHANNELS + channel) * pixels + pixel, PLANAR);
        output[to] = valueOrNan(colour[c], exists);
      }
    }
  }
}
