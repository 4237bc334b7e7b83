import { describe, expect, it } from "vitest";
import { HOST_DEFAULTS, maskedMode, parseHostOptions, showHostOptions } from "../../../../src/fs/hostfs/options.ts";

describe("mount options of hostfs", () => {
  it("defaults to a read-write mount that writes through", () => {
    expect(parseHostOptions("")).toEqual(HOST_DEFAULTS);
    expect(showHostOptions(HOST_DEFAULTS)).toBe("ttl=1000,maxfds=256,cache=writethrough");
  });

  it.each([
    ["ro", { isReadOnly: true }],
    ["ro,rw", { isReadOnly: false }],
    ["uid=0,gid=4294967294", { uid: 0, gid: 4294967294 }],
    ["dmode=0755,fmode=644,dmask=022,fmask=0133", { dmode: 0o755, fmode: 0o644, dmask: 0o022, fmask: 0o133 }],
    ["ttl=0,maxfds=1", { ttlMs: 0, maxFds: 1 }],
    ["cache=none,,cache=writeback", { cache: "writeback" }],
  ])("reads %s, and shows what it reads again", (data, expected) => {
    const options = parseHostOptions(data)!;
    expect(options).toEqual({ ...HOST_DEFAULTS, ...expected });
    const again = parseHostOptions(showHostOptions(options));
    expect(again).toEqual({ ...options, isReadOnly: false });
  });

  it.each([
    "ro=1",
    "uid",
    "uid=",
    "uid=-1",
    "uid=4294967295",
    "gid=1e3",
    "dmode=8",
    "dmask=77777",
    "ttl=-1",
    "ttl=2147483648",
    "maxfds=0",
    "cache=maybe",
    "cache",
    "size=4",
    "RO",
  ])("refuses %s", (data) => {
    expect(parseHostOptions(data)).toBeUndefined();
  });

  it("keeps at a remount what is not spoken of", () => {
    const before = parseHostOptions("uid=7,ttl=5")!;
    expect(parseHostOptions("ttl=6", before)).toEqual({ ...before, ttlMs: 6 });
  });

  it("masks permission bits of directories and files apart, and of links none", () => {
    const options = parseHostOptions("dmode=0777,dmask=022,fmask=0111")!;
    expect(maskedMode(options, 0o040700)).toBe(0o040755);
    expect(maskedMode(options, 0o100755)).toBe(0o100644);
    expect(maskedMode(options, 0o120777)).toBe(0o120777);
  });
});
