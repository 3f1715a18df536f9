/** A few random recorded functions; `npm run fuzz` tries any number. */
import test from 'tape';
import { cpuContenders, webgpuContenders } from './contenders.js';
import { functionCampaign } from './functions/campaign.js';
import { derivativeCampaign } from './functions/derivatives.js';
import { search } from './search.js';

test('gradients of random functions are those that differences of their losses give', async (t) => {
  const { problem } = await search(derivativeCampaign(), 1, { runs: 200 });
  t.equal(problem, undefined);
});

test('random functions give on the CPU what they give by definition: values, gradients and state', async (t) => {
  const { problem } = await search(functionCampaign(cpuContenders()), 1, { runs: 150 });
  t.equal(problem, undefined);
});

test('random functions give on webgpu what they give by definition', async (t) => {
  const [adapter] = await webgpuContenders(); // kernels for hardware take a software adapter long to compile
  const { problem } = await search(functionCampaign([adapter]), 1, { runs: 15 });
  t.equal(problem, undefined);
});
