/** How long timers, signals and other devices may have to wait for their turn, in milliseconds. */
const LONGEST = 50;

let lastBreath = performance.now();

/**
 * Lets the event loop turn where it has not for 50 ms. A device that computes at once (the CPU) would otherwise keep it
 * from turning for as long as somebody awaits one result after the other, and a training beside that would stand still.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < LONGEST) return;
  await new Promise((resume) => setTimeout(resume));
  lastBreath = performance.now();
}
