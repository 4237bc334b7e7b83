/** Paths that are made absolute as text, where the differential test cannot go: it is one process with one user. */
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { thrownBy } from "./host-face.ts";

describe("a working directory", () => {
  it("that others may not search any more leads nowhere for realpath.native, which goes by its path", () => {
    const fs = createFsSync();
    fs.mkdirSync("/closed/home/below", { recursive: true });
    const user = fs.kernel.task({ uid: 1000, gid: 1000, cwd: "/closed/home" });
    fs.chmodSync("/closed", 0o700);

    expect(user.statSync("below").isDirectory()).toBe(true);
    // As Node on tmpfs: readlink("/closed/home/below") is EACCES.
    const error = thrownBy(() => user.realpathSync.native("below"));
    expect(error).toMatchObject({ code: "EACCES", syscall: "realpath", path: "below" });
  });

  it("that has been removed is told as process.cwd() tells it", () => {
    const fs = createFsSync();
    fs.mkdirSync("/gone");
    const task = fs.kernel.task({ cwd: "/gone" });
    fs.rmdirSync("/gone");

    const error = thrownBy(() => task.realpathSync("a"));
    expect(error).toMatchObject({ code: "ENOENT", errno: -2, syscall: "uv_cwd" });
    expect(Object.keys(error)).toEqual(["errno", "code", "syscall"]);
    expect(task.realpathSync("/gone/..")).toBe("/");
  });
});
