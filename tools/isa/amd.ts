import { type BackEdge, count, hotBlock, type MachineCode, numberAfter } from './machine-code.js';

/** Waves that a SIMD holds at most. */
const MOST_WAVES = { gcn: 10, rdna: 16 };

/** What waits, or says how long to: on other chips it is part of the instructions themselves. */
const WAIT = /^s_(waitcnt|delay_alu|clause|nop)/;

/** Reads what RADV prints of a kernel with RADV_DEBUG=shaders,shaderstats. */
export function readAmd(lines: readonly string[], generation: keyof typeof MOST_WAVES): MachineCode {
  const listing = lines.slice(lines.lastIndexOf('disasm:') + 1);
  const end = listing.findIndex((line) => line.startsWith('***'));
  const code = end < 0 ? listing : listing.slice(0, end);
  const labels: number[] = [];
  const blocks: string[][] = [];
  for (const line of code) {
    const [, label] = /^BB(\d+):/.exec(line) ?? [];
    if (label !== undefined) {
      labels.push(Number(label));
      blocks.push([]);
    } else if (line.startsWith('\t')) blocks.at(-1)?.push(line.trim());
  }
  const loops = blocks.flatMap((block, from) =>
    block.flatMap((line): BackEdge[] => {
      const [, label] = /^s_c?branch\S* BB(\d+)/.exec(line) ?? [];
      const to = labels.indexOf(Number(label));
      return label !== undefined && to >= 0 && to <= from ? [{ from, to }] : [];
    }),
  );
  // RADV's default; code of 32 lanes names the lower halves of its masks.
  const lanes = code.some((line) => /\b(exec_lo|vcc_lo)\b/.test(line)) ? 32 : 64;
  // RADV counts subgroups of 32 lanes: on RDNA a wave of 64 is two of them.
  const subgroups = numberAfter('Subgroups per SIMD', lines);
  return {
    registers: numberAfter('VGPRs', lines),
    spills: numberAfter('Spilled VGPRs', lines) + numberAfter('Spilled SGPRs', lines),
    scratchBytes: numberAfter('Scratch size', lines),
    lanes,
    waves: generation === 'rdna' ? subgroups / (lanes / 32) : subgroups,
    mostWaves: MOST_WAVES[generation],
    instructions: numberAfter('Instructions', lines),
    hot: hotBlock(
      blocks.map((block) => ({
        instructions: block.length - count(block, WAIT),
        multiplyAdds: block.reduce((sum, line) => sum + multiplyAddsOf(line), 0),
        workgroupReads: count(block, /^ds_(load|read)/),
        stackAccesses: count(block, /^scratch_(load|store)/),
      })),
      loops,
    ),
  };
}

/** Dual and packed instructions make two. */
function multiplyAddsOf(line: string): number {
  return (line.match(/v_(dual_|pk_)?(fma|fmac|mac|mad|fmamk|fmaak)_f32/g) ?? []).reduce(
    (sum, instruction) => sum + (instruction.startsWith('v_pk_') ? 2 : 1),
    0,
  );
}
