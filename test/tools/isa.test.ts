/** tools/isa reads what drivers print. The listings are excerpts of theirs. */
import test from 'tape';
import { DeviceError } from '../../lib/errors.js';
import { readAmd } from '../../tools/isa/amd.js';
import { CHIPS } from '../../tools/isa/chips.js';
import { compileFor, isaFolder } from '../../tools/isa/compile.js';
import { readIntel } from '../../tools/isa/intel.js';
import { type BackEdge, hotBlock, type PlainBlock } from '../../tools/isa/machine-code.js';
import { readNvidia } from '../../tools/isa/nvidia.js';
import { inFolder } from '../examples/program.js';
import { rejects } from '../support/errors.js';

const lines = (text: string): string[] => text.split('\n').slice(1);

test('a listing of RADV: registers, waves and the loop', (t) => {
  const text = `
ACO shader stage: SW (CS), HW (COMPUTE_SHADER)
disasm:
BB0:
	s_mov_b64 exec, -1                                          ; befe01c1
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
BB3:
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	ds_load_b128 v[4:7], v1                                     ; dbfc0000
	v_dual_fmac_f32 v0, v5, v6 :: v_dual_fmac_f32 v7, v8, v9    ; c8000d05
	v_fmac_f32_e32 v1, v2, v3                                   ; 56020702
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
	v_fma_f32 v1, v2, v3, v4                                    ; d6130001
	scratch_load_b32 v1, off, off                               ; dc510000
	s_cbranch_scc1 BB3                                          ; bfa2fff0
BB4:
	s_endpgm                                                    ; bfb00000

*** SHADER STATS ***
VGPRs: 72
Spilled SGPRs: 1
Spilled VGPRs: 2
Scratch size: 8
Subgroups per SIMD: 14
Instructions: 14`;
  const { hot, ...rest } = readAmd(lines(text), 'rdna');
  const waves = { lanes: 64, waves: 7, mostWaves: 16 };
  t.deepEqual(rest, { registers: 72, spills: 3, scratchBytes: 8, instructions: 14, ...waves });
  t.deepEqual(hot, { instructions: 10, multiplyAdds: 8, workgroupReads: 1, stackAccesses: 1, depth: 1 });
  t.equal(readAmd(lines(text), 'gcn').waves, 14, 'GCN has waves of 64 only');
  const narrow = readAmd(lines(text.replace('s_mov_b64 exec, -1', 's_mov_b32 exec_lo, -1')), 'rdna');
  t.deepEqual([narrow.lanes, narrow.waves], [32, 14]);
  t.end();
});

test('a listing of ANV: spills, and the stack in both of its forms', (t) => {
  const text = (message: string): string => `
Native code for unnamed compute shader (null)
SIMD8 shader: 99 instructions. 0 loops. 1 cycles. 0:0 spills:fills, 1 sends
Native code for unnamed compute shader (null)
SIMD16 shader: 7 instructions. 1 loops. 2000 cycles. 12:30 spills:fills, 3 sends, scheduled with mode top-down.
   START B0 (128 cycles)
mov(16)         g15<1>UD        g1<8,8,1>UW                     { align1 };
   END B0 ->B1
   START B2 <-B1 <-B2 (128 cycles)
sync nop(1)                     null<0,1,0>UB                   { align1 WE_all 1N $1.dst };
mad(16)         g1<1>F          g2<8,8,1>F      g3<8,8,1>F      { align1 };
send(16)        g58UD           g0UD            nullUD          0x0210011f                0x00000000
                            ${message} { align1 };
(+f0.0) while(16) JIP:  LABEL0                                  { align1 };
   END B2 ->B2 ->B3
   START B3 <-B2 (10 cycles)
   END B3`;
  const oword = readIntel(lines(text('dp data MsgDesc: (DC OWORD block read, bti 253, owords = 4)')));
  const { hot, ...rest } = oword;
  const fixed = { registers: undefined, scratchBytes: undefined, waves: undefined, mostWaves: undefined };
  t.deepEqual(rest, { spills: 42, lanes: 16, instructions: 7, ...fixed });
  t.deepEqual(hot, { instructions: 3, multiplyAdds: 1, workgroupReads: 0, stackAccesses: 1, depth: 1 });
  const state = readIntel(lines(text('ugm MsgDesc: ( load, a32, d32, V16, transpose, src0_len = 1, ss )  surface')));
  t.equal(state.hot.stackAccesses, 1);
  for (const read of ['dp data 1 MsgDesc: (untyped surface read, Surface = 254, SIMD16)', 'slm MsgDesc: ( load, a32']) {
    t.equal(readIntel(lines(text(read))).hot.workgroupReads, 1, read);
  }
  t.end();
});

