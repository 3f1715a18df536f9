import { cpuContenders, webgpuContenders } from './contenders.js';
import { functionCampaign } from './functions/campaign.js';
import { derivativeCampaign } from './functions/derivatives.js';
import { lifeCampaign } from './lives/campaign.js';
import { cpuHomes, LOSABLE, webgpuHomes } from './lives/homes.js';
import { type Campaign, search, type SearchLength, type SearchResult } from './search.js';

/** A search, by a seed and for so long. */
export type Search = (seed: number, length: SearchLength) => Promise<SearchResult>;

const searchOf =
  <Case>(campaign: Campaign<Case>): Search =>
  (seed, length) =>
    search(campaign, seed, length);

/** Something that is tried at random. */
export interface NamedCampaign {
  readonly name: string;
  readonly device: 'cpu' | 'webgpu';
  readonly start: () => Promise<Search>;
}

export const CAMPAIGNS: readonly NamedCampaign[] = [
  { name: 'gradients', device: 'cpu', start: () => Promise.resolve(searchOf(derivativeCampaign())) },
  { name: 'functions', device: 'cpu', start: () => Promise.resolve(searchOf(functionCampaign(cpuContenders()))) },
  {
    name: 'functions-on-webgpu',
    device: 'webgpu',
    start: async () => searchOf(functionCampaign(await webgpuContenders())),
  },
  {
    name: 'lives',
    device: 'cpu',
    start: () => {
      const homes = cpuHomes();
      return Promise.resolve(searchOf(lifeCampaign(homes.length, [], () => Promise.resolve(homes))));
    },
  },
  {
    name: 'lives-on-webgpu',
    device: 'webgpu',
    start: () => Promise.resolve(searchOf(lifeCampaign(3, LOSABLE, webgpuHomes()))),
  },
];
