import { outputsOf } from '../../../lib/graph/node.js';
import { nodesBefore } from '../../../lib/graph/nodes.js';
import { RandomStream } from '../../../lib/random.js';
import { record } from '../../../lib/graph/trace.js';
import type { Tensor } from '../../../lib/index.js';
import type { Campaign } from '../search.js';
import { leafValues, placeholdersFor, type Values } from './oracle.js';
import { inputsOf } from './outcome.js';
import { printProgram } from './print.js';
import { interpret, type RandomProgram, randomPrograms, smallerPrograms } from './program.js';
import type { Differentiation } from './session.js';
import { World } from './world.js';

const STEP = 1e-5;
/** Of the sum of the parts of a directional derivative: it is taken from differences, in float64. */
const TOLERANCE = 1e-3;
const SLOPE_TOLERANCE = 1e-4;

/**
 * Random recorded functions whose gradients are compared with differences of their losses. What an update gave to a variable,
 * and what `stopGradient` gives, stays as it is while a target changes: there a gradient ends.
 */
export function derivativeCampaign(): Campaign<RandomProgram> {
  return {
    cases: randomPrograms,
    smaller: smallerPrograms,
    async problemOf(program) {
      const world = new World();
      const inputs = inputsOf(program, 0, {});
      const { result } = record(() => interpret(world, program, 0, placeholdersFor(inputs)));
      for (const differentiation of result.differentiations) {
        const problem = await problemIn(differentiation, inputs);
        if (problem !== undefined)
          return `${printProgram(program, [`await openDevice('cpu')`], undefined)}\n// ${problem}`;
      }
      return undefined;
    },
  };
}

async function problemIn(
  { loss, targets, gradients, names }: Differentiation,
  inputs: readonly Tensor[],
): Promise<string | undefined> {
  const all = nodesBefore([loss, ...gradients, ...targets]);
  const start = async (): Promise<Values> => unevenly(await leafValues(all, [loss, ...targets], inputs));
  const base = (await start()).compute(all, { kind: 'f64' });
  const way = nodesBefore([loss]);
  for (const [i, target] of targets.entries()) {
    const gradient = gradients[i];
    if (!gradient) continue;
    const at = base.get(target);
    // No two corners cancel in a direction of random numbers.
    const direction = new RandomStream(i, 'direction').uniform(at.length, -1, 1);
    const lossAt = async (distance: number): Promise<number> => {
      const values = await start();
      for (const node of way) {
        if (!node.operation.writes && node.operation.name !== 'stopGradient') continue;
        for (const output of outputsOf(node)) values.set(output, base.get(output));
      }
      values.set(
        target,
        Float64Array.from(at, (value, k) => value + distance * (direction[k] ?? 0)),
      );
      return values.compute(way, { kind: 'f64' }).get(loss)[0] ?? NaN;
    };
    const [before, here, behind] = [await lossAt(-STEP), await lossAt(0), await lossAt(STEP)];
    const parts = Array.from(base.get(gradient), (part, k) => part * (direction[k] ?? 0));
    const ours = parts.reduce((sum, part) => sum + part, 0);
    const expected = (behind - before) / (2 * STEP);
    const scale = parts.reduce((sum, part) => sum + Math.abs(part), Math.abs(expected)) + Math.abs(here) * 1e-6 + 1e-6;
    // Where the slopes to both sides differ, there is no derivative.
    const hasCorner = !(Math.abs(behind - 2 * here + before) / STEP <= SLOPE_TOLERANCE * scale);
    if (!hasCorner && !(Math.abs(ours - expected) <= TOLERANCE * scale)) {
      return `the gradient of ${names[0] ?? ''} with respect to ${names[i + 1] ?? ''}, in a direction: ${ours}, by differences ${expected}`;
    }
  }
  return undefined;
}

/** Leaves moved a little: the multiples of 1/8 that they are meet too often in the corners of functions. */
function unevenly(values: Values): Values {
  const stream = new RandomStream(0, 'uneven');
  for (const [leaf, given] of values.leaves()) {
    if (!(given instanceof Float32Array)) continue;
    const moved = stream.uniform(given.length, -1e-3, 1e-3);
    values.set(
      leaf,
      Float64Array.from(given, (value, i) => value + (moved[i] ?? 0)),
    );
  }
  return values;
}
