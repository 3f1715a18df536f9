/** Pictures that are read at the same time: as many as Node has threads for files and for sharp, and few enough to be held. */
const CONCURRENT = 4;

/** A function that does work, a few at a time; the others wait for their turn. */
export function limited(): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= CONCURRENT) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/** What `work` gives for every item, in their order; a few are worked on at a time. */
export function mapLimited<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const inTurn = limited();
  return Promise.all(items.map((item, index) => inTurn(() => work(item, index))));
}
