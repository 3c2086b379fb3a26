export interface Question {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly query: string;
  readonly timeoutMs: number;
  /** Further URL parameters: query parameters as `param_<name>`, settings. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export type Answer =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'refused'; readonly message: string }
  | { readonly status: 'unreachable'; readonly message: string };

/** One small query over HTTP, for the moments before and after the client's life. Never throws. */
export async function ask(question: Question): Promise<Answer> {
  try {
    const url = new URL(question.url);
    for (const [name, value] of Object.entries(question.parameters ?? {})) url.searchParams.set(name, value);
    const response = await fetch(url, {
      method: 'POST',
      body: question.query,
      headers: { 'X-ClickHouse-User': question.username, 'X-ClickHouse-Key': question.password },
      signal: AbortSignal.timeout(question.timeoutMs),
    });
    const text = await response.text();
    return response.ok ? { status: 'ok', text } : { status: 'refused', message: text.slice(0, 300) };
  } catch (error) {
    return { status: 'unreachable', message: (error as Error).message };
  }
}
