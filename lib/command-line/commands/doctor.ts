import type { Device, DeviceInfo, DeviceRequest } from '../../index.js';
import { openDevice } from '../../node/index.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import { type ProductTime, timeProduct } from '../doctor/product.js';
import { type OperationResult, type SelfTest, selfTest } from '../doctor/self-test.js';
import { adapterFacts, systemFacts } from '../doctor/system.js';
import type { Output } from '../output.js';
import { DEVICE_OPTION, deviceOption, OUTPUT_OPTIONS, outputFor } from '../shared-options.js';

/** A device, and what was found of it. */
interface Examination {
  readonly info: DeviceInfo;
  readonly test: SelfTest;
  readonly product: ProductTime;
}

export const doctorCommand = defineCommand({
  name: 'doctor',
  words: '',
  summary: 'Says what this machine has for computing, and tests every kernel on it.',
  options: {
    device: { ...DEVICE_OPTION, help: 'what is tested (default auto: the CPU, and a hardware GPU if there is one)' },
    ...OUTPUT_OPTIONS,
    verbose: { help: 'list limits and every operation, too' },
  },
  notes: ['', 'The exit code is 1 where a kernel differs from its reference by more than its tolerance.'],
  async run(values, words) {
    checkWords(words, 'no words', 0, 0);
    const output = outputFor(values);
    const [system, adapter] = [systemFacts(), await adapterFacts()];
    const chosen = await openDevice(deviceOption(values.device));
    const { info } = chosen;
    chosen.dispose();
    const requests: DeviceRequest[] = info.kind === 'cpu' ? ['cpu'] : ['cpu', 'webgpu'];
    const asked = values.device === 'webgpu' ? requests.slice(1) : requests;
    output.progress([...systemLines(system), ...adapterLines(adapter, values.verbose === true)].join('\n'));
    output.progress(`openDevice() takes: ${info.description} (${info.reason})`);
    const devices: Examination[] = [];
    for (const request of asked) devices.push(await examine(request, output));
    const hasFailed = devices.some(({ test }) => test.operations.some(({ problems }) => problems.length > 0));
    const lines = devices.flatMap((device) => deviceLines(device, values.verbose === true));
    output.result([...lines, '', ...REPORT].join('\n'), { system, adapter, chosen: info, devices });
    return hasFailed ? 1 : 0;
  },
});

const REPORT = [
  'With a report of a mistake please send what `kernelwright doctor --json` prints, the command or the program that went wrong,',
  'and the whole of its message.',
];

async function examine(request: DeviceRequest, output: Output): Promise<Examination> {
  const device: Device = await openDevice(request);
  try {
    output.progress(`testing every kernel on ${device.info.description} …`);
    const test = await selfTest(device);
    return { info: device.info, test, product: await timeProduct(device) };
  } finally {
    device.dispose();
  }
}

function systemLines(system: ReturnType<typeof systemFacts>): string[] {
  const yes = (is: boolean): string => (is ? 'yes' : 'no');
  const packages = Object.entries(system.packages).map(([name, version]) => `${name} ${version ?? 'not installed'}`);
  const environment = Object.entries(system.environment).map(([name, value]) => `${name}=${value ?? ''}`);
  return [
    `kernelwright ${system.kernelwright}, Node ${system.node}, ${system.platform}, ${system.architecture}`,
    `processor: ${system.processor}, ${system.threads} threads, ${(system.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`,
    `WebAssembly: SIMD ${yes(system.simd)}, relaxed SIMD ${yes(system.relaxedSimd)}, memory shared with threads ${yes(system.sharedMemory)}`,
    `packages: ${packages.join(', ')}`,
    ...(environment.length > 0 ? [`environment: ${environment.join(' ')}`] : []),
  ];
}

function adapterLines(adapter: Awaited<ReturnType<typeof adapterFacts>>, verbose: boolean): string[] {
  if (!adapter.found) return [`WebGPU: none: ${adapter.reason}`];
  const limits = Object.entries(adapter.limits).map(([name, value]) => `  ${name} ${value}`);
  return [
    `WebGPU: ${adapter.description} (${adapter.software ? 'software' : 'hardware'})`,
    `  features: ${adapter.features.join(', ')}`,
    ...(verbose ? limits : []),
  ];
}

function deviceLines({ info, test, product }: Examination, verbose: boolean): string[] {
  const { operations, cases, seconds } = test;
  const failed = operations.filter(({ problems }) => problems.length > 0);
  const worst = operations.reduce<OperationResult | undefined>(
    (most, own) => (most && most.worstExcess >= own.worstExcess ? most : own),
    undefined,
  );
  const of = worst ? `; worst: ${worst.operation}, error ${worst.worstError.toExponential(1)}, ${share(worst)}` : '';
  return [
    '',
    `${info.description}: ${operations.length - failed.length} of ${operations.length} operations agree with their references ` +
      `(${cases} cases, ${seconds.toFixed(1)} s${of})`,
    ...failed.flatMap(({ operation, problems }) => problems.map((problem) => `  FAILED ${operation}: ${problem}`)),
    ...(verbose ? operations.map((own) => `  ${own.operation}: ${own.cases} cases, ${share(own)}`) : []),
    `  product of ${product.size} × ${product.size}: ${product.milliseconds.toFixed(2)} ms, ${product.gigaflops.toFixed(1)} GFLOP/s`,
  ];
}

/** `0.34 of its tolerance` */
function share({ worstExcess }: OperationResult): string {
  return `${worstExcess.toFixed(2)} of its tolerance`;
}
