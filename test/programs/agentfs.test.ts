/** foliofs/agentfs with the real package: each method beside its own, and the tests that it publishes for its wrapper. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeProgramFolder } from "./program-folder.ts";
import { compile, toldBy } from "./sandbox-folder.ts";

/** Where ours is another, by what is called: directories count those below, and links are followed, as the interface says. */
const DIFFERENT_CALLS = {
  "text and bytes": ['stat("/made")', 'stat("/")'],
  directories: ['readdirPlus("/a")'],
  "symbolic links": ['readdirPlus("/")', 'stat("/l")', 'readFile("/l", "utf8")', 'unlink("/l")'],
};

it("has every method of FileSystem and of its handles", () => {
  const [methods, , handles] = toldBy("agentfs.mjs") as [
    { differences: Record<string, [string, string][]>; nr: number },
    unknown,
    unknown,
  ];
  const calls = Object.entries(methods.differences).map(([scene, pairs]) => [
    scene,
    pairs.map(([line]) => line.split(" → ")[0]),
  ]);
  expect(Object.fromEntries(calls)).toEqual(DIFFERENT_CALLS);
  expect(methods.differences["symbolic links"]?.slice(2)).toEqual([
    ['readFile("/l", "utf8") → "through"', 'readFile("/l", "utf8") → ENOSYS'],
    ['unlink("/l") → done', 'unlink("/l") → ENOSYS'],
  ]);
  expect(methods.nr).toBe(107);
  // Bytes in use are those of pages.
  expect(handles).toEqual([
    [
      { inodes: 2, bytesUsed: 4096 },
      { inodes: 2, bytesUsed: 1 },
    ],
  ]);
});

/** Stands where agentfs-sdk's tests look for its database. */
const OURS = `
import { createAgentFs } from "foliofs/agentfs";
export const AgentFS = { open: async () => ({ fs: createAgentFs(), close: async () => {} }) };
`;

it("passes the tests that agentfs-sdk publishes for a shell on its FileSystem", () => {
  const user = makeProgramFolder();
  try {
    const folder = join(user.folder, "published");
    mkdirSync(folder);
    cpSync(join(user.packages, "node_modules/agentfs-sdk/dist"), folder, { recursive: true });
    writeFileSync(join(folder, "index_node.js"), OURS);
    user.write({
      "package.json": '{"type":"module","private":true}',
      "vitest.config.mjs": 'export default { test: { include: ["published/integrations/**/*.test.js"] } };',
    });
    const vitest = join(user.packages, "node_modules/vitest/vitest.mjs");
    const output = user.run(process.execPath, [vitest, "run", "--reporter", "json"]);
    const { numPassedTests, numFailedTests } = JSON.parse(output.slice(output.indexOf("{")));
    expect(numFailedTests).toBe(0);
    expect(numPassedTests).toBeGreaterThan(80);
  } finally {
    user.remove();
  }
});

it("is what the package's types ask for", () => {
  compile(`
    import { createAgentFs } from "foliofs/agentfs";
    import type { FileSystem } from "agentfs-sdk";
    export const fs: FileSystem = createAgentFs({ size: 2 ** 20 });`);
});
