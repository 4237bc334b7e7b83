/**
 * Bytes out of the text that scripts/core-text.mjs makes of a stream of them.
 *
 * The alphabet is printable ASCII without the four characters that string literals have a use for. A digit below 89 is
 * the character of that number; the last two characters of the alphabet say that another follows, for the digits from 89
 * and from 180 on. Small bytes are the most frequent ones in Wasm, and gzip finds its repeats again; those from 66 to 105
 * (comparisons, above all) are rare, and come last.
 *
 * Does not own: what the bytes are.
 */
const LEFT_OUT = '"$\\`';

function digits(): Uint8Array {
  const digitOf = new Uint8Array(128);
  let digit = 0;
  for (let code = 32; code < 127; code++) {
    if (!LEFT_OUT.includes(String.fromCharCode(code))) digitOf[code] = digit++;
  }
  return digitOf;
}

/** Reads the bytes back. Precondition: the text is whole. */
export function textToBytes(text: string): Uint8Array<ArrayBuffer> {
  const digitOf = digits();
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf[text.charCodeAt(i)];
    const value = digit < 89 ? digit : (digit === 89 ? 89 : 180) + digitOf[text.charCodeAt(++i)];
    bytes[length++] = value < 66 ? value : value < 216 ? value + 40 : value - 150;
  }
  return bytes.slice(0, length);
}
