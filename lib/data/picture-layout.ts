/** The order of the numbers of one picture: [3, height, width] or [height, width, 3]. */
export type PictureLayout = 'channels-first' | 'channels-last';
