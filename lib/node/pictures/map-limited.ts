/** Pictures that are read at the same time: as many as Node has threads for files and for sharp, and few enough to be held. */
const CONCURRENT = 4;

/** What `work` gives for every item, in their order; a few are worked on at a time. */
export async function mapLimited<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const remaining = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of remaining) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  return results;
}
