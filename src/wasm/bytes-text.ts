/**
 * Bytes out of the text that scripts/core-text.mjs makes of a stream of them.
 *
 * The alphabet is printable ASCII from `%` on without the backslash, which a string literal has a use for. A digit below
 * 87 is the character of that number; the last two characters of the alphabet say that another follows, for the digits
 * from 87 and from 176 on. The first digits are the bytes that a core has most of: 0 to 42, 64 to 75, 96 to 127.
 *
 * Does not own: what the bytes are.
 */
const FIRST_CHARACTER = 37;
const BACKSLASH = 92;
const ONE_CHARACTER = 87;
const NR_CHARACTERS = 89;

function byteOf(digit: number): number {
  if (digit < 43 || digit > 127) return digit;
  if (digit < ONE_CHARACTER) return digit < 55 ? digit + 21 : digit + 41;
  return digit < 108 ? digit - 44 : digit - 32;
}

/** Reads the bytes back. Precondition: the text is whole. */
export function textToBytes(text: string): Uint8Array<ArrayBuffer> {
  const digitOf = Uint8Array.from({ length: 128 }, (_, code) => code - FIRST_CHARACTER - Number(code > BACKSLASH));
  const bytesOfDigits = Uint8Array.from({ length: 256 }, (_, digit) => byteOf(digit));
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let digit = digitOf[text.charCodeAt(i)];
    if (digit >= ONE_CHARACTER) digit += (digit - ONE_CHARACTER) * (NR_CHARACTERS - 1) + digitOf[text.charCodeAt(++i)];
    bytes[length++] = bytesOfDigits[digit];
  }
  return bytes.slice(0, length);
}
