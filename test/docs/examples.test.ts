/** Each of examples/ runs, and does what its comments say. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { countClaims, runProgram } from "./run-program.ts";

const FOLDER = fileURLToPath(new URL("../../examples", import.meta.url));
/** File systems to copy from, not programs: their own tests run them. */
const NO_PROGRAMS = ["lazy-git.ts", "nukofs.ts", "shelffs.ts"];

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".ts") && !NO_PROGRAMS.includes(name));

it.each(names)("%s", async (name) => {
  const source = readFileSync(`${FOLDER}/${name}`, "utf8");

  expect(countClaims(source)).toBeGreaterThan(0);
  await runProgram(source);
});
