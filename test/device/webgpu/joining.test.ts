/** Small launches that follow one another become one dispatch (lib/device/webgpu/joining). */
import test from 'tape';
import { Joiner } from '../../../lib/device/webgpu/joining/joiner.js';
import { throughAccessors } from '../../../lib/device/webgpu/joining/words.js';
import { entryModule } from '../../../lib/device/webgpu/joining/wgsl-module.js';
import type { Resource, Work } from '../../../lib/device/webgpu/work.js';
import type { WebGpuDevice } from '../../../lib/device/webgpu/device.js';
import type { NumericArray, Operation } from '../../../lib/graph/operation.js';
import type { Placed, Program } from '../../../lib/graph/program.js';
import { add, broadcastTo, compile, multiply, run, slice, tensor, type Tensor, transpose } from '../../../lib/index.js';
import { openDevice } from '../../../lib/node/index.js';
import { elementAt } from '../../../lib/element-at.js';
import { sizeOf } from '../../../lib/shape.js';
import { operations } from '../../../lib/ops/index.js';
import { type Case, caseInputs } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { webgpu } from '../../support/webgpu.js';

/** A program that computes a case of an operation, and then computes it again. */
function twice(operation: Operation, setting: Case, isRepeated: boolean): Program {
  const inputs = caseInputs(setting);
  const specs = operation.infer(inputs, setting.attributes);
  const place = (spec: { shape: readonly number[]; dtype: Placed['dtype'] }, index: number): Placed => ({
    shape: spec.shape,
    dtype: spec.dtype,
    place: { kind: 'variable', index },
  });
  const from = inputs.map(place);
  const steps = [0, 1].map((turn) => ({
    operation,
    attributes: setting.attributes,
    inputs: from,
    outputs: specs.map((spec, i) => {
      const written = operation.writes?.[i];
      return place(spec, written ?? inputs.length + turn * specs.length + i);
    }),
  }));
  const outputs = steps.flatMap((step) => step.outputs);
  return { steps, inputs: [], constants: [], variables: [], outputs, slots: [], isRepeated };
}

/** What a program leaves in all of its tensors after two replays, and its dispatches. */
async function results(device: WebGpuDevice, operation: Operation, setting: Case, isRepeated: boolean) {
  const program = twice(operation, setting, isRepeated);
  const given = caseInputs(setting);
  const values = await Promise.all(given.map((input) => input.data()));
  const specs = new Map([...given.entries()].map(([i, input]) => [i, { shape: input.shape, dtype: input.dtype }]));
  for (const { place, shape, dtype } of program.outputs) specs.set(place.index, { shape, dtype });
  const arrays = Array.from({ length: Math.max(-1, ...specs.keys()) + 1 }, (_, i) =>
    device.allocate(specs.get(i) ?? { shape: [1], dtype: 'f32' }),
  );
  const executable = await device.prepare(program).load(() => arrays);
  values.forEach((data, i) => arrays[i]?.write(data));
  executable.run([], 2);
  const outputs: NumericArray[] = await Promise.all(arrays.map((array) => array.read()));
  const { dispatches } = executable;
  executable.dispose();
  for (const array of arrays) array.dispose();
  return { outputs, dispatches };
}

/** The largest of an operation's cases that one workgroup computes: in several rounds where there is such a case. */
function largest(operation: Operation): Case {
  const sizeIn = (own: Case): number =>
    operation.infer(caseInputs(own), own.attributes).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const small = operation.cases.filter((own) => sizeIn(own) <= 2048);
  return small.reduce((most, own) => (sizeIn(own) > sizeIn(most) ? own : most), elementAt(operation.cases, 0));
}

test('every operation computes the same as a part of a sequence', async (t) => {
  const device = await webgpu();
  let joined = 0;
  for (const operation of operations) {
    const setting = largest(operation);
    const [apart, together] = [
      await results(device, operation, setting, false),
      await results(device, operation, setting, true),
    ];
    if (together.dispatches < apart.dispatches) joined++;
    // Not bit for bit: a driver may take a multiplication and an addition together in one of the two and not in the other.
    const wrong = apart.outputs.map((output, i) =>
      differs(elementAt(together.outputs, i), output, operation.tolerance),
    );
    const nothing = apart.outputs.map(() => undefined);
    t.deepEqual(wrong, nothing, `${operation.name}: ${apart.dispatches} → ${together.dispatches}`);
  }
  t.ok(joined > operations.length / 2, `${joined} of ${operations.length} operations were joined`);
});

