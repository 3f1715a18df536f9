// advance_rates.wgsl: the block `rates` of advance.wgsl: the state of an optimizer moves on by a replay, and its parameters
// by the steps that they took in it.
//
// Bindings    6 state (u32) read and write: replays; rate, steps, take of each parameter; a ring of (rate, take)
//             7 steps (u32) read
// Launch      none of its own: that of advance.wgsl
// Reference   lib/ops/update/optimizer-state.ts

override MEMBERS: u32 = 1u;
override PAIRS: u32 = 1u;

@group(0) @binding(6) var<storage, read_write> optimizer: array<u32>;
@group(0) @binding(7) var<storage, read> steps: array<u32>;

var<workgroup> nextPair: vec2u;

fn moveRates(lane: u32) {
  if (lane == 0u) {
    let replays = optimizer[0] + 1u;
    optimizer[0] = replays;
    let at = 1u + 3u * MEMBERS + 2u * (replays % PAIRS);
    nextPair = vec2u(optimizer[at], optimizer[at + 1u]);
  }
  let pair = workgroupUniformLoad(&nextPair);
  for (var i = lane; i < MEMBERS; i += 256u) {
    optimizer[1u + 3u * i] = pair.x;
    optimizer[2u + 3u * i] += steps[i];
    // 0: the parameter keeps its own
    if (pair.y != 0u) { optimizer[3u + 3u * i] = pair.y; }
  }
}
