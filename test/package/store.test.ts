/** The entries as they are published fit each other: a file system of foliofs/store in the kernel of foliofs. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FileSystemType } from "../../src/index.ts";
import type { AddressSpaceOperations } from "../../src/mm/address-space.ts";
import { ROOT } from "./user-folder.ts";

type Entries = { index: typeof import("../../src/index.ts"); store: typeof import("../../src/store.ts") };

/** A store that answers later: page 1 cannot be read. */
const mapping: AddressSpaceOperations = {
  readPage: async (_cache, control) => {
    if (control.position === 4096) return -5;
    for (const view of control.views()) view.fill(65);
    return control.length;
  },
  directIO: async (_cache, { buffer }) => buffer.fill(66).length,
};

function fileSystem({ index, store }: Entries): FileSystemType {
  const { Dentry, Inode, stat } = index;
  return {
    name: "laterfs",
    fsFlags: 0,
    pages: store.storedPages,
    tables: [
      {
        inode: {
          lookup(kernel, dir, dentry) {
            const { x } = kernel.core;
            const made = x.inodeNew(kernel.sbOf(dir).handle, stat.S_IFREG | 0o644, 0, 0, kernel.now());
            new Inode(kernel, made as never).size = 3 * 4096;
            x.dInstantiate(new Dentry(kernel, dentry).handle, made as never);
            return 0;
          },
        },
        file: store.storedFileOperations(mapping),
        mapping,
      },
    ],
    fillSuper: (sb) => sb.makeRoot(0o755, 0, 0, 0),
  };
}

const require = createRequire(import.meta.url);
const importing = (name: string) => import(join(ROOT, `dist/${name}.js`));
const requiring = (name: string) => require(join(ROOT, `dist/${name}.cjs`));
const LOADERS: [string, (name: string) => unknown, string][] = [
  ["ES modules", importing, "index"],
  ["CommonJS", requiring, "index"],
  ["ES modules for browsers", importing, "browser"],
  ["CommonJS for browsers", requiring, "browser"],
];

/** What a program of these lines says, in a process of its own: what one entry brings stays for all that are loaded. */
function outputOf(...lines: string[]): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", lines.join("\n")], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

describe("file systems that the core has to ask", () => {
  const attempt = [
    'const type = { name: "asked", fsFlags: 1, tables: [], dentryOps: {}, fillSuper: () => 0 };',
    'try { createFsSync({ types: [type] }); console.log("made"); } catch (error) { console.log(error.message); }',
    'console.log(createFsSync().existsSync("/"));',
  ];

  it("need foliofs/store in browsers, and say so before anything has changed", () => {
    expect(outputOf('import { createFsSync } from "./dist/browser.js";', ...attempt)).toBe(
      'foliofs: stores, mappings and views need import "foliofs/store"\ntrue\n',
    );
  });

  it.each([
    ["of foliofs/store", ['import { createFsSync } from "./dist/browser.js";', 'import "./dist/store.js";']],
    ["of foliofs for Node", ['import { createFsSync } from "./dist/index.js";']],
  ])("come with the entry %s", (_name, imports) => {
    expect(outputOf(...imports, ...attempt)).toBe("made\ntrue\n");
  });
});

describe("usage() and shrink()", () => {
  const attempt = [
    "const { kernel } = createFsSync();",
    'for (const name of ["usage", "shrink"]) {',
    '  try { kernel[name](); console.log("done"); } catch ({ message }) { console.log(message.includes("foliofs/store")); }',
    "}",
    "console.log(kernel.compact());", // what the core does by itself is there without
  ];

  it.each([
    ["are refused in browsers without foliofs/store, by its name", ["browser"], "true\ntrue\n0\n"],
    ["come with it", ["browser", "store"], "done\ndone\n0\n"],
    ["are there in Node", ["index"], "done\ndone\n0\n"],
  ])("%s", (_name, [entry, ...others], output) => {
    const imports = others.map((name) => `import "./dist/${name}.js";`);
    expect(outputOf(`import { createFsSync } from "./dist/${entry}.js";`, ...imports, ...attempt)).toBe(output);
  });
});

describe("deltas", () => {
  const attempt = [
    "const fs = createFsSync();",
    "const base = fs.kernel.snapshot();",
    'fs.writeFileSync("/a", "a");',
    "const tell = (call) => { try { return call(); } catch (error) { return [error instanceof SnapshotError, error.message]; } };",
    "const delta = tell(() => fs.kernel.snapshot({ since: base }));",
    'console.log(delta.length > 2 && restoreFsSync([base, delta]).readFileSync("/a").length);',
    "console.log(...tell(() => restoreFsSync([base, base])));",
  ];
  const missing = 'false\nfalse foliofs: stores, mappings and views need import "foliofs/store"\n';
  const done = "1\ntrue foliofs: these bytes are no delta\n";

  it.each([
    ["are refused in browsers without foliofs/store, by its name", ["browser"], missing],
    ["come with it, and with its errors", ["browser", "store"], done],
    ["are there in Node", ["index"], done],
  ])("%s", (_name, [entry, ...others], output) => {
    const imports = others.map((name) => `import "./dist/${name}.js";`);
    const first = `import { createFsSync, restoreFsSync, SnapshotError } from "./dist/${entry}.js";`;
    expect(outputOf(first, ...imports, ...attempt)).toBe(output);
  });
});

