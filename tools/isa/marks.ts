/** What stands in front of a kernel's file name in what a driver printed. */
export const MARK = '@@@ ';

/** In the place of a file name, behind the last kernel. */
export const END = 'end';
