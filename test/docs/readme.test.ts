/** README.md: its programs run and do what their comments say, and its links lead somewhere. So do the programs that pages of docs/ begin with. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { countClaims, runProgram } from "./run-program.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Written by `npm run bench`, which takes minutes. */
const WRITTEN_LATER = ["docs/bench.svg"];

const readme = readFileSync(`${ROOT}/README.md`, "utf8");

interface Program {
  /** The nearest heading, and which program below it this is. */
  name: string;
  source: string;
}

/** The fenced blocks in TypeScript and JavaScript. */
function programsOf(text: string): Program[] {
  return [...text.matchAll(/^```(?:ts|js)\n([\s\S]*?)^```$/gm)].map(({ 1: source, index }) => {
    const before = text.slice(0, index);
    const heading =
      before
        .match(/^#+ .+$/gm)
        ?.at(-1)
        ?.replace(/^#+ /, "") ?? "";
    const nr = before.slice(before.lastIndexOf(heading)).match(/^```(?:ts|js)$/gm)?.length ?? 0;
    return { name: `${heading}, program ${nr + 1}`, source };
  });
}

describe("README.md", () => {
  const programs = programsOf(readme);

  it.each(programs.map(({ name, source }) => [name, source]))("%s", async (_name, source) => {
    expect(countClaims(source)).toBeGreaterThan(0);
    await runProgram(source);
  });

  it("has programs for every part of the API", () => {
    expect(programs.length).toBeGreaterThanOrEqual(9);
  });

  it("links to files that are there", () => {
    const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target);

    expect(targets.filter((target) => !WRITTEN_LATER.includes(target) && !existsSync(`${ROOT}/${target}`))).toEqual([]);
  });

  it("names npm scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
    const named = [...readme.matchAll(/`npm run ([\w:]+)/g)].map(([, name]) => name);

    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

/** Programs of a page of docs/, with a folder that is there. */
function programsIn(page: string): Program[] {
  const folder = JSON.stringify(fileURLToPath(new URL(".", import.meta.url)));
  return programsOf(readFileSync(`${ROOT}/docs/${page}`, "utf8").replaceAll('"/real/dir"', folder));
}

describe("docs", () => {
  const pages = ["hostfs.md", "lazyfs.md", "mmap.md", "patches.md", "proc.md", "sandboxes.md", "snapshots.md"];

  it.each(pages)("%s", async (page) => {
    await runProgram(programsIn(page)[0].source);
  });

  const whole = ["overlay.md", "testing.md", "workspaces.md"].flatMap((page) =>
    programsIn(page).map(({ name, source }) => [`${page}, ${name}`, source]),
  );

  it.each(whole)("%s", async (_name, source) => {
    await runProgram(source);
  });
});
