// permutation.wgsl: the numbers 0 … count - 1 in an order made from (seed, epoch), as a function from place to number: the same
// numbers as lib/random.ts. Joined behind philox.wgsl.
//
// Method      a Feistel network of eight rounds over the smallest power of two that holds count (at least 64); a number
//             that is too large is sent through again until it is not (at most twice on average, beyond 64 rows)
// Cost        two Philox blocks and about a dozen mixes
// Source      Black & Rogaway 2002, "Ciphers with arbitrary finite domains"; round function: MurmurHash3's finalizer
// Reference   lib/random.ts (permutation)

override PERMUTATION_STREAM: u32 = 0u;

fn mix32(value: u32) -> u32 {
  var bits = (value ^ (value >> 16u)) * 0x85ebca6bu;
  bits = (bits ^ (bits >> 13u)) * 0xc2b2ae35u;
  return bits ^ (bits >> 16u);
}

// (low, high) half of a number after two rounds, for masks of the halves.
fn twoRounds(halves: vec2u, keys: vec2u, masks: vec2u) -> vec2u {
  let high = halves.y ^ (mix32(halves.x + keys.x) & masks.y);
  let low = halves.x ^ (mix32(high + keys.y) & masks.x);
  return vec2u(low, high);
}

fn permuted(place: u32, count: u32, seed: vec2u, epoch: u32) -> u32 {
  let bits = max(6u, 32u - countLeadingZeros(count - 1u));
  let lowBits = bits / 2u;
  let masks = vec2u((1u << lowBits) - 1u, (1u << (bits - lowBits)) - 1u);
  let first = philox4x32(vec4u(0u, epoch, PERMUTATION_STREAM, 0u), seed);
  let second = philox4x32(vec4u(1u, epoch, PERMUTATION_STREAM, 0u), seed);
  var number = place;
  loop {
    var halves = vec2u(number & masks.x, number >> lowBits);
    halves = twoRounds(halves, first.xy, masks);
    halves = twoRounds(halves, first.zw, masks);
    halves = twoRounds(halves, second.xy, masks);
    halves = twoRounds(halves, second.zw, masks);
    number = (halves.y << lowBits) | halves.x;
    if (number < count) {
      break;
    }
  }
  return number;
}

override SHUFFLE: bool = true;

// The row at a place that counts on from the beginning of an epoch, into the epochs behind it.
fn rowAt(place: u32, count: u32, seed: vec2u, epoch: u32) -> u32 {
  if (!SHUFFLE) {
    return place % count;
  }
  return permuted(place % count, count, seed, epoch + place / count);
}
