import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import decode, { init } from '@jsquash/jpeg/decode.js';
import type { DecodedPicture } from './decoded-picture.js';
import { isHarmless } from './jpeg-messages.js';

/** WebAssembly memory never shrinks: an instance that has decoded a picture of more pixels is not used again. */
const LARGE = 2 ** 24;

let binary: Promise<Uint8Array> | undefined;
let isReady = false;
/** What libjpeg has said about the picture at hand: its first warning, and what it ends with. */
let said: string[] = [];
let turn: Promise<unknown> = Promise.resolve();

/**
 * Decodes a JPEG file, turned as its EXIF orientation says, by libjpeg in WebAssembly: the package @jsquash/jpeg. Colour
 * profiles are left aside. Throws an Error with what libjpeg says, also for a warning behind which the picture is not whole.
 */
export function decodeWithMozjpeg(bytes: Uint8Array): Promise<DecodedPicture> {
  const result = turn.then(() => decodeNow(bytes)); // one by one: what was said must be of this picture
  turn = result.catch(() => undefined);
  return result;
}

async function decodeNow(bytes: Uint8Array): Promise<DecodedPicture> {
  if (!isReady) await start();
  said = [];
  let picture: ImageData;
  try {
    picture = await decode(new Uint8Array(bytes).buffer, { preserveOrientation: true });
  } catch (error) {
    isReady = false; // libjpeg has left the program
    throw new Error(said.join('; ') || String(error));
  }
  const { width, height, data } = picture;
  if (width * height > LARGE) isReady = false;
  const warning = said.find((text) => !isHarmless(text));
  if (warning !== undefined) throw new Error(warning);
  return { width, height, pixels: withoutAlpha(data) };
}

async function start(): Promise<void> {
  binary ??= readFile(createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'));
  const options = { noInitialRun: true, wasmBinary: await binary, printErr: (text: string) => void said.push(text) };
  await init(options); // Node's fetch reads no files, so the binary is handed in
  isReady = true;
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const pixels = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    pixels[to] = rgba[from] ?? 0;
    pixels[to + 1] = rgba[from + 1] ?? 0;
    pixels[to + 2] = rgba[from + 2] ?? 0;
  }
  return pixels;
}
