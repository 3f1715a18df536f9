import type { TargetName } from '../kernels/targets.js';
import { readAmd } from './amd.js';
import { readIntel } from './intel.js';
import type { MachineCode } from './machine-code.js';
import { readNvidia } from './nvidia.js';

/** A GPU that a driver can be made to believe in. */
export interface Chip {
  readonly vendor: keyof typeof DRIVERS & TargetName;
  /** What it is called in shops. */
  readonly title: string;
  /** What a driver printed of one kernel, read. */
  readonly read: (lines: readonly string[]) => MachineCode;
}

/** How Mesa's driver of a vendor is opened without a GPU, and made to print. */
export interface Driver {
  /** Library in the folder that tools/isa/setup.sh makes: a Vulkan driver by itself, or preloaded. */
  readonly library: 'amd.so' | 'intel.so' | 'nvidia.so';
  readonly isPreloaded: boolean;
  /** The driver's manifest among Mesa's; undefined where the library is the driver. */
  readonly manifest: string | undefined;
  readonly environment: (chip: string) => Readonly<Record<string, string>>;
}

export const DRIVERS = {
  amd: {
    library: 'amd.so',
    isPreloaded: false,
    manifest: undefined,
    environment: (chip) => ({ RADV_FORCE_FAMILY: chip, RADV_DEBUG: 'shaders,shaderstats,nocache' }),
  },
  intel: {
    library: 'intel.so',
    isPreloaded: true,
    manifest: 'intel_icd.json',
    environment: (chip) => ({ INTEL_STUB_GPU_PLATFORM: chip, INTEL_DEBUG: 'cs' }),
  },
  nvidia: {
    library: 'nvidia.so',
    isPreloaded: true,
    manifest: 'nouveau_icd.json',
    environment: (chip) => ({ NOUVEAU_CHIPSET: chip, NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: '1', NAK_DEBUG: 'print' }),
  },
} as const satisfies Record<string, Driver>;

const gcn = (title: string): Chip => ({ vendor: 'amd', title, read: (lines) => readAmd(lines, 'gcn') });
const rdna = (title: string): Chip => ({ vendor: 'amd', title, read: (lines) => readAmd(lines, 'rdna') });
const intel = (title: string): Chip => ({ vendor: 'intel', title, read: readIntel });
const nvidia = (title: string, warps: number): Chip => ({
  vendor: 'nvidia',
  title,
  read: (lines) => readNvidia(lines, warps),
});

/** The chips, by the names that Mesa has for them. */
export const CHIPS: ReadonlyMap<string, Chip> = new Map([
  ['navi31', rdna('RDNA 3, RX 7900')],
  ['navi21', rdna('RDNA 2, RX 6800')],
  ['vega10', gcn('GCN 5, RX Vega')],
  ['tgl', intel('Xe-LP, Iris Xe')],
  ['dg2', intel('Xe-HPG, Arc A770')],
  ['lnl', intel('Xe2, Arc 140V')],
  ['162', nvidia('Turing, RTX 2070', 32)],
  ['172', nvidia('Ampere, RTX 3080', 48)],
]);