test('a part of a sequence finds what the invocations of the part before it have stored', async (t) => {
  const chain = (x: Tensor): Tensor => {
    let y = x;
    for (let i = 0; i < 3; i++) y = multiply(transpose(add(y, broadcastTo(slice(y, [30]), [31, 31]))), 0.25);
    return y;
  };
  const x = tensor(
    Float32Array.from({ length: 961 }, (_, i) => (i % 7) - 3),
    { shape: [31, 31] },
  );
  const step = compile(chain, { device: await webgpu() });
  const expected = await run(() => chain(x), { device: await openDevice('cpu') });
  for (const call of ['first', 'second']) {
    t.deepEqual(await (await step(x)).data(), await expected.data(), `the ${call} call`);
  }
  const [plan] = step.plans();
  const [, steps = '', dispatches = ''] = /steps: (\d+).*dispatches: (\d+)/.exec(plan?.describe() ?? '') ?? [];
  t.ok(Number(dispatches) <= Number(steps) / 3, `${steps} steps, ${dispatches} dispatches`);
  step.dispose();
});

const LIMITS = {
  maxStorageBuffersPerShaderStage: 8,
  maxUniformBuffersPerShaderStage: 12,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
};

const slot = (index: number): Resource => ({
  kind: 'tensor',
  placed: { shape: [64], dtype: 'f32', place: { kind: 'slot', index } },
});

/** A kernel that reads the first slots and writes the last one. */
function work(
  slots: readonly number[],
  { type = 'f32', size = '64', head = '', body = '', workgroups = [1, 1, 1] as Work['workgroups'] } = {},
): Work {
  const written = slots.length - 1;
  const bindings = slots.map(
    (_, at) =>
      `@group(0) @binding(${at}) var<storage, ${at === written ? 'read_write' : 'read'}> b${at}: array<${type}>;`,
  );
  const sum = slots.map((_, at) => `b${at}[lane]`).join(' + ');
  return {
    operations: ['own'],
    kernel: {
      name: 'own',
      code: `${head}${bindings.join('\n')}
        @compute @workgroup_size(${size})
        fn own(@builtin(local_invocation_index) lane: u32) { ${body} b${written}[lane] = ${sum}; }`,
      entryPoint: 'own',
    },
    constants: {},
    bindings: slots.map((index, at) => ({ at, access: at === written ? 'write' : 'read', resource: slot(index) })),
    workgroups,
  };
}

const sizesOf = (works: readonly Work[], limits = LIMITS): number[] =>
  new Joiner(limits).join(works).map(({ operations: own }) => own.length);

test('a sequence holds what one workgroup can compute, in the order of the launches', (t) => {
  const [first, second, third] = [work([0, 1]), work([1, 2]), work([2, 0, 3])];
  t.deepEqual(sizesOf([first, second, third]), [3]);
  t.deepEqual(sizesOf([]), []);
  t.deepEqual(sizesOf([first, work([1, 2], { head: 'enable f16;\n' }), third, third]), [1, 1, 2], 'an extension');
  t.deepEqual(sizesOf([first, work([1, 2], { size: '8, 8' }), third]), [1, 1, 1], 'two dimensions');
  t.deepEqual(sizesOf([first, work([1, 2], { size: '96' }), third]), [1, 1, 1], 'a size that does not go into 256');
  t.deepEqual(sizesOf([first, work([1, 2], { workgroups: [32, 1, 1] }), third]), [3], 'eight rounds');
  t.deepEqual(sizesOf([first, work([1, 2], { workgroups: [33, 1, 1] }), third]), [1, 1, 1], 'nine rounds');
  t.deepEqual(sizesOf([first, work([1, 2], { workgroups: [1, 2, 1] }), third]), [1, 1, 1], 'a folded grid');
  const waiting = { body: 'workgroupBarrier();' };
  t.deepEqual(sizesOf([first, work([1, 2], { ...waiting, size: '256' })]), [2], 'barriers of all invocations');
  t.deepEqual(sizesOf([first, work([1, 2], waiting)]), [1, 1], 'barriers of some');
  const named = { head: '@group(0) @binding(3) var<storage, read> c: array<f32>; fn f(c: u32) {}\n', body: 'f(lane);' };
  t.deepEqual(sizesOf([first, work([1, 2], named)]), [2], 'a local name of a buffer that is not bound');
  t.deepEqual(sizesOf(Array.from({ length: 9 }, () => first)), [8, 1], 'a text of bounded length');
  t.end();
});

