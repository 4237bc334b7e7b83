/** Bytes as text of one character each: what patches are read and made in, whatever encoding the files have. */

const PIECE = 8192;

export function toText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode.apply(undefined, bytes.subarray(at, at + PIECE) as unknown as number[]);
  return text;
}

export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
