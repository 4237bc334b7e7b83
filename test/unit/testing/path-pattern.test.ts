import { expect, it } from "vitest";
import { globToRegExp, toMatcher } from "../../../src/testing/path-pattern.ts";

it.each([
  ["/a/*.txt", ["/a/b.txt", "/a/.txt"], ["/a/b/c.txt", "/a/bxtxt", "/b/a/b.txt"]],
  ["/a/**", ["/a/", "/a/b", "/a/b/c"], ["/a", "/ab"]],
  ["/a/**/z", ["/a/z", "/a/b/z", "/a/b/c/z"], ["/a/bz", "/z"]],
  ["**/*.log", ["/x.log", "/a/b/x.log", "x.log"], ["/x.log2"]],
  ["/f?", ["/fa"], ["/f", "/f/", "/fab"]],
  ["/[a-c]x", ["/ax", "/cx"], ["/dx", "/x"]],
  ["/[!a-c]x", ["/dx"], ["/ax", "//x"]],
  ["/{one,two/*}/f", ["/one/f", "/two/x/f"], ["/two/f", "/three/f"]],
  ["/a\\*b", ["/a*b"], ["/axb"]],
  ["/{x", ["/{x"], ["/x"]],
  ["/a,b}", ["/a,b}"], ["/a"]],
  ["/a[b", ["/a[b"], ["/ab"]],
  ["/(a)+.$", ["/(a)+.$"], ["/aa+x"]],
])("%s", (glob, meant, others) => {
  for (const path of meant) expect(globToRegExp(glob).test(path), path).toBe(true);
  for (const path of others) expect(globToRegExp(glob).test(path), path).toBe(false);
});

it("takes either path of a call, and text without specials for the path itself", () => {
  const is = toMatcher("/a", "path");
  expect(is({ call: "open", path: "/a" })).toBe(true);
  expect(is({ call: "rename", path: "/b", dest: "/a" })).toBe(true);
  expect(is({ call: "open", path: "/a/b" })).toBe(false);
  expect(is({ call: "fstat", fd: 3 })).toBe(false);
  const sticky = toMatcher(/a/g, "path");
  for (let i = 0; i < 3; i++) expect(sticky({ call: "open", path: "/a" })).toBe(true);
});

it("refuses what can mean no path", () => {
  expect(() => toMatcher("a/b", "path")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }));
  expect(() => toMatcher(5 as never, "path")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
});
