import { Access } from '../access.ts';
import type { ReceiveOptions } from '../contract.ts';

/** Lets in who gives the token; everybody without one. */
export function admitting(bearerToken: string | undefined): ReceiveOptions['admit'] {
  const access = new Access({ bearerToken });
  return (authorization) => access.admit(authorization);
}
