/** Share of the steps in which the rate rises. */
const RISE = 0.2;
/** The rate at the beginning and at the end, in parts of the largest. */
const [FIRST, LAST] = [1 / 25, 1 / 250_000];

/**
 * The learning rate of each step, counted from 0: along half a cosine up to the largest, and along another one down again
 * (Smith & Topin 2017; `torch.optim.lr_scheduler.OneCycleLR`).
 */
export function oneCycle(largest: number, steps: number): (step: number) => number {
  const top = RISE * steps - 1;
  const along = (from: number, to: number, share: number): number =>
    largest * (to + ((from - to) / 2) * (1 + Math.cos(Math.PI * Math.min(Math.max(share, 0), 1))));
  return (step) =>
    step <= top ? along(FIRST, 1, top > 0 ? step / top : 1) : along(1, LAST, (step - top) / (steps - 1 - top));
}
