/** The changes of sandboxes that node:fs has no single call for. */
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { joinPath, normalizePath, resolvePath, SandboxFiles } from "../../../src/index-sandbox.ts";

function filled(files: Record<string, string>): SandboxFiles {
  const box = new SandboxFiles(undefined);
  for (const [path, text] of Object.entries(files)) {
    box.fs.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    box.fs.writeFileSync(path, text);
  }
  return box;
}

it("paths are seen from a directory, and never from above the root", () => {
  expect(resolvePath("/a/b", "../c")).toBe("/a/c");
  expect(resolvePath("/a/b", "/c/./d")).toBe("/c/d");
  expect(normalizePath("../..//x/")).toBe("/x");
  expect([joinPath("/", "x"), joinPath("/a", "x")]).toEqual(["/x", "/a/x"]);
});

it("what is linked and written gets its directory", async () => {
  const box = filled({ "/f": "text" });
  await box.link("/f", "/new/dir/hard");
  await box.symlink("/f", "/other/dir/soft");
  await box.write("/third/note", "more", "utf8", "a");
  expect(box.fs.statSync("/new/dir/hard").ino).toBe(box.fs.statSync("/f").ino);
  expect(box.fs.readFileSync("/other/dir/soft", "utf8")).toBe("text");
  expect([await box.exists("/third/note"), await box.exists("/third/none")]).toEqual([true, false]);
  await expect(box.link("/none", "/new/dir/x")).rejects.toMatchObject({ code: "ENOENT" });
});

describe("remove()", () => {
  it("takes what it may, and keeps the root", async () => {
    const box = filled({ "/d/f": "", "/e/f": "" });
    box.fs.mkdirSync("/empty");
    await box.remove("/empty", false, false);
    await expect(box.remove("/d", false, true)).rejects.toMatchObject({ code: "ENOTEMPTY" });
    await box.remove("/d", true, false);
    await expect(box.remove("/", true, false)).rejects.toMatchObject({ code: "EPERM" });
    await box.remove("/", true, true);
    expect(box.allPaths()).toEqual(["/e", "/e/f"]);
  });

  it("misses nothing when it is forced", async () => {
    const box = filled({ "/f": "" });
    for (const path of ["/none", "/f/below"]) {
      await box.remove(path, false, true);
      await expect(box.remove(path, false, false)).rejects.toMatchObject({ code: /ENOENT|ENOTDIR/ });
    }
  });
});

describe("copy()", () => {
  it("copies files, links and trees, into what is there too", async () => {
    const box = filled({ "/d/f": "new", "/d/sub/g": "g", "/to/f": "old", "/to/kept": "kept" });
    box.fs.symlinkSync("f", "/d/link");
    await box.copy("/d", "/to", true);
    await box.copy("/d/f", "/one/two/f", false);
    await box.copy("/d/link", "/to/f", false);
    expect(box.fs.readlinkSync("/to/f")).toBe("f");
    expect(box.fs.readlinkSync("/to/link")).toBe("f");
    expect(box.fs.readFileSync("/to/sub/g", "utf8") + box.fs.readFileSync("/one/two/f", "utf8")).toBe("gnew");
    expect(await box.allPathsLater("/to")).toEqual(["/to/f", "/to/kept", "/to/link", "/to/sub", "/to/sub/g"]);
  });

  it("refuses directories that it is not to copy, or not into themselves", async () => {
    const box = filled({ "/d/f": "" });
    await expect(box.copy("/d", "/e", false)).rejects.toMatchObject({ code: "EISDIR" });
    await expect(box.copy("/d", "/d/e", true)).rejects.toMatchObject({ code: "EINVAL" });
    await expect(box.copy("/", "/d/e", true)).rejects.toMatchObject({ code: "EINVAL" });
    expect(box.allPaths()).toEqual(["/d", "/d/f"]);
  });
});

describe("move()", () => {
  it("goes by copies onto directories with something in them, and other file systems", async () => {
    const box = filled({ "/d/f": "f", "/to/kept": "kept" });
    await box.move("/d", "/to");
    expect(box.allPaths()).toEqual(["/to", "/to/f", "/to/kept"]);
    box.fs.mkdirSync("/m");
    box.fs.kernel.mount({ type: "tmpfs", target: "/m" });
    await box.move("/to", "/m/deep/to");
    expect(box.allPaths()).toEqual(["/m", "/m/deep", "/m/deep/to", "/m/deep/to/f", "/m/deep/to/kept"]);
  });

  it("fails as renames do", async () => {
    const box = filled({ "/f": "" });
    await expect(box.move("/none", "/x")).rejects.toMatchObject({ code: "ENOENT" });
    expect(box.allPaths()).toEqual(["/f"]);
  });
});

it("paths that may not be read are left out at once, and refused where one waits", async () => {
  const fs = createFsSync();
  fs.mkdirSync("/d/closed", { recursive: true });
  fs.writeFileSync("/d/closed/f", "");
  fs.chmodSync("/d/closed", 0o700);
  const box = new SandboxFiles({ fs: fs.kernel.task({ uid: 7, gid: 7 }) });
  expect(box.allPaths("/d")).toEqual(["/d/closed"]);
  await expect(box.allPathsLater("/d")).rejects.toMatchObject({ code: "EACCES" });
});
