// float16.wgsl: 16-bit floats (IEEE 754 binary16) by integer arithmetic, two in a word of 32 bits, the first one in the
// lower half. Joined in front of cast.wgsl and of stages that read or write such numbers (lib/fusion/glue.ts).
//
// Rounding    to the nearest 16-bit float, of two to the even one: what pack2x16float gives beyond 65504, and for a number
//             between two, is up to the adapter. unpack2x16float is exact.
// Cost        rounding some 15 integer operations, reading 1 to 3
// Reference   lib/float16.ts

// The bits of the 16-bit float next to a number. Its last place is the lowest bit that `dropped` leaves of the fraction;
// below 2^-14 all have the place 2^-24, and the leading bit is no longer left out.
fn float16Bits(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) {
    return sign | 0x7e00u; // NaN
  }
  if (size >= 0x47800000u) {
    return sign | 0x7c00u; // 65536 and more: infinity, where 65520 and more arrive by rounding up
  }
  let isNormal = size >= 0x38800000u;
  let dropped = select(min(126u - (size >> 23u), 25u), 13u, isNormal);
  let digits = select((size & 0x7fffffu) | 0x800000u, size - 0x38000000u, isNormal);
  let isOdd = (digits >> dropped) & 1u;
  return sign | ((digits + (1u << (dropped - 1u)) - 1u + isOdd) >> dropped);
}

fn nearestFloat16(value: f32) -> f32 {
  return unpack2x16float(float16Bits(value)).x;
}

// Of a word, the number of an element, which is in the half that its place says.
fn float16In(word: u32, index: u32) -> f32 {
  return unpack2x16float(word >> (16u * (index % 2u))).x;
}

fn float16Quad(words: vec2u) -> vec4f {
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn float16Words(quad: vec4f) -> vec2u {
  return vec2u(
    float16Bits(quad.x) | (float16Bits(quad.y) << 16u),
    float16Bits(quad.z) | (float16Bits(quad.w) << 16u),
  );
}
