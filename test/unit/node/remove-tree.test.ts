import { describe, expect, it } from "vitest";
import { EACCES, EAGAIN, EBUSY } from "../../../src/base/errno.ts";
import { hostFace, thrownBy } from "./host-face.ts";

/** A tree where `a/stuck` cannot be removed. */
function stuckFace() {
  const face = hostFace();
  const { fs, sys, at } = face;
  fs.mkdirSync(at("t/a"), { recursive: true });
  for (const name of ["a/before", "a/stuck", "a/then", "b"]) fs.writeFileSync(at(`t/${name}`), "");
  const unlink = sys.unlink.bind(sys);
  sys.unlink = (path) => (String(path).endsWith("/stuck") ? -EACCES : unlink(path));
  return face;
}

describe("rm of a tree that cannot all be removed", () => {
  it("ends at the first failure when synchronous", () => {
    const { fs, at } = stuckFace();
    const error = thrownBy(() => fs.rmSync(at("t"), { recursive: true }));
    expect(error).toMatchObject({ code: "EACCES", errno: 13, syscall: "rm", path: at("t") });
    // Newest first: b and a/then have gone before.
    expect(fs.readdirSync(at("t"), { recursive: true })).toEqual(["a", "a/before", "a/stuck"]);
  });

  it("removes all else when asynchronous, and names what failed", async () => {
    const { fs, at } = stuckFace();
    const removal = fs.promises.rm(at("t"), { recursive: true });
    await expect(removal).rejects.toMatchObject({ code: "EACCES", syscall: "unlink", path: at("t/a/stuck") });
    expect(fs.readdirSync(at("t"), { recursive: true })).toEqual(["a", "a/stuck"]);
  });

  it("tells of the failure nearest to the top, as the first to come, and goes on with what it has begun", async () => {
    const { fs, sys, at } = stuckFace();
    const unlink = sys.unlink.bind(sys);
    sys.unlink = (path) => (String(path).endsWith("/b") ? -EACCES : unlink(path));
    const removal = fs.promises.rm(at("t"), { recursive: true });
    await expect(removal).rejects.toMatchObject({ code: "EACCES", syscall: "unlink", path: at("t/b") });
    expect(fs.readdirSync(at("t"), { recursive: true })).toEqual(["a", "b", "a/stuck"]);
  });

  it("tries again, each entry for itself, what may be busy for a moment", async () => {
    const { fs, sys, at } = hostFace();
    fs.mkdirSync(at("t"));
    for (const name of ["busy", "free"]) fs.writeFileSync(at(`t/${name}`), "");
    const unlink = sys.unlink.bind(sys);
    let nrBusy = 2;
    sys.unlink = (path) => (String(path).endsWith("/busy") && nrBusy-- > 0 ? -EBUSY : unlink(path));
    const removal = fs.promises.rm(at("t"), { recursive: true, maxRetries: 2, retryDelay: 1 });
    expect(fs.readdirSync(at("t"))).toEqual(["busy"]);
    await removal;
    expect(fs.existsSync(at("t"))).toBe(false);
  });

  it("waits for a store, and goes on with the rest meanwhile", async () => {
    const { fs, sys, at } = hostFace();
    fs.mkdirSync(at("t"));
    for (const name of ["a", "b"]) fs.writeFileSync(at(`t/${name}`), "");
    const unlink = sys.unlink.bind(sys);
    let release = (): void => {};
    let token: Promise<void> | undefined = new Promise((resolve) => {
      release = resolve;
    });
    sys.unlink = (path) => (String(path).endsWith("/a") && token ? -EAGAIN : unlink(path));
    sys.waitToken = () => token;
    const removal = fs.promises.rm(at("t"), { recursive: true });
    expect(fs.readdirSync(at("t"))).toEqual(["a"]);
    token = undefined;
    release();
    await removal;
    expect(fs.existsSync(at("t"))).toBe(false);
  });
});
