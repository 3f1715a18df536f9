// philox.wgsl: Philox 4x32-10, the same bits as lib/random.ts. Joined where random numbers are drawn.
//
// Source      Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011
// Method      ten rounds on a counter of four words with a key of two; WGSL has no 32 x 32 -> 64 bit product, so the
//             high word is put together from products of 16-bit halves
// Counter     (element / 4, step, stream, use): lib/random.ts says what they are

fn highProduct(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let t = aHigh * bLow + ((aLow * bLow) >> 16u);
  let w = (t & 0xffffu) + aLow * bHigh;
  return aHigh * bHigh + (t >> 16u) + (w >> 16u);
}

fn philox4x32(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0; round < 10; round++) {
    let high0 = highProduct(0xd2511f53u, c.x);
    let low0 = 0xd2511f53u * c.x;
    let high1 = highProduct(0xcd9e8d57u, c.z);
    let low1 = 0xcd9e8d57u * c.z;
    c = vec4u(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// 24 bits as a float in [0, 1): exact on every adapter.
fn unitFloat(bits: u32) -> f32 {
  return f32(bits >> 8u) * 0x1p-24;
}
