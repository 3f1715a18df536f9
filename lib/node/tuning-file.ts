import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TuningStore } from '../device/webgpu/tuning/store.js';
import { withFile } from './read-file.js';
import { writeFileAtomically } from './write-file.js';

/** Keeps tuning's choices in a file of the user's cache folder. */
export function tuningFile(path = join(cacheFolder(), 'kernelwright', 'tuning.json')): TuningStore {
  return {
    read: () =>
      withFile(path, (file) => file.read()).then(
        (bytes) => new TextDecoder().decode(bytes),
        () => undefined,
      ),
    write: (text) => writeFileAtomically(path, text),
  };
}

/**
 * Where the platform keeps what may be deleted at any time: XDG_CACHE_HOME or ~/.cache, on macOS ~/Library/Caches, on
 * Windows LOCALAPPDATA.
 */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local');
  if (platform === 'darwin') return join(home, 'Library', 'Caches');
  return environment['XDG_CACHE_HOME'] || join(home, '.cache');
}
