import type { Device } from '../../../lib/device/device.js';
import type { Campaign } from '../search.js';
import { difference, expectedOf } from './compare.js';
import { onDevice } from './outcome.js';
import { printProgram } from './print.js';
import { type RandomProgram, randomPrograms, smallerPrograms } from './program.js';

/** A device that random functions are tried on. */
export interface Contender {
  readonly device: Device;
  /** How a printed program opens it. */
  readonly code: string;
  /** It computes nothing but references, one after the other: no number may differ. */
  readonly isExact?: boolean;
}

/** Random recorded functions, on devices against their definition. */
export function functionCampaign(contenders: readonly Contender[]): Campaign<RandomProgram> {
  /** Once one is wrong, smaller cases are tried on that one alone. */
  let suspects = contenders;
  return {
    cases: randomPrograms,
    smaller: smallerPrograms,
    async problemOf(program) {
      const expected = await expectedOf(program);
      if (!expected) return undefined;
      for (const contender of suspects) {
        const { device, code, isExact } = contender;
        const got = await onDevice(program, device).catch((error: unknown) => String(error));
        const found = typeof got === 'string' ? { name: undefined, problem: got } : difference(got, expected, isExact);
        if (!found) continue;
        suspects = [contender];
        return `${printProgram(program, code, found.name)}\n// ${found.problem}`;
      }
      return undefined;
    },
  };
}
