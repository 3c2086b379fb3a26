import type { S3Config } from './config.ts';
import { domainOf } from './config.ts';
import { uriEncoded } from './signature.ts';

/**
 * The address of an object.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function addressOf(
  { bucket, region, endpoint, path_style: pathStyle }: Pick<S3Config, 'bucket' | 'region' | 'endpoint' | 'path_style'>,
  key: string,
): URL {
  const base = new URL(endpoint ?? `https://s3.${region}.${domainOf(region)}`);
  const path = base.pathname.replace(/\/+$/, '');
  // A certificate for *.s3… covers no name with dots in it.
  if (pathStyle ?? (endpoint !== undefined || bucket.includes('.'))) {
    base.pathname = `${path}/${bucket}/${uriEncoded(key)}`;
  } else {
    base.host = `${bucket}.${base.host}`;
    base.pathname = `${path}/${uriEncoded(key)}`;
  }
  return base;
}
