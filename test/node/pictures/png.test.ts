import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import test from 'tape';
import { DataError, OptionError } from '../../../lib/errors.js';
import { refuses } from '../../support/errors.js';
import { decodePng, type DecodePngOptions, type Rgb } from '../../../lib/node/pictures/png.js';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const GREY = 0;
const COLOUR = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const COLOUR_ALPHA = 6;

function chunk(type: string, data: Iterable<number> = []): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Uint8Array.from(data)]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(body.length - 4);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function header(width: number, height: number, depth: number, colourType: number, interlace = 0): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colourType, 0, 0, interlace], 8);
  return chunk('IHDR', data);
}

/** Rows of samples, packed to bytes without a filter. */
function scanlines(rows: readonly (readonly number[])[], depth: number): Buffer {
  return Buffer.concat(
    rows.map((row) => {
      const bits = row.map((sample) => sample.toString(2).padStart(depth, '0')).join('');
      const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, '0'), 2));
      return Uint8Array.of(0, ...bytes);
    }),
  );
}

/** A PNG file of rows of samples; a pixel has as many samples as the colour type has channels. */
function encode(
  rows: readonly (readonly number[])[],
  depth: number,
  colourType: number,
  { before = [], interlaced = false }: { before?: Buffer[]; interlaced?: boolean } = {},
): Buffer {
  const channels = [1, 0, 3, 1, 2, 0, 4][colourType] ?? 0;
  const [width, height] = [(rows[0]?.length ?? 0) / channels, rows.length];
  const passes = interlaced ? adam7(rows, channels) : [rows];
  const raw = Buffer.concat(passes.map((pass) => scanlines(pass, depth)));
  return Buffer.concat([
    SIGNATURE,
    header(width, height, depth, colourType, interlaced ? 1 : 0),
    ...before,
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND'),
  ]);
}

/** The seven passes of an interlaced picture, from the 8 x 8 table of the PNG specification, section 8.2. */
function adam7(rows: readonly (readonly number[])[], channels: number): number[][][] {
  const table = ['16462646', '77777777', '56565656', '77777777', '36463646', '77777777', '56565656', '77777777'];
  return [1, 2, 3, 4, 5, 6, 7].map((pass) =>
    rows
      .map((row, y) => row.filter((_, i) => table[y % 8]?.[Math.floor(i / channels) % 8] === String(pass)))
      .filter((row) => row.length > 0),
  );
}

function pixelsOf(file: Uint8Array, background?: Rgb): number[] {
  return [...decodePng(file, background === undefined ? {} : { background }).pixels];
}

/** One pixel of each grey. */
function greys(...values: number[]): number[] {
  return values.flatMap((value) => [value, value, value]);
}

test('8-bit RGB is given as it is, with width and height', (t) => {
  const file = encode(
    [
      [1, 2, 3, 4, 5, 6],
      [7, 8, 9, 10, 11, 12],
      [253, 254, 255, 0, 128, 64],
    ],
    8,
    COLOUR,
  );
  const { width, height, pixels } = decodePng(file);
  t.deepEqual([width, height], [2, 3]);
  t.deepEqual(pixels, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 253, 254, 255, 0, 128, 64));
  t.end();
});

test('16-bit samples are rounded to 8 bits', (t) => {
  // 255 / 65535 = 1 / 257: 128 / 257 = 0.498, 129 / 257 = 0.502, 0x1234 / 257 = 18.13
  t.deepEqual(pixelsOf(encode([[0, 128, 129, 0x1234, 65406, 65535]], 16, COLOUR)), [0, 0, 1, 18, 254, 255]);
  t.deepEqual(pixelsOf(encode([[0, 257, 65535]], 16, GREY)), greys(0, 1, 255));
  t.end();
});

test('grey of 1, 2, 4 and 8 bits is spread over 0 to 255', (t) => {
  t.deepEqual(pixelsOf(encode([[0, 1, 1, 0, 1, 0, 0, 0, 1, 0]], 1, GREY)), greys(0, 255, 255, 0, 255, 0, 0, 0, 255, 0));
  t.deepEqual(
    pixelsOf(
      encode(
        [
          [0, 1, 2, 3, 1],
          [3, 2, 1, 0, 0],
        ],
        2,
        GREY,
      ),
    ),
    greys(0, 85, 170, 255, 85, 255, 170, 85, 0, 0),
  );
  t.deepEqual(
    pixelsOf(
      encode(
        [
          [0, 1, 8],
          [15, 7, 2],
        ],
        4,
        GREY,
      ),
    ),
    greys(0, 17, 136, 255, 119, 34),
  );
  t.deepEqual(pixelsOf(encode([[0, 1, 200]], 8, GREY)), greys(0, 1, 200));
  t.end();
});

