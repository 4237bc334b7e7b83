/** Names in patches: as they are, or in quotes with escapes of C where they have other bytes than those of printable ASCII. */

const ESCAPES: Record<string, string> = {
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  '"': '"',
  "\\": "\\",
};
const PLAIN = new Map(Object.entries(ESCAPES).map(([char, letter]) => [letter, char]));
const OTHER = /[^ !#-[\]-~]/g;

function escaped(char: string): string {
  return `\\${ESCAPES[char] ?? char.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

/** @param name bytes as Latin-1 text @see git's core.quotePath */
export function quoteName(name: string): string {
  const quoted = name.replace(OTHER, escaped);
  return quoted === name ? name : `"${quoted}"`;
}

/** A name, and what follows it. */
export interface ReadName {
  name: string;
  rest: string;
}

/** Reads what is in quotes at the start of a text. @returns undefined where there is no such thing */
export function readQuoted(text: string): ReadName | undefined {
  const found = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (found === null) return undefined;
  const name = found[1].replace(/\\([0-3][0-7]{2}|.)/g, (_, code: string) => {
    return code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (PLAIN.get(code) ?? code);
  });
  return { name, rest: text.slice(found[0].length) };
}
