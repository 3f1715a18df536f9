// advance_rates.wgsl: the block `rates` of advance.wgsl: the state of an optimizer moves on by a replay, and its parameters
// by the steps that they took in it.
//
// Bindings    6 state (u32) read and write: replays, (rate, steps) of each parameter, a ring of rates   7 steps (u32) read
// Launch      none of its own: that of advance.wgsl
// Reference   lib/ops/update/optimizer-state.ts

override MEMBERS: u32 = 1u;
override RATES: u32 = 1u;

@group(0) @binding(6) var<storage, read_write> optimizer: array<u32>;
@group(0) @binding(7) var<storage, read> steps: array<u32>;

var<workgroup> nextRate: u32;

fn moveRates(lane: u32) {
  if (lane == 0u) {
    let replays = optimizer[0] + 1u;
    optimizer[0] = replays;
    nextRate = optimizer[1u + 2u * MEMBERS + replays % RATES];
  }
  let rate = workgroupUniformLoad(&nextRate);
  for (var i = lane; i < MEMBERS; i += 256u) {
    optimizer[1u + 2u * i] = rate;
    optimizer[2u + 2u * i] += steps[i];
  }
}
