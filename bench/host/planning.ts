import type { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { fuse } from '../../lib/fusion/pass.js';
import { wordsOf } from '../../lib/graph/launch.js';
import { planMemory } from '../../lib/graph/memory.js';
import { nodesBefore } from '../../lib/graph/nodes.js';
import { buildProgram } from '../../lib/graph/program.js';
import { record } from '../../lib/graph/trace.js';
import { NET_NAMES, netDescription } from '../nets/description.js';
import { netStep } from '../nets/net-step.js';
import { median } from '../measure.js';
import { formatNumber, formatTable } from '../step/report.js';
import type { TrainingStep } from '../step/training-step.js';

/** Milliseconds that each part of making a plan takes, up to the choice of its kernels: what runs without a GPU. */
interface PlanningTimes {
  /** The net, its loss, and the update of each parameter by its gradient, operation by operation. */
  readonly record: number;
  /** Joining operations. */
  readonly fuse: number;
  /** Which buffer holds what. */
  readonly memory: number;
  /** The graph made flat, with all operands in their places. */
  readonly flatten: number;
  /** The kernels, their settings, and which launches are joined. */
  readonly kernels: number;
}

/** What was measured of one net. */
export interface PlanningResult {
  readonly net: string;
  /** Operations as recorded, steps of the plan, dispatches of a replay. */
  readonly operations: number;
  readonly steps: number;
  /** The first in its process, which also compiles JavaScript. */
  readonly first: PlanningTimes;
  readonly median: PlanningTimes;
}

/** Plans of each net. */
const PLANS = 7;

const PARTS = ['record', 'fuse', 'memory', 'flatten', 'kernels'] as const satisfies readonly (keyof PlanningTimes)[];

/** How long it takes to record and to plan the training step of each net for a device. */
export function planningResults(device: WebGpuDevice): PlanningResult[] {
  return NET_NAMES.map((name) => {
    const net = netDescription(name);
    const step = netStep(device, net);
    const plans = Array.from({ length: PLANS }, () => planOnce(device, step));
    step.dispose();
    const [first] = plans;
    if (!first) throw new Error('nothing was planned');
    const medianOf = (part: keyof PlanningTimes): number => median(plans.map(({ times }) => times[part]));
    const { operations, steps, times } = first;
    return {
      net: net.title,
      operations,
      steps,
      first: times,
      median: {
        record: medianOf('record'),
        fuse: medianOf('fuse'),
        memory: medianOf('memory'),
        flatten: medianOf('flatten'),
        kernels: medianOf('kernels'),
      },
    };
  });
}

function planOnce(device: WebGpuDevice, step: TrainingStep) {
  const recorded = timed(() => record(() => step.record()).trace);
  const trace = recorded.value;
  const roots = { outputs: [], updates: [...trace.updates.values()] };
  const fused = timed(() => fuse(roots, device.fusion));
  const nodes = nodesBefore(fused.value.updates);
  const memory = timed(() => planMemory(nodes, [], wordsOf));
  const built = timed(() => buildProgram([], [], trace, { fusion: device.fusion, isRepeated: true }));
  const prepared = timed(() => device.prepare(built.value));
  const times: PlanningTimes = {
    record: recorded.milliseconds,
    fuse: fused.milliseconds,
    memory: memory.milliseconds,
    flatten: Math.max(built.milliseconds - fused.milliseconds - memory.milliseconds, 0),
    kernels: prepared.milliseconds,
  };
  return { times, operations: nodesBefore(roots.updates).length, steps: built.value.steps.length };
}

/** By the processor's time: what else the machine does is no part of it. */
function timed<T>(work: () => T): { readonly value: T; readonly milliseconds: number } {
  const start = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(start);
  return { value, milliseconds: (user + system) / 1000 };
}

/** Two rows a net: the first plan of a process, and the median. */
export function planningTable(results: readonly PlanningResult[]): string {
  const rows = results.flatMap(({ net, operations, steps, first, median: middle }) =>
    [['first', first] as const, ['median', middle] as const].map(([which, times]) => [
      `${net}, ${which}`,
      String(operations),
      String(steps),
      ...PARTS.map((part) => formatNumber(times[part])),
      formatNumber(PARTS.reduce((sum, part) => sum + times[part], 0)),
    ]),
  );
  return formatTable(['ms', 'operations', 'steps', ...PARTS, 'in all'], rows);
}
