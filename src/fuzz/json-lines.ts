/** Replays are lines of JSON: the first says what it shows, and each of the others is a call. */

export function writeJsonLines(values: readonly object[]): string {
  return `${values.map((value) => JSON.stringify(value)).join("\n")}\n`;
}

/** @returns what each line is; empty ones are none @throws SyntaxError when one is no JSON */
export function readJsonLines(text: string): unknown[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => JSON.parse(line) as unknown);
}
