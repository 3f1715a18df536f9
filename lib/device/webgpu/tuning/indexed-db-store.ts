import type { TuningStore } from './store.js';

const DATABASE = 'kernelwright';
const TABLE = 'tuning';
const KEY = 'choices';

/** Keeps tuning's choices in the browser's IndexedDB; undefined where there is none. */
export function indexedDbStore(): TuningStore | undefined {
  try {
    if (typeof indexedDB === 'undefined') return undefined;
  } catch {
    return undefined; // some browsers refuse the very look at it
  }
  return {
    async read() {
      try {
        const found = await inTable('readonly', (table): IDBRequest<unknown> => table.get(KEY));
        return typeof found === 'string' ? found : undefined;
      } catch {
        return undefined; // a private window may refuse
      }
    },
    async write(text) {
      await inTable('readwrite', (table) => table.put(text, KEY));
    },
  };
}

async function inTable<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await settled(opening);
  try {
    return await settled(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close(); // waits for the transaction
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB gave no reason'));
  });
}