test('transparency is laid over white, or over the background that is given', (t) => {
  // Over white: 51 · 100 + 204 · 255 = 57120 = 224 · 255. Over [0, 50, 255]: 20, 60, 224.
  const colour = encode([[100, 100, 100, 51, 9, 8, 7, 0, 9, 8, 7, 255]], 8, COLOUR_ALPHA);
  t.deepEqual(pixelsOf(colour), [224, 224, 224, 255, 255, 255, 9, 8, 7]);
  t.deepEqual(pixelsOf(colour, [0, 50, 255]), [20, 60, 224, 0, 50, 255, 9, 8, 7]);
  t.deepEqual(pixelsOf(encode([[100, 51, 9, 0, 9, 255]], 8, GREY_ALPHA)), greys(224, 255, 9));
  t.deepEqual(pixelsOf(encode([[25700, 13107, 0, 0]], 16, GREY_ALPHA)), greys(224, 255), '16-bit grey with alpha');
  t.deepEqual(pixelsOf(encode([[25700, 25700, 25700, 13107]], 16, COLOUR_ALPHA)), greys(224), '16-bit RGBA');
  t.end();
});

test('palettes are looked up, and colours without an entry in the transparency chunk are opaque', (t) => {
  const palette = chunk('PLTE', [10, 20, 30, 100, 100, 100, 7, 8, 9]);
  const before = [palette, chunk('tRNS', [0, 51])];
  const rows = [
    [0, 1, 2, 1, 0],
    [2, 2, 1, 0, 1],
  ];
  const opaque = [
    [10, 20, 30],
    [100, 100, 100],
    [7, 8, 9],
  ];
  const over = [
    [255, 255, 255],
    [224, 224, 224],
    [7, 8, 9],
  ];
  for (const depth of [2, 4, 8]) {
    t.deepEqual(
      pixelsOf(encode(rows, depth, PALETTE, { before: [palette] })),
      rows.flat().flatMap((i) => opaque[i] ?? []),
    );
    t.deepEqual(
      pixelsOf(encode(rows, depth, PALETTE, { before })),
      rows.flat().flatMap((i) => over[i] ?? []),
      `${depth} bits`,
    );
  }
  t.deepEqual(pixelsOf(encode([[1, 0, 1]], 1, PALETTE, { before })), [224, 224, 224, 255, 255, 255, 224, 224, 224]);
  t.end();
});

test('one grey or one colour can be the transparent one, compared in all of its bits', (t) => {
  t.deepEqual(pixelsOf(encode([[3, 4, 3]], 8, GREY, { before: [chunk('tRNS', [0, 3])] }), [9, 9, 9]), greys(9, 4, 9));
  t.deepEqual(pixelsOf(encode([[0, 1, 2]], 2, GREY, { before: [chunk('tRNS', [0, 1])] }), [9, 9, 9]), greys(0, 9, 170));
  const colour = encode([[1, 2, 3, 1, 2, 4]], 8, COLOUR, { before: [chunk('tRNS', [0, 1, 0, 2, 0, 3])] });
  t.deepEqual(pixelsOf(colour, [9, 8, 7]), [9, 8, 7, 1, 2, 4]);
  const deep = encode([[0x0101, 0, 0, 0x0102, 0, 0]], 16, COLOUR, { before: [chunk('tRNS', [1, 1, 0, 0, 0, 0])] });
  t.deepEqual(pixelsOf(deep, [9, 8, 7]), [9, 8, 7, 1, 0, 0], 'the two differ in the low byte only');
  t.end();
});

