/** A few random lives of models; `npm run fuzz` tries any number. */
import test from 'tape';
import { lifeCampaign } from './lives/campaign.js';
import { cpuHomes, LOSABLE, webgpuHomes } from './lives/homes.js';
import { search } from './search.js';

test('random lives of models on the CPU go as a plain account of them', async (t) => {
  const homes = cpuHomes();
  const { problem } = await search(
    lifeCampaign(homes.length, [], () => Promise.resolve(homes)),
    1,
    { runs: 150 },
  );
  t.equal(problem, undefined);
});

test('random lives of models on the CPU and on webgpu, which may be lost, go as a plain account of them', async (t) => {
  const { problem } = await search(lifeCampaign(3, LOSABLE, webgpuHomes()), 1, { runs: 12 });
  t.equal(problem, undefined);
});
