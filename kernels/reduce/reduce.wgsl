// reduce.wgsl: output[i] = finish(f over the reduced axes of input). Joined behind common.wgsl and element_one.wgsl or
// element_four.wgsl.
//
// Bindings    0 uniforms   1 parts [blocks, items] read or write   2 input read   3 output [kept] write; with stages, or several
//             inputs or outputs, those of lib/fusion/glue.ts from 2 on
// Launch      workgroup 64, LANES lanes an item: ⌈items · blocks · LANES / 64⌉ workgroups, folded at 65,535
//             reduceWhole: input to output; reduceToParts, then reduceFromParts: long ones, in two launches
// Items       an item is what is stored at once. Where the reduced elements lie side by side (rows), an item is one output,
//             neighbouring lanes read neighbouring vec4s of its row, and four partial results are folded at the end. Where
//             the kept ones do (columns, ACROSS), an item is a vec4 of four columns, and neighbouring lanes have
//             neighbouring items. Where sizes are no multiples of four, both go by single numbers.
// Memory      64 accumulators: 1 KiB for a vec4
// Cost        4 B read an element, one combination: bound by memory bandwidth; four loads under way a lane. An axis that
//             does not merge with its neighbours costs a division a load, a single one none.
// Accuracy    groups of four, 16 of them, then what is left in order; lanes, components and blocks as a tree: with the blocks
//             that lib/ops/reduce/reduce-launches.ts makes, no result of millions passes through more than about 100
//             roundings
// Edges       nothing to reduce gives the neutral element; NaN wins in maximum and minimum; sums of integers wrap around
// Order       fixed by the sizes alone, so results are the same from run to run
// Reference   lib/ops/reduce/reduce.ts
// Variants    `layout` says which of rows and columns there are; `function` is the accumulator, f, and what is stored; `stages`
//             where elements come from and where results go

struct Uniforms {
  items: u32,
  positions: u32, // that are reduced to an item: elements, or vec4s
  blocks: u32, // of each item
  blockSize: u32,
  keptRank: u32,
  reducedRank: u32,
  scale: f32,
  axes: array<vec4u, 8>, // sizes and strides of the kept axes, then of the reduced ones
  words: array<vec4u, WORD_QUADS>, // numbers that stages need
}

override LANES: u32 = 64;
override LEVELS: u32 = 6; // log2 of it
override ACROSS: bool = false;
override STRAIGHT: bool = true; // the reduced axes are one

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> partsBefore: array<Accumulator>;
@group(0) @binding(1) var<storage, read_write> parts: array<Accumulator>;

// begin layout
alias Result = f32; // what is stored at once
const RESULT_WIDTH = 1u;
const PLACES = Word(0u, 1u, 2u, 3u); // of an element's numbers among the reduced ones, as seen from the first
const PLACE_STEP = 4u; // numbers of a position
// end layout

// begin function
alias Accumulator = Element;

fn neutral(any: f32) -> Accumulator {
  return Accumulator(0.0);
}

// The accumulator of an element, whose number among the reduced ones is `place`.
fn lift(value: Element, place: Word) -> Accumulator {
  return value;
}

fn combine(a: Accumulator, b: Accumulator) -> Accumulator {
  return a + b;
}

// The four components as one.
fn folded(a: Accumulator) -> Accumulator {
  let b = combine(a, a.zwxy);
  return combine(b, b.yxwz);
}

fn finish(total: Accumulator, index: u32) {
  put(firstOf(total * uniforms.scale), index);
}

// Called before the first element of an item is read, and before its result is stored.
fn beginItem(start: u32) {
}

// The accumulator of the element at an index of the input.
fn accumulatorAt(index: u32, place: Word) -> Accumulator {
  return lift(valueAt(index), place);
}
// end function

// begin stages
const WORD_QUADS = 1u;

@group(0) @binding(2) var<storage, read> input: array<Element>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn beginStages() {
}

fn valueAt(index: u32) -> Element {
  return input[index / WIDTH];
}

fn put(given: Result, index: u32) {
  output[index / RESULT_WIDTH] = given;
}
// end stages

// Where a position lies, by the axes from axes[first] on.
fn offsetOf(position: u32, rank: u32, first: u32) -> u32 {
  var rest = position;
  var offset = 0u;
  for (var axis = rank; axis > 1u; axis--) {
    let quad = first + (axis - 1u) / 4u;
    let lane = (axis - 1u) % 4u;
    let size = uniforms.axes[quad][lane];
    offset += rest % size * uniforms.axes[quad + 2u][lane];
    rest /= size;
  }
  return offset + rest * uniforms.axes[first + 2u].x;
}

