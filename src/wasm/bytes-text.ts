/**
 * Bytes out of the text that scripts/core-text.mjs makes of a stream of them.
 *
 * The alphabet is printable ASCII without the four characters that string literals have a use for. A digit below 89 is
 * the character of that number; the last two characters of the alphabet say that another follows, for the digits from 89
 * and from 180 on. The first digits are the bytes that a core has most of: 0 to 42, 64 to 75, 96 to 129.
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

function byteOf(digit: number): number {
  if (digit < 43 || digit > 129) return digit;
  if (digit < 89) return digit < 55 ? digit + 21 : digit + 41;
  return digit < 110 ? digit - 46 : digit - 34;
}

/** Reads the bytes back. Precondition: the text is whole. */
export function textToBytes(text: string): Uint8Array<ArrayBuffer> {
  const digitOf = digits();
  const bytesOfDigits = Uint8Array.from({ length: 256 }, (_, digit) => byteOf(digit));
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf[text.charCodeAt(i)];
    bytes[length++] = bytesOfDigits[digit < 89 ? digit : (digit === 89 ? 89 : 180) + digitOf[text.charCodeAt(++i)]];
  }
  return bytes.slice(0, length);
}
