// Photos are made small on the phone: a garage's signal is weak, and 1600 px show a dent well.

const LONGEST_SIDE = 1600; // px
const QUALITY = 0.82; // of 1; below, edges of scratches blur
export const LARGEST_FILE = 10 * 1024 * 1024; // bytes, for what is not a picture

export class FileTooLarge extends Error {}

export interface Prepared {
  blob: Blob;
  name: string;
}

/** A picture as JPEG of at most 1600 px; any other file as it is. Throws where a picture cannot be read. */
export async function prepare(file: File): Promise<Prepared> {
  if (!file.type.startsWith('image/')) {
    if (file.size > LARGEST_FILE) throw new FileTooLarge(file.name);
    return { blob: file, name: file.name };
  }
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#fff'; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
  if (!blob) throw new Error(file.name);
  return { blob, name: `${file.name.replace(/\.[^.]*$/, '') || 'photo'}.jpg` };
}
