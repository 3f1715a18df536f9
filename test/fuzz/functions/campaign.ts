import type { Device } from '../../../lib/device/device.js';
import type { Campaign } from '../search.js';
import { difference, expectedOf } from './compare.js';
import { onDevices } from './outcome.js';
import { printProgram } from './print.js';
import { type RandomProgram, randomPrograms, smallerPrograms } from './program.js';

/** Where random functions are tried: a device, or several in turn. */
export interface Contender {
  readonly devices: readonly Device[];
  /** How a printed program opens them. */
  readonly code: readonly string[];
  /** It computes nothing but references, one after the other: no number may differ. */
  readonly isExact?: boolean;
}

/** Random recorded functions, against their definition: each on another of the contenders, in turn. */
export function functionCampaign(contenders: readonly [Contender, ...Contender[]]): Campaign<RandomProgram> {
  let turn = 0;
  /** Once one is wrong, smaller cases are tried on that one. */
  let suspect: Contender | undefined;
  return {
    cases: randomPrograms,
    smaller: smallerPrograms,
    async problemOf(program) {
      const contender = suspect ?? contenders[turn++ % contenders.length] ?? contenders[0];
      const expected = await expectedOf(program);
      if (!expected) return undefined;
      const { devices, code, isExact } = contender;
      const got = await onDevices(program, devices).catch((error: unknown) => String(error));
      const found = typeof got === 'string' ? { name: undefined, problem: got } : difference(got, expected, isExact);
      if (!found) return undefined;
      suspect = contender;
      return `${printProgram(program, code, found.name)}\n// ${found.problem}`;
    },
  };
}
