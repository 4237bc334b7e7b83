/** What the adapters for sandboxes have in common: limits, paths, and nothing above their root. */
import { describe, expect, it } from "vitest";
import { createAgentFs } from "../../../src/agentfs.ts";
import { createShellFs } from "../../../src/cloudflare-shell.ts";
import { createFsSync } from "../../../src/index.ts";
import type { SandboxOptions } from "../../../src/index-sandbox.ts";
import { createBashFs } from "../../../src/just-bash.ts";
import { outcomeOf } from "../../helpers/subject.ts";

/** Its face has another name, since agentfs-sdk tells by `fs` whether it is given a database. */
const createAgent = (options?: SandboxOptions) => {
  const box = createAgentFs(options);
  return Object.assign(box, { fs: box.face });
};

const MAKERS = { createBashFs, createShellFs, createAgentFs: createAgent };

/** What the interfaces have in common. */
interface Common {
  writeFile(path: string, content: string): Promise<void>;
  readFile(path: string): Promise<string | Uint8Array>;
  rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  stat(path: string): Promise<object>;
  readonly fs: ReturnType<typeof createFsSync>;
}

describe.each(Object.entries(MAKERS))("%s", (_name, make: (options?: SandboxOptions) => Common) => {
  it("has 64 MiB and 16 384 files if nothing else is said, and what is said otherwise", () => {
    const { blocks, bsize, files } = make().fs.statfsSync("/");
    expect([blocks * bsize, files]).toEqual([64 * 2 ** 20, 16_384]);
    const small = make({ size: 2 ** 20, nr_inodes: 5 }).fs.statfsSync("/");
    expect([small.blocks * small.bsize, small.files]).toEqual([2 ** 20, 5]);
  });

  it("refuses more than its limits, and has them again when something goes", async () => {
    const box = make({ size: 2 ** 20, nr_inodes: 3 });
    await expect(box.writeFile("/big", "x".repeat(2 ** 21))).rejects.toMatchObject({ code: "ENOSPC" });
    await box.rm("/big", { force: true });
    await box.writeFile("/a", "");
    await box.writeFile("/b", "");
    await expect(box.writeFile("/c", "")).rejects.toMatchObject({ code: "ENOSPC" });
    await box.rm("/a");
    await box.writeFile("/c", "x".repeat(2 ** 19));
    expect(box.fs.statfsSync("/").ffree).toBe(0);
  });

  it("holds all of its limits at once", async () => {
    const box = make({ size: 32 * 2 ** 20, nr_inodes: 2000 });
    for (let i = 0; i < 1990; i++)
      await box.writeFile(`/a-file-with-a-name-that-is-rather-long-${i}`, "x".repeat(16_000));
    await box.rm("/", { recursive: true, force: true }).catch(({ code }) => expect(code).toBe("EPERM"));
    expect(box.fs.readdirSync("/")).toHaveLength(1990);
  });

  it("cannot be left: not by paths, not by links", async () => {
    const fs = createFsSync();
    fs.writeFileSync("/secret", "secret");
    fs.mkdirSync("/box");
    const box = make({ fs: fs.kernel.task({ root: "/box" }) });
    await box.symlink("/secret", "/absolute");
    await box.symlink("../../secret", "/relative");
    for (const path of ["/secret", "/../secret", "/absolute", "/relative", "../../secret"]) {
      await expect(box.readFile(path)).rejects.toMatchObject({ code: "ENOENT" });
    }
    await box.writeFile("/../../note", "inside");
    expect(fs.readFileSync("/box/note", "utf8")).toBe("inside");
  });

  it("has the rights of the face that it is given", async () => {
    const fs = createFsSync();
    fs.mkdirSync("/mine");
    fs.chownSync("/mine", 7, 7);
    const box = make({ fs: fs.kernel.task({ uid: 7, gid: 7 }) });
    await box.writeFile("/mine/f", "x");
    expect(fs.statSync("/mine/f").uid).toBe(7);
    await expect(box.writeFile("/other", "x")).rejects.toMatchObject({ code: "EACCES" });
  });

  it("checks its options", () => {
    const code = (options: unknown) => outcomeOf(() => make(options as SandboxOptions));
    const fs = createFsSync();
    expect(code(null)).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ size: 1 })).toBe("ERR_OUT_OF_RANGE");
    expect(code({ size: "64m" })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ nr_inodes: 1.5 })).toBe("ERR_OUT_OF_RANGE");
    expect(code({ fs: 1 })).toBe("ERR_INVALID_ARG_TYPE");
    expect(code({ fs, size: 2 ** 20 })).toBe("ERR_INVALID_ARG_VALUE");
    expect(code({ limit: 1 })).toBe("ERR_INVALID_ARG_VALUE");
  });

  it("takes no path with a NUL", async () => {
    const box = make();
    await expect(box.readFile("/a\0b")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(box.writeFile("/a\0b", "")).rejects.toMatchObject({ code: "ENOENT" });
    expect(box.fs.readdirSync("/")).toEqual([]);
  });
});
