import { CpuDevice } from '../../device/cpu/device.js';
import type { Device } from '../../device/device.js';
import { elementAt } from '../../element-at.js';
import { apply } from '../../graph/node.js';
import type { NumericArray, Operation } from '../../graph/operation.js';
import { operations } from '../../ops/index.js';
import { run } from '../../run.js';
import { Variable } from '../../variable.js';
import { caseInputs, describeCase } from './cases.js';
import { differs, worstOf } from './close.js';

/** How an operation's kernels fared. */
export interface OperationResult {
  readonly operation: string;
  readonly cases: number;
  /** The largest difference from the reference. */
  readonly worstError: number;
  /** That of the element that is furthest off, in parts of the operation's tolerance: up to 1 is right. */
  readonly worstExcess: number;
  /** What is wrong. */
  readonly problems: readonly string[];
}

/** How the kernels of a device fared. */
export interface SelfTest {
  readonly operations: readonly OperationResult[];
  readonly cases: number;
  readonly seconds: number;
}

/** Runs each operation's own cases on a device and compares what comes out with its reference. */
export async function selfTest(device: Device): Promise<SelfTest> {
  const start = performance.now();
  const reference = new CpuDevice({ reason: 'self-test' });
  const results: OperationResult[] = [];
  try {
    for (const operation of operations) {
      // On the CPU an operation without a kernel is its reference.
      if (device.info.kind === 'cpu' && !operation.simd) continue;
      results.push(await testOperation(operation, device, reference));
    }
  } finally {
    reference.dispose();
  }
  const cases = results.reduce((total, result) => total + result.cases, 0);
  return { operations: results, cases, seconds: (performance.now() - start) / 1000 };
}

async function testOperation(operation: Operation, device: Device, reference: Device): Promise<OperationResult> {
  const { name, cases, tolerance } = operation;
  const problems: string[] = [];
  let [worstError, worstExcess] = [0, 0];
  const expected = await outputsOf(operation, reference);
  const got = await outputsOf(operation, device).catch((error: unknown) => {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  });
  let position = 0;
  for (const setting of got ? cases : []) {
    for (const index of operation.infer(caseInputs(setting), setting.attributes).keys()) {
      const [ours, right] = [elementAt(got ?? [], position), elementAt(expected, position)];
      position++;
      const worst = worstOf(ours, right, tolerance);
      worstError = Math.max(worstError, worst?.error ?? 0);
      worstExcess = Math.max(worstExcess, worst?.excess ?? 0);
      const difference = differs(ours, right, tolerance);
      if (difference !== undefined) problems.push(`output ${index} of ${describeCase(setting)}: ${difference}`);
    }
  }
  return { operation: name, cases: cases.length, worstError, worstExcess, problems };
}

/** All outputs of all cases, one behind the other, computed by one plan. */
export async function outputsOf(operation: Operation, device: Device): Promise<NumericArray[]> {
  const results = await run(
    () =>
      operation.cases.flatMap((setting) => {
        // What an operation writes over must live in a variable.
        const inputs = caseInputs(setting).map((input, i) =>
          operation.writes?.includes(i) ? new Variable(`input ${i}`, input).value : input,
        );
        return apply(operation, inputs, setting.attributes);
      }),
    { device },
  );
  return Promise.all(results.map((result) => result.data()));
}