describe.each(LOADERS)("foliofs/store with foliofs, as %s", (_name, load, name) => {
  it("reads by pages and round them, tells who has waited of errors, and lets go", async () => {
    const entries = { index: await load(name), store: await load("store") } as Entries;
    const { createFsSync, stat } = entries.index;
    const fs = createFsSync({ types: [fileSystem(entries)] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "laterfs", target: "/m" });
    const handle = await fs.promises.open("/m/file");
    const direct = await fs.promises.open("/m/file", stat.O_RDONLY | stat.O_DIRECT);

    const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 0);
    expect(buffer.toString()).toBe("AAA");
    await expect(handle.read(Buffer.alloc(3), 0, 3, 4096)).rejects.toMatchObject({ code: "EIO" });
    expect((await direct.read(Buffer.alloc(512), 0, 512, 0)).buffer.toString()).toBe("B".repeat(512));
    await fs.kernel.fadvise(handle, 0, 0, entries.store.POSIX_FADV_DONTNEED);
    const read = () => fs.kernel.preadv2Sync(handle, [Buffer.alloc(3)], 0, entries.store.RWF_NOWAIT);
    expect(read).toThrow("EAGAIN");

    await handle.close();
    await direct.close();
    fs.kernel.umount("/m");
  });

  it("maps files, and gives views of their pages", async () => {
    const entries = { index: await load(name), store: await load("store") } as Entries;
    const { MAP_PRIVATE, PROT_READ, PROT_WRITE, mmapCounts } = entries.store;
    const fs = entries.index.createFsSync({ types: [fileSystem(entries)] });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "laterfs", target: "/m" });
    const handle = await fs.promises.open("/m/file");
    const map = fs.kernel.mmap(handle, { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE });
    const bytes = Buffer.alloc(3);
    expect(() => map.copy(bytes)).toThrow("EAGAIN");
    expect(await map.copyAsync(bytes)).toBe(3);
    expect(bytes.toString()).toBe("AAA");
    await expect(map.copyAsync(bytes, 0, 4096)).rejects.toMatchObject({ code: "EIO", signal: "SIGBUS" });
    expect(await map.setAsync(Buffer.from("own"))).toBe(3);
    const view = await fs.readViewAsync(handle, 1, 2);
    expect(Buffer.from(view.bytes).toString()).toBe("AA");
    expect(mmapCounts(fs.kernel)).toMatchObject({ nrAnon: 1, nrPinned: 1 });
    await expect(fs.readViewAsync(99)).rejects.toMatchObject({ code: "EBADF", syscall: "read" });
    view.release();
    map.munmap();
    await handle.close();
    fs.kernel.umount("/m");

    fs.writeFileSync("/file", "in memory");
    const fd = fs.openSync("/file", "r+");
    const shared = fs.kernel.mmap(fd, { prot: PROT_READ | PROT_WRITE });
    shared.set(Buffer.from("IN"));
    fs.ftruncateSync(fd, 5);
    expect(fs.readFileSync("/file", "utf8")).toBe("IN me");
    expect(() => fs.kernel.snapshot()).not.toThrow();
    shared.munmap();
  });
});

describe("mappings and views", () => {
  it("need foliofs/store in browsers, and say so", () => {
    const said = outputOf(
      'import { createFsSync } from "./dist/browser.js";',
      'const fs = createFsSync(); fs.writeFileSync("/a", "a"); const fd = fs.openSync("/a", "r");',
      "for (const call of [() => fs.kernel.mmap(fd), () => fs.readView(fd), () => fs.readViewAsync(fd)])",
      "  try { call(); } catch (error) { console.log(error.message); }",
    );
    const message = 'foliofs: stores, mappings and views need import "foliofs/store"\n';
    expect(said).toBe(message.repeat(3));
  });

  it.each(LOADERS)("%s: calls of Linux wait for other tasks", (_name, _load, entry) => {
    const isModule = entry === "index" || _name.startsWith("ES");
    const load = (name: string): string =>
      isModule ? `await import("./dist/${name}.js")` : `createRequire(import.meta.url)("./dist/${name}.cjs")`;
    const output = outputOf(
      `import { createRequire } from "node:module";`,
      `const { createFsSync } = ${load(entry)};`,
      `${load("store")};`,
      `const { fs, linux } = createFsSync().kernel;`,
      `const other = fs.kernel.task();`,
      `linux.mkfifoSync("/p");`,
      `const [text] = await Promise.all([fs.promises.readFile("/p", "utf8"), other.promises.writeFile("/p", "through")]);`,
      `fs.writeFileSync("/f", "");`,
      `linux.setxattrSync("/f", "user.a", text);`,
      `const [a, b] = [fs.openSync("/f", "r"), other.openSync("/f", "r")];`,
      `await linux.flock(a, 2);`,
      `const waits = other.kernel.linux.flock(b, 2).then(() => "locked");`,
      `fs.closeSync(a);`,
      `console.log(String(await linux.getxattr("/f", "user.a")), await waits);`,
    );
    expect(output.trim()).toBe("through locked");
  });
});
