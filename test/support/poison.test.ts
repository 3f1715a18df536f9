import test from 'tape';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { launchJob } from '../../lib/device/webgpu/launch-job.js';
import { Uniforms } from '../../lib/graph/launch.js';
import { openDevice } from '../../lib/node/open-device.js';
import { poisoned, poisonWorkgroupMemory } from './poison.js';

/** Each invocation hands its number to its neighbour; WRITES says which of them write, 64 of 64 where it is right. */
const HANDS_ON = `
struct Sum { total: f32, rest: vec2<f32> }
alias Kept = Sum;

@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> writers: u32;
override SIZE: u32 = 64u;
var<workgroup> strip: array<Kept, SIZE>;
var<workgroup> sum: u32;

fn put(i: u32) { strip[i] = Kept(f32(i), vec2f(1.0)); }
fn taken(i: u32) -> f32 { return strip[i].total + strip[i].rest.y; }

@compute @workgroup_size(SIZE)
fn handOn(@builtin(local_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < writers) {
    put(i);
  }
  if (i == 0u && writers > 1u) {
    sum = 0u;
  }
  workgroupBarrier();
  output[i] = taken((i + 1u) % SIZE) + f32(min(sum, 1u));
}

@compute @workgroup_size(SIZE)
fn without(@builtin(local_invocation_index) i: u32) {
  output[i] = 1.0;
}
`;

/** What the kernel computes where so many invocations write. */
async function handedOn(writers: number, isPoisoned: boolean): Promise<Float32Array> {
  const device = await openDevice('webgpu');
  if (!(device instanceof WebGpuDevice)) throw new Error('no WebGPU device');
  if (isPoisoned) poisonWorkgroupMemory(device.gpu);
  const output = device.allocate({ shape: [64], dtype: 'f32' });
  const launch = {
    kernel: { name: 'handOn', code: HANDS_ON, entryPoint: 'handOn' },
    bindings: [{ output: 0 }],
    uniforms: new Uniforms().u32(writers).bytes(),
    workgroups: [1, 1, 1] as const,
  };
  const job = await launchJob(device, [launch], [], [output]);
  await job.run(1);
  const [result] = await job.outputs();
  job.dispose();
  device.dispose();
  return Float32Array.from(result ?? []);
}

test('workgroup memory that is read before it is written is found, and what is written is not touched', async (t) => {
  const right = Float32Array.from({ length: 64 }, (_, i) => ((i + 1) % 64) + 1);
  t.deepEqual(await handedOn(64, false), right, 'the kernel as it is');
  t.deepEqual(await handedOn(64, true), right, 'the same with poison');
  const planted = await handedOn(63, true);
  t.ok(Number.isNaN(planted[62]), 'one invocation writes nothing: what its neighbour takes of it is NaN');
  t.deepEqual(planted.slice(0, 62), right.slice(0, 62), 'that is all');
  const sum = await handedOn(1, true);
  t.equal(sum[63], 0 + 1 + 1, 'the sum that nobody has set is no 0');
});

test('only entry points that reach workgroup memory are changed, and only kernels that have some', (t) => {
  const code = poisoned(HANDS_ON);
  const [, reaching = '', without = ''] = code.split('@workgroup_size');
  t.ok(reaching.includes('strip[poisonAt] = Sum(bitcast<f32>(poisonWord), vec2<f32>(bitcast<f32>(poisonWord)));'));
  t.ok(reaching.includes('sum = poisonWord;'));
  t.notOk(without.includes('poison'));
  const plain = 'enable subgroups;\nfn a() { }';
  t.equal(poisoned(plain), plain);
  t.throws(() => poisoned(HANDS_ON.replace('sum: u32', 'sum: mat2x2f')), /type mat2x2f cannot be poisoned/);
  t.end();
});
