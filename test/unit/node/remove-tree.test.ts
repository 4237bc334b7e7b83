import { describe, expect, it } from "vitest";
import { EACCES } from "../../../src/base/errno.ts";
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
    expect(fs.existsSync(at("t/a/then"))).toBe(true);
    expect(fs.existsSync(at("t/b"))).toBe(true);
  });

  it("removes all else when asynchronous, and names what failed", async () => {
    const { fs, at } = stuckFace();
    const removal = fs.promises.rm(at("t"), { recursive: true });
    await expect(removal).rejects.toMatchObject({ code: "EACCES", syscall: "unlink", path: at("t/a/stuck") });
    expect(fs.readdirSync(at("t"), { recursive: true })).toEqual(["a", "a/stuck"]);
  });
});
