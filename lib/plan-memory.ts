import type { Device, ProgramMemory } from './device/device.js';
import { checkRoom, formatBytes } from './device/room.js';
import type { Program } from './graph/program.js';

/** Bytes of the buffers of a plan on its device. */
export interface PlanMemory extends ProgramMemory {
  /** Variables that it uses, such as weights, the state of optimizers and data sets. They outlive it, and plans share them. */
  readonly variables: number;
  /** All of these: the most that is taken while it runs. */
  readonly total: number;
}

/** A program and what it takes on its device. */
export interface SizedProgram {
  readonly program: Program;
  readonly memory: ProgramMemory;
  /** Bytes of the buffers, among those of slots and scratch, in which it takes turns with others. */
  readonly shared: readonly number[];
}

/**
 * The order in which programs are loaded where several are known: the one with the largest shared buffer first, which the
 * others find there then.
 */
export function byLargestShared(a: SizedProgram, b: SizedProgram): number {
  return Math.max(0, ...b.shared) - Math.max(0, ...a.shared);
}

/** What a program takes with its variables. */
export function planMemoryOf(device: Device, { program, memory }: Omit<SizedProgram, 'shared'>): PlanMemory {
  const variables = program.variables.reduce((sum, storage) => sum + device.bytesOf(storage), 0);
  return { ...memory, variables, total: ownBytes(memory) + variables };
}

/** Bytes of what a plan has for itself. */
export function ownBytes({ slots, inputs, constants, scratch, arguments: told }: ProgramMemory): number {
  return slots + inputs + constants + scratch + told;
}

/** Bytes that programs need beyond what is there, with those of their variables; and two parts of that. */
export function bytesForPlans(
  device: Device,
  programs: readonly SizedProgram[],
): { readonly all: number; readonly computed: number; readonly variables: number } {
  const used = [...new Set(programs.flatMap(({ program }) => program.variables))];
  const sum = (bytes: readonly number[]): number => bytes.reduce((total, own) => total + own, 0);
  const variables = sum(used.filter((storage) => !storage.isOn(device)).map((storage) => device.bytesOf(storage)));
  const missing = device.missingBytes([...programs].sort(byLargestShared).map(({ shared }) => shared));
  const beside = (bytes: (memory: ProgramMemory) => number): number =>
    sum(programs.map(({ memory, shared }) => bytes(memory) - sum(shared)));
  return {
    all: missing + beside(ownBytes) + variables,
    computed: missing + beside(({ slots, scratch }) => slots + scratch),
    variables,
  };
}

/** Throws DeviceMemoryError where a device has no room for programs side by side. */
export function checkRoomForPlans(device: Device, programs: readonly SizedProgram[], what: string): void {
  const { all, computed, variables } = bytesForPlans(device, programs);
  const parts = `${formatBytes(computed)} for what is computed, ${formatBytes(variables)} of variables`;
  checkRoom(device, all, `${what} (${parts})`);
}
