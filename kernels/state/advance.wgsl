// advance.wgsl: counters that live on the device move on, in place: the step of a random generator or of an optimizer, the
// position of a data loader. Up to four states in one launch.
//
// Computes    state[word] += by;   where limit > 0, what exceeds limit - 1 is carried: state[word - 1] counts the rounds
// Bindings    0 … n - 1 states (u32) read and write   n uniforms, for n = 0 … 4 the entry points advance0 … advance4
// Launch      one workgroup of 256, of which one invocation moves the counters
// Reference   lib/ops/state/advance.ts

struct Counter {
  word: u32,
  by: u32,
  limit: u32,
  rows: u32, // of the next batch, where they are drawn
}

@group(0) @binding(0) var<storage, read_write> state0: array<u32>;
@group(0) @binding(1) var<storage, read_write> state1: array<u32>;
@group(0) @binding(2) var<storage, read_write> state2: array<u32>;
@group(0) @binding(3) var<storage, read_write> state3: array<u32>;
@group(0) @binding(0) var<uniform> members: u32;
@group(0) @binding(1) var<uniform> counters1: array<Counter, 1>;
@group(0) @binding(2) var<uniform> counters2: array<Counter, 2>;
@group(0) @binding(3) var<uniform> counters3: array<Counter, 3>;
@group(0) @binding(4) var<uniform> counters4: array<Counter, 4>;

// (rounds, value) of a counter after it has moved on.
fn moved(value: u32, counter: Counter) -> vec2u {
  let next = value + counter.by;
  if (counter.limit == 0u) {
    return vec2u(0u, next);
  }
  return vec2u(next / counter.limit, next % counter.limit);
}

fn move0(counter: Counter) {
  let next = moved(state0[counter.word], counter);
  state0[counter.word] = next.y;
  if (next.x > 0u) { state0[counter.word - 1u] += next.x; }
}

fn move1(counter: Counter) {
  let next = moved(state1[counter.word], counter);
  state1[counter.word] = next.y;
  if (next.x > 0u) { state1[counter.word - 1u] += next.x; }
}

fn move2(counter: Counter) {
  let next = moved(state2[counter.word], counter);
  state2[counter.word] = next.y;
  if (next.x > 0u) { state2[counter.word - 1u] += next.x; }
}

fn move3(counter: Counter) {
  let next = moved(state3[counter.word], counter);
  state3[counter.word] = next.y;
  if (next.x > 0u) { state3[counter.word - 1u] += next.x; }
}

// What else becomes of the first state before it moves on: nothing, or the rows of the next batch (advance_rows.wgsl).
// begin rows
fn drawRows(lane: u32, counter: Counter) {
}
// end rows

// What else moves on: nothing, or the state of an optimizer (advance_rates.wgsl).
// begin rates
fn moveRates(lane: u32) {
}
// end rates

@compute @workgroup_size(256)
fn advance0(@builtin(local_invocation_index) lane: u32) {
  if (members > 0u) {
    moveRates(lane);
  }
}

@compute @workgroup_size(256)
fn advance1(@builtin(local_invocation_index) lane: u32) {
  drawRows(lane, counters1[0]);
  moveRates(lane);
  storageBarrier(); // all have read the state
  if (lane == 0u) {
    move0(counters1[0]);
  }
}

@compute @workgroup_size(256)
fn advance2(@builtin(local_invocation_index) lane: u32) {
  drawRows(lane, counters2[0]);
  moveRates(lane);
  storageBarrier();
  if (lane == 0u) {
    move0(counters2[0]);
    move1(counters2[1]);
  }
}

@compute @workgroup_size(256)
fn advance3(@builtin(local_invocation_index) lane: u32) {
  drawRows(lane, counters3[0]);
  moveRates(lane);
  storageBarrier();
  if (lane == 0u) {
    move0(counters3[0]);
    move1(counters3[1]);
    move2(counters3[2]);
  }
}

@compute @workgroup_size(256)
fn advance4(@builtin(local_invocation_index) lane: u32) {
  drawRows(lane, counters4[0]);
  moveRates(lane);
  storageBarrier();
  if (lane == 0u) {
    move0(counters4[0]);
    move1(counters4[1]);
    move2(counters4[2]);
    move3(counters4[3]);
  }
}