test('interlaced pictures of every size up to 9 x 9 are those of their plain version', (t) => {
  const kinds = [
    [1, GREY],
    [2, GREY],
    [8, COLOUR],
    [16, COLOUR],
    [8, COLOUR_ALPHA],
    [4, PALETTE],
  ] as const;
  let different = 0;
  for (const [depth, colourType] of kinds) {
    const channels = { [GREY]: 1, [COLOUR]: 3, [PALETTE]: 1, [COLOUR_ALPHA]: 4 }[colourType];
    const before =
      colourType === PALETTE
        ? [
            chunk(
              'PLTE',
              Array.from({ length: 48 }, (_, i) => 5 * i),
            ),
          ]
        : [];
    for (let width = 1; width <= 9; width++) {
      for (let height = 1; height <= 9; height++) {
        const rows = Array.from({ length: height }, (_, y) =>
          Array.from({ length: width * channels }, (_, i) => (i * i * 31 + y * 1237 + i * y * 7 + 3) % 2 ** depth),
        );
        const plain = decodePng(encode(rows, depth, colourType, { before }));
        const interlaced = decodePng(encode(rows, depth, colourType, { before, interlaced: true }));
        if (JSON.stringify(plain) !== JSON.stringify(interlaced)) different++;
        if (interlaced.width !== width || interlaced.height !== height) different++;
      }
    }
  }
  t.equal(different, 0, '486 pictures');
  const known = decodePng(
    encode(
      [
        [1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12],
      ],
      8,
      COLOUR,
      { interlaced: true },
    ),
  );
  t.deepEqual([...known.pixels], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  t.end();
});

test('what pngjs writes, with filtered rows, is read back', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(4),
      fc.nat(255),
      (width, height, filterType, step) => {
        const png = new PNG({ width, height });
        for (let i = 0; i < png.data.length; i++) png.data[i] = i % 4 === 3 ? 255 : (i * step + ((i * i) >> 3)) & 255;
        const expected = [...png.data].filter((_, i) => i % 4 !== 3);
        const file = PNG.sync.write(png, { filterType, colorType: 2 });
        return JSON.stringify(pixelsOf(file)) === JSON.stringify(expected);
      },
    ),
  );
  t.pass('100 pictures');
  t.end();
});

const samples = new Map([
  [
    'an RGB file',
    encode(
      [
        [1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12],
      ],
      8,
      COLOUR,
    ),
  ],
  ['a file whose image data are in two chunks', twoPieces()],
  [
    'an interlaced palette file',
    encode(
      [
        [0, 1, 2],
        [2, 1, 0],
      ],
      2,
      PALETTE,
      {
        interlaced: true,
        before: [chunk('PLTE', [1, 2, 3, 4, 5, 6, 7, 8, 9]), chunk('tRNS', [0]), chunk('tEXt', Buffer.from('a\0b'))],
      },
    ),
  ],
]);

function twoPieces(): Buffer {
  const deflated = deflateSync(
    scanlines(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      8,
    ),
  );
  const pieces = [chunk('IDAT', deflated.subarray(0, 5)), chunk('IDAT'), chunk('IDAT', deflated.subarray(5))];
  return Buffer.concat([SIGNATURE, header(1, 2, 8, COLOUR), ...pieces, chunk('IEND')]);
}

/** The message of the DataError that the file is refused with, or what else happened. */
function refusal(file: Uint8Array, options: DecodePngOptions = {}): string {
  try {
    decodePng(file, { source: 'wrench.png', ...options });
    return 'read';
  } catch (error) {
    return error instanceof DataError ? error.message : `not a DataError: ${String(error)}`;
  }
}

test('a file cut off at any byte is refused', (t) => {
  for (const [what, file] of samples) {
    t.equal(refusal(file), 'read', `${what} is whole`);
    const lengths = [...file.keys()];
    const others = lengths.filter(
      (length) => !/^wrench\.png: .*(cut off|empty)/.test(refusal(file.subarray(0, length))),
    );
    t.deepEqual(others, [], `all of ${lengths.length} cuts are refused`);
  }
  t.end();
});