fn elementAt(start: u32, position: u32) -> Accumulator {
  let place = PLACES + Word(position * PLACE_STEP);
  if (STRAIGHT) {
    return accumulatorAt(start + position * uniforms.axes[6].x, place);
  }
  return accumulatorAt(start + offsetOf(position, uniforms.reducedRank, 4u), place);
}

// What an invocation has to do: `count` positions of an item, LANES apart.
struct Task {
  item: u32,
  block: u32,
  first: u32,
  count: u32,
  exists: bool,
  lane: u32,
}

fn taskOf(group: u32, index: u32) -> Task {
  const size = 64u;
  let items = size / LANES;
  let lane = select(index % LANES, index / items, ACROSS);
  let number = group * items + select(index / LANES, index % items, ACROSS);
  let block = number / uniforms.items;
  let exists = block < uniforms.blocks;
  let first = block * uniforms.blockSize + lane;
  let end = min((block + 1u) * uniforms.blockSize, uniforms.positions);
  let count = select(0u, (end - first + LANES - 1u) / LANES, exists && first < end);
  return Task(number % uniforms.items, block, first, count, exists, lane);
}

fn begin(task: Task) -> u32 {
  beginStages();
  let start = offsetOf(task.item, uniforms.keptRank, 0u);
  if (task.count > 0u) {
    beginItem(start);
  }
  return start;
}

fn reduceInput(task: Task, start: u32) -> Accumulator {
  let quads = task.count / 4u;
  let chunks = (quads + 15u) / 16u;
  var total = neutral(uniforms.scale);
  for (var chunk = 0u; chunk < chunks; chunk++) {
    let end = min(chunk * 16u + 16u, quads);
    var some = neutral(uniforms.scale);
    for (var quad = chunk * 16u; quad < end; quad++) {
      let position = task.first + quad * 4u * LANES;
      let a = elementAt(start, position);
      let b = elementAt(start, position + LANES);
      let c = elementAt(start, position + 2u * LANES);
      let d = elementAt(start, position + 3u * LANES);
      some = combine(some, combine(combine(a, b), combine(c, d)));
    }
    total = combine(total, some);
  }
  let count = task.count;
  for (var i = quads * 4u; i < count; i++) {
    total = combine(total, elementAt(start, task.first + i * LANES));
  }
  return total;
}

var<workgroup> partial: array<Accumulator, 64>;

// What all lanes of an item have, in its first lane.
fn joinLanes(own: Accumulator, index: u32, lane: u32) -> Accumulator {
  let step = select(1u, 64u / LANES, ACROSS);
  partial[index] = own;
  var total = own;
  for (var level = 0u; level < LEVELS; level++) {
    let half = LANES >> (level + 1u);
    workgroupBarrier();
    if (lane < half) {
      total = combine(total, partial[index + half * step]);
      partial[index] = total;
    }
  }
  return total;
}

@compute @workgroup_size(64)
fn reduceWhole(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let task = taskOf(workgroupIndex(workgroupId, workgroups), index);
  let total = joinLanes(reduceInput(task, begin(task)), index, task.lane);
  if (task.exists && task.lane == 0u) {
    finish(folded(total), task.item * RESULT_WIDTH);
  }
}

@compute @workgroup_size(64)
fn reduceToParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let task = taskOf(workgroupIndex(workgroupId, workgroups), index);
  let total = joinLanes(reduceInput(task, begin(task)), index, task.lane);
  if (task.exists && task.lane == 0u) {
    parts[task.block * uniforms.items + task.item] = total;
  }
}

@compute @workgroup_size(64)
fn reduceFromParts(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let task = taskOf(workgroupIndex(workgroupId, workgroups), index);
  begin(task);
  let quads = task.count / 4u;
  let step = LANES * uniforms.items;
  let start = task.first * uniforms.items + task.item;
  var own = neutral(uniforms.scale);
  for (var quad = 0u; quad < quads; quad++) {
    let place = start + quad * 4u * step;
    let a = combine(partsBefore[place], partsBefore[place + step]);
    let b = combine(partsBefore[place + 2u * step], partsBefore[place + 3u * step]);
    own = combine(own, combine(a, b));
  }
  let count = task.count;
  for (var i = quads * 4u; i < count; i++) {
    own = combine(own, partsBefore[start + i * step]);
  }
  let total = joinLanes(own, index, task.lane);
  if (task.exists && task.lane == 0u) {
    finish(folded(total), task.item * RESULT_WIDTH);
  }
}
