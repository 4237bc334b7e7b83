/**
 * Puts counters into AssemblyScript text: one at the start of each function, branch and loop, and after each statement that may
 * leave its block, so that a counter stands for all statements up to the next.
 *
 * A counter is a global of the module, which is set once and then tells the host: `if (!__c7) { __c7 = 1; __hit(7); }`. Nothing is
 * written to linear memory, which is the same in all builds.
 *
 * Does not own: compiling (build-core.mjs), what comes of it (report.mjs).
 */
import { NodeKind, newOptions, newProgram, parse } from "assemblyscript";

/** Statements after which it is not sure that the next one is reached. */
const MAY_LEAVE = new Set([NodeKind.If, NodeKind.For, NodeKind.While, NodeKind.Do, NodeKind.Switch, NodeKind.Block]);

/** Lines and columns of offsets, as istanbul has them: lines from 1, columns from 0. */
class Positions {
  #starts = [0];

  constructor(text) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  at(offset) {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - this.#starts[low] };
  }

  range({ start, end }) {
    return { start: this.at(start), end: this.at(end) };
  }
}

class Instrumenter {
  /** What is put where; at one place in the order in which it came. */
  #insertions = [];
  #text;
  #positions;
  #newCounter;
  functions = [];
  branches = [];
  statements = [];

  constructor(text, newCounter) {
    this.#text = text;
    this.#positions = new Positions(text);
    this.#newCounter = newCounter;
  }

  #put(at, what) {
    this.#insertions.push({ at, what });
  }

  #counter() {
    const id = this.#newCounter();
    return { id, text: ` if (!__c${id}) { __c${id} = 1; __hit(${id}); }` };
  }

  /** Where a statement ends, with the semicolon that its range may lack. */
  #endOf({ range }) {
    const rest = /^\s*;/.exec(this.#text.slice(range.end));
    return this.#text[range.end - 1] === ";" || this.#text[range.end - 1] === "}" || rest === null
      ? range.end
      : range.end + rest[0].length;
  }

  /** @returns the counter that a branch begins with */
  #branch(statement) {
    const { id, text } = this.#counter();
    const isBlock = statement.kind === NodeKind.Block;
    this.#put(isBlock ? statement.range.start + 1 : statement.range.start, isBlock ? text : `{${text} `);
    if (isBlock) this.#statements(statement.statements, id);
    else {
      this.#statement(statement, id);
      this.#put(this.#endOf(statement), " }");
    }
    return id;
  }

  #statements(list, counter) {
    let now = counter;
    list.forEach((statement, i) => {
      this.#statement(statement, now);
      if (i + 1 === list.length || !MAY_LEAVE.has(statement.kind)) return;
      const next = this.#counter();
      now = next.id;
      this.#put(list[i + 1].range.start, `${next.text} `);
    });
  }

  #statement(statement, counter) {
    if (statement.kind === NodeKind.Block) return this.#statements(statement.statements, counter);
    if (statement.kind === NodeKind.Empty) return;
    this.statements.push({ ...this.#positions.range(statement.range), counter });
    switch (statement.kind) {
      case NodeKind.If:
        return this.#if(statement);
      case NodeKind.For:
      case NodeKind.While:
      case NodeKind.Do:
        return void this.#branch(statement.body);
      case NodeKind.Switch:
        return this.#switch(statement);
    }
  }

  /** An `if` on DEBUG or SHARED alone has no other side in this build. */
  #if(statement) {
    const condition = this.#text.slice(statement.condition.range.start, statement.condition.range.end);
    if (condition.trim() === "SHARED") return statement.ifFalse && void this.#branch(statement.ifFalse); // not in this build
    const taken = this.#branch(statement.ifTrue);
    if (/^!?(DEBUG|SHARED)$/.test(condition.trim())) return statement.ifFalse && void this.#branch(statement.ifFalse);
    let other;
    if (statement.ifFalse) other = this.#branch(statement.ifFalse);
    else {
      const { id, text } = this.#counter();
      this.#put(this.#endOf(statement.ifTrue), ` else {${text} }`);
      other = id;
    }
    this.branches.push({ ...this.#positions.range(statement.range), type: "if", counters: [taken, other] });
  }

  #switch(statement) {
    const counters = statement.cases.map(({ statements }) => {
      if (statements.length === 0) return undefined;
      const { id, text } = this.#counter();
      const isBlock = statements[0].kind === NodeKind.Block;
      this.#put(isBlock ? statements[0].range.start + 1 : statements[0].range.start, `${text} `);
      this.#statements(statements, id);
      return id;
    });
    const known = counters.filter((id) => id !== undefined);
    this.branches.push({ ...this.#positions.range(statement.range), type: "switch", counters: known });
  }

  #function({ name, body, range }, owner) {
    if (body === null || body === undefined || body.kind !== NodeKind.Block) return;
    const { id, text } = this.#counter();
    this.#put(body.range.start + 1, text);
    this.functions.push({ name: owner + name.text, ...this.#positions.range(range), counter: id });
    this.#statements(body.statements, id);
  }

  declarations(list, owner = "") {
    for (const declaration of list) {
      if (declaration.kind === NodeKind.FunctionDeclaration || declaration.kind === NodeKind.MethodDeclaration)
        this.#function(declaration, owner);
      else if (declaration.kind === NodeKind.ClassDeclaration || declaration.kind === NodeKind.NamespaceDeclaration)
        this.declarations(declaration.members, `${declaration.name.text}.`);
      else if (declaration.kind === NodeKind.Export && declaration.declaration)
        this.declarations([declaration.declaration], owner);
    }
  }

  text() {
    // What is put at one place stands in the order in which it came, but what ends a branch there comes before what begins the next.
    const sorted = this.#insertions
      .map((one, i) => ({ ...one, i }))
      .sort((a, b) => a.at - b.at || rank(a) - rank(b) || a.i - b.i);
    let done = 0;
    let text = "";
    for (const { at, what } of sorted) {
      text += this.#text.slice(done, at) + what;
      done = at;
    }
    return text + this.#text.slice(done);
  }
}

/** Ends of the inner come before those of the outer, and before any beginning. */
function rank({ what }) {
  return what.startsWith(" }") || what.startsWith(" else") ? 0 : 1;
}

/**
 * Puts counters into one file.
 *
 * @param newCounter gives the number of a new counter
 * @returns the text, and its functions, branches and statements with their counters, by line and column
 */
export function instrument(text, path, newCounter) {
  const program = newProgram(newOptions());
  parse(program, text, path, true);
  const source = program.sources.find(({ normalizedPath }) => normalizedPath === path);
  if (source === undefined) throw new Error(`${path} was not parsed`);
  const instrumenter = new Instrumenter(text, newCounter);
  instrumenter.declarations(source.statements);
  const { functions, branches, statements } = instrumenter;
  return { text: instrumenter.text(), functions, branches, statements };
}

/** The file that declares the counters, as globals of all files. */
export function counterFile(nrCounters) {
  const globals = Array.from({ length: nrCounters }, (_, id) => `// @ts-ignore\n@global let __c${id}: i32 = 0;`);
  return `// @ts-ignore\n@external("env", "hit") @global declare function __hit(id: i32): void;\n${globals.join("\n")}\n`;
}