test('a listing of NVK: the last pass, warps by registers, local memory', (t) => {
  const text = `
NAK IR after lower:
block 0 L0 [] -> {
      r0       = ffma r0 r1 r2                                    // delay=1
} -> [1]
NAK IR after calc_instr_deps:
block.u 0 L3 [] -> {
      r3       = s2r sr[0x21]                                     // delay=6 wr:0
} -> [1]
block 1 L5 [0, 1] -> {
      r54      = ffma.ftz r54 r139 r64                            // delay=1
      r11      = ld.shared.strong.cta.b128 [r4]                   // delay=1
      r66      = ld.local.strong.cta.b32 [rZ+0x29c]               // delay=1 wr:0
                 st.local.strong.cta.b32 [rZ+0x29c] r66           // delay=1
@!p0             bra L5                                           // delay=1
} -> [1, 2]
block 2 L6 [1] -> {
                 exit                                             // delay=1
} -> []

Stage: compute
Instruction count: 7
Num GPRs: 106
SLM size: 128
Encoded shader:`;
  const { hot, ...rest } = readNvidia(lines(text), 48);
  const waves = { lanes: 32, waves: 18, mostWaves: 48 };
  t.deepEqual(rest, { registers: 106, spills: 0, scratchBytes: 128, instructions: 7, ...waves });
  t.deepEqual(hot, { instructions: 5, multiplyAdds: 1, workgroupReads: 1, stackAccesses: 2, depth: 1 });
  t.equal(readNvidia(lines(text.replace('106', '19')), 32).waves, 32, 'no more than there can be');
  t.throws(() => readNvidia(lines(text.replace('Num GPRs', 'GPRs')), 32), /Num GPRs/);
  t.end();
});

test('the hot block has the most multiply-adds, or is the longest one of the innermost loops', (t) => {
  const block = (instructions: number, multiplyAdds = 0): PlainBlock => ({
    instructions,
    multiplyAdds,
    workgroupReads: 0,
    stackAccesses: 0,
  });
  const nested: readonly BackEdge[] = [
    { from: 3, to: 1 },
    { from: 2, to: 2 },
  ];
  const blocks = [block(90, 7), block(50), block(10), block(40), block(60)];
  t.deepEqual(hotBlock(blocks, nested), { ...block(10), depth: 2 });
  t.deepEqual(hotBlock(blocks, []), { ...block(90, 7), depth: 0 });
  t.deepEqual(hotBlock([...blocks, block(20, 16), block(30, 8)], nested), { ...block(20, 16), depth: 0 });
  t.end();
});

test('without drivers it is said how to get them', async (t) => {
  const chip = CHIPS.get('navi31');
  if (!chip) throw new Error('navi31 is gone');
  await inFolder(async (folder) => {
    await rejects(t, compileFor('navi31', chip, [], { folder }), DeviceError, folder, 'npm run isa -- setup');
  });
  t.equal(isaFolder({ KERNELWRIGHT_ISA: '/opt/isa' }), '/opt/isa');
  t.ok(isaFolder({ XDG_CACHE_HOME: '/cache' }).endsWith('isa'));
});
