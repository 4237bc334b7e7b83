/** Versions of installed packages, for the head of a report. */
import { readFileSync } from "node:fs";

/** Reads the file itself: packages may not export their package.json. */
export function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
