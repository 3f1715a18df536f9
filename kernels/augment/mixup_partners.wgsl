// mixup_partners.wgsl: what is mixed into each row of a batch, and how much of it. Joined behind common.wgsl and philox.wgsl.
//
// Computes    partners[i] = a row of the data set, shares[i] = a number by its quantiles, drawn from (seed, epoch, rows[i])
// Bindings    0 state [4] (seed low, seed high, epoch, position; u32) read   1 rows [B] (i32) read   2 quantiles [Q] read
//             3 partners [B] (i32) write   4 shares [B] write   5 uniforms
// Launch      workgroup 64; one row an invocation; ⌈B / 64⌉ workgroups, folded at 65,535
// Cost        one Philox block a row: less than a launch
// Reference   lib/ops/augment/mixup-partners.ts

override MIXUP_STREAM: u32 = 0u;

struct Uniforms {
  B: u32,
  Q: u32,
  count: u32,
  taken: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> quantiles: array<f32>;
@group(0) @binding(3) var<storage, read_write> partners: array<u32>;
@group(0) @binding(4) var<storage, read_write> shares: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn mixupPartners(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.B) {
    return;
  }
  let epoch = state[2] + (state[3] + uniforms.taken + i) / uniforms.count;
  let words = philox4x32(vec4u(0u, epoch, MIXUP_STREAM, rows[i]), vec2u(state[0], state[1]));
  partners[i] = highProduct(words.x, uniforms.count);
  let place = unitFloat(words.y) * f32(uniforms.Q - 1u);
  let lower = min(u32(place), uniforms.Q - 2u);
  shares[i] = quantiles[lower] + (place - f32(lower)) * (quantiles[lower + 1u] - quantiles[lower]);
}
