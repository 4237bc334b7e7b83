/** Globs of sandboxes: what fits, and that no pattern takes long. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { globMatcher } from "../../../src/index-sandbox-glob.ts";

it.each([
  ["/a", ["/a"], ["/b", "/a/", "/ab"]],
  ["/*", ["/a", "/", "/.x"], ["/a/b"]],
  ["/*.ts", ["/a.ts", "/.ts"], ["/a.tsx", "/d/a.ts"]],
  ["/**", ["/", "/a", "/a/b"], ["a"]],
  ["**", ["", "/", "/a/b"], []],
  ["/**/a", ["/a", "/b/a", "/b/c/a"], ["/ba", "/a/b"]],
  ["/x/**/y", ["/x/y", "/x/1/y", "/x/1/2/y"], ["/xy", "/x/1y"]],
  ["/a?c", ["/abc"], ["/a/c", "/ac"]],
  ["/[a-c]", ["/a", "/b", "/c"], ["/d", "/[a-c]"]],
  ["/[!a-c]", ["/d"], ["/a", "//"]],
  ["/[^ab]x", ["/cx"], ["/ax"]],
  ["/[]]", ["/]"], ["/["]],
  ["/[", ["/["], ["/"]],
  ["/{a,b}.{x,y}", ["/a.x", "/b.y"], ["/a.z", "/c.x"]],
  ["/{a,{b,c}}", ["/a", "/b", "/c"], ["/d"]],
  ["/{a", ["/{a"], ["/a"]],
  ["/a+(b).$", ["/a+(b).$"], ["/aab.$"]],
  ["/日*", ["/日本"], ["/本"]],
  ["/?", ["/😀"], ["/ab"]],
])("%s", (pattern, fitting, others) => {
  const fits = globMatcher(pattern);
  expect(fitting.filter((path) => !fits(path))).toEqual([]);
  expect(others.filter(fits)).toEqual([]);
});

it("fits as a regular expression does", () => {
  const piece = fc.constantFrom("a", "b", "/", "*", "**", "**/", "?", ".");
  const translated: Record<string, string> = { "*": "[^/]*", "**": ".*", "**/": "(?:.+/)?", "?": "[^/]", ".": "\\." };
  const path = fc.array(fc.constantFrom("a", "b", "/", "."), { maxLength: 8 }).map((chars) => chars.join(""));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), path, (pieces, text) => {
      // Stars side by side are other tokens than they were.
      fc.pre(!/\*\*\*/.test(pieces.join("")) && !pieces.some((one, i) => one === "*" && pieces[i + 1] === "*"));
      fc.pre(!pieces.some((one, i) => one === "**" && pieces[i + 1] === "/"));
      const expected = new RegExp(`^${pieces.map((one) => translated[one] ?? one).join("")}$`).test(text);
      expect(globMatcher(pieces.join(""))(text), `${pieces.join("")} ${text}`).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

it("takes no longer for patterns that are made to", () => {
  const long = "a".repeat(2000);
  expect(globMatcher(`${"**/".repeat(200)}${"*a".repeat(200)}b`)(`/${long}`)).toBe(false);
  expect(() => globMatcher("{a,b}".repeat(20))).toThrow(/alternatives/);
});
