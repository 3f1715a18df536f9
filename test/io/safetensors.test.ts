import fc from 'fast-check';
import test from 'tape';
import { DataError, OptionError, ShapeError } from '../../lib/errors.js';
import { refuses } from '../support/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js';
import type { SafetensorsTensor } from '../../lib/io/safetensors-types.js';

/** A file of any header and any data, to be broken in one place by each test. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array(0), headerLength?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const eightBytes = new Uint8Array(8);
const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

test('safetensors are written byte for byte as the reference writes them', (t) => {
  const file = encodeSafetensors(
    {
      u: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
      b: { dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) },
      a: { dtype: 'I32', shape: [1, 1], data: Int32Array.of(-1) },
      z: { dtype: 'F64', shape: [], data: Float64Array.of(2.5) },
      empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
      '\u{1f600}': { dtype: 'U8', shape: [1], data: Uint8Array.of(4) }, // after U+FF9E by code point, before it in UTF-16
      '\uff9e': { dtype: 'U8', shape: [1], data: Uint8Array.of(5) },
    },
    { k: 'v "q"' },
  );
  // The layout was compared with Python's safetensors 0.8.0, `safetensors.numpy.save`, on a file of this kind.
  const header =
    '{"__metadata__":{"k":"v \\"q\\""},' +
    '"z":{"dtype":"F64","shape":[],"data_offsets":[0,8]},' +
    '"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},' +
    '"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[16,16]},' +
    '"a":{"dtype":"I32","shape":[1,1],"data_offsets":[16,20]},' +
    '"u":{"dtype":"U8","shape":[3],"data_offsets":[20,23]},' +
    '"\uff9e":{"dtype":"U8","shape":[1],"data_offsets":[23,24]},' +
    '"\u{1f600}":{"dtype":"U8","shape":[1],"data_offsets":[24,25]}}';
  const headerBytes = new TextEncoder().encode(header).length;
  const padded = Math.ceil(headerBytes / 8) * 8;
  t.equal(new DataView(file.buffer).getBigUint64(0, true), BigInt(padded), 'the length counts the padding');
  t.equal(new TextDecoder().decode(file.subarray(8, 8 + padded)), header + ' '.repeat(padded - headerBytes));
  t.deepEqual(
    [...file.subarray(8 + padded)],
    [...[0, 0, 0, 0, 0, 0, 4, 0x40], ...[0, 0, 0x80, 0x3f], ...[0, 0, 0, 0xc0], ...[255, 255, 255, 255], 1, 2, 3, 5, 4],
  );
  t.end();
});

test('the order in which tensors are given does not change the file, nor does a map instead of a record', (t) => {
  const b: SafetensorsTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
  const a: SafetensorsTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(2) };
  t.deepEqual(encodeSafetensors({ b, a }), encodeSafetensors({ a, b }));
  t.deepEqual(
    encodeSafetensors(
      new Map([
        ['b', b],
        ['a', a],
      ]),
    ),
    encodeSafetensors({ a, b }),
  );
  t.end();
});

test('F16 and BF16 are widened to F32', (t) => {
  // 1, -2, smallest subnormal 2^-24, largest subnormal 1023 · 2^-24, 65504, infinity, -0
  const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0x8000);
  const brain = Uint16Array.of(0x3f80, 0xff80); // 1, -infinity
  const data = Uint8Array.of(...new Uint8Array(half.buffer), ...new Uint8Array(brain.buffer));
  const { tensors } = decodeSafetensors(
    fileOf(
      {
        half: { dtype: 'F16', shape: [7], data_offsets: [0, 14] },
        brain: { dtype: 'BF16', shape: [2], data_offsets: [14, 18] },
      },
      data,
    ),
  );
  const expected = Float32Array.of(1, -2, 2 ** -24, 1023 * 2 ** -24, 65504, Infinity, -0);
  t.deepEqual(tensors.get('half'), { dtype: 'F32', shape: [7], data: expected });
  t.ok(Object.is(tensors.get('half')?.data[6], -0), 'minus zero keeps its sign');
  t.deepEqual(tensors.get('brain')?.data, Float32Array.of(1, -Infinity));
  t.end();
});

test('tensors are read where neither the file nor the tensor is aligned', (t) => {
  const header = {
    byte: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
    wide: { dtype: 'F64', shape: [1], data_offsets: [1, 9] },
  };
  const file = fileOf(header, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 4, 0x40));
  for (let shift = 0; shift < 8; shift++) {
    const larger = Buffer.alloc(file.length + 8); // a Node Buffer, whose slice() would not copy
    larger.set(file, shift);
    const { tensors } = decodeSafetensors(larger.subarray(shift, shift + file.length));
    t.deepEqual(tensors.get('wide')?.data, Float64Array.of(2.5), `shifted by ${shift}`);
    t.deepEqual(tensors.get('byte')?.data, Uint8Array.of(7));
  }
  t.end();
});

test('a header without tensors is a file without tensors', (t) => {
  t.equal(decodeSafetensors(fileOf({})).tensors.size, 0);
  t.deepEqual(decodeSafetensors(fileOf({ __metadata__: { a: 'b' } })).metadata, { a: 'b' });
  t.end();
});

test('broken safetensors are refused with the source, the tensor and the reason', (t) => {
  t.equal(decodeSafetensors(fileOf({ w: good }, eightBytes)).tensors.size, 1, 'the control case is read');
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /0 bytes/],
    ['7 bytes', new Uint8Array(7), /7 bytes/],
    ['a header beyond the file', fileOf({}, eightBytes, 11n), /needs 11 bytes, but only 10 follow/],
    ['an absurd header', fileOf({}, eightBytes, 2n ** 63n), /header of 9223372036854775808 bytes/],
    ['a header over 100 MB', fileOf({}, eightBytes, 100_000_001n), /header of 100000001 bytes/],
    ['no JSON', fileOf('{"w":'), /not JSON/],
    ['no UTF-8', fileOf({}, Uint8Array.of(0xff), 3n), /not JSON in UTF-8/],
    ['a list', fileOf([]), /not a JSON object/],
    ['a space before the header', fileOf(' {}'), /not a JSON object/],
    ['a byte order mark', fileOf('\ufeff{}'), /not JSON/],
    [
      'a name twice',
      fileOf(`{"w":${JSON.stringify(good)},"\\u0077":${JSON.stringify(good)}}`, eightBytes),
      /"w" twice/,
    ],
    [
      'a field twice',
      fileOf('{"w":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}', eightBytes),
      /"dtype" twice/,
    ],
    ['metadata that are no texts', fileOf({ __metadata__: { epoch: 3 } }), /entry "epoch" is not a text/],
    ['metadata in a list', fileOf({ __metadata__: [] }), /not an object of texts/],
    ['a tensor that is no object', fileOf({ w: 3 }), /tensor "w" is not described/],
    ['an unknown type', fileOf({ w: { ...good, dtype: 'toString' } }, eightBytes), /"w" has the type "toString"/],
    ['a size that is listed wrong', fileOf({ w: { ...good, dtype: 'I8' } }, eightBytes), /needs 2 bytes, but it has 8/],
    [
      'part of a byte',
      fileOf({ w: { dtype: 'F4', shape: [3], data_offsets: [0, 2] } }, new Uint8Array(2)),
      /needs 1.5 bytes, but it has 2/,
    ],
    ['a name that clears the screen', fileOf({ '\x9b2J\x1b': 3 }), /tensor "\\u\{9b\}2J\\u001b" is not described/],
    ['no type', fileOf({ w: { shape: [2], data_offsets: [0, 8] } }, eightBytes), /"w" has the type nothing/],
    ['a negative size', fileOf({ w: { ...good, shape: [-2] } }, eightBytes), /"w" has the shape \[-2\]/],
    ['a fractional size', fileOf({ w: { ...good, shape: [0.5, 4] } }, eightBytes), /"w" has the shape \[0.5,4\]/],
    ['a shape of texts', fileOf({ w: { ...good, shape: ['2'] } }, eightBytes), /"w" has the shape \["2"\]/],
    ['sizes beyond 2^53', fileOf({ w: { ...good, shape: [2 ** 30, 2 ** 30] } }, eightBytes), /"w".* needs NaN bytes/],
    [
      'a shape that is too large',
      fileOf({ w: { ...good, shape: [3] } }, eightBytes),
      /"w".* needs 12 bytes, but it has 8/,
    ],
    [
      'a shape nested without end',
      fileOf(`{"w":{"dtype":"F32","shape":${'['.repeat(100_000)}${']'.repeat(100_000)},"data_offsets":[0,0]}}`),
      /the header is nested more than 3 deep/,
    ],
    ['three offsets', fileOf({ w: { ...good, data_offsets: [0, 4, 8] } }, eightBytes), /"w" has the data_offsets/],
    ['offsets beyond the data', fileOf({ w: good }, new Uint8Array(7)), /"w" lies at bytes 0 to 8, outside/],
    ['offsets in reverse', fileOf({ w: { ...good, data_offsets: [8, 0] } }, eightBytes), /"w" lies at bytes 8 to 0/],
    ['a negative offset', fileOf({ w: { ...good, data_offsets: [-8, 0] } }, eightBytes), /"w" has the data_offsets/],
    ['data left over', fileOf({ w: good }, new Uint8Array(9)), /end at byte 8 of the data, but there are 9/],
    [
      'overlapping tensors',
      fileOf({ v: good, w: { ...good, data_offsets: [4, 12] } }, new Uint8Array(12)),
      /"w".* overlap/,
    ],
    ['a gap', fileOf({ v: good, w: { ...good, data_offsets: [9, 17] } }, new Uint8Array(17)), /"w".* gap after byte 8/],
  ];
  for (const [what, file, reason] of cases) {
    try {
      decodeSafetensors(file, 'net.safetensors');
      t.fail(`${what} is refused`);
    } catch (error) {
      t.ok(error instanceof DataError, `${what} is a DataError`);
      t.match(String(error), /net\.safetensors: /);
      t.match(String(error), reason);
    }
  }
  t.end();
});

test('a header that JSON.parse would make minutes and gigabytes of is refused without it', (t) => {
  const count = 3_000_000;
  const cases: [string, string, RegExp][] = [
    ['lists in lists', '['.repeat(count) + ']'.repeat(count), /the header is nested more than 3 deep/],
    ['objects in objects', `${'{"":'.repeat(count)}0${'}'.repeat(count)}`, /the header is nested more than 3 deep/],
    ['brackets that never close', '[{'.repeat(count), /the header is nested more than 3 deep/],
    ['a list of lists', `{"w":[${'[],'.repeat(count)}0]}`, /the header has more than 2097152 values/],
    ['a list of objects', `{"w":[${'{},'.repeat(count)}0]}`, /the header has more than 2097152 values/],
    ['a shape of many sizes', `{"w":{"shape":[${'0,'.repeat(count)}0]}}`, /the header has more than 2097152 values/],
    ['a name many times', `{${'"w":{},'.repeat(count)}"w":{}}`, /the header has more than 2097152 values/],
    ['commas', ','.repeat(count), /the header has more than 2097152 values/],
  ];
  const { parse } = JSON;
  let parsed = 0;
  JSON.parse = (...given) => {
    parsed++;
    return parse(...given) as unknown;
  };
  try {
    for (const [what, header, reason] of cases) {
      t.throws(() => decodeSafetensors(fileOf(header)), reason, what);
      t.equal(parsed, 0, 'it is not parsed');
    }
    t.deepEqual(decodeSafetensors(fileOf('{}')).tensors, new Map());
    t.equal(parsed, 1, 'the control');
  } finally {
    JSON.parse = parse;
  }
  t.end();
});

test('brackets and commas inside of texts are texts', (t) => {
  const metadata = { 'a"[[[[': '{[{[{['.repeat(1000), '\\': ',[{"\\'.repeat(1_000_000), b: '\\"[[[[' };
  const name = 'w"[[[[{{{{\\';
  const file = encodeSafetensors({ [name]: { dtype: 'U8', shape: [1], data: Uint8Array.of(3) } }, metadata);
  const after = decodeSafetensors(file);
  t.deepEqual(after.metadata, metadata);
  t.deepEqual([...after.tensors.keys()], [name]);
  t.end();
});

test('tensors of every other type of the format are listed, and refused when their numbers are asked for', (t) => {
  const bytes = {
    ...{ BOOL: 1, I8: 1, I16: 2, U16: 2, U64: 8, C64: 8, F4: 0.5, F6_E2M3: 0.75, F6_E3M2: 0.75 },
    ...{ F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, F8_E4M3FNUZ: 1, F8_E5M2FNUZ: 1 },
  };
  for (const [dtype, each] of Object.entries(bytes)) {
    const header = {
      bias: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      mask: { dtype, shape: [2, 4], data_offsets: [4, 4 + 8 * each] },
    };
    const { tensors } = decodeSafetensors(fileOf(header, new Uint8Array(4 + 8 * each)), 'net.safetensors');
    t.deepEqual([...tensors.keys()], ['bias', 'mask'], dtype);
    t.deepEqual(tensors.get('bias')?.data, Float32Array.of(0), 'the rest of the file is read');
    const mask = tensors.get('mask');
    t.deepEqual([mask?.dtype, mask?.shape], [dtype, [2, 4]]);
    refuses(
      t,
      () => mask?.data,
      DataError,
      `net.safetensors: tensor "mask" has the type ${dtype}`,
      'read are I64, F64',
    );
    refuses(t, () => encodeSafetensors(tensors), DataError, `Tensor "mask" has the type "${dtype}"; written are`);
  }
  t.end();
});

test('what is no file and no set of tensors is refused', (t) => {
  for (const bytes of [new ArrayBuffer(9), 'abc', undefined]) {
    refuses(t, () => decodeSafetensors(bytes as never), OptionError, 'bytes must be a Uint8Array, found');
  }
  for (const tensors of [null, undefined, 'abc', []]) {
    refuses(t, () => encodeSafetensors(tensors as never), DataError, 'The tensors are', 'expected an object or a Map');
  }
  t.end();
});

test('metadata that are no texts are refused at writing', (t) => {
  const write = (metadata: unknown) => () => encodeSafetensors({}, metadata as Record<string, string>);
  refuses(t, write({ epoch: 3 }), DataError, 'metadata entry "epoch" is 3; expected a text');
  refuses(t, write({ a: 'b', note: undefined }), DataError, '"note" is undefined');
  refuses(t, write({ note: null }), DataError, '"note" is null');
  refuses(t, write({ note: ['a'] }), DataError, '"note" is an array of 1');
  refuses(t, write({ note: { toJSON: () => 'a' } }), DataError, '"note" is an object');
  refuses(t, write({ note: 1n }), DataError, '"note" is 1n');
  refuses(t, write({ note: () => 'a' }), DataError, '"note" is a function');
  for (const [metadata, shown] of [
    [null, 'null'],
    ['text', '"text"'],
    [['a'], 'an array of 1'],
    [new Map([['a', 'b']]), 'a Map'],
  ] as const) {
    refuses(t, write(metadata), DataError, `metadata of a safetensors file are ${shown}; expected an object of texts`);
  }
  refuses(t, write({ note: 'a\ud800' }), DataError, 'half a surrogate pair');
  refuses(t, write({ '\udc00': 'a' }), DataError, 'half a surrogate pair');
  const data = Float32Array.of(1);
  refuses(
    t,
    () => encodeSafetensors({ 'w\ud800': { dtype: 'F32', shape: [1], data } }),
    DataError,
    'half a surrogate pair',
  );
  t.deepEqual(decodeSafetensors(encodeSafetensors({}, { note: '\u{1f600}\0' })).metadata, { note: '\u{1f600}\0' });
  t.end();
});

test('what could not be read again is not written', (t) => {
  const w = { dtype: 'U8', shape: Array<number>(2 ** 21).fill(1), data: Uint8Array.of(3) } as const;
  refuses(t, () => encodeSafetensors({ w }), DataError, 'The header of 1 tensor(s) has more than 2097152 values');
  refuses(t, () => encodeSafetensors({}, { note: 'x'.repeat(1e8) }), DataError, 'has 100000028 bytes; 100000000 are');
  t.end();
});

test('tensors that do not fit themselves are not written', (t) => {
  const data = Float32Array.of(1, 2);
  t.throws(() => encodeSafetensors({ w: { dtype: 'F32', shape: [3], data } }), ShapeError);
  t.throws(() => encodeSafetensors({ w: { dtype: 'F32', shape: [-1, -2], data } }), ShapeError);
  t.throws(() => encodeSafetensors({ w: { dtype: 'F32', shape: [0.5, 4], data } }), ShapeError);
  t.throws(() => encodeSafetensors({ __metadata__: { dtype: 'F32', shape: [2], data } }), DataError);
  // @ts-expect-error The type forbids it; JavaScript does not.
  t.throws(() => encodeSafetensors({ w: { dtype: 'F64', shape: [2], data } }), DataError);
  // @ts-expect-error The type forbids it; JavaScript does not.
  t.throws(() => encodeSafetensors({ w: { dtype: 'toString', shape: [2], data } }), DataError);
  // @ts-expect-error The type forbids it; JavaScript does not.
  t.throws(() => encodeSafetensors({ w: undefined }), /Tensor "w" is undefined; expected dtype, shape and data/);
  // @ts-expect-error The type forbids it; JavaScript does not.
  t.throws(() => encodeSafetensors({ w: { dtype: 'F32', data } }), /shape undefined does not fit its 2 numbers/);
  t.end();
});

const sizes = fc.array(fc.nat(4), { maxLength: 3 });
const dtypes = fc.constantFrom('I64', 'F64', 'F32', 'U32', 'I32', 'U8');
const tensor: fc.Arbitrary<SafetensorsTensor> = fc
  .tuple(sizes, dtypes)
  .chain(([shape, dtype]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const bits = fc.uint8Array({ minLength: 8 * count, maxLength: 8 * count }); // NaN and all else
    return fc.record({ shape: fc.constant(shape), dtype: fc.constant(dtype), count: fc.constant(count), bits });
  })
  .map(({ shape, dtype, count, bits }) => {
    const { buffer } = Uint8Array.from(bits);
    switch (dtype) {
      case 'I64':
        return { dtype, shape, data: new BigInt64Array(buffer) };
      case 'F64':
        return { dtype, shape, data: new Float64Array(buffer) };
      case 'F32':
        return { dtype, shape, data: new Float32Array(buffer, 0, count) };
      case 'U32':
        return { dtype, shape, data: new Uint32Array(buffer, 0, count) };
      case 'I32':
        return { dtype, shape, data: new Int32Array(buffer, 0, count) };
      case 'U8':
        return { dtype, shape, data: new Uint8Array(buffer, 0, count) };
    }
  });
const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '', '7', '"\\'));
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 5 }).map((entries) => new Map(entries));
const metadata = fc.array(fc.tuple(name, fc.string()), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));

/** The bits of a tensor: NaNs have many. */
function bitsOf({ dtype, shape, data }: SafetensorsTensor): string {
  return JSON.stringify([dtype, shape, [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]]);
}

