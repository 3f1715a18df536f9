/**
 * Whether a warning of libjpeg is one of a whole picture: a parameter that only progressive files use, or some bytes too many
 * behind the last pixel. Cameras write such files.
 */
export function isHarmless(warning: string): boolean {
  return /Invalid SOS parameters|: \d extraneous bytes before marker 0xd9/.test(warning);
}

/** Why a JPEG file was refused, in words that are the same whichever library met it. */
export function jpegReason(error: unknown, fileBytes: number): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/premature end of JPEG/i.test(message))
    return `it is cut off: ${fileBytes} bytes, without the end of its picture`;
  const [first = ''] = message.replace(/^Input buffer has corrupt header: /, '').split('\n');
  return `its picture is damaged (${first.replace(/^VipsJpeg: /, '')})`;
}
