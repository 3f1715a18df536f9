import type { NumericArray } from './graph/operation.js';

/** 32-bit FNV-1a over the words of an array, and the bytes behind the last one: eight digits that tell arrays apart. */
export function hashOf(values: NumericArray): string {
  const { buffer, byteOffset, byteLength } = values.byteOffset % 4 === 0 ? values : values.slice();
  const words = new Uint32Array(buffer, byteOffset, Math.floor(byteLength / 4));
  const rest = new Uint8Array(buffer, byteOffset + words.byteLength, byteLength - words.byteLength);
  let hash = 0x811c9dc5;
  for (const part of [words, rest]) {
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ (part[i] ?? 0), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}
