/** Letters that a file begins with, or has at a place near its beginning. */
interface Kind {
  readonly kind: string;
  readonly begins: string;
  readonly at?: number;
}

const PNG: Kind = { kind: 'a PNG file', begins: '\x89PNG\r\n\x1a\n' };
const JPEG: Kind = { kind: 'a JPEG file', begins: '\xff\xd8\xff' };

/** What files are that are called pictures, by their first bytes. */
const KINDS: readonly Kind[] = [
  PNG,
  JPEG,
  { kind: 'a GIF file', begins: 'GIF8' },
  { kind: 'a BMP file', begins: 'BM' },
  { kind: 'a WebP file', begins: 'WEBP', at: 8 },
  { kind: 'a TIFF file', begins: 'II*\0' },
  { kind: 'a TIFF file', begins: 'MM\0*' },
  { kind: 'an HEIC or AVIF file', begins: 'ftyp', at: 4 },
  { kind: 'a PDF file', begins: '%PDF' },
  { kind: 'an XML or SVG file', begins: '<?xml' },
  { kind: 'an SVG file', begins: '<svg' },
  { kind: 'a web page', begins: '<!DOCTYPE' },
  { kind: 'a web page', begins: '<html' },
  { kind: 'a pointer of Git LFS (git lfs pull)', begins: 'version https://g' },
];

/** What a file is that begins so, with its article, such as 'a GIF file'; undefined where that is unknown. */
export function kindOf(beginning: Uint8Array): string | undefined {
  return KINDS.find(({ begins, at = 0 }) => letters(beginning, at, at + begins.length) === begins)?.kind;
}

/** Whether a file begins with the signature of PNG, or ends inside of it. */
export function isPng(beginning: Uint8Array): boolean {
  return beginsAs(PNG, beginning);
}

/** Whether a file begins as JPEG files do, or ends inside of such a beginning. */
export function isJpeg(beginning: Uint8Array): boolean {
  return beginsAs(JPEG, beginning);
}

/** Letters of a file, a byte each. */
export function letters(bytes: Uint8Array, begin: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(begin, end));
}

function beginsAs({ begins }: Kind, beginning: Uint8Array): boolean {
  const found = letters(beginning, 0, begins.length);
  return found !== '' && begins.startsWith(found);
}
