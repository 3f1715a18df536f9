/**
 * Widens 16-bit floats to float32, exactly (IEEE 754 binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction
 * bits). NaN stays NaN, infinities and signed zeros stay what they are.
 *
 * @param halves the bits of the numbers
 */
export function widenFloat16(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  const bits = new Int32Array(floats.buffer);
  for (const [i, half] of halves.entries()) bits[i] = widenedBits(half);
  return floats;
}

/**
 * Widens bfloat16 numbers to float32, exactly: they are the upper halves of float32 numbers.
 *
 * @param halves the bits of the numbers
 */
export function widenBfloat16(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  const bits = new Int32Array(floats.buffer);
  for (const [i, half] of halves.entries()) bits[i] = half << 16;
  return floats;
}

function widenedBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13); // infinity and NaN
  if (exponent > 0) return sign | ((exponent - 15 + 127) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: fraction · 2^-24 is a normal float32. `shift` moves its leading bit to the hidden place, bit 10.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
