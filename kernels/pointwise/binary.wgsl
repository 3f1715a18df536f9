// binary.wgsl: output = f(a, b) with broadcasting. Joined behind common.wgsl.
//
// Bindings    0 a read   1 b read   2 output [count] write   3 uniforms
// Launch      sameShape: workgroup 64, one vec4 an invocation, ⌈count / 256⌉ workgroups
//             broadcast: workgroup 64, one element an invocation, ⌈count / 64⌉ workgroups; folded at 65,535
// Cost        12 B moved an element, one flop: bound by memory bandwidth; broadcast adds a division an axis
// Edges       a stride of 0 repeats a value; buffers are padded to whole vec4s
// Reference   lib/ops/pointwise/binary.ts, rows in arithmetic.ts and losses
// Variants    the block `function` is f

struct Uniforms {
  count: u32,
  rank: u32,
  sizes: array<vec4u, 2>,
  stridesA: array<vec4u, 2>,
  stridesB: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(0) var<storage, read> quadsA: array<vec4f>;
@group(0) @binding(1) var<storage, read> quadsB: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> outputQuads: array<vec4f>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

fn add(a: f32, b: f32) -> f32 { return a + b; }
fn subtract(a: f32, b: f32) -> f32 { return a - b; }
fn multiply(a: f32, b: f32) -> f32 { return a * b; }
fn divide(a: f32, b: f32) -> f32 { return a / b; }
fn maximum(a: f32, b: f32) -> f32 { return maximumOf(a, b); }
fn minimum(a: f32, b: f32) -> f32 { return minimumOf(a, b); }
fn equal(a: f32, b: f32) -> f32 { return select(0.0, 1.0, a == b); }

// The share of the gradient that the larger one gets: 1 where a > b, a half where they are equal.
fn greaterShare(a: f32, b: f32) -> f32 { return select(select(0.0, 0.5, a == b), 1.0, a > b); }

fn squaredError(a: f32, b: f32) -> f32 { return (a - b) * (a - b); }

// -(t · log σ(x) + (1 - t) · log(1 - σ(x))) = max(x, 0) - x · t + log(1 + exp(-|x|)): no overflow, no log of 0.
fn binaryCrossEntropy(x: f32, t: f32) -> f32 {
  return select(x, 0.0, x < 0.0) - x * t + log(1.0 + expOf(-abs(x)));
}

fn apply(a: f32, b: f32) -> f32 {
// begin function
  return add(a, b);
// end function
}

@compute @workgroup_size(64)
fn sameShape(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (quad * 4u >= uniforms.count) {
    return;
  }
  let p = quadsA[quad];
  let q = quadsB[quad];
  outputQuads[quad] = vec4f(apply(p.x, q.x), apply(p.y, q.y), apply(p.z, q.z), apply(p.w, q.w));
}

@compute @workgroup_size(64)
fn broadcast(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.count) {
    return;
  }
  let offsetA = walkOffset(i, uniforms.rank, uniforms.sizes, uniforms.stridesA);
  let offsetB = walkOffset(i, uniforms.rank, uniforms.sizes, uniforms.stridesB);
  output[i] = apply(a[offsetA], b[offsetB]);
}
