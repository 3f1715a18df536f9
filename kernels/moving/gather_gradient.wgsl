// gather_gradient.wgsl: the gradient of rows taken by index. Joined behind common.wgsl and element_one.wgsl or
// element_four.wgsl.
//
// Computes    dTable[r, :] = Σ over i with indices[i] = r of dOutput[i, :], in order of i; a row that does not exist: nothing
// Bindings    0 dOutput [I, D] read   1 indices [I] read   2 dTable [R, D] write   3 uniforms   4 scratch read and write
// Method      The numbers i are sorted by the rows that they take, by four bits of the row at a time (a radix sort: no
//             atomics, and those of one row keep their order): countDigits says how many of each digit a block of them has,
//             placeRows puts them in order. startsOfRows finds where each row's part begins, by halving. Of each 64 that
//             lie side by side and take one row, sumChunks forms the sum, and again of 64 such sums; sumRows adds up what
//             makes a row: 126 single ones at most at each level, and the chunks between them.
//             Few indices (directSums): each element of the table looks through all of them, in one launch.
// Launch      workgroup 64, folded at 65,535. countDigits and placeRows: a block a workgroup, each lane its part, one behind the
//             other; startsOfRows: a row an invocation; sumChunks, sumRows, directSums: an element or vec4 an invocation
// Memory      counters of 16 digits in 64 lanes: 4 KiB
// Cost        sorting: 20 B moved an index for each of ⌈log16 (R + 1)⌉ digits, twice; halving: R · log2 I reads; sums: dOutput read
//             once, dTable written once: 4 B · D · (I + R). 4,096 rows of 256 numbers into 50,000: 0.7 MB + 55 MB, where
//             comparing each with each would be 5e10 reads. directSums: R · D · I reads, 2^24 at most
// Accuracy    groups of four, 16 of them, chunks of 64: one row may be taken millions of times
// Order       fixed by the indices alone, so results are the same from run to run
// Reference   lib/ops/moving/gather.ts

struct Uniforms {
  R: u32,
  D: u32, // elements, or vec4s, of a row
  I: u32,
  shift: u32, // of the digit
  blocks: u32,
  laneSize: u32, // indices of a lane
  sorted: u32, // where in the scratch the order is that is read
  placed: u32, // where the next one goes
  histogram: u32, // [16, blocks]
  starts: u32, // [R + 1]
  steps: u32, // of halving
  level: u32, // of chunks that are summed
  sums: vec4u, // of each level: [⌊I / 64^level⌋, D]
}

override LEVELS: u32 = 0;
override IS_FIRST: bool = false; // no order yet

@group(0) @binding(0) var<storage, read> dOutput: array<Element>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> dTable: array<Element>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;
@group(0) @binding(4) var<storage, read_write> scratch: array<u32>;

// begin element
fn sumAt(place: u32) -> Element {
  let at = place * 4u;
  return bitcast<Element>(Word(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]));
}

fn storeSum(place: u32, value: Element) {
  let words = bitcast<Word>(value);
  let at = place * 4u;
  scratch[at] = words.x;
  scratch[at + 1u] = words.y;
  scratch[at + 2u] = words.z;
  scratch[at + 3u] = words.w;
}
// end element

// The row that index i takes; R for those that take none.
fn rowOf(i: u32) -> u32 {
  return min(indices[i], uniforms.R);
}

fn sortedAt(place: u32) -> u32 {
  if (IS_FIRST) {
    return place;
  }
  return scratch[uniforms.sorted + place];
}

var<workgroup> counters: array<u32, 1024>; // [16 digits, 64 lanes]
var<workgroup> before: array<u32, 64>; // [16 digits, 4 parts of the blocks]: how many are in blocks before this one
var<workgroup> inAll: array<u32, 64>; // and in all

// Of the row that index i takes.
fn digitOf(i: u32) -> u32 {
  return (rowOf(i) >> uniforms.shift) & 15u;
}

// How many of each digit each lane has.
fn countInLanes(block: u32, lane: u32) {
  for (var digit = 0u; digit < 16u; digit++) {
    counters[digit * 64u + lane] = 0u;
  }
  let first = (block * 64u + lane) * uniforms.laneSize;
  let end = min(first + uniforms.laneSize, uniforms.I);
  for (var place = first; place < end; place++) {
    counters[digitOf(sortedAt(place)) * 64u + lane]++;
  }
}

@compute @workgroup_size(64)
fn countDigits(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroupIndex(workgroupId, workgroups);
  countInLanes(block, lane);
  workgroupBarrier();
  if (lane < 16u && block < uniforms.blocks) {
    var count = 0u;
    for (var other = 0u; other < 64u; other++) {
      count += counters[lane * 64u + (other + lane) % 64u]; // each lane on another bank
    }
    scratch[uniforms.histogram + lane * uniforms.blocks + block] = count;
  }
}