test('every set of tensors comes back with every bit, and every tensor aligned', (t) => {
  fc.assert(
    fc.property(tensors, metadata, (before, notes) => {
      const file = encodeSafetensors(before, notes);
      const after = decodeSafetensors(file);
      if (JSON.stringify(after.metadata) !== JSON.stringify(notes)) return false;
      if (after.tensors.size !== before.size) return false;
      return [...after.tensors].every(([key, value]) => {
        const original = before.get(key);
        // Aligned means that no copy was needed: the array is a view of the file.
        return original !== undefined && bitsOf(original) === bitsOf(value) && value.data.buffer === file.buffer;
      });
    }),
    { numRuns: 500 },
  );
  t.pass('500 sets');
  t.end();
});

/** True where the bytes are read or refused properly; anything else thrown goes through. */
function isReadOrRefused(file: Uint8Array): boolean {
  try {
    decodeSafetensors(file, 'fuzzed');
    return true;
  } catch (error) {
    if (error instanceof DataError) return true;
    throw error;
  }
}

test('random bytes never make the reader throw anything but DataError', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isReadOrRefused), { numRuns: 1000 });
  fc.assert(
    fc.property(fc.json(), fc.uint8Array({ maxLength: 20 }), (json, data) => isReadOrRefused(fileOf(json, data))),
    { numRuns: 1000 },
  );
  const value = fc.oneof(
    fc.constantFrom('F32', 'U8', 0, 4, 8, -1, 1e300, null),
    fc.array(fc.integer({ min: -1, max: 9 })),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const entry = fc.record({ dtype: value, shape: value, data_offsets: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.dictionary(name, entry), fc.uint8Array({ maxLength: 20 }), (header, data) =>
      isReadOrRefused(fileOf(header, data)),
    ),
    { numRuns: 2000 },
  );
  t.pass('4000 files');
  t.end();
});

test('a valid file with a few bytes changed or cut off is read or refused, and a cut one is always refused', (t) => {
  let refused = 0;
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      tensors,
      metadata,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      (before, notes, changes, cut) => {
        const file = encodeSafetensors(before, notes);
        const changed = file.slice();
        for (const [position, byte] of changes) changed[position % file.length] = byte;
        isReadOrRefused(changed);
        try {
          decodeSafetensors(file.subarray(0, cut % file.length));
          return false;
        } catch (error) {
          refused++;
          return error instanceof DataError;
        }
      },
    ),
    { numRuns: 1000 },
  );
  t.equal(refused, 1000);
  t.end();
});
