import { readFileSync, statSync } from 'node:fs';

/** A text after its references were followed, or what is wrong with it. */
export type Resolution =
  | { readonly status: 'ok'; readonly text: string; readonly resolved: boolean }
  | { readonly status: 'failed'; readonly message: string; readonly advice: string };

const referenceFileBytesMax = 64 * 1024;

/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in a config value. What a reference gives is taken as
 * it is, never read for further references. `$${` stands for a plain `${`.
 */
export function resolveReferences(text: string, env: NodeJS.ProcessEnv): Resolution {
  let failure: Resolution | undefined;
  let resolved = false;
  const result = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole: string, inner: string | undefined, end: string) => {
    if (inner === undefined) return '${';
    const found =
      end === '' ? failed(`the reference ${whole} has no closing brace`, 'Close it with }.') : follow(inner, env);
    if (found.status === 'ok') {
      resolved = true;
      return found.text;
    }
    failure ??= found;
    return '';
  });
  return failure ?? { status: 'ok', text: result, resolved };
}

function follow(inner: string, env: NodeJS.ProcessEnv): Resolution {
  const colon = inner.indexOf(':');
  const scheme = inner.slice(0, Math.max(colon, 0));
  const rest = inner.slice(colon + 1);
  if (scheme === 'env') return followEnv(rest, env);
  if (scheme === 'file') return followFile(rest);
  return failed(
    `the reference \${${inner}} is of no known kind`,
    'Write ${env:NAME}, ${env:NAME:-default} or ${file:path}; $${ stands for a plain ${.',
  );
}

function followEnv(rest: string, env: NodeJS.ProcessEnv): Resolution {
  const [, name, dash, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$/s.exec(rest) ?? [];
  if (name === undefined) {
    return failed(
      `\${env:${rest}} does not name an environment variable`,
      'Write ${env:NAME} or ${env:NAME:-default}.',
    );
  }
  const value = env[name];
  // As in a shell, `:-` also stands in for a variable that is set but empty.
  if (dash !== undefined && (value === undefined || value === '')) return ok(fallback ?? '');
  if (value === undefined) {
    return failed(`the environment variable ${name} is not set`, `Set it, or write \${env:${name}:-default}.`);
  }
  return ok(value);
}

function followFile(path: string): Resolution {
  try {
    const size = statSync(path).size;
    if (size > referenceFileBytesMax) {
      return failed(
        `the file ${path} is larger than ${referenceFileBytesMax} bytes`,
        'Name a file that holds one value.',
      );
    }
    return ok(readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return failed(`the file ${path} cannot be read (${reason})`, 'Relative paths are seen from the working directory.');
  }
}

function ok(text: string): Resolution {
  return { status: 'ok', text, resolved: true };
}

function failed(message: string, advice: string): Resolution {
  return { status: 'failed', message, advice };
}