@compute @workgroup_size(64)
fn placeRows(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroupIndex(workgroupId, workgroups);
  countInLanes(block, lane);
  let blocks = uniforms.blocks;
  let histogram = uniforms.histogram + lane / 4u * blocks;
  var sum = 0u;
  var sumBefore = 0u;
  for (var other = lane % 4u; other < blocks; other += 4u) {
    let count = scratch[histogram + other];
    sum += count;
    sumBefore += select(0u, count, other < block);
  }
  inAll[lane] = sum;
  before[lane] = sumBefore;
  workgroupBarrier();

  // Of a digit, where those of each lane go: behind those of smaller digits, of blocks before, of lanes before.
  if (lane < 16u) {
    var place = 0u;
    for (var part = 0u; part < 4u; part++) {
      place += before[lane * 4u + part];
    }
    for (var part = 0u; part < lane * 4u; part++) {
      place += inAll[part];
    }
    for (var other = 0u; other < 64u; other++) {
      let count = counters[lane * 64u + other];
      counters[lane * 64u + other] = place;
      place += count;
    }
  }
  workgroupBarrier();

  let first = (block * 64u + lane) * uniforms.laneSize;
  let end = min(first + uniforms.laneSize, uniforms.I);
  for (var place = first; place < end; place++) {
    let i = sortedAt(place);
    let counter = digitOf(i) * 64u + lane;
    scratch[uniforms.placed + counters[counter]] = i;
    counters[counter]++;
  }
}

@compute @workgroup_size(64)
fn startsOfRows(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  if (row > uniforms.R) {
    return;
  }
  var low = 0u;
  var high = uniforms.I;
  let steps = uniforms.steps;
  for (var halving = 0u; halving < steps; halving++) {
    let middle = (low + high) / 2u;
    if (low < high && rowOf(scratch[uniforms.sorted + min(middle, uniforms.I - 1u)]) < row) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  scratch[uniforms.starts + row] = low;
}

// At level 0 what a sorted index takes, above the sum of a chunk.
fn valueAt(level: u32, place: u32, column: u32) -> Element {
  if (level == 0u) {
    return dOutput[scratch[uniforms.sorted + place] * uniforms.D + column];
  }
  return sumAt(uniforms.sums[level - 1u] + place * uniforms.D + column);
}

fn sumOf(level: u32, first: u32, end: u32, column: u32) -> Element {
  let count = end - first;
  let quads = count / 4u;
  let chunks = (quads + 15u) / 16u;
  var total = Element(0.0);
  for (var chunk = 0u; chunk < chunks; chunk++) {
    let last = min(chunk * 16u + 16u, quads);
    var some = Element(0.0);
    for (var quad = chunk * 16u; quad < last; quad++) {
      let place = first + quad * 4u;
      let a = valueAt(level, place, column) + valueAt(level, place + 1u, column);
      let b = valueAt(level, place + 2u, column) + valueAt(level, place + 3u, column);
      some += a + b;
    }
    total += some;
  }
  for (var i = quads * 4u; i < count; i++) {
    total += valueAt(level, first + i, column);
  }
  return total;
}

@compute @workgroup_size(64)
fn sumChunks(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let chunk = i / uniforms.D;
  let level = uniforms.level;
  let size = 1u << (6u * level);
  if (chunk >= uniforms.I / size) {
    return;
  }
  let first = scratch[uniforms.sorted + chunk * size];
  let last = scratch[uniforms.sorted + chunk * size + size - 1u];
  if (rowOf(first) == rowOf(last)) {
    storeSum(uniforms.sums[level - 1u] + i, sumOf(level - 1u, chunk * 64u, chunk * 64u + 64u, i % uniforms.D));
  }
}

@compute @workgroup_size(64)
fn sumRows(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let row = i / uniforms.D;
  if (row >= uniforms.R) {
    return;
  }
  let column = i % uniforms.D;
  var begin = scratch[uniforms.starts + row];
  var end = scratch[uniforms.starts + row + 1u];
  var total = Element(0.0);
  var level = 0u;
  for (; level < LEVELS; level++) {
    if (end - begin < 128u) {
      break;
    }
    let inner = (begin + 63u) / 64u;
    let innerEnd = end / 64u;
    total += sumOf(level, begin, inner * 64u, column) + sumOf(level, innerEnd * 64u, end, column);
    begin = inner;
    end = innerEnd;
  }
  dTable[i] = total + sumOf(level, begin, end, column);
}

@compute @workgroup_size(64)
fn directSums(
  @builtin(workgroup_id) workgroupId: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroupIndex(workgroupId, workgroups) * 64u + lane;
  let row = i / uniforms.D;
  if (row >= uniforms.R) {
    return;
  }
  let chunks = (uniforms.I + 63u) / 64u;
  var total = Element(0.0);
  for (var chunk = 0u; chunk < chunks; chunk++) {
    let end = min(chunk * 64u + 64u, uniforms.I);
    var some = Element(0.0);
    for (var at = chunk * 64u; at < end; at++) {
      if (indices[at] == row) {
        some += dOutput[at * uniforms.D + i % uniforms.D];
      }
    }
    total += some;
  }
  dTable[i] = total;
}
