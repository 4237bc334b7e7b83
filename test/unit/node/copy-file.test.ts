import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { thrownBy } from "./host-face.ts";

const { COPYFILE_FICLONE_FORCE } = createFsSync().constants;

describe("copyFile with COPYFILE_FICLONE_FORCE between two file systems", () => {
  // As Node on two tmpfs: FICLONE looks at the file systems before it looks at the files.
  it.each(["/file", "/dir"])("is EXDEV, and takes the copy away again: %s", (source) => {
    const fs = createFsSync();
    fs.writeFileSync("/file", "x");
    fs.mkdirSync("/dir");
    fs.mkdirSync("/mnt");
    fs.kernel.mount({ type: "ramfs", target: "/mnt" });

    const error = thrownBy(() => fs.copyFileSync(source, "/mnt/copy", COPYFILE_FICLONE_FORCE));
    expect(error).toMatchObject({ code: "EXDEV", syscall: "copyfile", path: source, dest: "/mnt/copy" });
    expect(fs.readdirSync("/mnt")).toEqual([]);
  });
});
