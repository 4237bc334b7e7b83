/** scripts/readme-numbers.mjs: from a bench run to the cells of README.md. */
import { expect, it } from "vitest";
import { fillNumbers } from "../../scripts/readme-numbers.mjs";

const RUN = {
  date: "2030-01-02T03:04:05.000Z",
  node: "20.1.2",
  cpu: "A processor",
  rounds: 3,
  geometricMeans: { memfs: 7.25, "node:vfs": 4.5 },
  rows: [
    {
      id: "stat-2",
      ns: { foliofs: [120, 100, 110], memfs: [2000, 2100, 2200] },
      ratios: { memfs: 19.4 },
      problems: { zenfs: ">20 s", tmpfs: "ENOSPC: no space left" },
    },
  ],
};

function fill(cell: string): string {
  return fillNumbers(`<!-- bench:${cell} -->old<!-- / -->`, RUN).replace(/<!--.*?-->/g, "");
}

it("shows the median time of foliofs", () => {
  expect(fill("stat-2:foliofs")).toBe("110 ns");
});

it("shows how many times foliofs is faster", () => {
  expect(fill("stat-2:memfs")).toBe("19×");
  expect(fill("mean:memfs")).toBe("7.3×");
  expect(fill("mean:node:vfs")).toBe("4.5×");
});

it("shows why there is no number", () => {
  expect(fill("stat-2:zenfs")).toBe(">20 s");
  expect(fill("stat-2:tmpfs")).toBe("error");
  expect(fill("stat-2:node:vfs")).toBe("–");
});

it("says what was measured where", () => {
  expect(fill("run:about")).toBe("Node 20.1.2, A processor, 3 rounds, 2030-01-02");
});

it("refuses a row that the run does not have", () => {
  expect(() => fill("stat-3:memfs")).toThrow("stat-3");
});

it("leaves the rest as it is, and can be done again", () => {
  const text = "a <!-- bench:stat-2:foliofs -->–<!-- / --> b <!-- bench:stat-2:memfs -->–<!-- / --> c";
  const filled = fillNumbers(text, RUN);

  expect(filled).toBe("a <!-- bench:stat-2:foliofs -->110 ns<!-- / --> b <!-- bench:stat-2:memfs -->19×<!-- / --> c");
  expect(fillNumbers(filled, RUN)).toBe(filled);
});
