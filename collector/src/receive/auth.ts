import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header lets a request in. */
export type BearerCheck = (header: string | undefined) => boolean;

/** Hashes of equal length are compared, so that time tells nothing about the token. Without a token everybody may. */
export function bearerCheck(token: string | undefined): BearerCheck {
  if (token === undefined) return () => true;
  const wanted = sha256(token);
  return (header) => {
    const given = /^Bearer (.{1,4096})$/i.exec(header ?? '');
    return given !== null && timingSafeEqual(sha256(given[1]!), wanted);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
