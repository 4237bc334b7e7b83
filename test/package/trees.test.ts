/** foliofs/trees beside the browser's entry: two bundles that have classes and state of their own. */
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";

const dist = (name: string): string => pathToFileURL(`dist/${name}`).href;

it("brings cp, glob and openAsBlob to faces that are made after it", async () => {
  const { createFsSync } = await import(dist("browser.js"));
  const before = createFsSync();
  expect(() => before.globSync("*")).toThrow("The fs.globSync() method is not implemented");
  await expect(before.promises.cp("/a", "/b")).rejects.toThrow("not implemented");

  await import(dist("trees.js"));
  const fs = createFsSync();
  fs.mkdirSync("/a/b", { recursive: true });
  fs.writeFileSync("/a/b/c", "text");
  await fs.promises.cp("/a", "/d", { recursive: true });
  expect(fs.globSync("/d/**")).toEqual(["/d", "/d/b", "/d/b/c"]);
  expect(fs.globSync("/d", { withFileTypes: true })[0]).toBeInstanceOf(fs.Dirent);
  await expect(fs.promises.cp("/none", "/e")).rejects.toMatchObject({ code: "ENOENT", syscall: "lstat" });
  expect(() => fs.cpSync("/a/b/c", "/d")).toThrow("Cannot overwrite directory /d with non-directory /a/b/c");
  expect(() => fs.cpSync("/a/b/c", "/d/b/c", { mode: 4 })).toThrow("ENOTSUP");
  expect(await (await fs.openAsBlob("/a/b/c")).text()).toBe("text");
});

it("has a door for users of memfs, with kernels of the main bundle", async () => {
  for (const name of ["memfs.js", "memfs.cjs"]) {
    const { memfs, readFileSync: read, vol } = await import(dist(name));
    vol.fromJSON({ "/a/b": "text" });
    expect(read("/a/b", "utf8")).toBe("text");
    const { fs } = memfs({ dir: { file: "x" } }, "/work");
    expect(fs.globSync("**/file")).toEqual(["dir/file"]);
    expect(readFileSync(`dist/${name}`).length).toBeLessThan(60_000);
  }
});

it("leaves nothing to install: minimatch is inside, and its licence beside", () => {
  for (const name of ["trees.js", "index.js", "index.cjs"]) {
    expect(readFileSync(`dist/${name}`, "utf8")).not.toMatch(/(from|require\()\s*["']minimatch/);
  }
  const licences = readFileSync("dist/THIRD-PARTY-LICENSES.txt", "utf8");
  for (const name of ["minimatch", "brace-expansion", "balanced-match"]) {
    const folder = `node_modules/${name}`;
    const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const text = ["LICENSE.md", "LICENSE"].find((file) => existsSync(`${folder}/${file}`));
    expect(licences).toContain(`${name} ${version} `);
    expect(licences).toContain(readFileSync(`${folder}/${text}`, "utf8").trim());
  }
});
