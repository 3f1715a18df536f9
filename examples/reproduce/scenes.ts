import { readFile } from 'node:fs/promises';
import { DataError } from 'kernelwright';

/**
 * The scene of each file, of a JSON file `{ "scenes": { "name": ["Class/file.png", …], … } }`. Throws DataError for a file that is no
 * such text, and where a picture has no scene, or two.
 */
export async function readScenes(path: string, files: readonly string[]): Promise<string[]> {
  const sceneOf = new Map<string, string>();
  for (const [scene, members] of Object.entries(parse(path, await readFile(path, 'utf8')))) {
    for (const file of members) {
      if (sceneOf.has(file))
        throw new DataError(`${path}: ${file} is in two scenes, ${sceneOf.get(file) ?? ''} and ${scene}`);
      sceneOf.set(file, scene);
    }
  }
  return files.map((file) => {
    const scene = sceneOf.get(file);
    if (scene === undefined) throw new DataError(`${path}: ${file} is in none of the scenes`);
    return scene;
  });
}

function parse(path: string, text: string): Readonly<Record<string, readonly string[]>> {
  const value: unknown = parseJson(path, text);
  const scenes: unknown = typeof value === 'object' && value !== null && 'scenes' in value ? value.scenes : undefined;
  if (isScenes(scenes)) return scenes;
  throw new DataError(`${path}: expected { "scenes": { "name": ["Class/file.png", …], … } }`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function isScenes(value: unknown): value is Readonly<Record<string, readonly string[]>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every(
    (files: unknown) => Array.isArray(files) && files.every((file) => typeof file === 'string'),
  );
}