test('a file with any one byte changed is refused', (t) => {
  for (const [what, file] of samples) {
    let accepted = 0;
    for (const position of file.keys()) {
      for (const change of [1, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(file);
        changed[position] = (changed[position] ?? 0) ^ change;
        if (!refusal(changed).startsWith('wrench.png: ')) accepted++;
      }
    }
    t.equal(accepted, 0, what);
  }
  t.end();
});

test('giants of every kind are refused by their header, unless the limit is raised', (t) => {
  // 8,193 x 8,193 is the first square beyond 2^26 pixels. The image data are those of a small picture.
  const data = chunk('IDAT', deflateSync(new Uint8Array(100)));
  const read = PNG.sync.read.bind(PNG.sync);
  let decoded = 0;
  PNG.sync.read = (...given) => {
    decoded++;
    return read(...given);
  };
  for (const [depth, colourType] of [
    [1, GREY],
    [8, COLOUR],
    [16, COLOUR_ALPHA],
    [8, PALETTE],
  ] as const) {
    for (const interlace of [0, 1]) {
      const file = (width: number, height: number) =>
        Buffer.concat([
          SIGNATURE,
          header(width, height, depth, colourType, interlace),
          chunk('PLTE', [1, 2, 3]),
          data,
          chunk('IEND'),
        ]);
      t.match(refusal(file(8193, 8193)), /a picture of 8193 x 8193 pixels; at most 67108864 are read/);
      t.match(refusal(file(2 ** 26 + 1, 1)), /at most 67108864 are read/);
      t.match(refusal(file(8192, 8192)), /image data end after 100 of \d+ bytes/, 'within the limit it is looked at');
      t.match(refusal(file(8193, 8193), { maxPixels: 8193 * 8193 }), /image data end after 100 of \d+ bytes/);
      t.match(refusal(file(3, 3), { maxPixels: 8 }), /3 x 3 pixels; at most 8 are read/);
      t.equal(decoded, 0, 'nothing is decoded');
    }
  }
  PNG.sync.read = read;
  t.end();
});

test('options that are none are refused', (t) => {
  const [file = Buffer.alloc(0)] = samples.values();
  const decode = (options: unknown) => () => decodePng(file, options as DecodePngOptions);
  refuses(t, decode({ backround: [1, 2, 3] }), OptionError, "unknown option 'backround' (did you mean 'background'?)");
  refuses(t, decode({ background: [1, 2, 256] }), OptionError, 'background must be three whole numbers from 0 to 255');
  refuses(t, decode({ background: 'white' }), OptionError, 'background must be');
  for (const bytes of [new ArrayBuffer(9), 'abc', undefined]) {
    refuses(t, () => decodePng(bytes as never), OptionError, 'decodePng: bytes must be a Uint8Array');
  }
  refuses(t, decode({ source: 3 }), OptionError, 'source must be a text');
  refuses(t, decode({ maxPixels: 1.5 }), OptionError, 'maxPixels must be a whole number of 1 or more');
  t.end();
});

test('bytes behind the end mark are ignored', (t) => {
  const [file] = samples.values();
  t.deepEqual(
    decodePng(Buffer.concat([file ?? Buffer.alloc(0), Buffer.from('more')])),
    decodePng(file ?? Buffer.alloc(0)),
  );
  t.end();
});

test('a file that is no PNG is refused, and common kinds are named', (t) => {
  t.equal(refusal(new Uint8Array(0)), 'wrench.png: the file is empty');
  t.equal(refusal(Buffer.from('hello, this is a text')), 'wrench.png: it is not a PNG file');
  t.equal(refusal(Buffer.from('hi')), 'wrench.png: it is not a PNG file');
  t.equal(refusal(Buffer.from('\xff\xd8\xff\xe0 JFIF', 'latin1')), 'wrench.png: it is not a PNG file but a JPEG file');
  t.equal(refusal(Buffer.from('GIF89a')), 'wrench.png: it is not a PNG file but a GIF file');
  t.equal(refusal(Buffer.from('RIFF1234WEBPVP8 ')), 'wrench.png: it is not a PNG file but a WebP file');
  t.equal(refusal(Buffer.from('RIFF1234WAVEfmt ')), 'wrench.png: it is not a PNG file');
  t.equal(refusal(Buffer.from('\0\0\0\x20ftypavif')), 'wrench.png: it is not a PNG file but an HEIC or AVIF file');
  t.equal(refusal(Buffer.from('<!DOCTYPE html>')), 'wrench.png: it is not a PNG file but a web page');
  t.equal(
    refusal(Buffer.from('version https://git-lfs.github.com/spec/v1')),
    'wrench.png: it is not a PNG file but a pointer of Git LFS (git lfs pull)',
  );
  t.match(
    refusal(Buffer.concat([SIGNATURE, Buffer.from('this is not a chunk at all')])),
    /^wrench\.png: it is cut off|no chunk/,
  );
  t.throws(() => decodePng(Buffer.from('hi')), /^DataError: PNG data: it is not/, 'without a source');
  t.end();
});

test('a PNG with right checksums but wrong contents is refused with the reason', (t) => {
  const rows = scanlines([[1, 2, 3]], 8);
  const image = chunk('IDAT', deflateSync(rows));
  const palette = chunk('PLTE', [1, 2, 3]);
  const file = (...chunks: Buffer[]): Buffer => Buffer.concat([SIGNATURE, ...chunks, chunk('IEND')]);
  const rgb = header(1, 1, 8, COLOUR);
  const cases: [string, Buffer, RegExp][] = [
    ['the control case', file(rgb, image), /^read$/],
    ['no header', file(image), /does not begin with chunk IHDR/],
    ['two headers', file(rgb, rgb, image), /a second chunk IHDR/],
    ['a short header', file(chunk('IHDR', [0, 0, 0, 1]), image), /a header of 4 bytes/],
    ['no image data', file(rgb), /no image data/],
    ['a width of 0', file(header(0, 1, 8, COLOUR), image), /0 x 1 pixels/],
    [
      'a size beyond memory',
      file(header(2 ** 31 - 1, 2 ** 31 - 1, 8, COLOUR), image),
      /2147483647 x 2147483647 pixels; at most/,
    ],
    ['RGB of 4 bits', file(header(1, 1, 4, COLOUR), image), /colour type 2 with 4 bits/],
    ['colour type 5', file(header(1, 1, 8, 5), image), /colour type 5/],
    ['interlacing of another kind', file(header(1, 1, 8, COLOUR, 2), image), /interlacing 2/],
    ['image data that are too short', file(header(1, 2, 8, COLOUR), image), /end after 4 of 8 bytes/],
    [
      'image data that are too long',
      file(rgb, chunk('IDAT', deflateSync(Buffer.alloc(100_000)))),
      /longer than its size says, 4 bytes/,
    ],
    ['image data cut off', file(rgb, chunk('IDAT', deflateSync(rows).subarray(0, -3))), /image data are damaged/],
    ['image data that are not deflated', file(rgb, chunk('IDAT', rows)), /image data are damaged/],
    ['an unknown filter', file(rgb, chunk('IDAT', deflateSync(Uint8Array.of(9, 1, 2, 3)))), /filter type - 9/],
    [
      'no palette',
      file(header(1, 1, 8, PALETTE), chunk('IDAT', deflateSync(Uint8Array.of(0, 0)))),
      /palette is missing/,
    ],
    ['half a palette', file(header(1, 1, 8, PALETTE), chunk('PLTE', [1, 2]), image), /palette of 2 bytes/],
    [
      'a colour outside of the palette',
      file(header(1, 1, 8, PALETTE), palette, chunk('IDAT', deflateSync(Uint8Array.of(0, 1)))),
      /index 1 not in palette/,
    ],
    [
      'more transparency than palette',
      file(header(1, 1, 8, PALETTE), palette, chunk('tRNS', [1, 2]), image),
      /transparency chunk of 2 bytes/,
    ],
    ['half a transparent colour', file(rgb, chunk('tRNS', [1, 2]), image), /transparency chunk of 2 bytes/],
    ['a critical chunk that nobody knows', file(rgb, chunk('ABCD'), image), /chunk ABCD is unknown/],
  ];
  for (const [what, bytes, reason] of cases) t.match(refusal(bytes), reason, what);
  t.end();
});

test('chunks of any contents never make the reader throw anything but DataError', (t) => {
  const data = fc.uint8Array({ maxLength: 20 });
  const ihdr = fc
    .tuple(fc.nat(9), fc.nat(9), fc.constantFrom(1, 2, 4, 8, 16), fc.constantFrom(0, 2, 3, 4, 6), fc.nat(1))
    .map((fields) => header(...fields));
  const optional = fc.oneof(
    fc
      .tuple(fc.constantFrom('PLTE', 'tRNS', 'gAMA', 'bKGD', 'IDAT', 'IEND', 'tEXt'), data)
      .map(([type, bytes]) => chunk(type, bytes)),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => chunk('IDAT', deflateSync(bytes))),
  );
  let read = 0;
  fc.assert(
    fc.property(ihdr, fc.array(optional, { maxLength: 4 }), (first, rest) => {
      const outcome = refusal(Buffer.concat([SIGNATURE, first, ...rest, chunk('IEND')]));
      if (outcome === 'read') read++;
      return outcome === 'read' || outcome.startsWith('wrench.png: ');
    }),
    { numRuns: 3000 },
  );
  t.pass(`3000 files, of which ${read} were read`);
  t.end();
});
