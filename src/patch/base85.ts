/**
 * Bytes as text, four by five, for binary patches: as git has it, which is not RFC 1924's order of sums but its alphabet.
 *
 * @see git's base85.c
 */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const VALUES = new Map([...ALPHABET].map((char, value) => [char, value]));
const MAX_WORD = 2 ** 32;

/** @returns five characters for each four bytes; the last are filled up with zeros */
export function toBase85(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let word = 0;
    for (let i = 0; i < 4; i++) word = word * 256 + (bytes[at + i] ?? 0);
    let digits = "";
    for (let i = 0; i < 5; i++) {
      digits = ALPHABET[word % 85] + digits;
      word = Math.floor(word / 85);
    }
    text += digits;
  }
  return text;
}

/** @param length of the bytes @returns undefined for what is none */
export function fromBase85(text: string, length: number): Uint8Array | undefined {
  if (text.length % 5 !== 0 || text.length !== Math.ceil(length / 4) * 5) return undefined;
  const bytes = new Uint8Array((text.length / 5) * 4);
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (let i = at; i < at + 5; i++) word = word * 85 + (VALUES.get(text[i]) ?? Number.NaN);
    if (!(word < MAX_WORD)) return undefined;
    for (let i = 3; i >= 0; i--) {
      bytes[(at / 5) * 4 + i] = word % 256;
      word = Math.floor(word / 256);
    }
  }
  return bytes.subarray(0, length);
}
