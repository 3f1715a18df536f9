// batch_rows.wgsl: the row numbers of the next batch of a data set, in an order made from seed and epoch. Joined behind
// common.wgsl and philox.wgsl.
//
// Computes    rows[i] = order(epoch + place / count, place mod count), place = position + taken + i, 
//             where order(e, ·) permutes 0 … count - 1, or leaves them as they are without SHUFFLE
// Method      a Feistel network of eight rounds over the smallest power of two that holds count (at least 64); a number that is too
//             large is sent through again until it is not (at most two rounds through on average)
// Bindings    0 state [4] (seed low, seed high, epoch, position; u32) read   1 rows [size] (i32) write   2 uniforms
// Launch      workgroup 64; one row an invocation; ⌈size / 64⌉ workgroups, folded at 65,535
// Cost        two Philox blocks and about a dozen mixes a row: nothing beside the rows themselves
// Source      Black & Rogaway 2002, "Ciphers with arbitrary finite domains"; round function: MurmurHash3's finalizer
// Reference   lib/ops/batch-rows.ts, lib/random.ts (permutation)

override SHUFFLE: bool = true;

struct Uniforms {
  size: u32,
  count: u32,
  taken: u32,
  lowBits: u32,
  highBits: u32,
  stream: u32,
}

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> rows: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

fn mix32(value: u32) -> u32 {
  var bits = (value ^ (value >> 16u)) * 0x85ebca6bu;
  bits = (bits ^ (bits >> 13u)) * 0xc2b2ae35u;
  return bits ^ (bits >> 16u);
}

fn twoRounds(halves: vec2u, keys: vec2u) -> vec2u {
  let high = halves.y ^ (mix32(halves.x + keys.x) & ((1u << uniforms.highBits) - 1u));
  let low = halves.x ^ (mix32(high + keys.y) & ((1u << uniforms.lowBits) - 1u));
  return vec2u(low, high);
}

fn placeInOrder(epoch: u32, place: u32) -> u32 {
  let seed = vec2u(state[0], state[1]);
  let first = philox4x32(vec4u(0u, epoch, uniforms.stream, 0u), seed);
  let second = philox4x32(vec4u(1u, epoch, uniforms.stream, 0u), seed);
  var number = place;
  loop {
    var halves = vec2u(number & ((1u << uniforms.lowBits) - 1u), number >> uniforms.lowBits);
    halves = twoRounds(halves, first.xy);
    halves = twoRounds(halves, first.zw);
    halves = twoRounds(halves, second.xy);
    halves = twoRounds(halves, second.zw);
    number = (halves.y << uniforms.lowBits) | halves.x;
    if (number < uniforms.count) {
      break;
    }
  }
  return number;
}

@compute @workgroup_size(64)
fn batchRows(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (i >= uniforms.size) {
    return;
  }
  let place = state[3] + uniforms.taken + i;
  if (SHUFFLE) {
    rows[i] = placeInOrder(state[2] + place / uniforms.count, place % uniforms.count);
  } else {
    rows[i] = place % uniforms.count;
  }
}