test('a sequence binds no more than the adapter allows', (t) => {
  const reads = work([0, 1, 2, 3, 4, 5, 6, 7]);
  t.deepEqual(sizesOf([reads, work([7, 0])]), [2], 'eight buffers, each once');
  t.deepEqual(sizesOf([reads, work([7, 8])]), [1, 1], 'nine');
  t.deepEqual(sizesOf([reads, work([7, 8])], { ...LIMITS, maxStorageBuffersPerShaderStage: 9 }), [2]);
  t.deepEqual(sizesOf([work([0, 1]), work([1, 2], { type: 'vec4f' })]), [2], 'one writes what another reads by fours');
  t.deepEqual(sizesOf([work([0, 1]), work([1, 2], { type: 'vec3f' })]), [1, 1], 'or as what no kernel has');
  const pointing = { type: 'vec4f', body: 'let all = &b0;' };
  t.deepEqual(sizesOf([work([0, 1]), work([1, 2], pointing)]), [1, 1], 'or points at');
  t.deepEqual(sizesOf([work([0, 1]), work([0, 2], { type: 'vec4f' })]), [2], 'both read only');
  const memory = { size: '256', head: 'var<workgroup> own_: array<vec4f, 512>;\n', body: 'own_[lane] = vec4f();' };
  t.deepEqual(sizesOf([1, 2, 3].map((to) => work([0, to], memory))), [2, 1], 'workgroup memory: 8 KB each of 16');
  const few = { ...LIMITS, maxComputeInvocationsPerWorkgroup: 128 };
  t.deepEqual(sizesOf([work([0, 1]), work([1, 2])], few), [1, 1], 'workgroups of fewer than 256');
  t.end();
});

test('launches that do not depend on each other, and do not fill a GPU, stand side by side', (t) => {
  const many = (slots: readonly number[], count: number): Work => work(slots, { workgroups: [count, 1, 1] });
  const groupsOf = (works: readonly Work[]): number[] => new Joiner(LIMITS).join(works).map((own) => own.workgroups[0]);
  t.deepEqual(groupsOf([many([0, 1], 40), many([0, 2], 50)]), [90], 'they read the same');
  t.deepEqual(groupsOf([many([0, 1], 40), many([1, 2], 50)]), [40, 50], 'one reads what the other writes');
  t.deepEqual(groupsOf([many([0, 1], 40), many([2, 0], 50)]), [40, 50], 'one writes what the other reads');
  t.deepEqual(groupsOf([many([0, 1], 40), many([2, 1], 50)]), [40, 50], 'both write the same');
  t.deepEqual(groupsOf([many([0, 1], 40), many([0, 2], 100)]), [40, 100], 'more than fills a GPU');
  t.deepEqual(
    groupsOf([many([0, 1], 40), work([0, 2], { size: '32', workgroups: [70, 1, 1] })]),
    [40, 70],
    'other sizes',
  );
  const small = [work([0, 1]), work([1, 2])].map((own) => ({ ...own }));
  t.deepEqual(
    groupsOf([...small, work([3, 4], { size: '256', workgroups: [40, 1, 1] })]),
    [41],
    'a sequence beside another',
  );
  t.end();
});

