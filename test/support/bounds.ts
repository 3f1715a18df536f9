/** Watches that kernels stay inside of their arrays: what robust access would hide by moving an index inside. */

import { COMPUTE, COPY_DST, COPY_SRC, MAP_READ, READ, STORAGE } from './gpu-flags.js';

/** Declarations behind a kernel that was changed by {@link checkIndices}. */
const CHECK = `
@group(1) @binding(0) var<storage, read_write> indexFault: atomic<u32>;

fn checkedIndex(index: u32, length: u32, site: u32) -> u32 {
  if (index >= length) {
    atomicMax(&indexFault, site);
  }
  return min(index, length - 1u);
}
`;

/**
 * From now on, all kernels that are compiled on a device check each index into a storage buffer or workgroup memory.
 * Kernels are slower then, and pipelines bind one storage buffer more.
 *
 * @param onFault is told of an index that is too large: the kernel, and the place in its text
 */
export function watchBounds(gpu: GPUDevice, onFault: (place: string) => void): void {
  const sites: string[] = [];
  const fault = gpu.createBuffer({ size: 4, usage: STORAGE | COPY_SRC });
  const layout = gpu.createBindGroupLayout({
    entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: 'storage' } }],
  });
  const group = gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: fault } }] });

  const createShaderModule = gpu.createShaderModule.bind(gpu);
  const createPipelineLayout = gpu.createPipelineLayout.bind(gpu);
  const createCommandEncoder = gpu.createCommandEncoder.bind(gpu);
  const createBuffer = gpu.createBuffer.bind(gpu);
  const submit = gpu.queue.submit.bind(gpu.queue);

  const lookForFault = async (staging: GPUBuffer): Promise<void> => {
    await staging.mapAsync(READ).catch(() => undefined);
    if (staging.mapState !== 'mapped') return; // the device is gone, perhaps since it was mapped
    const [site = 0] = new Uint32Array(staging.getMappedRange());
    if (site > 0) onFault(sites[site - 1] ?? '');
    staging.destroy();
  };

  Object.assign(gpu, {
    createShaderModule: (descriptor: GPUShaderModuleDescriptor) =>
      createShaderModule({
        ...descriptor,
        code: checkIndices(descriptor.code, (place) => sites.push(`${descriptor.label ?? 'kernel'}: ${place}`)),
      }),
    createPipelineLayout: (descriptor: GPUPipelineLayoutDescriptor) =>
      createPipelineLayout({ bindGroupLayouts: [...descriptor.bindGroupLayouts, layout] }),
    createCommandEncoder: () => {
      const encoder = createCommandEncoder();
      const beginComputePass = encoder.beginComputePass.bind(encoder);
      return Object.assign(encoder, {
        beginComputePass: () => {
          const pass = beginComputePass();
          pass.setBindGroup(1, group);
          return pass;
        },
      });
    },
  });
  Object.assign(gpu.queue, {
    submit: (buffers: readonly GPUCommandBuffer[]) => {
      const staging = createBuffer({ size: 4, usage: COPY_DST | MAP_READ });
      const encoder = createCommandEncoder();
      encoder.copyBufferToBuffer(fault, 0, staging, 0, 4);
      submit([...buffers, encoder.finish()]);
      void lookForFault(staging);
    },
  });
}

/**
 * The kernel with every index into a storage buffer or workgroup memory checked.
 *
 * @param siteOf notes a place in the text, and gives it a number from 1
 */
export function checkIndices(code: string, siteOf: (place: string) => number): string {
  const lengths = new Map([
    ...Array.from(
      code.matchAll(/var<storage, \w+> (\w+): array</g),
      ([, name = '']) => [name, `arrayLength(&${name})`] as const,
    ),
    ...Array.from(
      code.matchAll(/var<workgroup> (\w+): array<.+, ([^,]+)>;/g),
      ([, name = '', length = '']) => [name, length] as const,
    ),
  ]);
  const functions = /^(@[^\n]*\n)?fn [^]*?^\}$/gm;
  const checked = code.replace(functions, (text) => {
    const isOwn = (name: string): boolean => new RegExp(`\\b(let|var|const) ${name}\\b|\\b${name}: `).test(text);
    const names = [...lengths.keys()].filter((name) => !isOwn(name));
    return checkIn(text, names, lengths, siteOf);
  });
  return checked + CHECK;
}

function checkIn(
  text: string,
  names: readonly string[],
  lengths: ReadonlyMap<string, string>,
  siteOf: (place: string) => number,
): string {
  const access = names.length > 0 ? new RegExp(`(?<![.\\w])(${names.join('|')})\\[`).exec(text) : null;
  if (!access) return text;
  const [opening, name = ''] = access;
  const start = access.index + opening.length;
  const end = closingBracket(text, start);
  const index = text.slice(start, end);
  const site = siteOf(`${name}[${index}]`);
  const inner = checkIn(index, names, lengths, siteOf);
  const rest = checkIn(text.slice(end), names, lengths, siteOf);
  return `${text.slice(0, start)}checkedIndex(u32(${inner}), ${lengths.get(name) ?? ''}, ${site}u)${rest}`;
}

/** Where the bracket closes that was opened before `start`. */
function closingBracket(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return i;
  }
  throw new Error(`a bracket is not closed: ${text.slice(start, start + 40)}`);
}
