/**
 * The 16-bit float next to a number, of two equally near ones the even one (IEEE 754 binary16). From 65520 on that is
 * infinity; below 2^-14 numbers are multiples of 2^-24.
 */
export function roundToFloat16(value: number): number {
  const size = Math.abs(value);
  if (size >= 65_520) return value < 0 ? -Infinity : Infinity;
  // Eleven binary digits. Above 2^52 such spacings, a float64 has no room for a part of one: the addition rounds.
  const spacing = 2 ** (Math.max(Math.floor(Math.log2(size)), -14) - 10);
  const shift = 1.5 * 2 ** 52 * spacing;
  const rounded = size + shift - shift;
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
}

/** Numbers as 16-bit floats, two in a word of 32 bits, the first one in the lower half: as GPU buffers hold them. */
export function packFloat16(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) {
    words[i >> 1] = (words[i >> 1] ?? 0) | (narrowedBits(roundToFloat16(values[i] ?? 0)) << (16 * (i & 1)));
  }
  return words;
}

/** The first `count` numbers of {@link packFloat16}'s words. */
export function unpackFloat16(words: Uint32Array, count: number): Float32Array<ArrayBuffer> {
  const halves = new Uint16Array(count);
  for (let i = 0; i < count; i++) halves[i] = (words[i >> 1] ?? 0) >>> (16 * (i & 1));
  return widenFloat16(halves);
}

/**
 * Widens 16-bit floats to float32, exactly (IEEE 754 binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction
 * bits). NaN stays NaN, infinities and signed zeros stay what they are.
 *
 * @param halves the bits of the numbers
 */
export function widenFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  const bits = new Int32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = widenedBits(halves[i] ?? 0);
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
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] ?? 0) << 16;
  return floats;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The bits of a number that is a 16-bit float. */
function narrowedBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00; // whatever its sign bit: engines do not keep it
  scratch[0] = value;
  const [bits = 0] = scratchBits;
  const sign = (bits >>> 16) & 0x8000;
  if (!Number.isFinite(value)) return sign | 0x7c00;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  return sign | (((bits & 0x7fffffff) - ((127 - 15) << 23)) >>> 13);
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