test('side by side, launches compute what they compute alone', async (t) => {
  const device = await webgpu();
  const count = 40 * 64;
  const read = async (isRepeated: boolean) => {
    const specs = [0, 1, 2, 3].map(() => ({ shape: [count], dtype: 'f32' as const }));
    const arrays = specs.map((spec) => device.allocate(spec));
    const placed = specs.map((spec, index): Placed => ({ ...spec, place: { kind: 'variable', index } }));
    const steps = ['multiply', 'add'].map((name, i) => ({
      operation: elementAt(
        operations.filter((own) => own.name === name),
        0,
      ),
      attributes: {},
      inputs: placed.slice(0, 2),
      outputs: placed.slice(2 + i, 3 + i),
    }));
    const program = { steps, inputs: [], constants: [], variables: [], outputs: placed, slots: [], isRepeated };
    const executable = await device.prepare(program).load(() => arrays);
    arrays.forEach((array, i) => {
      array.write(Float32Array.from({ length: count }, (_, at) => (at % 97) + i));
    });
    executable.run([], 3);
    const values = await Promise.all(arrays.map((array) => array.read()));
    return { values, dispatches: executable.dispatches };
  };
  const [apart, together] = [await read(false), await read(true)];
  t.deepEqual([apart.dispatches, together.dispatches], [2, 1]);
  t.deepEqual(together.values, apart.values);
});

test('a text reads and writes words in place of elements', (t) => {
  const through = (text: string): string => throughAccessors(text, 'b');
  t.equal(through('let x = b[i / 4u] + ab[i];'), 'let x = b_load(u32(i / 4u)) + ab[i];');
  t.equal(through('b[i] = a[b[j]] == b[k];'), 'b_store(u32(i), a[b_load(u32(j))] == b_load(u32(k)));');
  t.equal(
    through('b[b[i]] += f(b[1], 2);'),
    'b_store(u32(b_load(u32(i))), b_load(u32(b_load(u32(i)))) + (f(b_load(u32(1)), 2)));',
  );
  t.equal(through('if (b[i] == b[j]) { b[i] = c; }'), 'if (b_load(u32(i)) == b_load(u32(j))) { b_store(u32(i), c); }');
  t.equal(through('let b = 1; let c = bb[b];'), 'let b = 1; let c = bb[b];');
  t.end();
});

test('a WGSL text is taken apart as far as an entry point needs it', (t) => {
  const code = `
    alias Element = vec4f; // not ; this }
    const HALF = 2u;
    const COUNT: u32 = 3u * (HALF + 4u) - HALF; // 16
    override SIZE: u32 = 4u;
    struct Uniforms { count: u32, SIZE: u32 }
    @group(0) @binding(0) var<storage, read> input: array<Element>;
    @group(0) @binding(1) var<storage, read_write> output: array<Element>;
    @group(0) @binding(1) var<storage, read_write> other: array<f32>;
    @group(0) @binding(2) var<uniform> uniforms: Uniforms;
    var<workgroup> tile: array<Element, COUNT>;
    fn unused() { other[0] = 1.0; }
    fn used(i: u32) -> Element { return input[i] * f32(SIZE + uniforms.SIZE); }
    @compute @workgroup_size(32u * HALF) fn first(
      @builtin(workgroup_id) group: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) { if (lane < 16u) { tile[lane] = used(group.x); } let second = lane; let unused = second; output[unused] = tile[0]; }
    @compute @workgroup_size(SIZE) fn second() { other[1] = 2.0; }`;
  const first = entryModule(code, 'first');
  t.deepEqual(
    first?.bindings.map(({ at, access, name, type }) => `${at} ${access} ${name} ${type}`),
    ['0 read input array<vec4f>', '1 write output array<vec4f>', '2 uniform uniforms Uniforms'],
  );
  t.deepEqual(
    first?.parameters.map(({ builtin, name, type }) => `${builtin} ${name} ${type}`),
    ['workgroup_id group vec3u', 'local_invocation_index lane u32'],
  );
  t.deepEqual([first?.invocations, first?.hasBarriers, first?.workgroupBytes], [64, true, 256]);
  t.deepEqual([...(first?.overrides ?? [])], ['SIZE']);
  for (const name of ['unused', 'second']) t.notOk(first?.declarations.has(name), name);
  const second = entryModule(code, 'second');
  t.deepEqual([second?.invocations, second?.hasBarriers, second?.workgroupBytes], [undefined, false, 0]);
  t.equal(entryModule(code, 'third'), undefined);
  t.equal(entryModule(`enable f16;\n${code}`, 'first'), undefined);
  t.end();
});
