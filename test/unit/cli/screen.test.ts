/** Lines that are drawn in place, on a terminal that does what its escapes say. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { Screen, type Terminal } from "../../../src/cli/screen.ts";

const ESC = "\u001b";
const TOKEN = new RegExp(`${ESC}\\[(\\d+)A|${ESC}\\[J|\\n|\\r|[^${ESC}\\n\\r]`, "g");

/** A terminal of which the lines can be seen; it knows the escapes that are used, and no others. */
class FakeTerminal implements Terminal {
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  #lines = [""];
  #row = 0;
  #column = 0;

  constructor(columns?: number, rows?: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    for (const [token, up] of text.matchAll(TOKEN)) {
      if (up !== undefined) this.#row -= Number(up);
      else if (token === `${ESC}[J`) this.#erase();
      else if (token === "\r") this.#column = 0;
      else if (token === "\n") this.#newLine();
      else this.#put(token);
      assert.ok(this.#row >= 0, "above the first line");
    }
  }

  #erase(): void {
    this.#lines[this.#row] = this.#lines[this.#row].slice(0, this.#column);
    this.#lines.length = this.#row + 1;
  }
  #newLine(): void {
    this.#row++;
    this.#column = 0;
    this.#lines[this.#row] ??= "";
  }
  #put(character: string): void {
    const line = this.#lines[this.#row];
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column++;
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}

describe("a screen", () => {
  it("draws in the place of what was drawn before, whatever its height", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw("one\ntwo\nthree");
    assert.equal(terminal.text, "one\ntwo\nthree\n");
    screen.draw("1\n2");
    assert.equal(terminal.text, "1\n2\n");
    screen.draw("long line\nx\ny\nz");
    assert.equal(terminal.text, "long line\nx\ny\nz\n");
  });

  it("puts output above, line by line", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.print("before\n");
    screen.draw("[a]\n[b]");
    screen.print("first\nsecond\nbegun");
    assert.equal(terminal.text, "before\nfirst\nsecond\n[a]\n[b]\n");
    screen.print(", ");
    screen.draw("[c]");
    assert.equal(terminal.text, "before\nfirst\nsecond\n[c]\n");
    screen.print("ended\n");
    assert.equal(terminal.text, "before\nfirst\nsecond\nbegun, ended\n[c]\n");
  });

  it("leaves the last of it, and loses no output", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw("[a]");
    screen.print("no end");
    screen.end();
    screen.print("after\n");
    assert.equal(terminal.text, "no end\n[a]\nafter\n[a]\n");
  });

  it("cuts what does not fit", () => {
    const terminal = new FakeTerminal(5, 4);
    const screen = new Screen(terminal);
    screen.draw("1234567\n12345\n123\n4\n5");
    assert.equal(terminal.text, "12345\n12345\n123\n");
    screen.draw("a");
    assert.equal(terminal.text, "a\n");
  });

  it("takes a terminal that does not say for one of 80 columns", () => {
    const terminal = new FakeTerminal(0);
    new Screen(terminal).draw("x".repeat(100));
    assert.equal(terminal.text, `${"x".repeat(80)}\n`);
  });
});
