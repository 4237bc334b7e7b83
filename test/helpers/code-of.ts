/** The code of what a call throws: "ok" where it throws nothing, the error as text where it has none. */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The code that a promise fails with, or "ok". */
export function codeOfPromise(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => "ok",
    ({ code }) => code,
  );
}
