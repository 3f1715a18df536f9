import type { Campaign } from '../search.js';
import { DATA_CODE } from '../data.js';
import { type Life, randomLives, smallerLives } from './life.js';
import { type Home, Living } from './live.js';
import { NET_CODE } from './net.js';

/** Random lives of models on devices, of which some may be lost; `open` opens what was lost anew. */
export function lifeCampaign(
  devices: number,
  losable: readonly number[],
  open: () => Promise<readonly Home[]>,
): Campaign<Life> {
  return {
    cases: randomLives(devices, losable),
    smaller: smallerLives,
    async problemOf(life) {
      const homes = await open();
      const living = new Living(homes);
      const problem = await living.live(life);
      return problem === undefined ? undefined : printLife(living.code, homes, problem);
    },
  };
}

function printLife(code: readonly string[], homes: readonly Home[], problem: string): string {
  const names = [
    'Dense',
    'Dropout',
    'Module',
    'ReLU',
    'Sequential',
    'SGD',
    'evaluate',
    'fit',
    'loadState',
    'predict',
    'stateOf',
    'tensor',
  ];
  const body = code.join('\n');
  return [
    `import { ${names.join(', ')} } from 'kernelwright';`,
    `import { openDevice } from 'kernelwright/node';`,
    '',
    DATA_CODE,
    NET_CODE,
    ...homes.flatMap((home, i) => (body.includes(`device${i}`) ? [`const device${i} = ${home.code};`] : [])),
    body,
    `// ${problem}`,
  ].join('\n');
}
