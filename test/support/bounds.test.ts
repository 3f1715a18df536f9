import test from 'tape';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { openDevice } from '../../lib/node/open-device.js';
import { checkIndices, watchBounds } from './bounds.js';

const READS = `
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
var<workgroup> strip: array<f32, 8>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
  strip[i] = input[i];
  workgroupBarrier();
  output[i] = strip[i + OFFSET];
}
`;

/** Runs the kernel over buffers of four elements; the places that left an array. */
async function faultsOf(code: string): Promise<string[]> {
  const device = await openDevice('webgpu');
  if (!(device instanceof WebGpuDevice)) throw new Error('no WebGPU device');
  const { gpu } = device;
  const places: string[] = [];
  watchBounds(gpu, (place) => places.push(place));
  const module = gpu.createShaderModule({ label: 'probe', code });
  const types = ['read-only-storage', 'storage'] as const;
  const layout = gpu.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } })),
  });
  const pipeline = await gpu.createComputePipelineAsync({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module },
  });
  const entries = types.map((_, binding) => ({
    binding,
    resource: { buffer: gpu.createBuffer({ size: 16, usage: 0x80 }) },
  }));
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  await gpu.queue.onSubmittedWorkDone();
  gpu.queue.submit([]); // what comes of the first submit is known by the end of another one
  await gpu.queue.onSubmittedWorkDone();
  device.dispose();
  return places;
}

test('an index out of bounds is found and named, in storage and in workgroup memory', async (t) => {
  t.deepEqual(await faultsOf(READS.replace('OFFSET', '4')), [], 'the last one that exists');
  t.deepEqual(await faultsOf(READS.replace('OFFSET', '5')), ['probe: strip[i + 5]']);
  t.deepEqual(await faultsOf(READS.replace('OFFSET', '0').replace('input[i]', 'input[i + 1u]')), [
    'probe: input[i + 1u]',
  ]);
  t.deepEqual(await faultsOf(READS.replace('OFFSET', '0').replace('output[i]', 'output[i32(i) - 1]')), [
    'probe: output[i32(i) - 1]',
  ]);
});

test('variables of the same name are left alone, and indices in indices are checked', (t) => {
  const places: string[] = [];
  const code = `
@group(0) @binding(0) var<storage, read> a: array<u32>;

fn own(k: u32) -> f32 {
  let a = vec2f(1.0, 2.0);
  return a[k];
}

fn inner(k: u32) -> u32 {
  return a[a[k] + 1u];
}
`;
  const checked = checkIndices(code, (place) => places.push(place));
  t.deepEqual(places, ['a[a[k] + 1u]', 'a[k]']);
  t.ok(checked.includes('  return a[k];'));
  t.ok(
    checked.includes(
      'return a[checkedIndex(u32(a[checkedIndex(u32(k), arrayLength(&a), 2u)] + 1u), arrayLength(&a), 1u)];',
    ),
  );
  t.end();
});
