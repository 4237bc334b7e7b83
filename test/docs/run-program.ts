/**
 * Runs a program as a reader of the docs would write it: TypeScript, with imports of "foliofs" (here the sources) and of
 * Node's modules.
 *
 * What its comments claim is checked: `expression; // → value` compares, `expression; // throws CODE` wants an error.
 */
import { builtinModules } from "node:module";
import { transform } from "esbuild";
import { expect } from "vitest";

const CLAIM = /^(\s*)(?:const (\w+) = )?(.+?); \/\/ (→|throws) (.+)$/;
const IMPORT = /^import (?:type .+|(\{[^}]*\}|\* as \w+|\w+) from "([^"]+)");?$/gm;

/** Of what it does when it is loaded. */
const BARE_IMPORT = /^import "([^"]+)";?$/gm;

const AsyncFunction = (async () => {}).constructor as new (
  ...parameters: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** Module of a name as users import it. */
async function load(name: string): Promise<unknown> {
  if (name === "foliofs") return import("../../src/index.ts");
  if (name === "foliofs/host") return import("../../src/host.ts");
  if (name === "foliofs/agentfs") return import("../../src/agentfs.ts");
  if (name === "foliofs/cloudflare-shell") return import("../../src/cloudflare-shell.ts");
  if (name === "foliofs/just-bash") return import("../../src/just-bash.ts");
  if (name === "foliofs/lazy") return import("../../src/lazy.ts");
  if (name === "foliofs/layers") return import("../../src/layers.ts");
  if (name === "foliofs/patch") return import("../../src/patch.ts");
  if (name === "foliofs/proc") return import("../../src/proc.ts");
  if (name === "foliofs/testing") return import("../../src/testing.ts");
  if (name === "foliofs/store") return import("../../src/store.ts");
  if (name === "foliofs/watch") return import("../../src/watch.ts");
  if (name.startsWith("node:") && builtinModules.includes(name.slice(5))) return import(name);
  throw new Error(`${name} is no module that the docs may import`);
}

async function codeOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
    return "no error";
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

/** Makes checks of the claims in a program's comments. */
function withChecks(source: string): string {
  return source
    .split("\n")
    .map((line) => {
      const claim = CLAIM.exec(line);
      if (claim === null) return line;
      const [, indent, name, expression, kind, rest] = claim;
      const shown = JSON.stringify(line.trim());
      if (kind === "throws")
        return `${indent}await throws(async () => ${expression}, ${JSON.stringify(rest)}, ${shown});`;
      if (name === undefined) return `${indent}equals(${expression}, ${rest}, ${shown});`;
      return `${indent}const ${name} = ${expression}; equals(${name}, ${rest}, ${shown});`;
    })
    .join("\n");
}

/** Makes what stands left of `from` in an import the target of an assignment. */
function targetOf(names: string): string {
  if (names.startsWith("*")) return names.slice("* as ".length);
  return names.startsWith("{") ? names.replaceAll(" as ", ": ") : `{ default: ${names} }`;
}

/** @returns how many claims the program makes */
export function countClaims(source: string): number {
  return source.split("\n").filter((line) => CLAIM.test(line)).length;
}

/** @throws what the program throws, or the first claim that is wrong */
export async function runProgram(source: string): Promise<void> {
  const { code } = await transform(withChecks(source), { loader: "ts", format: "esm", target: "es2022" });
  const withNames = code.replace(IMPORT, (_, names: string | undefined, from: string) => {
    return names === undefined ? "" : `const ${targetOf(names)} = await load("${from}");`;
  });
  const body = withNames.replace(BARE_IMPORT, (_, from: string) => `await load("${from}");`);
  const modules = { foliofs: await load("foliofs") };
  await new AsyncFunction("load", "require", "equals", "throws", "console", body)(
    load,
    (name: keyof typeof modules) => modules[name],
    (actual: unknown, expected: unknown, line: string) => expect(actual, line).toEqual(expected),
    async (action: () => unknown, code: string, line: string) => expect(await codeOf(action), line).toBe(code),
    { ...console, log: () => {} },
  );
}
